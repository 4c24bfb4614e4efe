"""Payloads recorded from the live API come in, become opportunities, are edited, and go back whole."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest

from .conftest import SAMPLES, Stage

FILES = sorted((SAMPLES / "partner-center").glob("observed.referral.*.json"))
pytestmark = [
    pytest.mark.journey,
    pytest.mark.skipif(not FILES, reason="the recorded payloads are not beside this checkout"),
]
OURS = {"eTag", "updatedDateTime"}  # the emulated server renews these with every write


def recorded(name: str) -> dict[str, Any]:
    """A recorded payload, without the fields that only the server gives."""
    text = (SAMPLES / "partner-center" / name).read_text(encoding="utf-8")
    return dict(json.loads(text))


def without(record: dict[str, Any], *paths: str) -> dict[str, Any]:
    """A copy of *record* without some of its fields."""
    bare = copy.deepcopy(record)
    for path in paths:
        *parents, last = path.split(".")
        spot = bare
        for part in parents:
            spot = spot[part]
        spot.pop(last, None)
    return {name: value for name, value in bare.items() if name not in OURS}


@pytest.mark.parametrize("name", [path.name for path in FILES])
async def test_it_becomes_an_opportunity(stage: Stage, name: str) -> None:
    """Name, amount, currency and closing date are those of the recording."""
    sample = recorded(name)
    deal, _ = await stage.received(**sample)

    now = stage.look(deal)

    assert (now["Name"], now["Amount"], now["CurrencyIsoCode"], now["CloseDate"]) == (
        f"✔ {sample['name']}", sample["details"]["dealValue"], sample["details"]["currency"],
        sample["details"]["closingDateTime"][:10],
    )  # fmt: skip


@pytest.mark.parametrize("name", [path.name for path in FILES])
async def test_an_edit_alters_nothing_else(stage: Stage, name: str) -> None:
    """After the seller changed the deal value, every other field is as it was recorded."""
    deal, referral = await stage.received(**recorded(name))
    before = stage.emulated.referral(referral)
    stage.edit(deal, Amount=4711.25)

    await stage.full_sync()

    after = stage.emulated.referral(referral)
    path = "details.dealValue"
    assert without(after, path) == without(before, path)


@pytest.mark.parametrize("name", [path.name for path in FILES if "closed" not in path.name])
async def test_the_edit_arrives(stage: Stage, name: str) -> None:
    """The deal value that the seller changed reaches the referral."""
    deal, referral = await stage.received(**recorded(name))
    stage.edit(deal, Amount=4711.25)

    await stage.full_sync()

    assert stage.emulated.referral(referral)["details"]["dealValue"] == 4711.25


@pytest.mark.parametrize("name", [path.name for path in FILES if "closed" in path.name])
async def test_a_closed_one_takes_no_edit(stage: Stage, name: str) -> None:
    """A closed referral is not written to, whatever the seller changes."""
    deal, _ = await stage.received(**recorded(name))
    stage.edit(deal, Amount=4711.25)

    await stage.full_sync()

    assert stage.writes("partner_center") == []
