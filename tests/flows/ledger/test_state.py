"""What flows remember by a name, and lists that are shared out evenly."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import Any

import pytest

from cosell_flows.ledger import Ledger
from cosell_flows.ledger.state import next_turn

from .conftest import Time

QUEUES = ["North", "South", "East"]


@pytest.mark.parametrize("value", ["text", 3, None, {"a": [1, None]}])
async def test_a_value_is_remembered(ledger: Ledger, other: Ledger, value: Any) -> None:
    """Under its name, with its type, for every process; the last one counts."""
    await ledger.state.put("name", "something else")

    await ledger.state.put("name", value)

    assert await other.state.get("name") == value


async def test_two_workers_share_out_evenly(ledger: Ledger, other: Ledger) -> None:
    """Both take turns of one list at once; nobody gets one more than the others."""
    workers = [ledger, other]

    given = await asyncio.gather(
        *(workers[at % 2].state.turn("leads", key=str(at), among=QUEUES) for at in range(30))
    )

    assert Counter(given) == dict.fromkeys(QUEUES, 10)


async def test_the_same_key_gets_the_same_turn(ledger: Ledger, other: Ledger) -> None:
    """Who was cut off and comes again takes no second turn."""
    first = await ledger.state.turn("leads", key="one", among=QUEUES)

    again = await other.state.turn("leads", key="one", among=QUEUES)

    assert (again, (await ledger.state.turns("leads", "one"))[1]["had"][first]) == (first, 1)


async def test_a_turn_of_somebody_who_left_is_given_anew(ledger: Ledger) -> None:
    """A key whose choice is not in the list any more gets another."""
    await ledger.state.turn("leads", key="one", among=["Gone"])

    assert await ledger.state.turn("leads", key="one", among=["North"]) == "North"


def test_turns_go_round_in_the_order_of_the_list() -> None:
    """One after the other, from the top."""
    tally: dict[str, Any] = {}
    given = []
    for _ in range(5):
        chosen, tally = next_turn(tally, QUEUES)
        given.append(chosen)

    assert given == ["North", "South", "East", "North", "South"]


@pytest.mark.parametrize("away", [True, False])
def test_who_joins_does_not_get_what_was_missed(*, away: bool) -> None:
    """Somebody new, or back from holidays, begins level with the others."""
    had = {"North": 50, "South": 50} | ({"East": 10} if away else {})
    tally: dict[str, Any] = {"had": had, "among": ["North", "South"]}
    given = []
    for _ in range(6):
        chosen, tally = next_turn(tally, QUEUES)
        given.append(chosen)

    assert Counter(given) == dict.fromkeys(QUEUES, 2)


async def test_old_turns_are_forgotten_and_how_they_stand_is_not(
    ledger: Ledger, clock: Time
) -> None:
    """What key got what is for runs that begin again; the tally keeps the list even."""
    await ledger.state.put("name", "value")
    await ledger.state.turn("leads", key="one", among=QUEUES)
    clock.pass_(days=500)

    gone = await ledger.retention.prune(clock())

    known, tally = await ledger.state.turns("leads", "one")
    assert (gone["turns"], known, tally["had"]["North"]) == (1, None, 1)
    assert await ledger.state.get("name") == "value"
