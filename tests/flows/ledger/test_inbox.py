"""Events: stored once, claimed by one, never lost."""

from __future__ import annotations

import asyncio
from typing import Any

from cosell_flows.ledger import Ledger, StoredEvent

from .conftest import Time

NAMES = ("referral-created", "referral-updated")


async def store(ledger: Ledger, *ids: str, **more: Any) -> None:
    """Store an event for each resource id."""
    for resource in ids:
        await ledger.inbox.store(
            more.get("event", "referral-updated"),
            connection=more.get("connection", "partner_center_events"),
            resource_id=resource,
            resource_uri=f"https://example.test/{resource}",
            changed_at=None,
            dedupe_key=resource,
            body="{}",
            status=more.get("status", "waiting"),
        )


async def claim(ledger: Ledger, owner: str = "me", limit: int = 100) -> list[StoredEvent]:
    """Claim what is free."""
    return await ledger.inbox.claim(NAMES, limit=limit, owner=owner, lease_seconds=60)


async def test_event_is_stored_once(ledger: Ledger, clock: Time) -> None:
    """The same event again is known and has no second effect."""
    event: dict[str, Any] = {
        "connection": "partner_center_events",
        "resource_id": "A",
        "resource_uri": "https://example.test/A",
        "changed_at": clock.now,
        "dedupe_key": "k",
        "body": '{"a":1}',
    }

    answers = [await ledger.inbox.store("referral-updated", **event) for _ in range(2)]

    (stored,) = await ledger.inbox.list()
    assert answers == [True, False]
    assert (stored.body, stored.changed_at, stored.status) == ('{"a":1}', clock.now, "waiting")


async def test_events_are_claimed_oldest_first(ledger: Ledger) -> None:
    """A claim takes as many as it may, in order of arrival."""
    await store(ledger, "A", "B", "C")

    claimed = await claim(ledger, limit=2)

    assert [(event.resource_id, event.attempts) for event in claimed] == [("A", 1), ("B", 1)]


async def test_claim_takes_only_its_names_and_connection(ledger: Ledger) -> None:
    """Events of other flows stay where they are."""
    await store(ledger, "A", event="test-created")
    await store(ledger, "B", connection="elsewhere")

    claimed = await ledger.inbox.claim(
        NAMES, limit=9, owner="me", lease_seconds=60, connection="partner_center_events"
    )

    assert claimed == []


async def test_event_has_one_worker(ledger: Ledger, other: Ledger) -> None:
    """Many workers at once never claim the same event."""
    await store(ledger, *(f"R{number}" for number in range(30)))

    claims = await asyncio.gather(
        *(claim(where, f"w{n}", limit=4) for n, where in enumerate((ledger, other) * 8))
    )

    ids = [event.id for batch in claims for event in batch]
    assert (len(ids), len(set(ids))) == (30, 30)


async def test_event_of_a_dead_worker_is_taken_up_again(ledger: Ledger, clock: Time) -> None:
    """An event whose lease expired goes to the next who asks."""
    await store(ledger, "A")
    await claim(ledger, "dead")
    clock.pass_(seconds=61)

    (event,) = await claim(ledger, "alive")

    assert (event.owner, event.attempts) == ("alive", 2)


async def test_lease_is_extended_while_work_goes_on(ledger: Ledger, clock: Time) -> None:
    """Nobody takes an event from a worker that keeps saying it is at work."""
    await store(ledger, "A")
    (event,) = await claim(ledger, "me")
    clock.pass_(seconds=50)

    await ledger.inbox.extend([event.id], owner="me", lease_seconds=60)

    clock.pass_(seconds=50)
    assert await claim(ledger, "other") == []


async def test_worker_that_lost_its_events_cannot_finish_them(ledger: Ledger, clock: Time) -> None:
    """What another worker took over is not reported as done by the first."""
    await store(ledger, "A")
    (event,) = await claim(ledger, "slow")
    clock.pass_(seconds=61)
    await claim(ledger, "quick")

    finished = await ledger.inbox.finish([event.id], "done", owner="slow")

    assert finished == 0
    assert (await ledger.inbox.counts())["running"] == 1


async def test_finished_events_stay_finished(ledger: Ledger, clock: Time) -> None:
    """Done is done, however much later."""
    await store(ledger, "A")
    (event,) = await claim(ledger)
    await ledger.inbox.finish([event.id], "done")
    clock.pass_(days=1)

    assert await claim(ledger) == []


async def test_failed_event_tells_why(ledger: Ledger) -> None:
    """A failed event carries its error."""
    await store(ledger, "A")
    (event,) = await claim(ledger)

    await ledger.inbox.finish([event.id], "failed", "no rights")

    found = await ledger.inbox.get(event.id)
    assert found is not None
    assert (found.status, found.error) == ("failed", "no rights")


async def test_released_event_waits_its_time(ledger: Ledger, clock: Time) -> None:
    """An event put back for later is not claimed before."""
    await store(ledger, "A")
    (event,) = await claim(ledger)
    later = clock.now.replace(hour=13)
    await ledger.inbox.release([event.id], not_before=later, error="busy")

    early, clock.now = await claim(ledger), later

    assert (early, len(await claim(ledger))) == ([], 1)


async def test_release_can_leave_the_attempt_uncounted(ledger: Ledger) -> None:
    """An event given back unread was not tried."""
    await store(ledger, "A")
    (event,) = await claim(ledger)

    await ledger.inbox.release([event.id], counts=False)

    assert (await ledger.inbox.list())[0].attempts == 0


async def test_event_remembers_who_handled_it(ledger: Ledger) -> None:
    """Of two flows that listen, the one that is through is not run again."""
    await store(ledger, "A")
    (event,) = await claim(ledger)

    for _ in range(2):
        await ledger.inbox.handled([event.id], flow="pull")

    assert (await ledger.inbox.list())[0].handled == ("pull",)


async def test_replayed_event_is_new_again(ledger: Ledger) -> None:
    """A replayed event is worked on as if it had just come in."""
    await store(ledger, "A")
    (event,) = await claim(ledger)
    await ledger.inbox.handled([event.id], flow="pull")
    await ledger.inbox.finish([event.id], "failed", "x")

    await ledger.inbox.replay([event.id])

    (again,) = await claim(ledger)
    assert (again.attempts, again.handled, again.error) == (1, (), None)


async def test_events_are_counted_by_status(ledger: Ledger) -> None:
    """Every status has a number, none included; ignored events are done from the start."""
    await store(ledger, "A", "B")
    await store(ledger, "C", status="done")

    assert await ledger.inbox.counts() == {"waiting": 2, "running": 0, "done": 1, "failed": 0}
    assert await ledger.inbox.waiting(NAMES) == 2
    assert [event.resource_id for event in await ledger.inbox.list(status="waiting")] == ["B", "A"]


async def test_ids_that_are_none_name_nothing(ledger: Ledger) -> None:
    """A mistyped id finds nothing and breaks nothing."""
    assert await ledger.inbox.get("abc") is None
    assert await ledger.inbox.replay(["abc", "9" * 40]) == 0


async def test_events_of_a_process_that_is_gone_are_taken(ledger: Ledger) -> None:
    """Nobody waits for the lease of a process that is known to be dead."""
    await store(ledger, "A")
    await claim(ledger, "dead")

    assert await ledger.inbox.owners() == {"dead"}
    assert await ledger.inbox.take_from("dead") == 1
    assert [event.resource_id for event in await claim(ledger, "alive")] == ["A"]
