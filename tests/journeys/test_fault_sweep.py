"""Every request of every story goes wrong once, in every way: nothing is lost, nothing is doubled.

Each story is played once to count the requests of the engine. Then it is played again for every
request and every fault: the process dies right before it, or right after it was carried out; its
answer is lost; it is told to have failed; somebody edits the record a moment before it is written.
After that the scheduled flows run, as they would, and both sides must be as if nothing had happened.
A few of these run in `make test`, all of them in `make test-long`.
"""

from __future__ import annotations

import contextlib
import json
import re
from collections.abc import AsyncIterator, Iterable, Sequence
from datetime import timedelta
from typing import Any

import httpx
import pytest

from cosell_flows.cli.stagehands import StoryBroke, call
from cosell_flows.running.opening import open_engine

from .conftest import Stage
from .stories import IN, LEADS, OUT, ROWS, STORIES, Story
from .wire import DEADLY, SURVIVED, Fault, Life

pytestmark = pytest.mark.journey
READING: tuple[Fault, ...] = ("dies before", "lost answer", "429 before")
WRITING: tuple[Fault, ...] = (*DEADLY, *SURVIVED)
_HOUR = timedelta(minutes=61)


class Sweep:
    """Plays one story again and again, on one stage."""

    def __init__(self, stage: Stage, story: Story) -> None:
        self.stage, self.story = stage, story
        self.life = Life(stage.engine, stage.project, self._meddle)
        self.edits: list[str] = []

    async def requests(self) -> list[str]:
        """The requests of the story's flow, where nothing goes wrong."""
        await self._prepare()
        result = await self.life.run(self.story.flow, None, None)
        assert result is not None
        assert result["status"] == "succeeded", result
        seen = [*self.life.wire.seen]
        await self._come_to_rest()
        await self._all_is_well()
        return seen

    async def play(self, at: int, fault: Fault) -> None:
        """The story with a fault at the request number *at*, and everything that must hold then."""
        await self._prepare()
        await self.life.run(self.story.flow, at, fault)
        self.life.wire.begin(None, None)
        await self._come_to_rest()
        await self._all_is_well()

    async def _prepare(self) -> None:
        for system in ("salesforce", "partner_center"):
            call("POST", f"{self.stage.emulated._control(system)}/reset", {"seed": "empty"})
        self.edits = []
        await self.life.begin()
        await self.story.prepare(self.stage)
        self._pass(timedelta(seconds=60))

    def _pass(self, time: timedelta) -> None:
        self.stage.later(int(time.total_seconds()))
        self.life.ahead += time

    async def _come_to_rest(self) -> None:
        """The scheduled flows run until none writes; what failed waits an hour, as it would."""
        await self._until_quiet()
        if await self.stage.engine.ledger.letters.list():
            self._pass(_HOUR)
            self.stage.emulated.tokens.clear()
            await self._until_quiet()

    async def _until_quiet(self) -> None:
        for _ in range(6):
            results = [await self.stage.sync(flow) for flow in (OUT, ROWS, IN, LEADS)]
            if not any(result.writes for result in results):
                return
        raise AssertionError(f"it never comes to rest: {[one.writes for one in results]}")

    async def _meddle(self, request: httpx.Request) -> None:
        """Somebody edits the record that *request* is about to write: a field of their own."""
        path = request.url.path
        if request.method != "PATCH":
            return
        try:
            if found := re.search(r"/referrals/([0-9a-f-]{36})$", path):
                self.stage.emulated.microsoft(
                    "update", found[1], details={"notes": "said meanwhile"}
                )
                self.edits.append("said meanwhile")
            elif found := re.search(r"/sobjects/Opportunity/(006\w+)$", path):
                self.stage.later(1)
                self.stage.seller.change("Opportunity", found[1], Description="said meanwhile")
                self.edits.append("said meanwhile")
        except StoryBroke:
            return  # its rules forbid it

    # -- what must hold

    async def _all_is_well(self) -> None:
        deals, leads = self._find("Opportunity"), self._find("Lead")
        referrals = self._referrals()
        there = {kind: len(self._find(kind)) for kind in self.story.there if kind[0].isupper()
                 and kind != "Microsoft's"}  # fmt: skip
        halves = [one["organizationName"] == "Microsoft" for one in referrals]
        there |= {"ours": halves.count(False), "Microsoft's": halves.count(True)}
        assert there == self.story.there
        (ours,) = (one for one in referrals if one["organizationName"] != "Microsoft")
        (here,) = (*deals, *leads)
        assert here["Referral_Identifier__c"] == ours["id"]
        if deals:
            self._agree(deals[0], ours)
        await self._says(here, ours)
        await self._ledger_is_clean()

    def _agree(self, here: dict[str, Any], there: dict[str, Any]) -> None:
        details = there["details"]
        assert here["Name"][:2] == "✔ "
        assert (
            float(here["Amount"]), here["Description"] or None, here["CloseDate"], here["CurrencyIsoCode"]
        ) == (
            float(details["dealValue"]), details["notes"] or None, details["closingDateTime"][:10],
            details["currency"],
        ) or there["status"] != "Active"  # fmt: skip
        mine = sorted(one["Solution_Identifier__c"] for one in self._find("Microsoft_Solution__c"))
        theirs = sorted(one["id"] for one in details["requirements"]["solutions"])
        assert mine == theirs or there["status"] != "Active"
        lines = here["Audit__c"].splitlines()
        said = [line[19:] for line in lines]
        assert len(said) == len(set(said)), f"said twice: {here['Audit__c']}"

    async def _says(self, here: dict[str, Any], there: dict[str, Any]) -> None:
        wanted = dict(self.story.says)
        if self.edits and "Description" in wanted:
            assert here["Description"] in ("said meanwhile", wanted.pop("Description"))
        elif self.edits and there["status"] == "Active" and "StageName" in here:
            assert here["Description"] == "said meanwhile"
        if self.edits and here.get("Amount") != wanted.get("Amount", here.get("Amount")):
            # The record was edited after the other side's: the newest wins, and the loser is kept.
            changes = await self.stage.engine.ledger.history.of_record(there["id"])
            assert float(wanted.pop("Amount")) in [
                float(one.loses)
                for one in changes
                if one.field == "details.dealValue" and one.loses
            ]
        found = {name: there.get(name) if name[0].islower() else here[name] for name in wanted}
        assert found == wanted

    async def _ledger_is_clean(self) -> None:
        ledger = self.stage.engine.ledger
        assert await ledger.intents.unresolved() == []
        assert [one.message for one in await ledger.letters.list()] == []
        assert [one.flow for one in await ledger.runs.list(1000, status="running")] == []
        links = await ledger.links.list()
        assert [(one.pending_left, one.pending_right) for one in links] == [(None, None)]

    def _find(self, kind: str) -> list[dict[str, Any]]:
        rows = self.stage.seller.find(f"SELECT Id FROM {kind}")
        wanted = kind in ("Opportunity", "Lead", "Microsoft_Solution__c")
        return [self.stage.seller.see(kind, one["Id"]) if wanted else one for one in rows]

    def _referrals(self) -> list[dict[str, Any]]:
        if "partner_center" not in self.stage.emulated.tokens:
            with contextlib.suppress(StoryBroke):  # there is no such referral: it is to sign in
                self.stage.emulated.referral("00000000-0000-0000-0000-000000000000")
        url = f"{self.stage.ready['partner_center']['url']}/referrals"
        return list(call("GET", url, token=self.stage.emulated.tokens["partner_center"])["value"])


