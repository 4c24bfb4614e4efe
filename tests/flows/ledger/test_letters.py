"""Dead letters: one open about a record, closed by success."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from cosell_flows.ledger import Ledger, Letter

from .conftest import Time


async def fail(ledger: Ledger, **about: Any) -> Letter:
    """A record fails."""
    values = {"flow": "push", "error_class": "invalid", "message": "no stage"}
    return await ledger.letters.open_or_update("deals", **values | about)


async def test_first_failure_opens_a_letter(ledger: Ledger, clock: Time) -> None:
    """A letter says what failed, since when, and where."""
    letter = await fail(ledger, opportunity_id="R1", hint="add a row", place="a.yaml:3:5")

    assert (letter.status, letter.attempts, letter.first_at) == ("open", 1, clock.now)
    assert await ledger.letters.get(letter.id) == letter


async def test_second_failure_counts(ledger: Ledger, clock: Time) -> None:
    """The same record failing again is the same letter, with the newest reason."""
    first = await fail(ledger, opportunity_id="R1")
    clock.pass_(hours=1)

    again = await fail(ledger, opportunity_id="R1", message="no rights")

    assert (again.id, again.attempts, again.message) == (first.id, 2, "no rights")
    assert (again.first_at, again.last_at) == (first.first_at, clock.now)


async def test_letters_about_one_deal_become_one(ledger: Ledger) -> None:
    """When two records turn out to be one deal, one letter stays open."""
    first = await fail(ledger, opportunity_id="R1")
    await fail(ledger, referral_id="L1")

    letter = await fail(ledger, opportunity_id="R1", referral_id="L1")

    assert await ledger.letters.list() == [letter]
    assert (letter.id, letter.referral_id) == (first.id, "L1")


async def test_workers_that_fail_at_once_open_one_letter(ledger: Ledger, other: Ledger) -> None:
    """Two processes leave one letter about a record."""
    await asyncio.gather(*(fail(where, opportunity_id="R1") for where in (ledger, other) * 3))

    (letter,) = await ledger.letters.list()
    assert letter.attempts == 6


async def test_success_closes(ledger: Ledger) -> None:
    """A letter closes by either id; it stays in the list of all."""
    await fail(ledger, opportunity_id="R1", referral_id="L1")

    closed = await ledger.letters.close("deals", referral_id="L1")

    assert (closed, await ledger.letters.list()) == (1, [])
    assert [letter.status for letter in await ledger.letters.list(all=True)] == ["closed"]


async def test_closing_nothing_is_fine(ledger: Ledger) -> None:
    """Success of a record without a letter changes nothing."""
    assert await ledger.letters.close("deals", opportunity_id="R1") == 0


async def test_failure_after_success_opens_a_new_letter(ledger: Ledger) -> None:
    """A closed letter is not opened again."""
    first = await fail(ledger, opportunity_id="R1")
    await ledger.letters.close("deals", opportunity_id="R1")

    second = await fail(ledger, opportunity_id="R1")

    assert (second.id != first.id, second.attempts) == (True, 1)
    assert await ledger.letters.count_open() == 1


async def test_open_letter_is_found(ledger: Ledger) -> None:
    """The open letter about a record is found by one of its ids."""
    letter = await fail(ledger, opportunity_id="R1", fingerprint="f")

    assert await ledger.letters.find_open("deals", opportunity_id="R1", referral_id="L9") == letter
    assert await ledger.letters.find_open("leads", opportunity_id="R1") is None


async def test_letter_is_due_after_its_pause(ledger: Ledger, clock: Time) -> None:
    """A letter is tried again when it was last tried long enough ago."""
    await fail(ledger, opportunity_id="R1")

    assert await ledger.letters.due("deals", clock.now) == []
    clock.pass_(seconds=1)
    assert len(await ledger.letters.due("deals", clock.now)) == 1


async def test_letter_somebody_asked_for_is_due_at_once(ledger: Ledger, clock: Time) -> None:
    """A letter marked for retry does not wait, until it was tried."""
    letter = await fail(ledger, opportunity_id="R1")
    marked = await ledger.letters.mark_for_retry([letter.id, "77", "x"])

    due = await ledger.letters.due("deals", clock.now)
    await fail(ledger, opportunity_id="R1")

    assert [found.id for found in marked] == [found.id for found in due] == [letter.id]
    assert await ledger.letters.due("deals", clock.now) == []


async def test_letter_without_a_record_is_refused(ledger: Ledger) -> None:
    """A letter is about a record."""
    with pytest.raises(ValueError, match="about a record"):
        await fail(ledger)
