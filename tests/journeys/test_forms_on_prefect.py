"""What the forms of a step do on a real Prefect, seen from where its UI looks: its API."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from cosell_flows.cli.stagehands import Child, StoryBroke, call, until
from cosell_flows.ledger import open_ledger

pytestmark = [pytest.mark.journey, pytest.mark.xdist_group("prefect")]
FLOWS = {
    "approves": """\
steps:
  - { id: before, set: { at: "{{ run.now }}", amount: 1.10 } }
  - id: ok
    name: Share them?
    approve:
      message: "Share {{ steps.before.output.amount }}?"
      answer:
        share: { type: boolean, title: Share them, default: false }
        most: { type: decimal, minimum: 0 }
        how: { type: string, enum: [now, later] }
  - { id: after, when: steps.ok.output.share, set: { most: "{{ steps.ok.output.most + 0.10 }}" } }
outputs:
  at: { value: "{{ steps.before.output.at }}" }
  now: { value: "{{ run.now }}" }
  most: { value: "{{ steps.after.output.most | default(0) }}" }
""",
    "gives-up": """\
steps:
  - id: ok
    timeout: 1s
    approve: { message: Quick! }
    on_error: { steps: [{ id: told, set: { class: "{{ error.class }}" } }], then: continue }
outputs: { class: { value: "{{ steps.told.output.class | default('') }}" } }
""",
    "is-withdrawn": """\
steps:
  - id: held
    steps: [{ id: ok, approve: { message: Go on? } }]
    finally: [{ id: tidied, set: { a: 1 } }]
""",
    "is-cancelled": """\
steps:
  - id: long
    wait: 1h
    finally: [{ id: tidied, wait: 500ms }]
  - { id: never, set: { a: 1 } }
""",
    "tries": """\
steps:
  - { id: not_now, when: inputs.yes, set: { a: 1 } }
  - id: third_time
    action: debug.fail
    with: { class: rate_limited, times: 2 }
    retry: { attempts: 3, delay: 10ms }
  - id: slow
    wait: 1h
    timeout: 200ms
    retry: { attempts: 2, delay: 10ms, on: [timeout] }
    on_error: { steps: [{ id: told, set: { class: "{{ error.class }}" } }], then: continue }
  - id: either
    parallel: { fast: [{ id: first, set: { a: 1 } }], slow: [{ id: last, wait: 1h }] }
    wait_for: any
inputs: { yes: { type: boolean, default: false } }
outputs:
  attempts: { value: "{{ steps.third_time.output.attempts }}" }
  class: { value: "{{ steps.told.output.class | default('') }}" }
""",
}


@dataclass
class Serving:
    """A project that is served, and what a person does in Prefect's UI."""

    project: Path
    child: Child | None = None

    def start(self) -> None:
        """Serve it, in a process of its own, with a Prefect server of its own."""
        self.child = Child.start(
            ["--project", str(self.project), "serve", "--port", "0", "--all"],
            env={"PREFECT_API_URL": "", "COSELL_LEDGER_URL": ""},
            log=self.project / "serve.log",
            patience=180,
        )

    def stop(self) -> None:
        """Stop it, runner and server."""
        if self.child is not None:
            self.child.stop()

    def ask(self, method: str, path: str, body: Any = None) -> Any:
        """Ask Prefect's API, as its UI does."""
        assert self.child is not None
        return call(method, f"{self.child.ready['prefect_api']}{path}", body)

    def begin(self, flow: str) -> str:
        """Run a flow from its form; the run's id."""
        deployment = self.ask("GET", f"/deployments/name/{flow}/{flow}")["id"]
        run = self.ask("POST", f"/deployments/{deployment}/create_flow_run", {"parameters": {}})
        return str(run["id"])

    def state(self, run: str) -> dict[str, Any]:
        """The state of a run."""
        return dict(self.ask("GET", f"/flow_runs/{run}")["state"])

    def becomes(self, run: str, *names: str) -> dict[str, Any]:
        """Wait until a run is in one of these states; the state."""
        until(lambda: self.state(run)["name"] in names, f"{run} {names}", patience=90)
        return self.state(run)

    def cancel(self, run: str) -> None:
        """Press `Cancel`."""
        body = {"state": {"type": "CANCELLING", "name": "Cancelling"}}
        self.ask("POST", f"/flow_runs/{run}/set_state", body)

    def resume(self, run: str, **answer: Any) -> dict[str, Any]:
        """Press `Resume`, fill in the form, and send it."""
        return dict(self.ask("POST", f"/flow_runs/{run}/resume", {"run_input": answer}))

    def told(self, run: str) -> dict[str, Any]:
        """What the ledger keeps of a run that ended."""

        async def look() -> Any:
            url = f"sqlite:///{self.project}/.cosell/ledger.db"
            ledger = await open_ledger(url, clock=lambda: datetime.now(UTC))
            try:
                return await ledger.runs.get(run)
            finally:
                await ledger.aclose()

        until(lambda: asyncio.run(look()).status not in ("running", "waiting"), "the end of a run")
        return dict(asyncio.run(look()).result)

    def tasks(self, run: str) -> dict[str, str]:
        """The steps of a run, as Prefect shows them."""
        found = self.ask("POST", "/task_runs/filter", {"flow_runs": {"id": {"any_": [run]}}})
        return {one["name"]: one["state"]["name"] for one in found}


