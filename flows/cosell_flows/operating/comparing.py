"""Hold what is wanted of an org against what it has, and say what is to be done. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from cosell_definitions.problems import did_you_mean
from cosell_definitions.settings import FieldShape

from .wanted import Wanted, WantedField, WantedObject

PERMISSION_SET = "Cosell_Sync"
Described = Mapping[str, Any]
Making = Literal[
    "object", "field", "permission", "assignment", "setting", "related_list", "by_hand"
]

_TYPES: Mapping[str, tuple[str, ...]] = {
    # The types a describe may give for a field of each shape.
    "checkbox": ("boolean",),
    "text": ("string", "textarea"),
    "long_text": ("textarea", "string"),
    "url": ("url", "string"),
    "picklist": ("picklist", "string"),
    "master_detail": ("reference",),
}
SETTINGS: Mapping[str, tuple[str, str, str]] = {
    # Object that exists only with it: settings file, switch, what people call it
    "OpportunityTeamMember": ("Opportunity", "enableOpportunityTeam", "Opportunity Teams"),
    "ContentNote": ("EnhancedNotes", "enableEnhancedNotes", "Notes"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class OrgFacts:
    """What was found out about an org."""

    describes: Mapping[str, Described | None]  # by object; None: not there, or not to be seen
    hidden: frozenset[str] = frozenset()  # fields there are, but that this user may not see
    layouts: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  # name -> related lists
    assigned: bool = True  # whether the user has the permission set


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One thing to be done in the org. `by_hand`: no API can do it."""

    id: str
    making: Making
    message: str
    hint: str = ""
    field: WantedField | None = None
    object: WantedObject | None = None
    setting: str | None = None  # a key of SETTINGS
    layout: str | None = None


def steps(wanted: Wanted, facts: OrgFacts) -> list[Step]:
    """What is to be done, in an order in which it can be done."""
    found = [*_objects(wanted, facts), *_fields(wanted, facts), *_settings(facts)]
    found += _permission(wanted, facts, made=any(s.making in ("object", "field") for s in found))
    return [*found, *_related_lists(wanted, facts)]


def _objects(wanted: Wanted, facts: OrgFacts) -> Iterator[Step]:
    for one in wanted.objects:
        if facts.describes.get(one.name) is None and not _is_hidden(one, facts):
            yield Step(
                id=f"object:{one.name}",
                making="object",
                message=f"make the object {one.shape.label} ({one.name}), with "
                f"{len(one.fields)} fields and the related list {one.shape.plural}",
                object=one,
            )


def _is_hidden(one: WantedObject, facts: OrgFacts) -> bool:
    return any(field.full_name in facts.hidden for field in one.fields)


def _fields(wanted: Wanted, facts: OrgFacts) -> Iterator[Step]:
    for one in wanted.every_field:
        described = facts.describes.get(one.object)
        if described is None or one.full_name in facts.hidden:
            continue
        there = field_in(described, one.name)
        if there is not None:
            yield from _misfits(one, there)
        elif one.shape is None:
            yield _missing(one, described)
        else:
            yield Step(
                id=f"field:{one.full_name}",
                making="field",
                message=f"make the field {one.shape.label} ({one.full_name}), {_said(one.shape)}",
                field=one,
            )


def field_in(described: Described, name: str) -> Mapping[str, Any] | None:
    """The description of a field; names compare without regard to case, as Salesforce does."""
    for one in described["fields"]:
        if str(one["name"]).lower() == name.lower():
            found: Mapping[str, Any] = one
            return found
    return None


def _missing(one: WantedField, described: Described) -> Step:
    near = did_you_mean(one.name, [str(each["name"]) for each in described["fields"]])
    meant = f"did you mean {near}? " if near else ""
    return Step(
        id=f"field:{one.full_name}",
        making="by_hand",
        message=f"{one.variable} is {one.name!r}, and {one.object} has no such field",
        hint=f"{meant}Set the variable: cosell env set {one.variable} {near or 'NAME'}; or make the "
        f"field in Setup > Object Manager > {one.object} > Fields & Relationships",
    )


