"""`cosell serve` as a process of its own: receiver, runner, Prefect and its pages, and SIGKILL.

Every start costs a Prefect. So the tests stand in the order of one story: what is served, then the
two ways in which a life of it is cut off, one after the other.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from cosell_flows.cli.stagehands import Child, Emulated, Prefect, Seller, StoryBroke, call, until
from cosell_flows.ledger import this_process
from cosell_flows.project import init_project

pytestmark = [pytest.mark.journey, pytest.mark.xdist_group("prefect")]
FLOW = "partner-center-to-salesforce"
CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")


@dataclass
class Served:
    """A project that is served against emulators of its own."""

    project: Path
    sandbox: Child
    child: Child | None = None
    logs: list[Path] = field(default_factory=list)

    def start(self) -> None:
        """Serve it; the first time on a new database of Prefect."""
        log = self.project / f"serve-{len(self.logs)}.log"
        self.logs.append(log)
        env = {**self.sandbox.ready["env"], "PREFECT_API_URL": "", "COSELL_LEDGER_URL": ""}
        self.child = Child.start(
            ["--project", str(self.project), "serve", "--port", "0", "--all"],
            env=env,
            log=log,
            patience=180,
        )

    @property
    def ready(self) -> dict[str, Any]:
        """The line it printed when it was ready."""
        assert self.child is not None
        return self.child.ready

    @property
    def prefect(self) -> Prefect:
        """Its Prefect, as a person uses it."""
        return Prefect(self.ready["prefect_api"])

    @property
    def emulated(self) -> Emulated:
        """What the emulators were asked, and what Microsoft does."""
        return Emulated(self.sandbox.ready)

    def kill(self) -> None:
        """As the machine's power does it."""
        assert self.child is not None
        os.killpg(self.child.process.pid, signal.SIGKILL)
        self.child.process.wait()

    def cosell(self, *arguments: str) -> Any:
        """The JSON document of a command."""
        said = subprocess.run(
            [sys.executable, "-m", "cosell_flows.cli.main", "--project", str(self.project),
             "--json", *arguments],
            env={**os.environ, **self.sandbox.ready["env"], "COSELL_LEDGER_URL": ""},
            capture_output=True, text=True, check=False, timeout=120,
        )  # fmt: skip
        return json.loads(said.stdout)

    def twins(self, referral: str) -> list[str]:
        """The opportunities of a referral."""
        ready = self.sandbox.ready
        admin = Seller.sign_in(ready, ready["salesforce"]["username"])
        soql = f"SELECT Id FROM Opportunity WHERE Referral_Identifier__c = '{referral}'"
        return [row["Id"] for row in admin.find(soql)]

    def registers(self) -> None:
        """Partner Center is told where this receiver is, wherever it was before."""
        self.prefect.run(
            "webhook-registration",
            http_trigger_endpoint=self.ready["receiver"],
            overwrite_existing_trigger_endpoints=True,
        )


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """Emulators, and a project that is served against them."""
    project = tmp_path_factory.mktemp("served")
    init_project(project)
    arguments = ["sandbox", "--salesforce-port", "0", "--partner-center-port", "0",
                 "--seed", "empty"]  # fmt: skip
    sandbox = Child.start(arguments, env={}, log=project / "sandbox.log", patience=60)
    made = Served(project, sandbox)
    try:
        made.start()
        made.registers()
        yield made
    finally:
        if made.child is not None:
            made.child.stop()
        sandbox.stop()


