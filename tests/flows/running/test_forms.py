"""What each form of a step does, and what of it later steps and the run's entries see."""

from __future__ import annotations

from .conftest import Stage, ways


async def test_smoke(stage: Stage) -> None:
    result = await stage.run(
        """\
steps:
  - { id: a, set: { x: 1 } }
  - { id: b, if: steps.a.output.x == 1, then: [{ id: c, set: { y: 2 } }], else: [{ id: d, set: { y: 3 } }] }
  - { id: e, foreach: "[1, 2, 3]", as: n, result: "{{ n * 2 }}", steps: [{ id: f, set: { z: 1 } }] }
outputs:
  y: { value: "{{ steps.c.output.y | default(0) }}" }
  r: { value: "{{ steps.e.output.results }}" }
"""
    )
    assert result.error is None
    assert dict(result.outputs) == {"y": 2, "r": [2, 4, 6]}
    assert ways(result) == {"a": "succeeded", "b": "succeeded", "c": "succeeded", "e": "succeeded"}


async def test_approve_waits_and_goes_on(stage: Stage) -> None:
    text = """\
steps:
  - { id: a, set: { x: "{{ run.now }}" } }
  - id: ok
    approve: { message: "Go on?", answer: { yes: { type: boolean }, n: { type: decimal, required: false } } }
  - { id: b, when: steps.ok.output.yes, set: { y: 2 } }
outputs:
  y: { value: "{{ steps.ok.output }}" }
"""
    answers = {}

    async def ask(question):
        return answers.get("it")

    first = await stage.run(text, run_id="r1", ask=ask)
    assert first.status == "waiting"
    assert first.question.message == "Go on?"
    answers["it"] = {"yes": True, "n": 1.5}
    engine = await stage.engine()
    second = await engine.run("flow", {}, run_id="r1", ask=ask)
    assert second.error is None
    assert ways(second) == {"a": "succeeded", "ok": "succeeded", "b": "succeeded"}
