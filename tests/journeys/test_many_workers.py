"""cosell outgrows one machine: PostgreSQL, Redis, one Prefect, and two processes that serve."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from cosell_flows.cli.stagehands import Child, Emulated, Prefect, Seller, StoryBroke, call, until
from cosell_flows.ledger import Run, open_ledger
from cosell_flows.project import init_project

from .backing import free_port, postgresql, prefect, redis

pytestmark = [pytest.mark.journey, pytest.mark.long, pytest.mark.xdist_group("prefect")]
REFERRALS = 40
BY_HAND = 20
UNDER_WAY = ["PENDING", "RUNNING", "CANCELLING"]
# It leaves a record behind that tells which run made it: a run done twice makes two.
MARKER = """\
flow: v1
id: leave-a-mark
name: Leave a mark
triggers: [{ id: by_hand, type: manual }]
uses: { connections: [salesforce] }
steps:
  - id: mark
    action: salesforce.create_record
    with: { object: Account, fields: { Name: "mark {{ run.id }}" } }
"""


@dataclass
class Served:
    """One project, served by two processes that share a ledger and a Prefect."""

    project: Path
    sandbox: Child
    ledger: str
    api: str
    children: dict[str, Child] = field(default_factory=dict)

    @property
    def env(self) -> dict[str, str]:
        """What every process is told."""
        return {
            **self.sandbox.ready["env"],
            "PREFECT_API_URL": self.api,
            "COSELL_LEDGER_URL": self.ledger,
        }

    def start(self, name: str, port: int = 0) -> None:
        """Serve in one more process."""
        arguments = ["--project", str(self.project), "serve", "--port", str(port), "--all"]
        log = self.project / f"{name}-{time.monotonic_ns()}.log"
        self.children[name] = Child.start(arguments, env=self.env, log=log, patience=120)

    def receiver(self, name: str) -> str:
        """Where a process takes events."""
        return str(self.children[name].ready["receiver"])

    def kill(self, name: str) -> None:
        """As the machine's power does it."""
        process = self.children[name].process
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()

    def cosell(self, *arguments: str) -> Any:
        """The JSON document of a command."""
        said = subprocess.run(
            [sys.executable, "-m", "cosell_flows.cli.main", "--project", str(self.project),
             "--json", *arguments],
            env={**os.environ, **self.env}, capture_output=True, text=True, check=False,
            timeout=120,
        )  # fmt: skip
        assert said.stdout, said.stderr
        return json.loads(said.stdout)

    def find(self, soql: str) -> list[dict[str, Any]]:
        """What Salesforce has."""
        ready = self.sandbox.ready
        return Seller.sign_in(ready, ready["salesforce"]["username"]).find(soql)

    def twins(self) -> Counter[str]:
        """How many opportunities each referral has."""
        field = "Referral_Identifier__c"
        rows = self.find(f"SELECT {field} FROM Opportunity WHERE {field} != null")
        return Counter(row[field] for row in rows)

    def runs(self) -> list[Run]:
        """What the ledger knows of all runs."""

        async def look() -> list[Run]:
            ledger = await open_ledger(self.ledger, clock=lambda: datetime.now(UTC))
            try:
                return list(await ledger.runs.list(1000))
            finally:
                await ledger.aclose()

        return asyncio.run(look())

    def under_way(self) -> list[dict[str, Any]]:
        """The runs that Prefect believes somebody works on."""
        states = {"state": {"type": {"any_": UNDER_WAY}}}
        return list(call("POST", f"{self.api}/flow_runs/filter", {"flow_runs": states}))

    def unfinished(self) -> list[str]:
        """The runs that Prefect believes are under way, and the events that are not done."""
        events = self.cosell("events", "list")["events"]
        return [
            *(f"run {one['id']} {one['name']} {one['state_name']}" for one in self.under_way()),
            *(f"event {one}" for one in events if one["status"] != "done"),
        ]

    def begin(self, flow: str, times: int) -> list[str]:
        """Press `Run` many times at once; the runs' ids."""
        deployment = call("POST", f"{self.api}/deployments/filter",
                          {"deployments": {"name": {"any_": [flow]}}})[0]["id"]  # fmt: skip
        url = f"{self.api}/deployments/{deployment}/create_flow_run"
        with ThreadPoolExecutor(times) as people:
            made = people.map(lambda _: call("POST", url, {"parameters": {}}), range(times))
            return [str(run["id"]) for run in made]

    def states(self, runs: list[str]) -> Counter[str]:
        """How many of these runs are in which state."""
        wanted = {"flow_runs": {"id": {"any_": runs}}}
        found = call("POST", f"{self.api}/flow_runs/filter", wanted)
        return Counter(run["state_name"] for run in found)


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """Emulators, and one project that two processes serve; the first gets the events."""
    room = tmp_path_factory.mktemp
    with ExitStack() as ends:
        databases = ends.enter_context(postgresql())
        messages = ends.enter_context(redis(room("redis")))
        api = ends.enter_context(
            prefect(room("prefect"), database=databases.prefect, messages=messages)
        )
        made = Served(made_project(room("served")), sandbox(ends), databases.ledger, api)
        ends.callback(lambda: [child.stop() for child in made.children.values()])
        # Both at once, on databases with nothing in them: they must not trip over each other.
        with ThreadPoolExecutor(2) as hands:
            list(hands.map(made.start, ("first", "second"), (free_port(), 0)))
        receiver = made.receiver("first")
        state = Prefect(api).run("webhook-registration", http_trigger_endpoint=receiver)
        assert state == "Completed"
        yield made


