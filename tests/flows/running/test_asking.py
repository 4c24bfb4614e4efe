"""A run that waits for a person: put aside, taken up, and passing by what was over."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest

from cosell_flows.running.asking import answer_of
from cosell_flows.running.outcomes import Question, RunResult

from .conftest import Stage, ways

RUN = "the-run"
ONCE = """\
steps:
  - { id: before, set: { at: "{{ run.now }}" } }
  - { id: ok, timeout: 1d, approve: { message: Go on?, answer: { yes: { type: boolean } } } }
  - { id: after, set: { yes: "{{ steps.ok.output.yes }}" } }
outputs:
  at: { value: "{{ steps.before.output.at }}" }
  yes: { value: "{{ steps.after.output.yes }}" }
"""


class People:
    """Those who are asked. They answer only what they have an answer for."""

    def __init__(self) -> None:
        self.answers: dict[str, Mapping[str, Any]] = {}
        self.asked: list[str] = []

    async def __call__(self, question: Question) -> Mapping[str, Any] | None:
        """Their answer, or None."""
        self.asked.append(question.message)
        return self.answers.get(question.message)


async def again(stage: Stage, people: People) -> RunResult:
    """What comes of the run in a process that begins now."""
    return await (await stage.engine()).run("flow", {}, run_id=RUN, ask=people)


async def test_a_run_is_put_aside_and_goes_on_with_the_answer(stage: Stage) -> None:
    """In another process, later, with its own time; what was over is not done again."""
    people = People()
    waiting = await stage.run(ONCE, run_id=RUN, ask=people)
    began = stage.now
    stage.now += timedelta(hours=5)
    people.answers["Go on?"] = {"yes": True}

    result = await again(stage, people)

    assert (waiting.status, ways(waiting)) == ("waiting", {"before": "succeeded", "ok": "waiting"})
    assert result.outputs == {"at": began, "yes": True}
    assert ways(result) == {"before": "succeeded", "ok": "succeeded", "after": "succeeded"}


async def test_a_run_that_waits_is_taken_up_once(stage: Stage) -> None:
    """Of two processes that want it, one gets it."""
    await stage.run(ONCE, run_id=RUN, ask=People())
    first, second = await stage.engine(), await stage.engine()

    taken = [await engine.ledger.runs.take_up(RUN) for engine in (first, second)]

    assert [one is not None for one in taken] == [True, False]


async def test_without_anybody_to_ask_the_step_says_what_to_do(stage: Stage) -> None:
    """A run without Prefect and without a terminal."""
    result = await stage.run(ONCE)

    assert result.error is not None
    assert result.error["class"] == "invalid"
    assert "cosell run flow" in result.error["hint"]


async def test_nobody_answers_in_time(stage: Stage) -> None:
    """The `timeout` of the step is how long it waits."""
    people = People()
    await stage.run(ONCE, run_id=RUN, ask=people)
    stage.now += timedelta(days=1)

    result = await again(stage, people)

    assert result.error is not None
    assert (result.error["class"], result.error["step"]) == ("timeout", "ok")


async def test_a_flow_that_was_changed_meanwhile_cannot_go_on(stage: Stage) -> None:
    """Its steps are not those that were passed; it says so and ends."""
    people = People()
    await stage.run(ONCE, run_id=RUN, ask=people)
    stage.write("flow", ONCE.replace("before", "earlier"))

    result = await again(stage, people)

    assert result.error is not None
    assert (result.error["class"], result.error["hint"]) == ("conflict", "start the flow anew")


async def test_a_branch_that_waits_keeps_no_other(stage: Stage) -> None:
    """The others come to their end first, and are not begun again."""
    people = People()
    text = """\
steps:
  - id: both
    parallel:
      one: [{ id: ok, approve: { message: Go on? } }]
      two: [{ id: a, wait: 1h }, { id: once, action: debug.fail, with: { times: 0 } }]
outputs: { tries: { value: "{{ steps.once.output.attempts }}" } }
"""
    waiting = await stage.run(text, run_id=RUN, ask=people)
    people.answers["Go on?"] = {}

    result = await again(stage, people)

    assert ways(waiting) == {
        "both": "waiting",
        "ok": "waiting",
        "a": "succeeded",
        "once": "succeeded",
    }
    assert (result.status, stage.slept, result.outputs) == ("succeeded", [3600.0], {"tries": 1})


async def test_who_waits_in_a_race_that_is_decided_is_tidied_up(stage: Stage) -> None:
    """The question is withdrawn, its steps are cancelled, and their `finally` is done."""
    result = await stage.run(
        """\
steps:
  - id: race
    wait_for: any
    parallel:
      slow: [{ id: a, wait: 1h }, { id: b, wait: 1h }]
      person:
        - id: held
          steps: [{ id: ok, approve: { message: Go on? } }]
          finally: [{ id: tidied, set: { x: 1 } }]
        - { id: never, set: { x: 1 } }
""",
        run_id=RUN,
        ask=People(),
    )

    told = ways(result)
    assert (result.status, told["held"], told["ok"], told["tidied"]) == (
        "succeeded",
        "cancelled",
        "cancelled",
        "succeeded",
    )
    assert "never" not in told


async def test_items_that_wait_are_tidied_up_when_another_fails(stage: Stage) -> None:
    """In another life of the run than the one in which they began to wait."""
    people = People()
    text = """\