@pytest.fixture
async def sweep(
    stage: Stage, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Sweep]:
    """A sweep through a story."""
    story: Story = request.getfixturevalue("story")
    for name, value in story.env.items():
        monkeypatch.setenv(name, value)
    await stage.engine.aclose()
    stage.engine = await open_engine(stage.project, "sandbox")
    await stage.engine.ledger.aclose()
    found = Sweep(stage, story)
    yield found
    await found.life.end()


def faults_of(request: str) -> tuple[Fault, ...]:
    """What may go wrong with a request: to one that only reads, less."""
    return READING if request.startswith("GET") or "oauth2" in request else WRITING


SOME = ("a co-sell is shared", "a referral comes in")


@pytest.mark.parametrize(
    "story", [one for one in STORIES if one.tells in SOME], ids=lambda story: story.tells
)
async def test_a_write_may_go_wrong(sweep: Sweep, story: Story) -> None:
    """The process dies after the first write was carried out, or the last one's answer is lost."""
    requests = await sweep.requests()
    writes = [at for at, one in enumerate(requests) if faults_of(one) == WRITING]
    chosen: list[tuple[int, Fault]] = [(writes[0], "dies after"), (writes[-1], "lost answer")]

    broken = await broken_by(sweep, requests, chosen)

    assert broken == {}, json.dumps(broken, indent=1, ensure_ascii=False)


@pytest.mark.long
@pytest.mark.parametrize("story", STORIES, ids=lambda story: story.tells)
async def test_every_request_may_go_wrong(sweep: Sweep, story: Story) -> None:
    """Whichever request of a story goes wrong, and however: once all is quiet, all is well."""
    requests = await sweep.requests()

    every = [(at, fault) for at, one in enumerate(requests) for fault in faults_of(one)]

    broken = await broken_by(sweep, requests, every)

    assert broken == {}, json.dumps(broken, indent=1, ensure_ascii=False)


async def broken_by(
    sweep: Sweep, requests: Sequence[str], faults: Iterable[tuple[int, Fault]]
) -> dict[str, str]:
    """What is not well in the end, by the fault and the request that it befell."""
    broken = {}
    for at, fault in faults:
        try:
            await sweep.play(at, fault)
        except Exception as error:  # noqa: BLE001 - whatever it is, it belongs in the list
            broken[f"{fault} {at} {requests[at]}"] = str(error)[:600]
    return broken
