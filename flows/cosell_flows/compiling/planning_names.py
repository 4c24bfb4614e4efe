"""Check every name that an expression reads against what is there when it is read."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from cosell_definitions.model import Bare, Flow, Template, Value
from cosell_definitions.parsing_steps import UNNAMED
from cosell_definitions.problems import Place, did_you_mean

from .expressions import compiled, spot
from .finding import Findings, part_place, suggestion
from .guessing import name_meant
from .inferring_calls import inference
from .knowing import RUN, inputs_of, step_of, variables_of
from .referring import Path, Reference, Usage
from .tolerating import failed_in, missing_of, say_may_have_failed
from .types import ANY, TEXT, Type, constant, either, list_of, record_of
from .viewing import ProjectView


class _AllNames(frozenset[str]):
    """Where the item of a loop has no name yet, any name may be meant for it."""

    def __contains__(self, name: object) -> bool:
        return True

    def __or__(self, other: object) -> _AllNames:
        return self


ALL_NAMES = _AllNames()
# Names that some places have and others have not, so that a test for them has a meaning.
MAY_BE_THERE = frozenset((name,) for name in ("error", "event", "events", "index", "left", "right"))
NAMES_OF_RUN = frozenset({"inputs", "env", "steps", "run"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """A step that has run by now, if its conditions held."""

    output: Type
    conditions: frozenset[str]
    loops: tuple[str, ...]


class Reader:
    """Knows what can be read at the point that a walk has reached."""

    def __init__(self, flow: Flow, view: ProjectView, found: Findings) -> None:
        self.flow = flow
        self.view = view
        self.found = found
        self.all_ids: dict[str, Place] = {}
        self.seen: dict[str, Seen] = {}
        self.running: list[str] = []  # the steps around this point
        self._tested: set[Path] = set()  # what a test or a default has looked after by now
        self._fixed = {"inputs": inputs_of(flow), "env": variables_of(view), "run": RUN}

    def usage(self, source: Template | Bare) -> Usage | None:
        """What an expression reads, without complaints; they come with `read`."""
        return Findings().usage(source)

    def read(
        self,
        source: Template | Bare,
        *,
        names: Collection[str],
        conditions: frozenset[str] = frozenset(),
        sure: frozenset[str] = frozenset(),
        loops: tuple[str, ...] = (),
        types: Mapping[str, Type] | None = None,
    ) -> Type:
        """Check all that one expression reads, and give its type.

        *sure*: ids of steps known to have run. *types*: of the names that this place alone has.
        """
        used = self.found.usage(source)
        if used is None:
            return ANY
        check_mappings_named(source, used, self.view, self.found)
        dashed = [self._dashed(source, reference) for reference in used.references]
        if any(dashed):
            return ANY
        for reference in used.references:
            if self._is_there(source, reference, names):
                here = self._holding(conditions | used.conditions, sure)
                self._check(source, reference, conditions=here, loops=loops)
        self._tested |= {one.path for one in used.references if one.guarded}
        known = {name: type_ for name, type_ in self._fixed.items() if name in names}
        return self._type(source, {**known, **self._steps(used), **(types or {})})

    def _dashed(self, source: Template | Bare, reference: Reference) -> bool:
        """Whether a name with dashes was meant, which an expression takes for a difference."""
        for part, name in enumerate(reference.path[1:4], start=1):
            found = re.match(r"\w+(-\w+)+", source.text[reference.offsets[part] :])
            known = self._names_at(reference.path[:part])
            if found is None or name in known or found[0] not in known:
                continue
            if reference.path[:part] != (
                "steps",
            ):  # a step's id has no dash, and was complained about
                self.found.say(
                    "F034" if reference.path[0] == "steps" else "F020",
                    spot(source, reference.offsets[part], len(found[0])),
                    f"{found[0]} is taken for a difference: a name with a dash stands in brackets",
                    f"write: {'.'.join(reference.path[:part])}['{found[0]}']",
                )
            return True
        return False

    def _names_at(self, path: Path) -> Collection[str]:
        """The names that stand at the beginning of a path."""
        match path:
            case ("inputs",):
                return [one.name for one in self.flow.inputs]
            case ("steps",):
                return list(self.all_ids)
            case ("steps", step_id, "output") if step_id in self.seen:
                return self.seen[step_id].output.fields or ()
        return ()

    def _steps(self, used: Usage) -> dict[str, Type]:
        """The types of the steps that are read; of all where it is computed which one is."""
        read = {one.path[1:2] for one in used.references if one.path[0] == "steps"}
        fields = {
            name: step_of(seen.output)
            for name, seen in (self.seen.items() if read else ())
            if (name,) in read or () in read
        }
        return {"steps": record_of(fields, besides="anything")}

    def _type(self, source: Template | Bare, scope: Mapping[str, Type]) -> Type:
        """The type of what an expression yields, with complaints of what cannot come out well."""
        whole = compiled(source.text, bare=isinstance(source, Bare))
        result = TEXT
        for piece in whole.pieces:
            look = inference(scope, strict=isinstance(source, Bare), tested=self._tested)
            if whole.lone:
                result = look.type_of(piece.syntax)
            else:
                look.in_text(piece.syntax)
            for complaint in look.complaints:
                self.found.complain(source, complaint, piece.at)
        return result

    def condition(self, source: Bare, type_: Type) -> None:
        """A condition must be true or false."""
        if not type_.known:
            return
        piece = compiled(source.text, bare=True).pieces[0]
        look = inference({}, strict=True)
        look.condition(piece.syntax, type_)
        for complaint in look.complaints:
            self.found.complain(source, complaint, piece.at)

    def list_needed(self, source: Bare, type_: Type) -> None:
        """A loop goes over a list."""
        if type_.may_be("list"):
            return
        name = source.text.strip()
        cures = {
            "record": f"over its keys: {name} | keys; over its values: {name} | values",
            "text": f"over its parts: {name} | split(',')",
        }
        of_one = f"for one item: [{name}]"
        cure = next((cures[kind] for kind in cures if kind in type_.kinds), of_one)
        message = f"`foreach` needs a list; this is {type_}"
        self.found.say("X009", source.place, message, cure)

    def _holding(self, conditions: frozenset[str], sure: frozenset[str]) -> frozenset[str]:
        """What holds here; where a step is known to have run, its conditions held."""
        for step_id in sure:
            if step_id in self.seen:
                conditions |= self.seen[step_id].conditions
        return conditions

    def _is_there(
        self, source: Template | Bare, reference: Reference, names: Collection[str]
    ) -> bool:
        if reference.path[0] in names:
            return True
        if not (reference.guarded and reference.path in MAY_BE_THERE):
            say_unknown_name(source, reference, sorted(names), self.found, flow=self.flow)
        return False

    def _check(
        self,
        source: Template | Bare,
        reference: Reference,
        *,
        conditions: frozenset[str],
        loops: tuple[str, ...],
    ) -> None:
        if len(reference.path) == 1:
            return
        match reference.path[0]:
            case "inputs":
                self._input(source, reference)
            case "env":
                check_variable(source, reference, self.view, self.found)
            case "steps":
                self._step(source, reference, conditions=conditions, loops=loops)

    def _input(self, source: Template | Bare, reference: Reference) -> None:
        known = [one.name for one in self.flow.inputs]
        if reference.path[1] not in known:
            self.found.say(
                "F020",
                part_place(source, reference, 1),
                f"flow {self.flow.id!r} has no input {reference.path[1]!r}",
                suggestion(reference.path[1], known, there="its inputs"),
            )

    # -- steps ----------------------------------------------------------------------------------

    def _step(
        self,
        source: Template | Bare,
        reference: Reference,
        *,
        conditions: frozenset[str],
        loops: tuple[str, ...],
    ) -> None:
        step_id = reference.path[1]
        place = part_place(source, reference, 1)
        seen = self.seen.get(step_id)
        if seen is None:
            self._not_yet(step_id, place, guarded=reference.guarded)
            return
        if seen.loops != loops[: len(seen.loops)]:
            loop = next(one for one in reversed(seen.loops) if one not in loops)
            self.found.say(
                "F019",
                place,
                f"step {step_id!r} stands in the loop {loop!r}, and is read outside of it",
                f"give the item a `result:`, and read steps.{loop}.output.results",
            )
            return
        only_status = reference.path[2:3] == ("status",)
        if seen.conditions <= conditions or reference.guarded or reference.ran or only_status:
            return
        missing = missing_of(seen.conditions, conditions)
        owner = failed_in(missing)
        if not missing:
            return
        if owner is not None:
            if not (step_id == owner and reference.path[2:3] == ("error",)):
                say_may_have_failed(step_id, owner, place, self.found)
        else:
            self.found.say(
                "F018",
                place,
                f"step {step_id!r} may not have run when this is read",
                "give a fallback: | default(…); or read it under the same condition",
            )

    def _may_be_unnamed(self, step_id: str, before: list[str]) -> bool:
        """Whether a step may be meant whose id is missing or ill-formed, which was told."""
        odd = [name for name in self.all_ids if not name.isidentifier()]
        meant = {re.sub(r"\W+", "_", name) for name in odd if not name.startswith(UNNAMED)}
        unnamed = any(name.startswith(UNNAMED) for name in odd)
        return step_id in meant or (unnamed and did_you_mean(step_id, before) is None)

    def _not_yet(self, step_id: str, place: Place, *, guarded: bool) -> None:
        before = [name for name in self.seen if name.isidentifier()]
        if step_id in self.running:
            self.found.say(
                "F013",
                place,
                f"step {step_id!r} is still running when this is read",
                "read it after the step; inside, read the steps of which it is made",
            )
        elif step_id not in self.all_ids:
            if self._may_be_unnamed(step_id, before):
                return
            self.found.say(
                "F012",
                place,
                f"no step is called {step_id!r}",
                suggestion(step_id, before, there="steps before this one"),
            )
        elif not guarded:
            there = self.all_ids[step_id]
            when = "runs at the same time" if there[1:3] < place[1:3] else "comes later"
            self.found.say(
                "F013",
                place,
                f"step {step_id!r} {when} (line {there.line})",
                suggestion("", before, there="steps before this one"),
            )


# -- shared with mappings and triggers ------------------------------------------------------------


def say_unknown_name(
    source: Template | Bare,
    reference: Reference,
    names: list[str],
    found: Findings,
    *,
    flow: Flow | None = None,
) -> None:
    """No such name in this place."""
    name = reference.path[0]
    found.astray.update(reference.path)
    meant = name_meant(name, names, flow)
    listed = suggestion(name if meant is None else "", names, there="names here")
    if meant is None and len(reference.path) == 1 and "did you mean" not in listed:
        meant = f"if it is a text, put it in quotes: '{name}'"
    found.say(
        "X004",
        part_place(source, reference, 0),
        f"there is no {name!r} here",
        f"{meant.removesuffix('?')}{'?' if meant.endswith('?') else ';'} {listed}"
        if meant is not None
        else listed,
    )


def check_variable(
    source: Template | Bare, reference: Reference, view: ProjectView, found: Findings
) -> None:
    """An environment variable must be declared."""
    name = reference.path[1]
    place = part_place(source, reference, 1)
    found.env.setdefault(name, place)
    if name not in view.declarations:
        found.astray.add(name)
    if name not in view.declarations and name not in found.listed:
        found.say(
            "F021",
            place,
            f"there is no environment variable {name!r}",
            suggestion(name, list(view.declarations), there="declared are"),
        )


def check_mappings_named(
    source: Template | Bare, used: Usage, view: ProjectView, found: Findings
) -> None:
    """`mapping_fields('…')` names a mapping."""
    for one in used.functions:
        if one.name == "mapping_fields" and one.literal is not None:
            place = spot(source, one.literal_at, len(one.literal) + 2)
            check_mapping(one.literal, place, view, found)


def check_mapping(name: str, place: Place, view: ProjectView, found: Findings) -> None:
    """A mapping must be there."""
    found.mappings.setdefault(name, place)
    if name not in view.mappings and name not in view.broken:
        found.astray.add(name)
        if name in found.listed:
            return  # the list says that there is none; once is enough
        found.say(
            "F026",
            place,
            f"there is no mapping {name!r}",
            suggestion(name, list(view.mappings), there="there are"),
        )


def type_of_literal(value: Value, types: Mapping[int, Type]) -> Type:
    """The type of a value as it is written down; *types*: of its templates, by identity."""
    match value:
        case Template():
            return types.get(id(value), ANY)
        case Mapping():
            fields = {name: type_of_literal(inner, types) for name, inner in value.items()}
            return record_of({name: type_.widened() for name, type_ in fields.items()})
        case tuple():
            items = [type_of_literal(inner, types).widened() for inner in value]
            return list_of(either(*items)) if items else list_of(ANY)
    return constant(value)
