"""What the engine costs over a bare hand-written script, as ratios measured in one run.

Both sides talk to the same emulators over real sockets. The script does what a person in a hurry
would write: read a deal on both sides, compare three fields, and patch what differs. The engine
plans, merges against the base, keeps the ledger, the audit trail and the mark. Run it with
`make bench`; it is never a test. `--profile` tells where the time of each measurement goes.
"""

from __future__ import annotations

import argparse
import asyncio
import cProfile
import json
import os
import pstats
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
from httpx_aiohttp import AiohttpTransport

from cosell_emulators.sandbox import Sandbox
from cosell_flows.project import init_project
from cosell_flows.running.engine import Engine
from cosell_flows.running.opening import open_engine

IN, OUT = "partner-center-to-salesforce", "opportunity-to-partner-center"
Deals = Sequence[tuple[str, str]]  # a referral and its opportunity


@dataclass
class Script:
    """The bare script: no ledger, no merge, no audit; four deals at a time."""

    http: httpx.AsyncClient
    ready: dict[str, Any]
    tokens: dict[str, str] = field(default_factory=dict)

    async def sign_in(self) -> None:
        """A token of each system."""
        there, here = self.ready["partner_center"], self.ready["salesforce"]
        self.tokens["partner_center"] = await self._token(
            there, grant_type="refresh_token", refresh_token=there["refresh_token"],
            resource="https://api.partner.microsoft.com",
        )  # fmt: skip
        self.tokens["salesforce"] = await self._token(here, grant_type="client_credentials")

    async def _token(self, there: dict[str, Any], **form: str) -> str:
        known = {"client_id": there["client_id"], "client_secret": there["client_secret"]}
        answer = await self.http.post(there["token_url"], data={**known, **form})
        return str(answer.json()["access_token"])

    async def ask(self, system: str, method: str, path: str, **more: Any) -> Any:
        """One request; its body."""
        headers = {"Authorization": f"Bearer {self.tokens[system]}", **more.pop("headers", {})}
        url = f"{self.ready[system]['url']}{path}"
        answer = await self.http.request(method, url, headers=headers, **more)
        answer.raise_for_status()
        return answer.json() if answer.content else None

    async def query(self, soql: str) -> list[dict[str, Any]]:
        """The rows of a query, its first page."""
        found = await self.ask(
            "salesforce", "GET", "/services/data/v68.0/query", params={"q": soql}
        )
        return list(found["records"])

    async def sync(self, deals: Deals, *, towards: str) -> None:
        """Compare every deal, and let one side have what the other one says."""
        await self.sign_in()
        room = asyncio.Semaphore(4)

        async def one(referral: str) -> None:
            async with room:
                left = await self.ask("partner_center", "GET", f"/referrals/{referral}")
                (right,) = await self.query(
                    "SELECT Id, Amount, CloseDate, Description FROM Opportunity "
                    f"WHERE Referral_Identifier__c = '{referral}'"
                )
                if left["details"]["notes"] == right["Description"]:
                    return
                if towards == "salesforce":
                    path = f"/services/data/v68.0/sobjects/Opportunity/{right['Id']}"
                    notes = {"Description": left["details"]["notes"]}
                    await self.ask("salesforce", "PATCH", path, json=notes)
                else:
                    await self.ask(
                        "partner_center", "PATCH", f"/referrals/{referral}",
                        headers={"If-Match": left["eTag"]},
                        json=[{"op": "replace", "path": "/details/notes",
                               "value": right["Description"]}],
                    )  # fmt: skip

        await asyncio.gather(*(one(referral) for referral, _ in deals))


