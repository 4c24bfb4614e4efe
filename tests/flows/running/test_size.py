"""Large flows: many steps, deep nesting, long lists."""

from __future__ import annotations

import os
import time
import tracemalloc

import pytest

from .conftest import Stage, ways

MANY = 100_000 if os.environ.get("COSELL_TEST_MINUTES") else 15_000
MIB = 1024 * 1024
MANY = 100_000 if os.environ.get("COSELL_TEST_MINUTES") else 15_000
NESTED = {
    "scope": "steps: [{}]",
    "if": "if: 1 < 2, then: [{}]",
    "switch": "switch: 1, cases: [{ is: 1, steps: [{}] }]",
    "foreach": "foreach: '[1]', as: item_of_{n}, steps: [{}]",
    "parallel": "parallel: { one: [{}] }",
    "until": "until: 1 < 2, every: 1ms, max: 2, steps: [{}]",
    "on_error": "action: debug.fail, on_error: { then: continue, steps: [{}] }",
    "finally": "set: { x: 1 }, finally: [{}]",
}


async def test_a_thousand_steps_one_after_the_other(stage: Stage) -> None:
    """Each reads the one before it; checked and run in seconds, not in minutes."""
    steps = ["  - { id: s0, set: { x: 1 } }"]
    steps += [
        f'  - {{ id: s{n}, set: {{ x: "{{{{ steps.s{n - 1}.output.x + 1 }}}}" }} }}'
        for n in range(1, 1000)
    ]
    text = "\n".join(
        ["steps:", *steps, 'outputs: { x: { value: "{{ steps.s999.output.x }}" } }', ""]
    )
    began = time.monotonic()

    result = await stage.run(text)

    assert result.outputs == {"x": 1000}
    assert [step["id"] for step in result.steps] == [f"s{n}" for n in range(1000)]
    assert time.monotonic() - began < 60


@pytest.mark.parametrize("form", NESTED)
async def test_fifty_levels_of_nesting(stage: Stage, form: str) -> None:
    """Of each form that has steps inside; read, checked, planned and run."""
    step = "id: innermost, set: { x: 1 }"
    for level in range(50, 0, -1):
        outer = NESTED[form].replace("{n}", str(level)).replace("{}", f"{{ {step} }}")
        step = f"id: level_{level}, {outer}"
    text = f"steps:\n  - {{ {step} }}\n"

    result = await stage.run(text)

    assert result.error is None
    assert next(iter(ways(result).values())) in ("succeeded", "failed")
    assert (await stage.plan(text)).status == "succeeded"


async def test_many_items_leave_only_counts(stage: Stage) -> None:
    """What an item's steps gave out is gone with the item; without `result`, nothing is kept."""
    text = """\
inputs: { rows: { type: array, items: { type: integer } } }
steps:
  - id: each
    foreach: inputs.rows
    as: n
    concurrency: 8
    steps:
      - { id: big, set: { text: "{{ 'x' * 2000 }}{{ n }}" } }
outputs: { done: { value: "{{ steps.each.output.counts.succeeded }}" } }
"""
    stage.write("flow", text)
    engine = await stage.engine()
    await engine.run("flow", {"rows": [1]})
    rows = list(range(MANY))
    tracemalloc.start()
    try:
        result = await engine.run("flow", {"rows": rows})
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert result.error is None
    assert result.outputs == {"done": MANY}
    assert result.counts["read"] == MANY
    assert peak < 25 * MIB, "the outputs alone would be 30 MB, or 200"
