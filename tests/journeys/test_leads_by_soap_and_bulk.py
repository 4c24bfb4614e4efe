"""The example flows of Salesforce: a lead converted by SOAP, a list view handed over in bulk."""

from __future__ import annotations

import json
import shutil
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from cosell_flows.running.engine import Engine
from cosell_flows.running.opening import open_engine
from cosell_flows.running.outcomes import RunResult

pytestmark = pytest.mark.journey


@dataclass
class Play:
    """A project with the examples in it, and what the emulator can be told."""

    engine: Engine
    stage: Any
    http: httpx.AsyncClient

    async def run(self, flow: str, **inputs: Any) -> RunResult:
        """Run an example."""
        return await self.engine.run(flow, inputs)

    async def go_wrong(self, method: str, path: str, **then: Any) -> None:
        """Let the next call of a kind go wrong."""
        fault = {"match": {"method": method, "path": path}, "then": then}
        answer = await self.http.post("/__sandbox__/faults", json=fault)
        assert answer.is_success, answer.text

    async def asked(self, method: str, path: str) -> int:
        """How often something was asked."""
        told = (await self.http.get("/__sandbox__/requests")).json()["requests"]
        return sum(one["method"] == method and path in one["path"] for one in told)

    def lead(self, **fields: Any) -> str:
        """A lead of the seller's."""
        return str(self.stage.seller.make("Lead", **{"LastName": "Lee", "Company": "A", **fields}))

    def owner_of(self, lead: str) -> Any:
        """Whose a lead is."""
        return self.stage.seller.see("Lead", lead)["OwnerId"]

    def queue(self) -> str:
        """A queue of leads."""
        found = self.stage.seller.find("SELECT Id FROM Group WHERE Type = 'Queue' LIMIT 1")
        return str(found[0]["Id"])


@pytest.fixture
async def play(stage: Any) -> AsyncIterator[Play]:
    examples = stage.project / "definitions" / "examples"
    examples.mkdir()
    for file in (stage.project / "connectors" / "salesforce").glob("*.flow.yaml"):
        shutil.copy(file, examples)
    engine = await open_engine(stage.project, "sandbox")
    async with httpx.AsyncClient(base_url=stage.ready["salesforce"]["url"]) as http:
        yield Play(engine, stage, http)
    await engine.aclose()


async def test_a_lead_becomes_an_opportunity(play: Play) -> None:
    """Of the account of the same name, and once: the second run passes it over."""
    account = play.stage.seller.make("Account", Name="O'Hare & <Co>")
    lead = play.lead(Company="O'Hare & <Co>")

    first = await play.run("convert-lead", lead_id=lead)
    second = await play.run("convert-lead", lead_id=lead)

    deal = play.stage.look(first.outputs["opportunity_id"])
    assert (first.status, second.status, deal["AccountId"]) == ("succeeded", "skipped", account)


@pytest.mark.parametrize(("drop", "calls"), [("after", 1), ("before", 2)])
async def test_a_lost_answer_converts_no_lead_twice(play: Play, drop: str, calls: int) -> None:
    """The lead is asked what became of it: converted, it is left; or else it is tried again."""
    lead = play.lead()
    await play.go_wrong("POST", "/Soap/u/", drop=drop)

    result = await play.run("convert-lead", lead_id=lead)

    assert result.status == "succeeded", result.error
    assert play.stage.look(result.outputs["opportunity_id"])["Name"] == "A"
    assert await play.asked("POST", "/Soap/u/") == calls


async def test_a_refused_conversion_fails_the_run(play: Play) -> None:
    """A lead of a queue without an owner: the run says what Salesforce says, and of which lead."""
    lead = play.lead(OwnerId=play.queue())

    result = await play.run("convert-lead", lead_id=lead)

    assert (result.status, result.error["class"]) == ("failed", "invalid")
    assert lead in result.error["message"]


async def test_a_plan_converts_nothing(play: Play) -> None:
    """It says what it would do, and goes on with what it takes for the answer."""
    lead = play.lead()

    plan = await play.engine.plan("convert-lead", {"lead_id": lead})

    assert plan.status == "succeeded", plan.error
    fields = [one["field"] for one in plan.writes[0]["fields"]]
    assert fields == ["status", "id"]  # what is not given is no write
    assert ([one["key"] for one in plan.writes], await play.asked("POST", "/Soap/u/")) == (
        [lead],
        0,
    )


async def test_a_session_id_is_in_no_ledger(play: Play) -> None:
    """Runs, their steps and their history are kept; the token is not among them."""
    result = await play.run("convert-lead", lead_id=play.lead())

    kept = json.dumps(result.as_json(), default=str)
    files = [one for one in (play.stage.project / ".cosell").rglob("*") if one.is_file()]
    assert files
    session = b"SessionHeader"
    assert not [one for one in files if session in one.read_bytes()]
    assert "SessionHeader" not in kept


async def test_a_list_view_is_handed_over(play: Play) -> None:
    """Every lead of it has the other owner; one that is refused is told by its code."""
    leads = [play.lead(LastName=f"Lee {one}") for one in range(12)]
    queue = play.queue()

    result = await play.run("hand-over-leads", list_view="AllLeads", owner_id=queue)

    assert result.status == "succeeded", result.error
    assert {play.owner_of(one) for one in leads} == {queue}
    assert result.outputs["handed_over"] == 12


async def test_leads_that_are_refused_are_told(play: Play) -> None:
    """An owner there is not: the run is partial, and nothing has changed."""
    lead = play.lead()
    before = play.owner_of(lead)

    result = await play.run("hand-over-leads", list_view="AllLeads", owner_id="005000000000000AAA")

    assert (result.status, result.counts["failed"], play.owner_of(lead)) == ("partial", 1, before)


@pytest.mark.parametrize(
    ("path", "method"), [("/jobs/ingest$", "POST"), ("/jobs/ingest/750\\w+$", "PATCH")]
)
async def test_a_lost_answer_hands_over_once(play: Play, path: str, method: str) -> None:
    """A job that was made twice writes once, and one that was closed is not closed again."""
    lead, queue = play.lead(), play.queue()
    await play.go_wrong(method, path, drop="after")

    result = await play.run("hand-over-leads", list_view="AllLeads", owner_id=queue)

    assert result.status == "succeeded", result.error
    assert (play.owner_of(lead), await play.asked("PATCH", "/jobs/ingest/")) == (queue, 1)


async def test_a_lost_upload_stops_the_job(play: Play) -> None:
    """Whether it had its rows cannot be asked: nothing is written, and the run says so."""
    lead, queue = play.lead(), play.queue()
    before = play.owner_of(lead)
    await play.go_wrong("PUT", "/batches", drop="after")

    result = await play.run("hand-over-leads", list_view="AllLeads", owner_id=queue)

    assert (result.status, result.error["class"], play.owner_of(lead)) == (
        "failed",
        "unavailable",
        before,
    )


async def test_a_plan_hands_over_nothing(play: Play) -> None:
    """The list is read, and the writes are said."""
    play.lead()

    inputs = {"list_view": "AllLeads", "owner_id": play.queue()}
    plan = await play.engine.plan("hand-over-leads", inputs)

    assert plan.status == "succeeded", plan.error
    assert len(plan.writes) == 3
    assert await play.asked("POST", "/jobs/ingest") == 0
