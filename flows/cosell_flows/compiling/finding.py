"""Look at the expressions of a value: which there are, what is wrong with each, what each reads."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from cosell_definitions.model import Bare, Template, Value
from cosell_definitions.problems import Place, Problem, Severity, did_you_mean

from .expressions import spot
from .filters import FUNCTIONS
from .guessing import function_meant
from .inferring import Complaint
from .referring import Reference, Usage, usage
from .values import Faulty


@dataclass(slots=True)
class Findings:
    """The problems found so far, and what a document has been seen to use."""

    problems: list[Problem] = field(default_factory=list)
    env: dict[str, Place] = field(default_factory=dict)
    connections: dict[str, Place] = field(default_factory=dict)
    listening: dict[str, Place] = field(default_factory=dict)  # connections that only triggers name
    mappings: dict[str, Place] = field(default_factory=dict)
    flows: dict[str, Place] = field(default_factory=dict)  # that are called
    listed: frozenset[str] = frozenset()  # what stands under `uses`
    unsure: bool = False  # a step could not be understood, and may use anything
    astray: set[str] = field(default_factory=set)  # unknown words where a name was meant

    def say(
        self,
        code: str,
        place: Place,
        message: str,
        hint: str | None = None,
        *,
        severity: Severity = Severity.ERROR,
    ) -> None:
        """Collect a problem."""
        self.problems.append(
            Problem(code=code, place=place, message=message, hint=hint, severity=severity)
        )

    def note(self, other: Findings) -> None:
        """Count what another document uses as used; its problems stay its own."""
        self.env = {**other.env, **self.env}
        self.connections = {**other.connections, **self.connections}
        self.mappings = {**other.mappings, **self.mappings}

    def usage(self, source: Template | Bare) -> Usage | None:
        """What an expression reads; None, and a problem, where it cannot be read."""
        try:
            used = usage(source)
            self._functions(source, used)
            for fault in used.faults:
                self.say(fault.code, spot(source, fault.at), fault.message, fault.hint)
            return used
        except Faulty as fault:
            self.say(fault.code, spot(source, fault.at), fault.message, fault.hint)
            return None

    def complain(self, source: Template | Bare, complaint: Complaint, at: int) -> None:
        """Collect what an expression that begins at an offset was found to do wrong."""
        place = spot(source, at + complaint.at, complaint.length)
        self.say(complaint.code, place, complaint.message, complaint.hint)

    def _functions(self, source: Template | Bare, used: Usage) -> None:
        for one in used.functions:
            if one.name not in FUNCTIONS:
                self.say(
                    "X005",
                    spot(source, one.at, len(one.name)),
                    f"there is no function {one.name!r}",
                    function_meant(one.name)
                    or suggestion(one.name, list(FUNCTIONS), there="there are"),
                )


def templates_in(value: Value | Bare) -> Iterator[Template | Bare]:
    """Every expression of a value, in the order of the file."""
    if isinstance(value, Template | Bare):
        yield value
    elif isinstance(value, Mapping):
        for inner in value.values():
            yield from templates_in(inner)
    elif isinstance(value, tuple):
        for inner in value:
            yield from templates_in(inner)


def part_place(source: Template | Bare, reference: Reference, part: int) -> Place:
    """Where one part of a path stands."""
    return spot(source, reference.offsets[part], len(reference.path[part]))


def suggestion(word: str, known: list[str], *, there: str) -> str:
    """A hint that names what was probably meant, and what there is."""
    near = did_you_mean(word, known)
    names = ", ".join(known[:20]) + (" …" if len(known) > 20 else "")
    listed = f"{there}: {names}" if names else f"{there}: none"
    return f"did you mean {near!r}? {listed}" if near else listed