steps:
  - id: each
    foreach: "['a', 'b', 'c']"
    as: name
    concurrency: 1
    steps:
      - id: held
        steps:
          - { id: ok, approve: { message: "{{ name }}?" } }
          - { id: bad, action: debug.fail }
        finally: [{ id: tidied, call: told, with: { name: "{{ name }}" } }]
"""
    others = {"told": "inputs: { name: { type: string } }\nsteps: [{ id: told, wait: 1s }]\n"}
    await stage.run(text, run_id=RUN, ask=people, others=others)
    people.answers["a?"] = {}

    result = await again(stage, people)

    assert result.status == "failed"
    assert stage.slept == [1.0, 1.0, 1.0]


async def test_each_item_asks_and_those_that_are_over_stay_so(stage: Stage) -> None:
    """Questions come one after the other; results keep the order of the items."""
    people = People()
    text = """\
steps:
  - id: each
    foreach: "['a', 'b', 'c']"
    as: name
    concurrency: 3
    result: "{{ steps.ok.output.n | default(0) }}"
    steps:
      - { id: pause, wait: 1m }
      - { id: ok, when: name != 'b', approve: { message: "{{ name }}?", answer: { n: { type: integer } } } }
outputs: { results: { value: "{{ steps.each.output.results }}" } }
"""
    first = await stage.run(text, run_id=RUN, ask=people)
    people.answers["a?"] = {"n": 1}
    second = await again(stage, people)
    people.answers["c?"] = {"n": 3}
    third = await again(stage, people)

    assert [one.status for one in (first, second)] == ["waiting", "waiting"]
    assert (first.question and first.question.message) == "a?"
    assert (second.question and second.question.message) == "c?"
    assert third.outputs == {"results": [1, 0, 3]}
    assert len(stage.slept) == 3, "no item paused twice"
    assert third.counts["read"] == 3


async def test_a_called_flow_may_ask(stage: Stage) -> None:
    """And goes on where it was; the caller, too."""
    people = People()
    await stage.run(
        "steps: [{ id: child, call: other }]\noutputs: { n: { value: '{{ steps.child.output.n }}' } }\n",
        run_id=RUN,
        ask=people,
        others={
            "other": """\
steps:
  - { id: a, wait: 1m }
  - { id: ok, approve: { message: How many?, answer: { n: { type: integer } } } }
outputs: { n: { value: "{{ steps.ok.output.n }}" } }
"""
        },
    )
    people.answers["How many?"] = {"n": 4}

    result = await again(stage, people)

    assert (result.outputs, stage.slept) == ({"n": 4}, [60.0])


async def test_on_error_may_ask(stage: Stage) -> None:
    """The step that failed is not tried again, and its error is still known."""
    people = People()
    text = """\
steps:
  - id: risky
    action: debug.fail
    with: { class: locked }
    on_error:
      steps: [{ id: ok, approve: { message: "{{ error.class }}?" } }]
      then: continue
outputs: { class: { value: "{{ steps.risky.error.class | default('') }}" } }
"""
    await stage.run(text, run_id=RUN, ask=people)
    people.answers["locked?"] = {}

    result = await again(stage, people)

    assert (result.status, result.outputs) == ("succeeded", {"class": "locked"})


async def test_branches_are_chosen_once(stage: Stage) -> None:
    """What was decided before the run had to wait is not decided again."""
    people = People()
    text = """\
steps:
  - { id: a, action: debug.fail, with: { times: 1 }, on_error: { then: continue } }
  - id: choice
    if: steps.a.status == 'failed'
    then:
      - { id: ok, approve: { message: Go on? } }
      - { id: yes, set: { x: 1 } }
"""
    await stage.run(text, run_id=RUN, ask=people)
    people.answers["Go on?"] = {}

    result = await again(stage, people)

    assert ways(result) == {
        "a": "failed",
        "choice": "succeeded",
        "ok": "succeeded",
        "yes": "succeeded",
    }


async def test_a_repeated_turn_asks_anew(stage: Stage) -> None:
    """A question of the second turn is another than that of the first."""
    text = """\
steps:
  - id: poll
    until: steps.ok.output.done
    every: 1m
    max: 3
    steps: [{ id: ok, approve: { message: "Done?", answer: { done: { type: boolean } } } }]
"""
    keys: list[str] = []

    async def ask(question: Question) -> Mapping[str, Any] | None:
        if question.key not in keys:
            keys.append(question.key)
            return None
        return {"done": len(keys) == 2}

    await stage.run(text, run_id=RUN, ask=ask)
    engine = await stage.engine()
    await engine.run("flow", {}, run_id=RUN, ask=ask)
    result = await (await stage.engine()).run("flow", {}, run_id=RUN, ask=ask)

    assert (result.status, len(keys)) == ("succeeded", 2)
    assert result.steps[0]["counts"]["total"] == 2


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"yes": "maybe"}, "'yes': 'maybe' is neither yes nor no"),
        ({}, "'yes' is missing"),
        ({"yes": True, "no": False}, "'no' was not asked for"),
    ],
)
async def test_an_answer_is_held_to_its_types(
    stage: Stage, given: dict[str, Any], said: str
) -> None:
    """Whoever gives it."""
    stage.write("flow", ONCE)
    flow = (await stage.engine()).flow("flow")
    asked = flow.steps[1].do.answer  # type: ignore[union-attr]

    with pytest.raises(ValueError, match=said):
        answer_of(asked, given)
