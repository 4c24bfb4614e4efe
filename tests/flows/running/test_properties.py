"""Whatever a flow is made of, the rules of running it hold."""

from __future__ import annotations

import asyncio
import json
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cosell_flows.running.outcomes import Question, RunResult

from .conftest import Stage

Step = dict[str, Any]


def nested(inner: st.SearchStrategy[list[Step]]) -> st.SearchStrategy[Step]:
    """A step with steps inside."""
    return st.one_of(
        st.builds(lambda steps: {"steps": steps}, inner),
        st.builds(
            lambda holds, then, other: {"if": f"{holds} == 1", "then": then, "else": other},
            st.integers(0, 1), inner, inner,
        ),
        st.builds(
            lambda number, steps, default: {
                "switch": str(number), "cases": [{"is": 1, "steps": steps}], "default": default,
            },
            st.integers(1, 2), inner, inner,
        ),
        st.builds(
            lambda items, at_once, then, steps: {
                "foreach": str(items), "as": "item", "concurrency": at_once,
                "on_item_error": then, "result": "{{ item }}", "steps": steps,
            },
            st.lists(st.integers(0, 9), max_size=4), st.integers(1, 3),
            st.sampled_from(["fail", "continue"]), inner,
        ),
        st.builds(
            lambda one, two, wait_for: {
                "parallel": {"one": one, "two": two}, "wait_for": wait_for,
            },
            inner, inner, st.sampled_from(["all", "any"]),
        ),
    )  # fmt: skip


LEAVES: st.SearchStrategy[Step] = st.one_of(
    st.just({"set": {"x": 1}}),
    st.builds(
        lambda times, attempts: {
            "action": "debug.fail", "with": {"class": "locked", "times": times},
            "retry": {"attempts": attempts, "delay": "1ms", "on": ["locked"]},
        },
        st.integers(0, 3), st.integers(1, 3),
    ),
    st.just({"set": {"x": 1}, "when": "1 > 2"}),
    st.just({"approve": {"message": "go on?"}}),
)  # fmt: skip


@st.composite
def guarded(draw: st.DrawFn, steps: st.SearchStrategy[Step]) -> Step:
    """A step, perhaps with what handles its failure, and what is done in any case."""
    step = dict(draw(steps))
    if draw(st.booleans()):
        step["on_error"] = {"then": draw(st.sampled_from(["fail", "continue"]))}
        if draw(st.booleans()):
            step["on_error"]["steps"] = [{"set": {"handled": True}}]
    if draw(st.booleans()):
        step["finally"] = [{"set": {"tidied": True}}]
    return step


def lists(steps: st.SearchStrategy[Step]) -> st.SearchStrategy[list[Step]]:
    """A few steps."""
    return st.lists(guarded(steps), min_size=1, max_size=3)


FLOWS = st.recursive(lists(LEAVES), lambda inner: lists(nested(inner)), max_leaves=8)


def named(value: Any, numbers: Iterator[int]) -> Any:
    """The same steps, each with an id of its own."""
    if isinstance(value, list):
        return [named(one, numbers) for one in value]
    if not isinstance(value, dict):
        return value
    made = {key: named(inner, numbers) for key, inner in value.items()}
    if any(
        key in value
        for key in ("set", "action", "steps", "if", "switch", "foreach", "parallel", "approve")
    ):
        is_branch = "is" in value or ("then" in value and "if" not in value)
        if not is_branch and "handled" not in value and "tidied" not in value:
            made["id"] = f"s{next(numbers)}"
    return made


@dataclass
class Seen:
    """Every step that ran, by id, as whoever watches sees it."""

    ran: list[str] = field(default_factory=list)

    def saw(self, flow: str, step: str, way: str) -> None:
        """A step went some way."""
        if way == "ran":
            self.ran.append(step)


def with_finally(steps: Any) -> Iterator[tuple[str, str]]:
    """Each step that has a `finally`, and the first step in there."""
    if isinstance(steps, list):
        for one in steps:
            yield from with_finally(one)
    elif isinstance(steps, dict):
        if "finally" in steps and "id" in steps:
            yield steps["id"], steps["finally"][0]["id"]
        for inner in steps.values():
            yield from with_finally(inner)


async def played(stage: Stage, steps: list[Step]) -> tuple[RunResult, Seen, int]:
    """The run of a flow whose questions are each answered after the run was put aside."""
    seen, answered = Seen(), set()

    async def ask(question: Question) -> Mapping[str, Any] | None:
        if question.key in answered:
            return {}
        answered.add(question.key)
        return None

    stage.write("flow", f"steps: {json.dumps(steps)}\n")
    rounds = 0
    while True:
        engine = await stage.engine()
        engine.watch = seen
        result = await engine.run("flow", {}, run_id="one", ask=ask)
        await engine.aclose()
        rounds += 1
        if result.status != "waiting":
            return result, seen, rounds
        assert rounds < 60


@given(flow=FLOWS)
@settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
def test_the_rules_hold_for_every_flow(empty_ledger: Path, flow: list[Step]) -> None:
    """Every step that began has an end; `finally` ran for each; results are in input order."""
    steps = named(flow, iter(range(10_000)))
    with tempfile.TemporaryDirectory() as folder:
        stage = Stage(Path(folder))
        for room in ("connectors", "env", ".cosell"):
            (stage.root / room).mkdir()
        (stage.root / "env" / "sandbox.yaml").write_text("environment: v1\n", encoding="utf-8")
        shutil.copy(empty_ledger, stage.root / ".cosell" / "ledger.db")

        result, seen, _ = asyncio.run(played(stage, steps))

    assert {one["status"] for one in result.steps} <= {
        "succeeded",
        "failed",
        "skipped",
        "cancelled",
    }
    assert (result.status == "failed") == (result.error is not None)
    for outer, inner in with_finally(steps):
        assert (outer in seen.ran) == (inner in seen.ran)
    for one in result.steps:
        if one.get("counts") and one["status"] == "succeeded":
            counts = one["counts"]
            ended = counts["succeeded"] + counts["skipped"] + counts["failed"]
            assert counts["total"] == ended
