"""What a run costs that goes over many deals: its time, and the memory of its process at its peak.

The emulators stand in a process of their own, and so does every run that is measured. The deals are
made on both sides, and linked, without a sync: what is measured is a catch-up of deals that changed
in Partner Center, a second one of deals that are in step, and the nightly comparison of both sides.
Run it by hand: `python benchmarks/size.py --deals 1000 5000`; it is never a test.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import httpx

from cosell_flows.ledger.links import Link
from cosell_flows.project import init_project
from cosell_flows.running.engine import Engine
from cosell_flows.running.opening import open_engine

CATCH_UP, NIGHTLY = "partner-center-to-salesforce", "nightly-reconciliation"
MAPPING = "referral-opportunity"
OF_ONE_DEAL = (
    "AccountId, StageName, CloseDate, Amount, CurrencyIsoCode, Description, "
    "Sync_with_Partner_Center__c, How_can_Microsoft_help__c, Referral_Visibility__c"
)
OF_ONE_SOLUTION = "Solution_Identifier__c, Solution_Name__c, Type__c, Publisher_Name__c"


@dataclass
class Stage:
    """Both sides, and the ledger between them."""

    http: httpx.AsyncClient
    ready: dict[str, Any]
    engine: Engine
    token: str = ""

    async def salesforce(self, method: str, path: str, **more: Any) -> Any:
        """One request to Salesforce; its body."""
        url = f"{self.ready['salesforce']['url']}/services/data/v68.0{path}"
        headers = {"Authorization": f"Bearer {self.token}"}
        answer = await self.http.request(method, url, headers=headers, **more)
        answer.raise_for_status()
        return answer.json()

    async def sign_in(self) -> None:
        """A token of Salesforce."""
        there = self.ready["salesforce"]
        form = {name: there[name] for name in ("client_id", "client_secret")}
        form["grant_type"] = "client_credentials"
        answer = await self.http.post(there["token_url"], data=form)
        self.token = str(answer.json()["access_token"])

    async def come_in(self, name: str) -> str:
        """A new referral; its identifier."""
        url = self.ready["partner_center"]["url"].split("/v1.0/")[0] + "/__sandbox__/microsoft"
        fields = {
            "name": name, "customerProfile": {"name": "Customer"},
            "status": "Active", "substatus": "Accepted", "details": {"notes": f"Notes of {name}"},
        }  # fmt: skip
        answer = await self.http.post(url, json={"do": "create", "fields": fields})
        return str(answer.json()["id"])

    async def make(self, many: int) -> None:
        """The first deal comes in as deals do; the others are copies of it, linked by hand."""
        await self.come_in("Deal 0")
        await self.engine.run(CATCH_UP, {}, release_brake=True)
        (link,) = await self.engine.ledger.links.list(MAPPING)
        deal = await self.one(f"SELECT {OF_ONE_DEAL} FROM Opportunity")
        contact = await self.one("SELECT ContactId, IsPrimary FROM OpportunityContactRole")
        solution = await self.one(f"SELECT {OF_ONE_SOLUTION} FROM Microsoft_Solution__c")
        for at in range(1, many, 200):
            numbers = range(at, min(at + 200, many))
            referrals = [await self.come_in(f"Deal {number}") for number in numbers]
            made = await self.insert("Opportunity", [
                {**deal, "Name": f"✔ Deal {number}", "Referral_Identifier__c": referral,
                 "Referral_Link__c": f"https://partner.microsoft.com/referrals/v2/inbox?id={referral}"}
                for referral, number in zip(referrals, numbers, strict=True)
            ])  # fmt: skip
            await self.insert(
                "Microsoft_Solution__c", [{**solution, "Opportunity__c": one} for one in made]
            )
            await self.insert(
                "OpportunityContactRole", [{**contact, "OpportunityId": one} for one in made]
            )
            await self.link(link, dict(zip(referrals, made, strict=True)))

    async def one(self, query: str) -> dict[str, Any]:
        """The only record that a query finds, without what only Salesforce says of it."""
        (found,) = (await self.salesforce("GET", "/query", params={"q": query}))["records"]
        return {name: value for name, value in found.items() if name != "attributes"}

    async def insert(self, kind: str, records: list[dict[str, Any]]) -> list[str]:
        """Make records; their ids."""
        typed = [{"attributes": {"type": kind}, **record} for record in records]
        body = {"allOrNone": True, "records": typed}
        made = await self.salesforce("POST", "/composite/sobjects", json=body)
        return [str(one["id"]) for one in made]

    async def link(self, link: Link, twins: dict[str, str]) -> None:
        """What the ledger knows of the first deal, of each of the others."""
        for referral, opportunity in twins.items():
            copied = replace(
                link, id=None, left_id=referral, right_id=opportunity,
                base_left={**link.base_left, "id": referral},
                base_right={**link.base_right, "id": referral}, left_version=None,
            )  # fmt: skip
            await self.engine.ledger.links.save(copied)


@contextmanager
def emulators() -> Iterator[dict[str, Any]]:
    """Both, in a process of their own."""
    command = [sys.executable, "-m", "cosell_flows.cli.main", "sandbox", "--seed", "empty"]
    command += ["--salesforce-port", "0", "--partner-center-port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield json.loads(process.stdout.readline())
        finally:
            process.terminate()


async def measured(folder: Path, flow: str) -> dict[str, Any]:
    """One run, in this very process, and what it took."""
    engine = await open_engine(folder, "sandbox")
    before, began = _peak(), time.perf_counter()
    result = await engine.run(flow, {}, release_brake=True)
    seconds = time.perf_counter() - began
    await engine.aclose()
    return {
        "status": result.status, **{name: result.counts[name] for name in ("read", "updated")},
        "seconds": round(seconds, 1), "before_mib": round(before), "peak_mib": round(_peak()),
    }  # fmt: skip


def _peak() -> float:
    """The most memory this process ever held, in MiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def apart(folder: Path, flow: str) -> dict[str, Any]:
    """The same, in a process of its own."""
    command = [sys.executable, __file__, "--run", flow, "--project", str(folder)]
    told = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
    found: dict[str, Any] = json.loads(told)
    return found


async def of(many: int) -> dict[str, Any]:
    """All that is measured of so many deals."""
    with emulators() as ready, tempfile.TemporaryDirectory() as folder:
        os.environ |= ready["env"]
        project = Path(folder)
        init_project(project)
        async with httpx.AsyncClient(timeout=60) as http:
            stage = Stage(http, ready, await open_engine(project, "sandbox"))
            await stage.sign_in()
            await stage.make(many)
            await stage.engine.aclose()
        found = {}
        for name, flow in (("catch_up", CATCH_UP), ("nightly", NIGHTLY)):
            found[name] = await asyncio.to_thread(apart, project, flow)
            print(many, name, found[name], file=sys.stderr)
        return found


async def main() -> None:
    """Measure, and print one JSON document."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--deals", type=int, nargs="+", default=[1_000, 5_000])
    asked.add_argument("--run", help=argparse.SUPPRESS)
    asked.add_argument("--project", type=Path, help=argparse.SUPPRESS)
    given = asked.parse_args()
    if given.run:
        print(json.dumps(await measured(given.project, given.run)))
        return
    print(json.dumps({many: await of(many) for many in given.deals}, indent=2))


if __name__ == "__main__":
    asyncio.run(main())
