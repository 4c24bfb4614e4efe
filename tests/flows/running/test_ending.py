"""How steps and runs end: `finally`, cancellation, time limits, races and stops."""

from __future__ import annotations

import asyncio
import time

import pytest

from cosell_flows.running.outcomes import RunResult

from .conftest import Stage, ways


async def cancelled(stage: Stage, text: str, *, after: float = 0.15, times: int = 1) -> RunResult:
    """What comes of a run that is cancelled a moment after its start, once or more often."""
    stage.real_time = True
    stage.write("flow", text)
    running = asyncio.create_task((await stage.engine()).run("flow", {}))
    for _ in range(times):
        await asyncio.sleep(after)
        running.cancel()
    return await running


async def test_a_cancelled_run_does_its_finally_and_is_a_result(stage: Stage) -> None:
    """Every step under way is cancelled, from the inside out, each with its `finally`."""
    result = await cancelled(
        stage,
        """\
steps:
  - id: outer
    steps: [{ id: inner, wait: 1h, finally: [{ id: first, wait: 10ms }] }]
    finally: [{ id: second, set: { a: 1 } }]
  - { id: never, set: { a: 1 } }
""",
    )

    assert result.status == "cancelled"
    assert result.error is not None
    assert result.error["class"] == "cancelled"
    assert ways(result) == {
        "outer": "cancelled",
        "inner": "cancelled",
        "first": "succeeded",
        "second": "succeeded",
    }


async def test_finally_is_not_cut_short_however_often_somebody_cancels(stage: Stage) -> None:
    """It is done, and only then the cancellation goes on."""
    text = "steps: [{ id: a, wait: 1h, finally: [{ id: b, wait: 400ms }, { id: c, wait: 1ms }] }]\n"

    result = await cancelled(stage, text, after=0.1, times=3)

    assert ways(result) == {"a": "cancelled", "b": "succeeded", "c": "succeeded"}


async def test_a_cancelled_run_is_kept_as_cancelled(stage: Stage) -> None:
    """With what it did until then."""
    result = await cancelled(stage, "steps: [{ id: a, set: { x: 1 } }, { id: b, wait: 1h }]\n")

    kept = await stage.ledger().runs.get(result.run_id)

    assert kept is not None
    assert kept.status == "cancelled"
    assert [step["status"] for step in kept.result["steps"]] == ["succeeded", "cancelled"]


async def test_an_items_finally_is_done_when_another_item_fails(stage: Stage) -> None:
    """The items under way are ended, their `finally` steps are awaited."""
    stage.real_time = True
    result = await stage.run(
        """\
steps:
  - id: each
    foreach: "[1, 2]"
    as: n
    concurrency: 2
    steps:
      - { id: bad, when: n == 2, action: debug.fail }
      - id: long
        wait: 1h
        finally: [{ id: tidied, action: debug.fail, with: { class: conflict } }]
"""
    )

    assert result.error is not None
    assert result.error["message"] == "failed on purpose"
    assert ways(result) == {"each": "failed"}


async def test_a_failing_finally_fails_a_step_that_had_succeeded(stage: Stage) -> None:
    """Its failure is the step's."""
    result = await stage.run(
        """\
steps:
  - id: a
    set: { x: 1 }
    finally: [{ id: b, action: debug.fail, with: { class: locked } }]
"""
    )

    assert (result.status, result.error and result.error["class"]) == ("failed", "locked")
    assert ways(result) == {"a": "failed", "b": "failed"}


@pytest.mark.parametrize("status", ["succeeded", "skipped", "failed"])
async def test_a_stop_passes_through_finally_and_is_seen_by_no_on_error(
    stage: Stage, status: str
) -> None:
    """What stands around the stop is tidied up; the run ends as the stop says."""
    result = await stage.run(
        f"""\
steps:
  - id: outer
    steps: [{{ id: end, stop: {{ status: {status}, reason: enough }} }}]
    on_error: {{ steps: [{{ id: never, set: {{ a: 1 }} }}], then: continue }}
    finally: [{{ id: tidied, set: {{ a: 1 }} }}]
  - {{ id: after, set: {{ a: 1 }} }}
"""
    )

    own = "failed" if status == "failed" else "succeeded"
    assert result.status == status
    assert ways(result) == {"outer": own, "end": own, "tidied": "succeeded"}


