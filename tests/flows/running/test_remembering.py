"""`state.get`, `state.set` and `state.turn`: what a run leaves to the next, and a plan does not."""

from __future__ import annotations

from .conftest import Stage

COUNTING = """\
steps:
  - { id: before, action: state.get, with: { name: count } }
  - { id: more, set: { n: "{{ steps.before.output.value | default(0, true) + 1 }}" } }
  - { id: keep, action: state.set, with: { name: count, value: "{{ steps.more.output.n }}" } }
  - { id: after, action: state.get, with: { name: count } }
outputs: { n: { type: integer, value: "{{ steps.after.output.value }}" } }
"""
TURNS = """\
inputs: { keys: { type: array, items: { type: string } } }
steps:
  - id: each
    foreach: inputs.keys
    as: key
    result: "{{ steps.whose.output.value }}"
    steps:
      - { id: whose, action: state.turn, with: { name: list, key: "{{ key }}", among: [A, B] } }
outputs: { whose: { type: array, value: "{{ steps.each.output.results }}" } }
"""


async def test_the_next_run_knows_what_was_remembered(stage: Stage) -> None:
    """Each run counts one more."""
    given = [(await stage.run(COUNTING)).outputs["n"] for _ in range(3)]

    assert given == [1, 2, 3]


async def test_a_plan_sees_what_it_would_remember_and_keeps_nothing(stage: Stage) -> None:
    """Planned twice it gives the same, and the run after it, too."""
    given = [(await stage.plan(COUNTING)).outputs["n"] for _ in range(2)]

    assert [*given, (await stage.run(COUNTING)).outputs["n"]] == [1, 1, 1]


async def test_a_plan_takes_turns_as_the_run_will(stage: Stage) -> None:
    """Evenly, and the same key the same; and the run gets what the plan said."""
    await stage.run(TURNS, keys=["before"])

    planned = (await stage.plan(TURNS, keys=["1", "2", "1", "before"])).outputs["whose"]

    run = await stage.run(TURNS, keys=["1", "2", "1", "before"])
    assert (planned, run.outputs["whose"]) == (["B", "A", "B", "A"], planned)


async def test_nobody_has_no_turn(stage: Stage) -> None:
    """An empty list is a failure in words, not somebody picked at random."""
    empty = TURNS.replace("[A, B]", '"{{ [] }}"')

    result = await stage.run(empty, keys=["1"])

    assert result.error is not None
    assert (result.error["class"], "among" in result.error["message"]) == ("invalid", True)