def status_of(url: str, *, body: bytes | None = None, **headers: str) -> int:
    """The status with which an address answers."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    request = urllib.request.Request(url, data=body, headers=named)
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code


def test_it_says_where_it_is(served: Served) -> None:
    """One JSON line with three whole addresses."""
    assert {name: url.startswith("http://127.0.0.1:") for name, url in served.ready.items()} == {
        "receiver": True,
        "prefect_ui": True,
        "prefect_api": True,
    }


@pytest.mark.parametrize("path", ["/health/live", "/health/ready", "/metrics"])
def test_it_tells_how_it_is(served: Served, path: str) -> None:
    """Health and metrics answer beside the receiver."""
    origin = served.ready["receiver"].removesuffix("/webhooks/partner-center")

    assert status_of(origin + path) == 200


@pytest.mark.parametrize(
    ("status", "body", "headers"),
    [
        (413, b"{" + b" " * 300_000 + b"}", {"Content_Type": "application/json"}),
        (415, b"{}", {"Content_Type": "text/plain"}),
        (401, b"{}", {"Content_Type": "application/json"}),
        (400, b"{}", {"Content_Type": "application/json", "Authorization": "Signature eA=="}),
    ],
)
def test_the_receiver_refuses(
    served: Served, status: int, body: bytes, headers: dict[str, str]
) -> None:
    """Size, type, and signature are checked before anything is stored."""
    assert status_of(served.ready["receiver"], body=body, **headers) == status


def test_a_webhook_becomes_an_opportunity(served: Served) -> None:
    """A signed event is stored, worked off on Prefect, and done."""
    referral = served.emulated.microsoft("create", None, name="Served deal")["id"]

    until(lambda: served.twins(referral), "the opportunity", patience=60)

    def is_done() -> bool:
        events = served.cosell("events", "list")["events"]
        mine = [one["status"] for one in events if one["resource_id"] == referral]
        return bool(mine) and set(mine) == {"done"}

    assert until(is_done, "the end of its events", patience=60)


def test_a_run_by_hand_shows_its_steps_and_its_report(served: Served) -> None:
    """A run started as the form does it: steps are tasks by name, and a readable report is kept."""
    state = served.prefect.run(FLOW)

    newest = call("POST", f"{served.ready['prefect_api']}/flow_runs/filter", {
        "flows": {"name": {"any_": ["Partner Center to Salesforce"]}},
        "flow_runs": {"state": {"type": {"any_": ["COMPLETED"]}}},
        "sort": "START_TIME_DESC", "limit": 1,
    })[0]["id"]  # fmt: skip
    tasks = until(lambda: _tasks(served, newest), "its tasks")
    reports = call("POST", f"{served.ready['prefect_api']}/artifacts/filter", {
        "artifacts": {"flow_run_id": {"any_": [newest]}}})  # fmt: skip
    assert state == "Completed"
    assert {"which", "portion", "advance"} <= set(tasks)
    assert reports[0]["type"] == "markdown"


def test_an_applied_plan_is_a_run_in_prefect(served: Served, tmp_path: Path) -> None:
    """With the number that the command tells, its steps as tasks, and what started it."""
    served.cosell("off", FLOW)  # so that it is the plan that brings it in
    referral = served.emulated.microsoft("create", None, name="Planned deal")["id"]
    file = str(tmp_path / "plan.json")
    plan = served.cosell("plan", FLOW, "-i", f'referral_ids=["{referral}"]', "--out", file)

    done = served.cosell("apply", file)

    served.cosell("on", FLOW)
    shown = call("GET", f"{served.ready['prefect_api']}/flow_runs/{done['run_id']}")
    assert (done["status"], len(done["writes"])) == ("succeeded", len(plan["changes"]))
    assert (shown["state"]["type"], shown["name"].startswith(f"apply {plan['plan_id']}")) == (
        "COMPLETED", True,
    )  # fmt: skip


def _tasks(served: Served, run: str) -> list[str] | None:
    found = call("POST", f"{served.ready['prefect_api']}/task_runs/filter",
                 {"flow_runs": {"id": {"any_": [run]}}})  # fmt: skip
    names = [one["name"] for one in found]
    return names if "advance" in names else None


def test_a_value_of_the_wrong_type_is_refused_at_the_form(served: Served) -> None:
    """Inputs are typed where a person fills them in: nothing starts with a wrong one."""
    with pytest.raises(StoryBroke, match="409"):
        served.prefect.run("webhook-registration", http_trigger_endpoint=["no"])


@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine")
def test_the_form_shows_typed_inputs(served: Served, tmp_path: Path) -> None:
    """The page from which a person starts a flow has its inputs by their titles."""
    found = call("POST", f"{served.ready['prefect_api']}/deployments/filter",
                 {"deployments": {"name": {"any_": ["webhook-registration"]}}})  # fmt: skip
    page = f"{served.ready['prefect_ui']}/deployments/deployment/{found[0]['id']}/run"
    shown = subprocess.run(
        [str(CHROMIUM), "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic",
         "--no-first-run", "--disable-background-networking", "--disable-component-update",
         "--disable-sync", f"--user-data-dir={tmp_path}", "--virtual-time-budget=20000",
         "--timeout=60000", "--dump-dom", page],
        capture_output=True, text=True, check=False, timeout=120,
    ).stdout  # fmt: skip

    assert "HTTP trigger endpoint" in shown
    assert "Overwrite existing trigger endpoints if present" in shown


def test_a_secret_that_prefect_keeps_is_read(served: Served, tmp_path: Path) -> None:
    """`{from_prefect: BLOCK}` asks the Prefect that serves the project, in any command."""
    api = served.ready["prefect_api"]
    kind = call("GET", f"{api}/block_types/slug/secret")["id"]
    schema = call("POST", f"{api}/block_schemas/filter",
                  {"block_schemas": {"block_type_id": {"any_": [kind]}}})[0]["id"]  # fmt: skip
    ready = served.sandbox.ready
    secret = ready["salesforce"]["client_secret"]
    call("POST", f"{api}/block_documents/", {
        "name": "salesforce-secret", "data": {"value": secret},
        "block_type_id": kind, "block_schema_id": schema,
    })  # fmt: skip
    (served.project / "env/blocks.yaml").write_text(
        "environment: v1\nconnections:\n"
        "  salesforce: { client_secret: { from_prefect: salesforce-secret } }\n",
        encoding="utf-8",
    )
    hidden = "COSELL_CONNECTION_SALESFORCE_CLIENT_SECRET"
    env = {name: value for name, value in ready["env"].items() if name != hidden}
    said = subprocess.run(
        [sys.executable, "-m", "cosell_flows.cli.main", "--project", str(served.project),
         "--env", "blocks", "connections", "test", "salesforce"],
        env={**{n: v for n, v in os.environ.items() if n != hidden}, **env},
        capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip

    assert (said.returncode, secret in said.stdout + said.stderr) == (0, False), said.stderr


def test_a_run_whose_process_died_before_it_began_is_said(served: Served) -> None:
    """Prefect believes that it runs, and no ledger knows of it: whose it was is in its states."""
    dead = subprocess.Popen([sys.executable, "-c", ""])
    dead.wait()
    place = this_process().rsplit(":", 2)[0]
    api = served.ready["prefect_api"]
    deployment = call("POST", f"{api}/deployments/filter",
                      {"deployments": {"name": {"any_": [FLOW]}}})[0]["id"]  # fmt: skip
    taken = {"type": "PENDING", "message": f"taken up by {place}:{dead.pid}:0"}
    run = call("POST", f"{api}/deployments/{deployment}/create_flow_run", {"state": taken})["id"]
    call("POST", f"{api}/flow_runs/{run}/set_state", {"state": {"type": "RUNNING"}})

    until(lambda: call("GET", f"{api}/flow_runs/{run}")["state"]["type"] == "CRASHED",
          "that the run has crashed", patience=60)  # fmt: skip

    assert (
        "the process that ran it ended" in call("GET", f"{api}/flow_runs/{run}")["state"]["message"]
    )


def test_a_port_in_use_is_said(served: Served) -> None:
    """A second receiver on the same port is told so in a sentence, with exit code 3."""
    port = served.ready["receiver"].rsplit(":", 1)[1].split("/")[0]
    said = subprocess.run(
        [sys.executable, "-m", "cosell_flows.cli.main", "--project", str(served.project),
         "serve", "--port", port],
        env={**os.environ, **served.sandbox.ready["env"]},
        capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip

    assert (said.returncode, "in use" in said.stderr, "Traceback" in said.stderr) == (
        3,
        True,
        False,
    )


def test_a_killed_process_loses_and_doubles_nothing(served: Served) -> None:
    """SIGKILL while an opportunity is being made: after a restart there is one, and one only."""
    salesforce = f"{served.sandbox.ready['salesforce']['url']}/__sandbox__"
    slow = {"match": {"method": "PATCH", "path": "sobjects/Opportunity"},
            "then": {"delay_ms": 4000}, "times": 1}  # fmt: skip
    call("DELETE", f"{salesforce}/requests")
    call("POST", f"{salesforce}/faults", slow)
    referral = served.emulated.microsoft("create", None, name="Cut off")["id"]

    def is_writing() -> bool:
        asked = call("GET", f"{salesforce}/requests")["requests"]
        return any(one["fault"] == "delay" for one in asked) or bool(
            [one for one in asked if "/sobjects/Account" in one["path"] and one["method"] == "POST"]
        )

    until(is_writing, "the write that is cut off", patience=60)
    served.kill()

    served.start()
    served.registers()

    until(lambda: served.twins(referral), "the opportunity after the restart", patience=120)
    served.prefect.run(FLOW)
    assert len(served.twins(referral)) == 1
    assert "was interrupted" in served.logs[-1].read_text("utf-8")


def test_a_prefect_that_dies_is_said(served: Served) -> None:
    """One sentence that names its log, exit code 3, and no traceback."""
    assert served.child is not None
    before = len(served.logs[-1].read_text(encoding="utf-8"))
    children = Path(f"/proc/{served.child.process.pid}/task/{served.child.process.pid}/children")
    for number in children.read_text(encoding="ascii").split():
        os.kill(int(number), signal.SIGKILL)
    code = served.child.process.wait(30)
    told = served.logs[-1].read_text(encoding="utf-8")[before:]

    assert (code, "ended by itself" in told, "server.log" in told, "Traceback" in told) == (
        3,
        True,
        True,
        False,
    )
