"""What the ledger forgets once it is old, and what it never does."""

from __future__ import annotations

from cosell_flows.ledger import Change, Ledger, Link

from .conftest import Time


async def story(ledger: Ledger, clock: Time) -> None:
    """A link, a run with a change, a closed letter and an open one."""
    await ledger.links.save(Link(mapping="m", left_id="r", right_id="o", base_left={"a": "1"}))
    await ledger.runs.start("run", flow="f", flow_hash="h", trigger="manual", inputs={})
    await ledger.history.record([
        Change(run_id="run", flow="f", flow_hash="h", system="s", object="o", operation="update",
               field="a", at=clock(), record_id="o"),
    ])  # fmt: skip
    await ledger.runs.finish("run", "succeeded")
    for record in ("closed", "open"):
        await ledger.letters.open_or_update(
            "m", flow="f", error_class="invalid", message="no", opportunity_id=record
        )
    await ledger.letters.close("m", opportunity_id="closed")


async def test_what_is_old_goes(ledger: Ledger, clock: Time) -> None:
    """History, runs and closed letters from before the moment are deleted."""
    await story(ledger, clock)
    clock.pass_(days=100)

    gone = await ledger.retention.prune(clock())

    assert {name: count for name, count in gone.items() if count} == {
        "changes": 1, "runs": 1, "letters": 1,
    }  # fmt: skip


async def test_bases_and_open_letters_stay(ledger: Ledger, clock: Time) -> None:
    """Whatever their age: without a base both sides would look changed."""
    await story(ledger, clock)
    clock.pass_(days=10_000)

    await ledger.retention.prune(clock())

    link = await ledger.links.find("m", left_id="r")
    letters = await ledger.letters.list(all=True)
    assert (link is not None and link.base_left, [one.opportunity_id for one in letters]) == (
        {"a": "1"}, ["open"],
    )  # fmt: skip


async def test_what_is_young_stays(ledger: Ledger, clock: Time) -> None:
    """Nothing from after the moment is touched."""
    await story(ledger, clock)
    before = clock()
    clock.pass_(days=1)

    gone = await ledger.retention.prune(before)

    assert sum(gone.values()) == 0


async def test_a_run_that_never_ended_stays(ledger: Ledger, clock: Time) -> None:
    """Somebody still has to take it up."""
    await ledger.runs.start("lost", flow="f", flow_hash="h", trigger="manual", inputs={})
    clock.pass_(days=1000)

    await ledger.retention.prune(clock())

    assert await ledger.runs.get("lost") is not None