@dataclass
class Bench:
    """Both sides, and what was measured."""

    script: Script
    engine: Engine
    profile: bool
    control: str
    found: dict[str, dict[str, float]] = field(default_factory=dict)

    async def measure(
        self,
        name: str,
        bare: Callable[[], Awaitable[Any]],
        ours: Callable[[], Awaitable[Any]],
        *,
        before: Callable[[str], Awaitable[None]] | None = None,
    ) -> None:
        """Once the script, once the engine, each after what is done *before*."""
        seconds, work_done = [], []
        for round_, work in (("bare", bare), ("ours", ours)):
            if before is not None:
                await before(f"{name} {round_}")
            watch = cProfile.Profile() if self.profile and work is ours else None
            began, worked = time.perf_counter(), time.thread_time()
            if watch is not None:
                watch.enable()
            await work()
            if watch is not None:
                watch.disable()
                pstats.Stats(watch, stream=sys.stderr).sort_stats("tottime").print_stats(35)
            seconds.append(time.perf_counter() - began)
            work_done.append(time.thread_time() - worked)
        first, second = seconds
        self.found[name] = {
            "bare_s": round(first, 3), "engine_s": round(second, 3),
            "ratio": round(second / first, 2),
            "work_ratio": round(work_done[1] / work_done[0], 2),  # of processor time, steadier
        }  # fmt: skip
        print(f"{name}: {second / first:.1f}x", file=sys.stderr)

    async def run(self, flow: str, **inputs: Any) -> None:
        """One run of the engine, which must go well."""
        result = await self.engine.run(flow, inputs, release_brake=True)
        assert result.status == "succeeded", (result.status, result.error)

    async def make(self, many: int) -> Deals:
        """So many deals that are linked and in step."""
        for number in range(many):
            fields = {
                "name": f"Deal {number}", "customerProfile": {"name": f"Customer {number}"},
                "status": "Active", "substatus": "Accepted",  # nothing is sent of one on hold
            }  # fmt: skip
            await self.script.http.post(self.control, json={"do": "create", "fields": fields})
        await self.run(IN)
        links = await self.engine.ledger.links.list("referral-opportunity")
        deals = [(str(one.left_id), str(one.right_id)) for one in links]
        await self.run(IN, referral_ids=[one for one, _ in deals])  # once more: now all is known
        await self.run(OUT, opportunity_ids=[one for _, one in deals])
        return deals

    async def unchanged(self, name: str, deals: Deals) -> None:
        """Deals that are named, looked at, and found in step; each way."""
        left, right = [one for one, _ in deals], [one for _, one in deals]
        await self.measure(f"{name} in", lambda: self.script.sync(deals, towards="salesforce"),
                           lambda: self.run(IN, referral_ids=left))  # fmt: skip
        await self.measure(f"{name} out", lambda: self.script.sync(deals, towards="partner_center"),
                           lambda: self.run(OUT, opportunity_ids=right))  # fmt: skip

    async def changed(self, name: str, deals: Deals) -> None:
        """Deals of which one field changed; each way."""
        left, right = [one for one, _ in deals], [one for _, one in deals]

        async def there(word: str) -> None:
            for referral in left:
                fields = {"details": {"notes": f"{word} {referral}"}}
                body = {"do": "update", "id": referral, "fields": fields}
                await self.script.http.post(self.control, json=body)

        async def here(word: str) -> None:
            for at in range(0, len(right), 200):
                rows = [
                    {
                        "attributes": {"type": "Opportunity"},
                        "id": one,
                        "Description": f"{word} {one}",
                    }
                    for one in right[at : at + 200]
                ]
                body = {"allOrNone": False, "records": rows}
                path = "/services/data/v68.0/composite/sobjects"
                await self.script.ask("salesforce", "PATCH", path, json=body)

        await self.measure(f"{name} in", lambda: self.script.sync(deals, towards="salesforce"),
                           lambda: self.run(IN, referral_ids=left), before=there)  # fmt: skip
        await self.run(OUT, opportunity_ids=right)
        await self.measure(f"{name} out", lambda: self.script.sync(deals, towards="partner_center"),
                           lambda: self.run(OUT, opportunity_ids=right), before=here)  # fmt: skip


async def main() -> None:
    """Measure, and print one JSON document of ratios."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--deals", type=int, default=1_000)
    asked.add_argument("--profile", action="store_true")
    given = asked.parse_args()
    with Sandbox(seed="empty") as ready, tempfile.TemporaryDirectory() as folder:
        os.environ |= ready["env"]
        project = Path(folder)
        init_project(project)
        control = ready["partner_center"]["url"].split("/v1.0/")[0] + "/__sandbox__/microsoft"
        engine = await open_engine(project, "sandbox")
        async with httpx.AsyncClient(transport=AiohttpTransport(), timeout=60) as http:
            script = Script(http, dict(ready))
            await script.sign_in()
            bench = Bench(script, engine, given.profile, control)
            deals = await bench.make(given.deals)
            few, some = deals[:100], deals[:200]
            await bench.unchanged(f"{len(few)} unchanged", few)
            if len(deals) > len(few):
                await bench.unchanged(f"{len(deals)} unchanged", deals)
            await bench.changed(f"{len(some)} changed", some)
            await engine.aclose()
        print(json.dumps({"ratios": bench.found, "check_s": round(_check(project), 3)}, indent=2))


def _check(project: Path) -> float:
    began = time.perf_counter()
    command = [sys.executable, "-m", "cosell_flows.cli.main", "--project", str(project), "check"]
    subprocess.run(command, check=True, capture_output=True)
    return time.perf_counter() - began


if __name__ == "__main__":
    asyncio.run(main())
