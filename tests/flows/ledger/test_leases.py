"""Leases: one worker at a time, across processes."""

from __future__ import annotations

import asyncio
import random
from contextlib import AbstractAsyncContextManager
from datetime import timedelta

import pytest

from cosell_flows.ledger import LeaseBusy, LeaseLost, Ledger

from .conftest import Time

SOON = timedelta(seconds=0.15)
MINUTE = timedelta(minutes=1)


def hold(
    ledger: Ledger, owner: str = "me", *, ttl: float = 30, wait: timedelta = timedelta(seconds=10)
) -> AbstractAsyncContextManager[None]:
    """Hold the lease on one deal."""
    return ledger.leases.hold("deal", owner=owner, ttl=timedelta(seconds=ttl), wait=wait)


async def test_one_at_a_time(ledger: Ledger, other: Ledger) -> None:
    """Of several workers in two processes, one is inside at a time, and each has its turn."""
    inside, most, turns = 0, 0, 0

    async def work(where: Ledger) -> None:
        nonlocal inside, most, turns
        async with hold(where):
            inside += 1
            most = max(most, inside)
            await asyncio.sleep(0.01)
            inside -= 1
            turns += 1

    await asyncio.gather(*(work(where) for where in (ledger, other) * 3))

    assert (most, turns) == (1, 6)


async def test_waiting_ends(ledger: Ledger, other: Ledger) -> None:
    """Who waited long enough is told who holds the lease."""
    async with hold(ledger, "worker 7"):
        with pytest.raises(LeaseBusy, match="worker 7"):
            async with hold(other, wait=SOON):
                pass


async def test_lease_of_a_dead_holder_expires(ledger: Ledger, clock: Time) -> None:
    """What a dead holder held is free after its time."""
    holding = hold(ledger, ttl=20)
    await holding.__aenter__()
    clock.pass_(seconds=21)

    async with hold(ledger, "next", wait=SOON):
        assert await ledger.leases.holder("deal") == "next"
    with pytest.raises(StopAsyncIteration):
        await anext(holding.gen)  # type: ignore[attr-defined]


async def test_lease_is_renewed(ledger: Ledger, other: Ledger, clock: Time) -> None:
    """Long work keeps its lease."""
    async with hold(ledger, ttl=0.3):
        for _ in range(6):
            clock.pass_(seconds=0.1)
            await asyncio.sleep(0.11)

        with pytest.raises(LeaseBusy):
            async with hold(other, wait=timedelta(0)):
                pass


async def test_lost_lease_ends_the_work(ledger: Ledger, other: Ledger, clock: Time) -> None:
    """A worker whose lease went to another one is stopped."""

    async def work() -> None:
        async with hold(ledger, "slow", ttl=0.3):
            clock.pass_(seconds=60)
            async with hold(other, "quick"):
                await asyncio.sleep(5)

    with pytest.raises(LeaseLost):
        await work()


async def test_cancelling_the_work_is_no_loss(ledger: Ledger) -> None:
    """Work that is cancelled from outside ends as cancelled, and lets go."""

    async def work() -> None:
        async with hold(ledger):
            await asyncio.sleep(5)

    task = asyncio.create_task(work())
    await asyncio.sleep(0.2)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task

    assert await ledger.leases.holder("deal") is None


async def test_lease_is_let_go_when_the_work_fails(ledger: Ledger) -> None:
    """A failure inside lets the next one in."""
    with pytest.raises(RuntimeError):
        async with hold(ledger):
            raise RuntimeError

    assert await ledger.leases.holder("deal") is None


async def test_lease_of_a_holder_that_is_gone_is_taken(ledger: Ledger) -> None:
    """What a dead run held is free at once when it is known to be dead."""
    async with hold(ledger, "dead"):
        freed = await ledger.leases.take_from("dead")

        assert (freed, await ledger.leases.holder("deal")) == (1, None)


async def test_a_key_may_be_of_any_length(ledger: Ledger, other: Ledger) -> None:
    """Two long ones that begin alike are two."""
    long, wait = "account " + "northwind " * 100, timedelta(seconds=0.15)
    async with (
        ledger.leases.hold(long + "a", owner="me", ttl=wait * 100, wait=wait),
        other.leases.hold(long + "b", owner="you", ttl=wait * 100, wait=wait),
    ):
        holders = [await ledger.leases.holder(long + end) for end in "ab"]

    assert holders == ["me", "you"]


async def test_many_leases_at_once_wait_in_no_circle(ledger: Ledger, other: Ledger) -> None:
    """Some renew what others want to take, in whichever order each has them: nobody is cut off."""
    keys = [f"deal:{number:02}" for number in range(60)]
    ours = dict.fromkeys(random.Random(1).sample(keys, len(keys)), "ours")
    for key, token in ours.items():
        await ledger.leases.take([key], owner="me", token=token, ttl=MINUTE)

    async def renew(times: int) -> set[frozenset[str]]:
        backwards = dict(reversed(ours.items()))
        return {await ledger.leases.renew(backwards, ttl=MINUTE) for _ in range(times)}

    async def want(times: int) -> set[frozenset[str]]:
        take = other.leases.take
        return {await take(keys, owner="you", token="yours", ttl=MINUTE) for _ in range(times)}

    went = await asyncio.gather(renew(80), renew(80), want(80), want(80))

    assert went == [{frozenset(keys)}, {frozenset(keys)}, {frozenset()}, {frozenset()}]
