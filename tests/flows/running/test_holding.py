"""Deals are held a handful at a time: never by two, never in a circle, and read after they are held."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine as Databases
from sqlalchemy import event

from cosell_flows.ledger import Books, Leases, Ledger, Link, open_ledger
from cosell_flows.running.holding import Holding
from cosell_flows.running.outcomes import StepFailed

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


class Two:
    """Two processes on one ledger, and a clock for both."""

    def __init__(self, here: Ledger, there: Ledger) -> None:
        self.ledgers = here, there
        self._made: list[Holding] = []

    def holding(self, process: int = 0, **more: Any) -> Holding:
        """What one run of a process holds."""
        ledger = self.ledgers[process]
        made = Holding(
            leases=ledger.leases,
            owner=f"run {len(self._made)}",
            books=Books(ledger, mapping="deals"),
            **more,
        )
        self._made.append(made)
        return made

    async def holders(self, *keys: str) -> list[str | None]:
        """Who holds each of *keys*."""
        return [await self.ledgers[0].leases.holder(f"deal:{key}") for key in keys]

    async def aclose(self) -> None:
        """End all runs."""
        for one in self._made:
            await one.aclose()


class Time:
    """A clock that stands still until it is moved."""

    now = NOON

    def __call__(self) -> datetime:
        """The time."""
        return self.now


@pytest.fixture
def clock() -> Time:
    """Noon, until moved."""
    return Time()


@pytest.fixture
async def two(tmp_path: Path, empty_ledger: Path, clock: Time) -> AsyncIterator[Two]:
    """Two processes on an empty ledger."""
    path = tmp_path / "ledger.db"
    path.write_bytes(empty_ledger.read_bytes())
    opened = [await open_ledger(f"sqlite:///{path}", clock=clock) for _ in range(2)]
    made = Two(*opened)
    yield made
    await made.aclose()
    for one in opened:
        await one.aclose()


@contextmanager
def words() -> Iterator[list[str]]:
    """Every statement to any database while the block runs."""
    said: list[str] = []

    def note(_c: Any, _k: Any, statement: str, *_: Any) -> None:
        said.append(statement)

    event.listen(Databases, "before_cursor_execute", note)
    try:
        yield said
    finally:
        event.remove(Databases, "before_cursor_execute", note)


def coming(*keys: str) -> Any:
    """These come next."""
    return lambda most: list(keys)[:most]


async def test_sixteen_deals_are_taken_read_and_given_back_in_four_statements(two: Two) -> None:
    """Whoever takes a deal takes those that come next with it."""
    keys = [f"D{number:02}" for number in range(16)]
    holding = two.holding()

    with words() as said:
        for at, key in enumerate(keys):
            async with holding.deal(key, coming(*keys[at + 1 :])):
                pass
        await holding.aclose()

    kinds = [one.split()[0] for one in said]
    assert (kinds.count("INSERT"), kinds.count("SELECT")) == (1, 2)
    assert await two.holders(*keys) == [None] * 16


async def test_a_deal_is_never_in_two_hands(two: Two) -> None:
    """Four workers in two processes go through the same deals, half of them backwards."""
    keys = [f"D{number:02}" for number in range(12)]
    inside: dict[str, int] = dict.fromkeys(keys, 0)
    most = 0

    async def work(holding: Holding, order: list[str]) -> None:
        nonlocal most
        for at, key in enumerate(order):
            async with holding.deal(key, coming(*order[at + 1 :])):
                inside[key] += 1
                most = max(most, inside[key])
                await asyncio.sleep(0.005)
                inside[key] -= 1

    here, there = two.holding(0), two.holding(1)
    await asyncio.wait_for(
        asyncio.gather(
            *(work(one, order) for one in (here, there) for order in (keys, keys[::-1]))
        ),
        timeout=120,
    )

    assert most == 1


async def test_who_waits_holds_nothing_in_advance(two: Two) -> None:
    """Each of two runs has taken in advance what the other one needs: neither waits for ever."""
    here, there = two.holding(0), two.holding(1)
    gate = asyncio.Event()

    async def work(holding: Holding, first: str, ahead: str, then: str) -> str | None:
        async with holding.deal(first, coming(ahead)):
            await gate.wait()
        async with holding.deal(then, coming()):
            return (await two.holders(then))[0]

    tasks = [
        asyncio.ensure_future(work(here, "A", "B", "Y")),
        asyncio.ensure_future(work(there, "X", "Y", "B")),
    ]
    while await two.holders("B", "Y") != ["run 0", "run 1"]:
        await asyncio.sleep(0.01)
    gate.set()

    assert await asyncio.wait_for(asyncio.gather(*tasks), timeout=60) == ["run 0", "run 1"]


async def test_what_nobody_comes_to_is_given_back(two: Two) -> None:
    """A deal taken in advance does not wait behind one that takes its time."""
    holding = two.holding(ttl=timedelta(seconds=0.3))

    async with holding.deal("A", coming("B")):
        before = await two.holders("A", "B")
        while (await two.holders("B"))[0] is not None:
            await asyncio.sleep(0.05)
        after = await two.holders("A", "B")

    assert (before, after) == (["run 0", "run 0"], ["run 0", None])


async def test_work_on_a_deal_that_was_lost_is_given_up(two: Two, clock: Time) -> None:
    """Somebody else took it over: the work ends as locked, and leaves the other's lease alone."""
    slow, quick = two.holding(0, ttl=timedelta(seconds=0.3)), two.holding(1)

    async def work() -> None:
        async with slow.deal("A", coming()):
            clock.now += timedelta(minutes=1)
            async with quick.deal("A", coming()):
                await asyncio.sleep(60)

    with pytest.raises(StepFailed) as failed:
        await work()

    assert failed.value.error_class == "locked"


