"""What the demo works with: child processes, the two emulators over HTTP, and Prefect's API."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

_BUSY = 503
API = "/services/data/v68.0"


class StoryBroke(Exception):
    """The story did not go as it should."""


@dataclass(slots=True)
class Child:
    """A process of ours that says one JSON line when it is ready."""

    process: subprocess.Popen[str]
    ready: dict[str, Any]

    @classmethod
    def start(
        cls, arguments: list[str], *, env: Mapping[str, str], log: Path, patience: float
    ) -> Child:
        """Start `cosell` with *arguments* and wait for its line."""
        with log.open("w", encoding="utf-8") as errors:
            process = subprocess.Popen(
                [sys.executable, "-m", "cosell_flows.cli.main", *arguments],
                stdout=subprocess.PIPE, stderr=errors, text=True, env={**os.environ, **env},
                start_new_session=True,
            )  # fmt: skip
        child = cls(process, {})
        try:
            child.ready = child._first_line(arguments, patience, log)
        except BaseException:
            child.stop()
            raise
        return child

    def _first_line(self, arguments: list[str], patience: float, log: Path) -> dict[str, Any]:
        lines: list[str] = []
        output = self.process.stdout
        assert output is not None
        reader = threading.Thread(target=lambda: lines.append(output.readline()), daemon=True)
        reader.start()
        reader.join(patience)
        if not lines or not lines[0].strip():
            tail = log.read_text(encoding="utf-8")[-2000:].strip()
            raise StoryBroke(f"{' '.join(arguments)} did not become ready:\n{tail}")
        return dict(json.loads(lines[0]))

    def stop(self) -> None:
        """Ask it to stop; make it, where it does not."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(15)
            except subprocess.TimeoutExpired:
                os.killpg(self.process.pid, signal.SIGKILL)
                self.process.wait(5)


def call(
    method: str, url: str, body: Any = None, *, token: str | None = None, form: bool = False
) -> Any:
    """One request; gives the JSON of the answer, or None where it has none."""
    headers = {"Accept": "application/json"}
    data = None
    if form:
        data = urllib.parse.urlencode(body).encode()
    elif body is not None:
        headers["Content-Type"] = "application/json"
        data = json.dumps(body).encode()
    if token:
        headers["Authorization"] = f"Bearer {token}"
    request = urllib.request.Request(url, data=data, method=method, headers=headers)
    for patience in (0.25, 0.5, 1, 2, 4, 8, None):
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                text = answer.read()
            return json.loads(text) if text else None
        except urllib.error.HTTPError as error:
            if error.code == _BUSY and patience is not None:
                time.sleep(patience)  # Prefect on SQLite answers so while it writes a run's events
                continue
            raise StoryBroke(
                f"{method} {url} answered {error.code}: {error.read()[:400]!r}"
            ) from None
        except OSError as error:  # also a time-out
            raise StoryBroke(f"{method} {url} was not answered: {error}") from None
    return None


def until(ask: Callable[[], Any], what: str, *, patience: float = 30.0) -> Any:
    """Ask again and again until the answer is truthy."""
    end = time.monotonic() + patience
    while not (answer := ask()):
        if time.monotonic() > end:
            raise StoryBroke(f"waited {patience:.0f} s, and did not see {what}")
        time.sleep(0.2)
    return answer


@dataclass(slots=True)
class Seller:
    """Somebody at work in Salesforce."""

    url: str
    token: str

    @classmethod
    def sign_in(cls, ready: Mapping[str, Any], username: str) -> Seller:
        """Sign in as a user of the emulated org."""
        salesforce = ready["salesforce"]
        form = {
            "grant_type": "password", "client_id": salesforce["client_id"],
            "client_secret": salesforce["client_secret"], "username": username,
            "password": "sandbox",
        }  # fmt: skip
        answer = call("POST", salesforce["token_url"], form, form=True)
        return cls(salesforce["url"], answer["access_token"])

    def make(self, kind: str, **fields: Any) -> str:
        """Make a record; gives its id."""
        return str(call("POST", f"{self.url}{API}/sobjects/{kind}", fields, token=self.token)["id"])

    def change(self, kind: str, record: str, **fields: Any) -> None:
        """Change a record."""
        call("PATCH", f"{self.url}{API}/sobjects/{kind}/{record}", fields, token=self.token)

    def see(self, kind: str, record: str) -> dict[str, Any]:
        """Look at a record."""
        return dict(call("GET", f"{self.url}{API}/sobjects/{kind}/{record}", token=self.token))

    def describe(self, kind: str) -> dict[str, Any]:
        """What the org says of an object."""
        return dict(call("GET", f"{self.url}{API}/sobjects/{kind}/describe", token=self.token))

    def find(self, soql: str) -> list[dict[str, Any]]:
        """Look for records."""
        query = urllib.parse.quote(soql)
        return list(call("GET", f"{self.url}{API}/query?q={query}", token=self.token)["records"])


