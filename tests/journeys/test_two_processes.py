"""Two processes that work on the same deals at once make nothing twice, and count nothing twice."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from cosell_flows.cli.stagehands import call
from cosell_flows.running.opening import open_engine

from .backing import postgresql
from .conftest import Stage

pytestmark = pytest.mark.journey
IN = "partner-center-to-salesforce"


def referrals(stage: Stage, many: int, name: str) -> list[str]:
    """Referrals that come in, each of a customer of its own."""
    return [
        str(stage.emulated.microsoft("create", None, name=f"{name} {number}", customerProfile={
            "name": f"{name} {number}", "team": [{"email": f"{name}{number}@customer.example"}],
        })["id"])
        for number in range(many)
    ]  # fmt: skip


async def test_what_was_read_for_the_brake_is_read_again_after_another_process(
    stage: Stage,
) -> None:
    """Both rehearse, and find no account; one makes it, and the other looks again."""
    known = referrals(stage, 20, "known")
    await stage.sync(IN, referral_ids=known)
    wanted = [*referrals(stage, 5, "new"), *known[:3]]
    other = await open_engine(stage.project, "sandbox")

    results = await asyncio.gather(
        stage.sync(IN, referral_ids=wanted), other.run(IN, {"referral_ids": wanted[::-1]})
    )

    await other.aclose()
    made = [len(stage.seller.find(f"SELECT Id FROM {kind}"))
            for kind in ("Account", "Contact", "Opportunity")]  # fmt: skip
    letters = await stage.engine.ledger.letters.list()
    assert [one.status for one in results] == ["succeeded", "succeeded"]
    assert (made, letters) == ([25, 25, 25], [])
    assert [sum(one.counts[what] for one in results) for what in ("created", "skipped")] == [5, 0]


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.long)])
def shared_ledger(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[None]:
    """One ledger for all processes: a file, or a server."""
    if request.param == "sqlite":
        monkeypatch.setenv("COSELL_LEDGER_URL", f"sqlite:///{tmp_path}/shared.db")
        yield
        return
    with postgresql() as databases:
        monkeypatch.setenv("COSELL_LEDGER_URL", databases.ledger)
        yield


@pytest.mark.parametrize("contact", ["ida@northwind.example", None])
async def test_two_deals_of_one_new_customer_make_its_account_once(
    stage: Stage, shared_ledger: None, contact: str | None
) -> None:
    """Two processes look for the account in vain before either made it, and spell it differently."""
    deals = [
        stage.emulated.microsoft("create", None, name=f"Deal {street}", customerProfile={
            "name": name, "address": {"addressLine1": street, "postalCode": "1058"},
            "team": [{"lastName": "Holm", "email": contact}],
        })["id"]
        for name, street in (("Northwind", "Havnegade 1"), ("NORTHWIND", "Havnegade 1, 2. sal"))
    ]  # fmt: skip
    for name in ("Account", "Contact"):
        match = {"method": "POST", "path": f"sobjects/{name}"}
        fault = {"match": match, "then": {"delay_ms": 700}, "times": 2}
        call("POST", f"{stage.emulated._control('salesforce')}/faults", fault)
    engines = [await open_engine(stage.project, "sandbox") for _ in deals]

    results = await asyncio.gather(
        *(one.run(IN, {"referral_ids": [deal]}) for one, deal in zip(engines, deals, strict=True))
    )

    letters = await engines[0].ledger.letters.list()
    for one in engines:
        await one.aclose()
    made = [len(stage.seller.find(f"SELECT Id FROM {kind}"))
            for kind in ("Account", "Contact", "Opportunity")]  # fmt: skip
    assert ([one.status for one in results], letters) == (["succeeded", "succeeded"], [])
    assert made == [1, 1, 2]


async def test_a_plan_of_two_deals_makes_their_account_once(stage: Stage) -> None:
    """However the two spell its street; and what was planned is what is applied."""
    deals = [
        stage.emulated.microsoft("create", None, name=f"Deal {street}", customerProfile={
            "name": "Northwind", "address": {"addressLine1": street, "postalCode": "1058"},
            "team": [{"lastName": "Holm", "email": "ida@northwind.example"}],
        })["id"]
        for street in ("Havnegade 1", "Havnegade 1, 2. sal", "c/o Havnegade 1")
    ]  # fmt: skip

    planned = await stage.engine.plan(IN, {"referral_ids": deals})
    done = await stage.sync(IN, referral_ids=deals)

    named = [
        sorted((one["object"], one["operation"]) for one in result.writes)
        for result in (planned, done)
    ]
    assert named[0] == named[1]
    assert named[0].count(("Account", "create")) == 1
