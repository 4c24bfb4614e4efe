"""How often a run speaks to the ledger: most deals are in step, and for those it must not be often."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import Engine as Databases
from sqlalchemy import event

from .conftest import Stage

pytestmark = pytest.mark.journey
IN, OUT = "partner-center-to-salesforce", "opportunity-to-partner-center"
MANY = 20


@pytest.fixture
def said() -> Iterator[list[str]]:
    """Every statement to any database."""
    statements: list[str] = []

    def note(_c: Any, _k: Any, statement: str, *_: Any) -> None:
        statements.append(statement)

    event.listen(Databases, "before_cursor_execute", note)
    yield statements
    event.remove(Databases, "before_cursor_execute", note)


async def in_step(stage: Stage) -> tuple[list[str], list[str]]:
    """Deals that both sides agree on: their referrals, their opportunities."""
    for number in range(MANY):
        stage.emulated.microsoft(
            "create", None, name=f"Deal {number}", status="Active", substatus="Accepted",
            customerProfile={"name": f"Customer {number}"},
        )  # fmt: skip
    await run(stage, IN)
    links = await stage.engine.ledger.links.list("referral-opportunity")
    lefts, rights = [str(one.left_id) for one in links], [str(one.right_id) for one in links]
    await run(stage, IN, referral_ids=lefts)
    await run(stage, OUT, opportunity_ids=rights)
    return lefts, rights


async def run(stage: Stage, flow: str, **inputs: Any) -> dict[str, int]:
    """A run that goes well; what it counted."""
    result = await stage.engine.run(flow, inputs, release_brake=True)
    assert result.status == "succeeded", result.error
    return {name: many for name, many in result.counts.items() if many and name != "read"}


async def test_deals_that_are_in_step_cost_one_statement_each(
    stage: Stage, said: list[str]
) -> None:
    """Either way, all that a run says for itself included."""
    lefts, rights = await in_step(stage)
    words = []

    for flow, inputs in ((IN, {"referral_ids": lefts}), (OUT, {"opportunity_ids": rights})):
        said.clear()
        assert await run(stage, flow, **inputs) == {"unchanged": MANY}
        words.append(len(said) / MANY)

    assert max(words) <= 1.5, words


async def test_a_changed_deal_costs_ten_statements(stage: Stage, said: list[str]) -> None:
    """What is going to be written, what was, and how it was left: each is kept for itself."""
    lefts, rights = await in_step(stage)
    words = []

    for referral in lefts:
        stage.emulated.microsoft("update", referral, details={"notes": "said there"})
    said.clear()
    counts = [await run(stage, IN, referral_ids=lefts)]
    words.append(len(said) / MANY)
    for deal in rights:
        stage.seller.change("Opportunity", deal, Description="said here")
    said.clear()
    counts.append(await run(stage, OUT, opportunity_ids=rights))
    words.append(len(said) / MANY)

    assert counts == [{"updated": MANY}] * 2
    assert max(words) <= 10, words
