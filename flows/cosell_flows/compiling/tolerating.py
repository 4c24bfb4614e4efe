"""Know of a step that may fail while the flow goes on (`then: continue`) whether it went well. Pure."""

from __future__ import annotations

from collections.abc import Collection

from cosell_definitions.problems import Place, Severity

from . import syntax as s
from .finding import Findings
from .referring import spelled

_WELL = "well:"


def well(step_id: str) -> str:
    """The condition that a step did not fail."""
    return f"{_WELL}{step_id}"


def missing_of(needed: frozenset[str], conditions: Collection[str]) -> frozenset[str]:
    """The conditions that do not hold here; some say in words of the language that a step is well."""
    return frozenset(
        one
        for one in needed.difference(conditions)
        if not one.startswith(_WELL) or _ways_to_say(one.removeprefix(_WELL)).isdisjoint(conditions)
    )


def _ways_to_say(step_id: str) -> frozenset[str]:
    step = s.Read(s.Name("steps", 0), s.Constant(step_id, 0), 0)
    status, error = (s.Read(step, s.Constant(name, 0), 0) for name in ("status", "error"))
    return frozenset(
        spelled(one)
        for one in (
            s.Compared(status, (("ne", s.Constant("failed", 0)),), 0),
            s.Not(s.Tested("defined", error, (), 0), 0),
            s.Tested("undefined", error, (), 0),
        )
    )


def failed_in(missing: Collection[str]) -> str | None:
    """The step whose failure is all that may be in the way; None where there is more."""
    owners = [one.removeprefix(_WELL) for one in missing if one.startswith(_WELL)]
    return min(owners) if owners and len(owners) == len(missing) else None


def say_may_have_failed(step_id: str, owner: str, place: Place, found: Findings) -> None:
    """There is no output of a step that failed, nor of one that stands in such a step."""
    whose = f"step {step_id!r}" if step_id == owner else f"step {step_id!r} in {owner!r}"
    found.say(
        "F018",
        place,
        f"{whose} may have failed when this is read, because the flow goes on then",
        f"give a fallback: | default(…); or read it when: steps.{owner}.status == 'succeeded'",
        severity=Severity.WARNING,  # it mostly goes well; a step that is not run never does
    )