@pytest.fixture(scope="module")
def serving(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    """A project with the flows of this page, served."""
    project = tmp_path_factory.mktemp("served")
    folder = project / "definitions" / "tests"
    for room in (folder, project / "connectors", project / "env"):
        room.mkdir(parents=True)
    (project / "env" / "sandbox.yaml").write_text("environment: v1\n", encoding="utf-8")
    for name, text in FLOWS.items():
        head = f"flow: v1\nid: {name}\nname: {name}\n"
        (folder / f"{name}.flow.yaml").write_text(head + text, encoding="utf-8")
    made = Serving(project)
    made.start()
    try:
        yield made
    finally:
        made.stop()


@pytest.fixture(scope="module")
def runs(serving: Serving) -> dict[str, str]:
    """A run of every flow, all begun at once."""
    return {name: serving.begin(name) for name in FLOWS}


def ways(told: dict[str, Any]) -> dict[str, str]:
    """How each step went."""
    return {step["id"]: step["status"] for step in told["steps"]}


def test_steps_are_tried_again_and_cut_short(serving: Serving, runs: dict[str, str]) -> None:
    """`retry` counts all tries, a `timeout` is one of each try, and the first branch ends the race."""
    serving.becomes(runs["tries"], "Completed")

    told = serving.told(runs["tries"])

    assert told["outputs"] == {"attempts": 3, "class": "timeout"}
    assert {step["id"]: step["attempts"] for step in told["steps"]}["slow"] == 2
    assert ways(told)["last"] == "cancelled"


def test_prefect_shows_a_task_for_each_step(serving: Serving, runs: dict[str, str]) -> None:
    """With the step's id for a name, and what became of it for a state."""
    serving.becomes(runs["tries"], "Completed")

    shown = {
        "not_now": "Skipped",
        "third_time": "Completed",
        "slow": "Failed",
        "either": "Completed",
    }
    assert until(lambda: serving.tasks(runs["tries"]) == shown, "the tasks of the run")


def test_cancelling_a_run_lets_finally_come_to_its_end(
    serving: Serving, runs: dict[str, str]
) -> None:
    """The step is cancelled, its `finally` is not cut short, and what follows never begins."""
    serving.becomes(runs["is-cancelled"], "Running")
    until(lambda: "long" in serving.tasks(runs["is-cancelled"]), "the step under way", patience=60)
    serving.cancel(runs["is-cancelled"])
    serving.becomes(runs["is-cancelled"], "Cancelled")

    told = serving.told(runs["is-cancelled"])

    assert told["status"] == "cancelled"
    assert ways(told) == {"long": "cancelled", "tidied": "succeeded"}


def test_a_question_nobody_answers_in_time_fails_with_timeout(
    serving: Serving, runs: dict[str, str]
) -> None:
    """The step's `timeout` is how long it waits; `on_error` sees the class."""
    serving.becomes(runs["gives-up"], "Completed")

    assert serving.told(runs["gives-up"])["outputs"] == {"class": "timeout"}


def test_cancelling_a_run_that_waits_does_its_finally(
    serving: Serving, runs: dict[str, str]
) -> None:
    """Nothing of it is in memory; its `finally` steps are done all the same."""
    serving.becomes(runs["is-withdrawn"], "Suspended")
    serving.cancel(runs["is-withdrawn"])
    serving.becomes(runs["is-withdrawn"], "Cancelled")

    told = serving.told(runs["is-withdrawn"])

    assert told["status"] == "cancelled"
    assert ways(told) == {"held": "cancelled", "ok": "cancelled", "tidied": "succeeded"}


def test_a_run_that_waits_outlives_a_restart(serving: Serving, runs: dict[str, str]) -> None:
    """Runner and server stop and start again; the answer is held to its form, and taken up typed."""
    run = runs["approves"]
    serving.becomes(run, "Suspended")
    serving.stop()
    serving.start()

    refused = serving.resume(run, share=True, most=-1, how="now")
    serving.resume(run, share=True, most=2.5, how="now")
    serving.becomes(run, "Completed")
    told = serving.told(run)

    assert "'most'" in refused["details"]["reason"]
    assert str(told["outputs"]["most"]) == "2.60"
    assert told["outputs"]["at"] == told["outputs"]["now"], "what was over was not done again"
    assert ways(told) == {"before": "succeeded", "ok": "succeeded", "after": "succeeded"}


def test_it_stops_when_it_is_told_to(serving: Serving) -> None:
    """SIGTERM ends what serves with 0, and nothing of it stays behind."""
    assert serving.child is not None
    serving.child.process.send_signal(signal.SIGTERM)

    code = serving.child.process.wait(30)

    with pytest.raises(StoryBroke, match="was not answered"):
        serving.ask("GET", "/health")
    assert code == 0
