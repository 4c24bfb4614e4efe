"""What the engine costs over a bare hand-written script, as ratios measured in one run.

Both sides talk to the same emulators over real sockets. The script does what a person in a hurry
would write: read a referral, compare three fields, patch. The engine plans, merges against the
base, keeps the ledger and the audit trail. Run it with `make bench`; it is never a test.
"""

from __future__ import annotations

import asyncio
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import httpx
from httpx_aiohttp import AiohttpTransport

from cosell_emulators.sandbox import Sandbox
from cosell_flows.project import init_project
from cosell_flows.running.opening import open_engine

DEALS = 100
TURNS = 3


async def main() -> None:
    """Measure, and print one JSON document of ratios."""
    with Sandbox(seed="empty") as ready, tempfile.TemporaryDirectory() as folder:
        os.environ |= ready["env"]
        project = Path(folder)
        init_project(project)
        control = ready["partner_center"]["url"].split("/v1.0/")[0] + "/__sandbox__/microsoft"
        async with httpx.AsyncClient(transport=AiohttpTransport(), timeout=30) as http:
            referrals = [await _referral(http, control, number) for number in range(DEALS)]
            bare = await _median(lambda: _bare(http, ready, referrals))
            engine = await open_engine(project, "sandbox")
            await engine.run("partner-center-to-salesforce", {}, release_brake=True)
            ours = await _median(
                lambda: engine.run("partner-center-to-salesforce", {"referral_ids": referrals})
            )
            await engine.aclose()
        print(json.dumps({
            "deals": DEALS,
            "bare_script_s": round(bare, 3),
            "engine_s": round(ours, 3),
            "engine_to_bare": round(ours / bare, 2),
            "check_s": round(_check(project), 3),
        }, indent=2))  # fmt: skip


async def _referral(http: httpx.AsyncClient, control: str, number: int) -> str:
    fields = {"name": f"Deal {number}", "customerProfile": {"name": f"Customer {number}"}}
    answer = await http.post(control, json={"do": "create", "fields": fields})
    return str(answer.json()["id"])


async def _bare(http: httpx.AsyncClient, ready: dict[str, Any], referrals: list[str]) -> None:
    """Read every referral and its opportunity, four at a time, and compare three fields."""
    there, here = ready["partner_center"], ready["salesforce"]
    token = await _token(http, there, grant_type="refresh_token",
                         refresh_token=there["refresh_token"],
                         resource="https://api.partner.microsoft.com")  # fmt: skip
    own = await _token(http, here, grant_type="client_credentials")
    room = asyncio.Semaphore(4)

    async def one(referral: str) -> None:
        async with room:
            read = await http.get(f"{there['url']}/referrals/{referral}",
                                  headers={"Authorization": f"Bearer {token}"})  # fmt: skip
            soql = (
                "SELECT Id, Amount, CloseDate, StageName FROM Opportunity "
                f"WHERE Referral_Identifier__c = '{referral}'"
            )
            rows = await http.get(f"{here['url']}/services/data/v68.0/query", params={"q": soql},
                                  headers={"Authorization": f"Bearer {own}"})  # fmt: skip
            records = rows.json()["records"]
            _ = records and records[0]["Amount"] == read.json()["details"]["dealValue"]

    await asyncio.gather(*(one(referral) for referral in referrals))


async def _token(http: httpx.AsyncClient, there: dict[str, Any], **form: str) -> str:
    known = {"client_id": there["client_id"], "client_secret": there["client_secret"]}
    answer = await http.post(there["token_url"], data={**known, **form})
    return str(answer.json()["access_token"])


async def _median(work: Callable[[], Awaitable[Any]]) -> float:
    times = []
    for _ in range(TURNS):
        began = time.perf_counter()
        await work()
        times.append(time.perf_counter() - began)
    return statistics.median(times)


def _check(project: Path) -> float:
    began = time.perf_counter()
    command = [sys.executable, "-m", "cosell_flows.cli.main", "--project", str(project), "check"]
    subprocess.run(command, check=True, capture_output=True)
    return time.perf_counter() - began


if __name__ == "__main__":
    asyncio.run(main())
