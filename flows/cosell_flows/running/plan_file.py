"""A plan as a file that people look through, pass on, and apply. Pure."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from ..syncing.values import parse_moment
from ..syncing.writes import NEW, NEW_ENDS

FORMAT = "v1"
_STAMP = len("2026-01-31 12:30")  # in front of every line of an audit trail


class BadPlan(Exception):
    """A file is no plan, or no longer the plan that was saved."""

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


@dataclass(frozen=True, slots=True, kw_only=True)
class Sighting:
    """A record as the plan saw it: its version, and a fingerprint of each of its fields."""

    system: str
    id: str
    version: str
    fields: Mapping[str, str] = field(default_factory=dict)
    object: str | None = None

    def as_json(self) -> dict[str, Any]:
        """The sighting as a plan file holds it."""
        return {
            "system": self.system,
            "object": self.object,
            "id": self.id,
            "version": self.version,
            "fields": dict(self.fields),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedRecord:
    """One record of a run: what would come of it, by which writes, judged by which versions."""

    key: str | None  # None: what a flow does outside of its loops
    status: str
    reason: str | None = None
    changes: tuple[Mapping[str, Any], ...] = ()
    seen: tuple[Sighting, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanFile:
    """Everything that is needed to carry out a plan exactly, or to refuse it."""

    id: str
    flow: str
    environment: str
    inputs: Mapping[str, Any]
    made_at: datetime
    status: str
    records: tuple[PlannedRecord, ...]
    braked: str | None = None
    error: Mapping[str, Any] | None = None
    cursors: Mapping[str, datetime] = field(default_factory=dict)  # where lists began
    reached: Mapping[str, datetime] = field(default_factory=dict)  # how far they were read
    fingerprints: Mapping[str, str] = field(default_factory=dict)  # of files, values, connections

    @property
    def changes(self) -> list[Mapping[str, Any]]:
        """Every write, record by record."""
        return [change for record in self.records for change in record.changes]


def fingerprint(value: Any, *, salt: str = "") -> str:
    """A short hash of a value, the same however it is spelled in JSON."""
    return hashlib.sha256(f"{salt}{canonical(value)}".encode()).hexdigest()[:16]


def canonical(value: Any) -> str:
    """*value* as text: numbers by what they are, moments ISO, keys in order."""
    return json.dumps(_canonical(value), sort_keys=True, ensure_ascii=False)


def _canonical(value: Any) -> Any:
    match value:
        case None | bool() | str():
            return value
        case int() | float() | Decimal():
            number = Decimal(str(value))
            return {"#": format(number.normalize(), "f") if number else "0"}
        case datetime() | date():
            return value.isoformat()
        case Mapping():
            return {str(key): _canonical(one) for key, one in value.items()}
        case list() | tuple():
            return [_canonical(one) for one in value]
        case _:
            return str(value)


def is_new(value: Any) -> bool:
    """Whether a planned value holds the id of a record that is still to be made."""
    text = value if isinstance(value, str) else canonical(value)
    _, found, tail = text.partition(NEW)
    return bool(found) and NEW_ENDS in tail


@dataclass(frozen=True, slots=True)
class Signature:
    """What makes two changes the same write, but for the moment in front of an audit line."""

    system: str
    object: str
    operation: str
    key: str | None  # None: of a record that is still to be made
    fields: tuple[tuple[str, str | None], ...]  # None: an id that is not known yet

    def allows(self, other: Signature) -> bool:
        """Whether *other* is this write, with ids in place of what was not known yet."""
        return (
            (self.system, self.object, self.operation)
            == (other.system, other.object, other.operation)
            and self.key in (None, other.key)
            and [name for name, _ in self.fields] == [name for name, _ in other.fields]
            and all(
                mine in (None, theirs)
                for (_, mine), (_, theirs) in zip(self.fields, other.fields, strict=True)
            )
        )


def signature(change: Mapping[str, Any]) -> Signature:
    """The signature of a change, planned or about to happen."""
    key = change["key"]
    unknown = key is None or is_new(key) or change["operation"] == "create"
    said = [(one["field"], None if is_new(one["new"]) else _said(one)) for one in change["fields"]]
    return Signature(
        change["system"],
        change["object"],
        change["operation"],
        None if unknown else str(key),
        tuple(sorted(said, key=lambda pair: pair[0])),
    )


def _said(one: Mapping[str, Any]) -> str:
    value = one["new"]
    if one.get("own") and isinstance(value, str) and value[_STAMP : _STAMP + 3] == " - ":
        return canonical(value[_STAMP:])
    return canonical(value)


def as_document(plan: PlanFile) -> dict[str, Any]:
    """The plan as JSON: what `cosell plan --json` prints, and what it takes to apply it."""
    document = {
        "plan": FORMAT,
        **printed(plan),
        "environment": plan.environment,
        "inputs": dict(plan.inputs),
        "made_at": plan.made_at,
        "brake": plan.braked,
        "records": _records(plan),
        "cursors": {"from": dict(plan.cursors), "to": dict(plan.reached)},
        "fingerprints": dict(plan.fingerprints),
    }
    return {**document, "digest": _digest(document)}


def printed(plan: PlanFile) -> dict[str, Any]:
    """What `cosell plan --json` prints."""
    return {
        "plan_id": plan.id,
        "flow": plan.flow,
        "status": plan.status,
        "braked": plan.braked is not None,
        "changes": plan.changes,
        "skipped": [
            {"key": one.key, "reason": one.reason}
            for one in plan.records
            if one.status in ("skipped", "failed")
        ],
        "error": plan.error,
    }


def _records(plan: PlanFile) -> list[dict[str, Any]]:
    shown, first = [], 0
    for one in plan.records:
        shown.append(
            {
                "key": one.key,
                "status": one.status,
                "reason": one.reason,
                "changes": list(range(first, first + len(one.changes))),
                "seen": [sighting.as_json() for sighting in one.seen],
            }
        )
        first += len(one.changes)
    return shown


def _digest(document: Mapping[str, Any]) -> str:
    bare = {key: value for key, value in document.items() if key != "digest"}
    return hashlib.sha256(canonical(bare).encode()).hexdigest()


def read_plan(text: str, *, name: str) -> PlanFile:
    """The plan in a file; raises BadPlan where it is none, or was altered."""
    try:
        document = json.loads(text, parse_float=Decimal)
    except ValueError as error:
        raise BadPlan(f"{name} is not JSON: {error}", hint=_MAKE) from None
    if not isinstance(document, Mapping) or "plan" not in document or "digest" not in document:
        raise BadPlan(f"{name} is not a plan that was saved with --out", hint=_MAKE)
    if document["plan"] != FORMAT:
        raise BadPlan(
            f"{name} is a plan of format {document['plan']!r}, and this cosell knows {FORMAT}",
            hint="make a new plan with this version of cosell",
        )
    if _digest(document) != document["digest"]:
        raise BadPlan(
            f"{name} was altered after it was saved",
            hint="a plan is applied as it was made; change the records or the flow, and plan again",
        )
    try:
        return _parsed(document)
    except (KeyError, TypeError, ValueError, IndexError, AttributeError) as error:
        raise BadPlan(f"{name} is not a whole plan ({error!r})", hint=_MAKE) from None


_MAKE = "make one: cosell plan FLOW --out FILE"


def _parsed(document: Mapping[str, Any]) -> PlanFile:
    changes = document["changes"]
    return PlanFile(
        id=document["plan_id"],
        flow=document["flow"],
        environment=document["environment"],
        inputs=dict(document["inputs"]),
        made_at=_moment(document["made_at"]),
        status=document["status"],
        braked=document["brake"],
        error=document["error"],
        records=tuple(_record(one, changes) for one in document["records"]),
        cursors={name: _moment(text) for name, text in document["cursors"]["from"].items()},
        reached={name: _moment(text) for name, text in document["cursors"]["to"].items()},
        fingerprints=dict(document["fingerprints"]),
    )


def _record(one: Mapping[str, Any], changes: Sequence[Mapping[str, Any]]) -> PlannedRecord:
    return PlannedRecord(
        key=one["key"],
        status=one["status"],
        reason=one["reason"],
        changes=tuple(changes[index] for index in one["changes"]),
        seen=tuple(Sighting(**sighting) for sighting in one["seen"]),
    )


def _moment(text: str) -> datetime:
    moment = parse_moment(text)
    if moment is None:
        raise ValueError(f"{text!r} is no moment")
    return moment.astimezone(UTC)
