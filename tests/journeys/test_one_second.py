"""Salesforce's versions count whole seconds: two edits of one second are told apart all the same."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import datetime

import httpx
import pytest

from cosell_flows.cli.stagehands import call

from .conftest import Stage
from .wire import Life

pytestmark = pytest.mark.journey


LOOK = "GET /services/data/v68.0/sobjects/Opportunity/…"


def set_clock(stage: Stage, moment: str) -> None:
    """Let Salesforce live through the second of *moment* again."""
    whole = datetime.fromisoformat(moment).replace(microsecond=0)
    url = f"{stage.emulated._control('salesforce')}/clock"
    call("POST", url, {"now": whole.isoformat()})


@pytest.fixture
async def life(stage: Stage) -> AsyncIterator[Life]:
    """A process, and a seller who edits a deal in the second of its last change."""

    async def edit(_: httpx.Request) -> None:
        (deal,) = stage.seller.find("SELECT Id, SystemModstamp FROM Opportunity")
        set_clock(stage, deal["SystemModstamp"])
        stage.seller.change("Opportunity", deal["Id"], Amount=9)
        assert stage.look(deal["Id"])["SystemModstamp"] == deal["SystemModstamp"]

    await stage.engine.ledger.aclose()
    found = Life(stage.engine, stage.project, edit)
    await found.begin()
    yield found
    await found.end()


async def test_an_edit_in_the_second_of_the_version_that_was_read_is_kept(
    stage: Stage, life: Life
) -> None:
    """Read, edited in the same second, written: the edit is merged, and kept where it loses."""
    deal, referral = await stage.shared()
    stage.update(referral, details={"dealValue": 7})

    await life.run("partner-center-to-salesforce", LOOK, "edited meanwhile")

    changes = await stage.engine.ledger.history.of_record(deal)
    lost = [one.loses for one in changes if one.field == "Amount"]
    assert (stage.look(deal)["Amount"], [float(one) for one in lost if one]) == (7, [9])