async def test_a_stop_of_an_item_in_a_branch_ends_the_item(stage: Stage) -> None:
    """The other branches of the item are ended with it; the loop goes on."""
    stage.real_time = True
    result = await stage.run(
        """\
steps:
  - id: each
    foreach: "[1, 2]"
    as: n
    result: "{{ n }}"
    steps:
      - id: both
        when: n == 1
        parallel:
          one: [{ id: out, stop: { item: skipped } }]
          other: [{ id: long, wait: 1h }]
outputs: { results: { value: "{{ steps.each.output.results }}" } }
"""
    )

    assert result.outputs == {"results": [None, 2]}


async def test_the_whole_flow_has_its_time(stage: Stage) -> None:
    """At the end of a flow's `timeout` it fails with the class timeout, `finally` done."""
    stage.real_time = True
    result = await stage.run(
        "timeout: 200ms\nsteps: [{ id: a, wait: 1h, finally: [{ id: b, set: { x: 1 } }] }]\n"
    )

    assert result.error is not None
    assert (result.status, result.error["class"]) == ("failed", "timeout")
    assert ways(result) == {"a": "cancelled", "b": "succeeded"}


async def test_steps_that_wait_for_nothing_can_be_cut_short(stage: Stage) -> None:
    """A loop of pure computing heeds the time limit around it."""
    stage.real_time = True
    began = time.monotonic()
    result = await stage.run(
        """\
steps:
  - id: each
    timeout: 300ms
    foreach: range(100000)
    as: n
    steps: [{ id: a, set: { x: "{{ n }}" } }]
    on_error: { then: continue }
outputs: { class: { value: "{{ steps.each.error.class | default('') }}" } }
"""
    )

    assert result.outputs == {"class": "timeout"}
    assert time.monotonic() - began < 60


async def test_any_fails_only_when_every_branch_has_failed(stage: Stage) -> None:
    """With the failure that came first."""
    result = await stage.run(
        """\
steps:
  - id: race
    wait_for: any
    parallel:
      one: [{ id: a, action: debug.fail, with: { class: locked } }]
      two: [{ id: b, action: debug.fail, with: { class: conflict } }]
"""
    )

    assert result.error is not None
    assert (result.error["class"], result.error["step"]) == ("locked", "a")


async def test_a_when_that_cannot_be_told_is_a_failure_of_the_step(stage: Stage) -> None:
    """`on_error` sees it, as any other failure."""
    result = await stage.run(
        """\
inputs: { x: { type: object, default: {} } }
steps:
  - id: a
    when: inputs.x.y > 1
    set: { b: 1 }
    on_error: { steps: [{ id: told, set: { class: "{{ error.class }}" } }], then: continue }
"""
    )

    assert ways(result) == {"a": "failed", "told": "succeeded"}


async def test_an_unfit_wait_is_a_failure_with_a_hint(stage: Stage) -> None:
    """Text that is neither a duration nor a moment."""
    result = await stage.run(
        'inputs: { t: { type: string, default: soon } }\nsteps: [{ id: a, wait: "{{ inputs.t }}" }]\n'
    )

    assert result.error is not None
    assert (result.error["class"], "5m" in result.error["hint"]) == ("invalid", True)


async def test_a_plan_does_not_wait(stage: Stage) -> None:
    """Neither for time, nor for what only a run would bring about, nor for a person."""
    result = await stage.plan(
        """\
steps:
  - { id: a, wait: 1h }
  - { id: b, until: 1 > 2, every: 1h, max: 5, steps: [{ id: c, set: { x: 1 } }] }
  - id: ok
    approve: { message: Go on?, answer: { yes: { type: boolean }, how: { type: string, enum: [now, later] } } }
  - { id: d, when: steps.ok.output.yes, set: { how: "{{ steps.ok.output.how }}" } }
outputs: { how: { value: "{{ steps.d.output.how | default('') }}" } }
"""
    )

    assert (result.status, stage.slept) == ("succeeded", [])
    assert result.outputs == {"how": "now"}