class Unkept(Leases):
    """Leases that cannot be renewed, for a reason that nobody thought of."""

    async def renew(self, held: Mapping[str, str], *, ttl: timedelta) -> frozenset[str]:
        """Fail."""
        raise RuntimeError("no")


async def test_work_on_a_deal_that_is_not_renewed_is_given_up(two: Two) -> None:
    """Whatever ends the renewing: nobody works on without knowing that the deal is still ours."""
    ledger = two.ledgers[0]
    unkept = Holding(
        leases=Unkept(ledger.leases._database), owner="a run", books=Books(ledger, mapping="deals"),
        ttl=timedelta(seconds=0.3),
    )  # fmt: skip

    with pytest.raises(StepFailed) as failed:
        async with unkept.deal("A", coming()):
            await asyncio.sleep(60)
    await unkept.aclose()

    assert failed.value.error_class == "locked"


async def test_a_link_is_read_after_its_deal_is_held(two: Two) -> None:
    """What another process did to it before it let go is known."""
    here, there = two.ledgers
    first = await here.links.save(Link(mapping="deals", left_id="L", right_id="R"))
    waiting, other = two.holding(0), two.holding(1)

    async def work() -> Link | None:
        async with waiting.deal("R", coming()):
            return await waiting.books.find("deals", left_id="L")

    async with other.deal("R", coming()):
        task = asyncio.ensure_future(work())
        await asyncio.sleep(0.1)
        await there.links.save(replace(first, left_version="after"))
    found = await task

    assert found is not None
    assert found.left_version == "after"


async def test_a_link_at_hand_is_saved_by_what_changed(two: Two) -> None:
    """One statement, and what somebody else said of it meanwhile (it was deleted) stays."""
    here, there = two.ledgers
    first = await here.links.save(Link(mapping="deals", left_id="L", right_id="R"))
    holding = two.holding()

    async with holding.deal("R", coming()):
        await there.links.save(replace(first, state="deleted"))
        known = await holding.books.find("deals", left_id="L")
        assert known is not None
        with words() as said:
            await holding.books.save(replace(known, left_version="2"))
        again = await holding.books.find("deals", right_id="R")

    (link,) = await there.links.list("deals")
    assert (link.state, link.left_version, len(said)) == ("deleted", "2", 1)
    assert again is not None
    assert again.left_version == "2"


async def test_a_link_held_by_the_other_id_is_read_anew(two: Two) -> None:
    """Who comes by its opportunity does not wait for who came by its referral: nothing is believed."""
    here, there = two.ledgers
    first = await here.links.save(Link(mapping="deals", left_id="L", right_id="R"))
    holding = two.holding()

    async with holding.deal("L", coming()):
        await there.links.save(replace(first, left_version="moved"))
        found = await holding.books.find("deals", left_id="L")

    assert found is not None
    assert found.left_version == "moved"


async def test_that_there_is_no_link_is_not_believed(two: Two) -> None:
    """Somebody may make it at any moment."""
    holding = two.holding()

    async with holding.deal("L", coming()):
        before = await holding.books.find("deals", left_id="L")
        await two.ledgers[1].links.save(Link(mapping="deals", left_id="L", right_id="R"))
        after = await holding.books.find("deals", left_id="L")

    assert (before, after is None) == (None, False)


async def test_a_doubted_deal_is_read_anew(two: Two) -> None:
    """After a conflict nothing that was read before is believed."""
    here, there = two.ledgers
    first = await here.links.save(Link(mapping="deals", left_id="L", right_id="R"))
    holding = two.holding()

    async with holding.deal("R", coming()):
        await there.links.save(replace(first, left_version="moved"))
        holding.books.close("R")
        found = await holding.books.find("deals", left_id="L")

    assert found is not None
    assert found.left_version == "moved"


async def test_a_letter_that_the_run_writes_is_known_to_it(two: Two) -> None:
    """That none was open is forgotten then."""
    await two.ledgers[0].links.save(Link(mapping="deals", left_id="L", right_id="R"))
    holding = two.holding()
    about = {"opportunity_id": "R", "referral_id": "L"}

    async with holding.deal("R", coming()):
        with words() as said:
            before = await holding.books.open_letter("deals", **about)
            await holding.books.close_letters("deals", **about)
        await holding.books.write_letter(
            "deals", flow="flow", error_class="invalid", message="no", **about
        )
        after = await holding.books.open_letter("deals", **about)
        await holding.books.close_letters("deals", **about)

    assert (before, said, after is None) == (None, [], False)
    assert await two.ledgers[1].letters.list() == []
