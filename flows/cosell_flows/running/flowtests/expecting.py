"""Hold a finished run against what a test expects of it. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from cosell_definitions.model_tests import Expect, ExpectedCalls, Told
from cosell_definitions.problems import Place

from ..outcomes import RunResult
from .comparing import differences, fits, shown
from .mocks import Call
from .watching import Trace


@dataclass(frozen=True, slots=True, kw_only=True)
class Miss:
    """One expectation that was not met: what it is about, in words, and where it stands."""

    what: str
    message: str
    place: Place
    expected: Any = None
    got: Any = None
    hint: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """What came of a run, as far as a test can ask."""

    flow: str
    result: RunResult
    trace: Trace
    calls: Sequence[Call] = ()
    letters: Sequence[Mapping[str, Any]] = ()
    audit: Sequence[str] = ()
    cursors: Mapping[str, Any] = field(default_factory=dict)


def misses(expect: Expect, story: Story) -> list[Miss]:
    """Every expectation that was not met, in the order of their weight."""
    return [
        *_status(expect, story),
        *_error(expect, story),
        *_steps(expect, story),
        *(miss for one in expect.calls for miss in _calls(one, story)),
        *_named("outputs", expect.outputs, story.result.outputs),
        *_named("counts", expect.counts, story.result.counts),
        *_records(expect, story),
        *_writes(expect, story),
        *_letters(expect, story),
        *_audit(expect, story),
        *_named("cursors", expect.cursors, story.cursors),
    ]


def _status(expect: Expect, story: Story) -> Iterator[Miss]:
    wanted, got = expect.status, story.result.status
    if got == wanted.value:
        return
    yield Miss(
        what="status",
        message=f"expected {wanted.value}, got {got}{_why(story.result)}",
        place=wanted.place,
        expected=wanted.value,
        got=got,
    )


def _why(result: RunResult) -> str:
    if result.error is not None:
        error = result.error
        where = f" (step {error['step']}, {error['file']}:{error['line']})" if error["file"] else ""
        return f": {error['class']}: {error['message']}{where}"
    failed = [one for one in result.records if one["status"] == "failed"]
    return f": {failed[0]['key']}: {failed[0]['reason']}" if failed else ""


def _error(expect: Expect, story: Story) -> Iterator[Miss]:
    if expect.error is None:
        return
    wanted = expect.error.value
    wanted = {"class": wanted} if isinstance(wanted, str) else dict(wanted)
    if "message" in wanted:
        wanted["message"] = {"contains": wanted["message"]}
    got = story.result.error
    if got is None:
        if story.result.status == expect.status.value:
            yield _miss("error", expect.error, f"expected {shown(wanted)}, and there is none")
        return
    for one in differences(wanted, got):
        yield _miss("error", expect.error, one, got=got)


def _steps(expect: Expect, story: Story) -> Iterator[Miss]:
    for told in expect.ran:
        if not story.trace.ran(story.flow, told.value):
            skipped = story.trace.skipped(story.flow, told.value)
            how = "was skipped: its `when` does not hold" if skipped else "was never reached"
            yield _miss("ran", told, f"expected {told.value} to run, and it {how}")
    for told in expect.not_ran:
        if story.trace.ran(story.flow, told.value):
            yield _miss("not_ran", told, f"expected {told.value} not to run, and it ran")
    for told in expect.skipped:
        if not story.trace.skipped(story.flow, told.value):
            ran = story.trace.ran(story.flow, told.value)
            how = "it ran" if ran else "it was never reached"
            yield _miss("skipped", told, f"expected {told.value} to be skipped, and {how}")


def _calls(expected: ExpectedCalls, story: Story) -> Iterator[Miss]:
    made = [one for one in story.calls if one.name == expected.name]
    what = f"calls {expected.name}"
    if expected.times is not None and expected.times != len(made):
        yield Miss(
            what=what,
            message=f"expected {_times(expected.times)}, got {_times(len(made))}{_listed(made)}",
            place=expected.place,
            expected=expected.times,
            got=len(made),
        )
    if expected.some is not None and not any(fits(expected.some, one.arguments) for one in made):
        yield Miss(
            what=what,
            message=f"expected a call with {shown(expected.some)}; {_nearest(expected.some, made)}",
            place=expected.place,
            expected=expected.some,
            got=[one.arguments for one in made],
        )
    if expected.each is None:
        return
    if len(expected.each) != len(made):
        yield Miss(
            what=what,
            message=f"expected {_times(len(expected.each))}, got {_times(len(made))}{_listed(made)}",
            place=expected.place,
            expected=len(expected.each),
            got=len(made),
        )
    for number, (told, call) in enumerate(zip(expected.each, made, strict=False), start=1):
        for one in differences(told.value, call.arguments):
            yield _miss(f"{what}, call {number}", told, one, got=call.arguments)


def _nearest(wanted: Mapping[str, Any], made: Sequence[Call]) -> str:
    if not made:
        return "there was no call"
    near = min(made, key=lambda one: len(differences(wanted, one.arguments)))
    return f"the nearest: {'; '.join(differences(wanted, near.arguments))}"


def _times(count: int) -> str:
    return "no call" if count == 0 else "1 call" if count == 1 else f"{count} calls"


def _listed(made: Sequence[Call]) -> str:
    return "".join(f"\n    {one.name} {shown(one.arguments)}" for one in made[:10])


def _named(what: str, wanted: Mapping[str, Told], got: Mapping[str, Any]) -> Iterator[Miss]:
    for name, told in wanted.items():
        for one in differences({name: told.value}, got):
            yield _miss(what, told, one, got=got.get(name))


def _records(expect: Expect, story: Story) -> Iterator[Miss]:
    records = {one["key"]: one for one in story.result.records}
    for name, told in expect.records.items():
        wanted = {"status": told.value} if isinstance(told.value, str) else told.value
        if isinstance(wanted, Mapping) and isinstance(wanted.get("reason"), str):
            wanted = {**wanted, "reason": {"contains": wanted["reason"]}}
        for one in differences({name: wanted}, records):
            yield _miss("records", told, one, got=records.get(name))


def _writes(expect: Expect, story: Story) -> Iterator[Miss]:
    if expect.writes is None or expect.writes_place is None:
        return
    left = [_write(one) for one in story.result.writes]
    for told in expect.writes:
        fitting = next((one for one in left if fits(told.value, one)), None)
        if fitting is not None:
            left.remove(fitting)
            continue
        yield _miss("writes", told, f"expected {shown(told.value)}; {_near(told.value, left)}")
    for extra in left:
        yield Miss(
            what="writes",
            message=f"one more write than expected: {shown(extra)}",
            place=expect.writes_place,
            got=extra,
        )


def _near(wanted: Any, made: Sequence[Mapping[str, Any]]) -> str:
    if not made:
        return "nothing else was written"
    near = min(made, key=lambda one: len(differences(wanted, one)))
    return f"the nearest write: {'; '.join(differences(wanted, near))}"


def _write(write: Mapping[str, Any]) -> dict[str, Any]:
    """A write as tests name it: its fields by name."""
    fields = {one["field"]: one["new"] for one in write["fields"]}
    return {**write, "fields": fields}


def _letters(expect: Expect, story: Story) -> Iterator[Miss]:
    if expect.letters is None or expect.letters_place is None:
        return
    left = list(story.letters)
    for told in expect.letters:
        wanted = dict(told.value)
        if isinstance(wanted.get("message"), str):
            wanted["message"] = {"contains": wanted["message"]}
        fitting = next((one for one in left if fits(wanted, one)), None)
        if fitting is not None:
            left.remove(fitting)
            continue
        yield _miss("letters", told, f"expected {shown(told.value)}; {_near(wanted, left)}")
    for extra in left:
        yield Miss(
            what="letters",
            message=f"one more dead letter than expected: {shown(extra)}",
            place=expect.letters_place,
            got=extra,
        )


def _audit(expect: Expect, story: Story) -> Iterator[Miss]:
    for told in expect.audit:
        if not any(fits({"contains": told.value}, line) for line in story.audit):
            lines = " | ".join(story.audit) or "no line"
            yield _miss("audit", told, f"expected a line with {told.value!r}, got {lines}")


def _miss(what: str, told: Told, message: str, *, got: Any = None) -> Miss:
    return Miss(what=what, message=message, place=told.place, expected=told.value, got=got)