def made_project(folder: Path) -> Path:
    """A new project, with the flow that leaves a mark."""
    init_project(folder)
    # A young project in a rush: half of its deals may well change in one run.
    mapping = folder / "definitions" / "cosell" / "referral-opportunity.map.yaml"
    text = mapping.read_text("utf-8")
    assert "max_changed: 25%" in text
    mapping.write_text(text.replace("max_changed: 25%", "max_changed: 100%"), encoding="utf-8")
    room = folder / "definitions" / "tests"
    room.mkdir(parents=True)
    (room / "leave-a-mark.flow.yaml").write_text(MARKER, encoding="utf-8")
    return folder


def sandbox(ends: ExitStack) -> Child:
    """Both emulators, with nothing in them."""
    arguments = ["sandbox", "--salesforce-port", "0", "--partner-center-port", "0",
                 "--seed", "empty"]  # fmt: skip
    log = Path(ends.enter_context(tempfile.TemporaryDirectory())) / "sandbox.log"
    made = Child.start(arguments, env={}, log=log, patience=60)
    ends.callback(made.stop)
    return made


def test_a_run_by_hand_is_taken_by_one_process(served: Served) -> None:
    """Twenty at once from Prefect's API: twenty ends, each once, and both processes at work."""
    runs = served.begin("leave-a-mark", BY_HAND)

    open_states = {"Scheduled", "Late", "Pending", "Running"}
    until(lambda: not served.states(runs).keys() & open_states, "the end of all", patience=240)

    assert served.states(runs) == {"Completed": BY_HAND}
    marks = Counter(
        row["Name"].removeprefix("mark ")
        for row in served.find("SELECT Name FROM Account WHERE Name LIKE 'mark %'")
    )
    assert marks == dict.fromkeys(runs, 1)
    known = [run for run in served.runs() if run.run_id in runs]
    automations = call("POST", f"{served.api}/automations/filter", {})
    assert len(automations) == 1
    assert [run.status for run in known] == ["succeeded"] * BY_HAND
    assert len({run.owner for run in known}) == 2


def test_a_process_that_dies_loses_and_doubles_nothing(served: Served) -> None:
    """Forty referrals, their events doubled and out of order; the receiving process is killed."""
    emulated = Emulated(served.sandbox.ready)
    control = served.sandbox.ready["partner_center"]["url"].split("/v1.0")[0]
    call("POST", f"{control}/__sandbox__/webhooks", {"duplicate": REFERRALS, "reorder": True})
    port = int(served.receiver("first").rsplit(":", 1)[1].split("/")[0])

    made = [
        emulated.microsoft("create", name=f"Deal {number}",
                           customerProfile={"name": f"Customer {number}"})["id"]
        for number in range(REFERRALS)
    ]  # fmt: skip
    until(lambda: len(served.twins()) > 4, "the first opportunities", patience=90)
    served.kill("first")
    served.start("first", port)
    until(lambda: len(served.twins()) == REFERRALS, "every opportunity", patience=180)

    try:
        until(lambda: not served.unfinished(), "the end of every run and event", patience=180)
    except StoryBroke as broke:
        broke.add_note("\n".join(served.unfinished()))
        raise
    assert served.twins() == dict.fromkeys(made, 1)
    accounts = Counter(
        row["Name"] for row in served.find("SELECT Name FROM Account WHERE Name LIKE 'Customer %'")
    )
    assert accounts == dict.fromkeys((f"Customer {number}" for number in range(REFERRALS)), 1)
    assert served.cosell("letters", "list")["letters"] == []