def _misfits(one: WantedField, there: Mapping[str, Any]) -> Iterator[Step]:
    shape, page = one.shape, f"Setup > Object Manager > {one.object} > Fields & Relationships"
    if shape is None:
        return
    kind, length = str(there.get("type")), int(there.get("length") or 0)
    if kind not in _TYPES[shape.kind]:
        yield Step(
            id=f"type:{one.full_name}",
            making="by_hand",
            message=f"{one.full_name} is of type {kind}; {_said(shape)} is needed",
            hint=f"change its type in {page} > {one.name}, or name another field: "
            f"cosell env set {one.variable} NAME",
        )
        return
    if shape.external_id and not there.get("externalId"):
        yield Step(
            id=f"external_id:{one.full_name}",
            making="by_hand",
            message=f"{one.full_name} is not marked as an external id; records are found by it",
            hint=f"tick External ID and Unique in {page} > {one.name} > Edit",
        )
    if shape.kind == "text" and shape.length and length < min(shape.length, 36):
        yield Step(
            id=f"length:{one.full_name}",
            making="by_hand",
            message=f"{one.full_name} holds {length} characters; {min(shape.length, 36)} are needed",
            hint=f"make it longer in {page} > {one.name} > Edit",
        )
    if shape.kind == "picklist" and kind == "picklist":
        active = [v["value"] for v in there.get("picklistValues", ()) if v.get("active", True)]
        lacking = [v for v in shape.values if v.lower() not in [one.lower() for one in active]]
        if lacking:
            yield Step(
                id=f"values:{one.full_name}",
                making="by_hand",
                message=f"{one.full_name} lacks the values {', '.join(lacking)}",
                hint=f"add them in {page} > {one.name} > Values > New",
            )


def _settings(facts: OrgFacts) -> Iterator[Step]:
    for name, (_, _, said) in SETTINGS.items():
        if name in facts.describes and facts.describes[name] is None:
            yield Step(
                id=f"setting:{name}",
                making="setting",
                message=f"switch on {said}",
                setting=name,
            )


def _permission(wanted: Wanted, facts: OrgFacts, *, made: bool) -> Iterator[Step]:
    if made or facts.hidden:
        shown = f": {', '.join(sorted(facts.hidden))} cannot be seen now" if facts.hidden else ""
        yield Step(
            id="permission",
            making="permission",
            message=f"make the permission set cosell sync ({PERMISSION_SET}), which lets its users "
            f"read and edit these fields{shown}",
            hint="give it to your sellers, too: Setup > Permission Sets > cosell sync > Manage Assignments",
        )
    if (made or facts.hidden) and not facts.assigned:
        yield Step(
            id="assignment",
            making="assignment",
            message="give the permission set to the user of this connection",
        )


def _related_lists(wanted: Wanted, facts: OrgFacts) -> Iterator[Step]:
    for one in wanted.objects:
        name = related_list(one)
        if name is None:
            continue
        for layout, lists in facts.layouts.items():
            if name not in lists:
                yield Step(
                    id=f"related_list:{layout}",
                    making="related_list",
                    message=f"put the related list {one.shape.plural} on the page layout {layout}",
                    object=one,
                    layout=layout,
                )


def related_list(one: WantedObject) -> str | None:
    """The name by which a layout of the parent knows the list: `Microsoft_Solution__c.Opportunity__c`."""
    for name, shape in one.shape.fields.items():
        if shape.kind == "master_detail":
            return f"{one.name}.{name}"
    return None


def _said(shape: FieldShape) -> str:
    """A shape in words."""
    match shape.kind:
        case "text" | "long_text":
            kind = "text" if shape.kind == "text" else "long text"
            marks = [" external id"] * shape.external_id + [" unique"] * shape.unique
            return f"{kind} of {shape.length} characters" + ",".join(["", *marks])
        case "picklist":
            return f"a picklist of {len(shape.values)} values"
        case "master_detail":
            return f"which ties it to {shape.parent}"
        case _:
            return f"a {shape.kind}"