@dataclass(slots=True)
class Emulated:
    """The control side of the emulators: what was asked of them, and what Microsoft does."""

    ready: Mapping[str, Any]
    tokens: dict[str, str] = field(default_factory=dict)

    def _control(self, system: str) -> str:
        parts = urllib.parse.urlsplit(self.ready[system]["url"])
        return f"{parts.scheme}://{parts.netloc}/__sandbox__"

    def microsoft(self, do: str, referral: str | None = None, **fields: Any) -> dict[str, Any]:
        """Let Microsoft do something; gives our referral."""
        body = {"do": do, "id": referral, "fields": fields}
        return dict(call("POST", f"{self._control('partner_center')}/microsoft",
                         {k: v for k, v in body.items() if v is not None}))  # fmt: skip

    def writes(self, system: str) -> list[dict[str, Any]]:
        """What was written there since it was asked last; tokens and sign-ins left out."""
        base = self._control(system)
        asked = call("GET", f"{base}/requests")["requests"]
        call("DELETE", f"{base}/requests")
        return [
            one for one in asked
            if one["method"] not in ("GET", "HEAD") and "/oauth2/" not in one["path"]
        ]  # fmt: skip

    def referral(self, referral: str) -> dict[str, Any]:
        """Our referral, as the API gives it."""
        there = self.ready["partner_center"]
        if "partner_center" not in self.tokens:
            form = {
                "grant_type": "refresh_token", "client_id": there["client_id"],
                "client_secret": there["client_secret"], "refresh_token": there["refresh_token"],
                "resource": "https://api.partner.microsoft.com",
            }  # fmt: skip
            answer = call("POST", there["token_url"], form, form=True)
            self.tokens["partner_center"] = answer["access_token"]
        token = self.tokens["partner_center"]
        return dict(call("GET", f"{there['url']}/referrals/{referral}", token=token))


@dataclass(slots=True)
class Prefect:
    """The Prefect server that `cosell serve` runs flows on, as its UI uses it."""

    api: str

    def run(self, flow: str, **inputs: Any) -> str:
        """Start a flow as the button in the UI does, and wait for its end; gives the state's name."""
        return self._ended(flow, self._begun(flow, inputs))

    def run_at_once(self, *flows: str) -> list[str]:
        """Start several flows at once, without inputs, and wait for the end of all."""
        begun = [(flow, self._begun(flow, {})) for flow in flows]
        return [self._ended(flow, run) for flow, run in begun]

    def _begun(self, flow: str, inputs: Mapping[str, Any]) -> str:
        found = call("POST", f"{self.api}/deployments/filter",
                     {"deployments": {"name": {"any_": [flow]}}, "limit": 1})  # fmt: skip
        if not found:
            raise StoryBroke(f"Prefect knows no deployment {flow!r}")
        run = call("POST", f"{self.api}/deployments/{found[0]['id']}/create_flow_run",
                   {"parameters": inputs, "state": {"type": "SCHEDULED"}})  # fmt: skip
        return str(run["id"])

    def _ended(self, flow: str, run: str) -> str:
        def state() -> str | None:
            now = call("GET", f"{self.api}/flow_runs/{run}")
            final = now["state_type"] in ("COMPLETED", "FAILED", "CRASHED", "CANCELLED")
            return str(now["state_name"]) if final else None

        return str(until(state, f"the end of {flow}", patience=120))
