"""The audit field and the mark: a seller's words, newest first, as long as the field, in one language."""

from __future__ import annotations

import re

import pytest

from .conftest import Stage

pytestmark = pytest.mark.journey
OUT = "opportunity-to-partner-center"
LINE = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d - \S.*")


async def test_lines_have_one_form_and_the_newest_stands_first(stage: Stage) -> None:
    """`YYYY-MM-DD HH:MM - message`, one for every sync that did something."""
    deal, _ = await stage.shared()
    stage.edit(deal, Amount=12)
    await stage.sync(OUT)

    lines = stage.look(deal)["Audit__c"].splitlines()

    assert [bool(LINE.fullmatch(one)) for one in lines] == [True, True]
    assert "Deal value" in lines[0]
    assert "Shared with Microsoft" in lines[1]


async def test_a_full_field_loses_its_oldest_lines_whole(stage: Stage) -> None:
    """The length is the field's own, from the org; no line is cut in the middle."""
    deal, _ = await stage.shared()
    describe = stage.seller.describe("Opportunity")
    room = next(one["length"] for one in describe["fields"] if one["name"] == "Audit__c")
    line = f"2026-01-01 10:00 - {'so it went; ' * 8}end"
    stage.edit(deal, Amount=12, Audit__c="\n".join([line] * (room // (len(line) + 1))))

    result = await stage.sync(OUT)

    trail = stage.look(deal)["Audit__c"]
    assert (result.status, len(trail) <= room, len(trail) > room - 2 * len(line)) == (
        "succeeded", True, True,
    )  # fmt: skip
    assert all(one.endswith(("end", ".")) for one in trail.splitlines())


async def test_a_failure_is_said_once(stage: Stage) -> None:
    """The same reason again and again: one line, and the mark."""
    deal = stage.deal(country="Denmark")
    for _ in range(3):
        await stage.sync(OUT, opportunity_ids=[deal])

    now = stage.look(deal)
    assert (len(now["Audit__c"].splitlines()), now["Name"][:2]) == (1, "✘ ")


async def test_the_audit_speaks_italian(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """Success and failure, with labels; and the same failure is still said once."""
    monkeypatch.setenv("COSELL_AUDIT_LANGUAGE", "Italian")
    await stage.engine.aclose()
    await stage.reopen()
    good, _ = await stage.shared()
    stage.edit(good, Amount=12)
    bad = stage.deal(country="Denmark")
    for _ in range(2):
        await stage.sync(OUT, opportunity_ids=[good, bad])

    told, failed = stage.look(good)["Audit__c"], stage.look(bad)["Audit__c"]
    assert "Valore della trattativa" in told
    assert "Condiviso con Microsoft come co-sell" in told
    assert "Non condiviso con Microsoft. Aggiungete un codice paese di due lettere" in failed
    assert len(failed.splitlines()) == 1
