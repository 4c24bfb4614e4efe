"""`key`: items that are the same thing are worked on one after the other, in all runs."""

from __future__ import annotations

import asyncio

from .conftest import Stage

FLOW = """\
inputs: { deals: { type: array, items: { type: string } } }
steps:
  - id: each
    foreach: inputs.deals
    as: deal
    key: "{{ deal }}"
    concurrency: 4
    steps: [{ id: work, wait: 100ms }]
"""


async def test_two_runs_never_work_on_one_deal_at_once(stage: Stage) -> None:
    """Two processes, the same deal twice in each: four items, one after the other."""
    stage.real_time = True
    stage.write("flow", FLOW)
    engines = [await stage.engine() for _ in range(2)]
    began = asyncio.get_running_loop().time()

    results = await asyncio.gather(*(one.run("flow", {"deals": ["A", "A"]}) for one in engines))

    took = asyncio.get_running_loop().time() - began
    assert [one.status for one in results] == ["succeeded", "succeeded"]
    assert took >= 4 * 0.1


async def test_a_loop_inside_does_not_wait_for_the_key_of_its_own_item(stage: Stage) -> None:
    """Otherwise it would wait for itself."""
    stage.real_time = True
    result = await asyncio.wait_for(
        stage.run(
            """\
steps:
  - id: outer
    foreach: "['A']"
    as: deal
    key: "{{ deal }}"
    steps:
      - id: inner
        foreach: "[1, 2]"
        as: row
        key: "{{ deal }}"
        steps: [{ id: work, set: { x: "{{ row }}" } }]
"""
        ),
        timeout=60,
    )

    assert result.status == "succeeded"
