"""An org on the stage, and a client that is logged in."""

import asyncio
import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from cosell_emulators.salesforce import SalesforceEmulator
from cosell_emulators.stage import stage

BASE = "/services/data/v68.0"
ADDRESS = "http://org.example"


class Http:
    """An HTTP client without sockets and without awaiting."""

    def __init__(self, app: Any) -> None:
        self._runner = asyncio.Runner()
        self._client = httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=ADDRESS)
        self.headers = self._client.headers

    def request(self, method: str, path: str, **more: Any) -> httpx.Response:
        """Call and wait."""
        return self._runner.run(self._client.request(method, path, **more))

    def get(self, path: str, **more: Any) -> httpx.Response:
        """Read."""
        return self.request("GET", path, **more)

    def post(self, path: str, **more: Any) -> httpx.Response:
        """Send."""
        return self.request("POST", path, **more)

    def patch(self, path: str, **more: Any) -> httpx.Response:
        """Change."""
        return self.request("PATCH", path, **more)

    def close(self) -> None:
        """Let go."""
        self._runner.run(self._client.aclose())
        self._runner.close()


class Org:
    """The emulator as a test sees it: calls in, answers out."""

    def __init__(self, seed: str) -> None:
        self.emulator = SalesforceEmulator(ADDRESS, seed=seed)
        self.http = Http(stage(self.emulator))
        self.log_in("integration@cosell.example.com")

    def log_in(self, username: str) -> None:
        """Act as a user from now on."""
        user = self.emulator.org.user(username)
        assert user is not None
        token = self.emulator.tokens.issue(user.id)
        self.http.headers["Authorization"] = f"Bearer {token}"

    def call(self, method: str, path: str, body: Any = None, **more: Any) -> Any:
        """Call the newest version of the API."""
        if body is not None:
            more["content"] = body if isinstance(body, str | bytes) else json.dumps(body)
            more["headers"] = {"Content-Type": "application/json", **more.get("headers", {})}
        return self.http.request(method, BASE + path, **more)

    def create(self, kind: str, **fields: Any) -> str:
        """Make a row that must succeed."""
        reply = self.call("POST", f"/sobjects/{kind}", fields)
        assert reply.status_code == 201, reply.text
        return str(reply.json()["id"])

    def deal(self, **fields: Any) -> str:
        """Make an opportunity with whatever it needs."""
        usual = {"Name": "Deal", "StageName": "Prospecting", "CloseDate": "2026-12-31"}
        return self.create("Opportunity", **{**usual, **fields})

    def read(self, kind: str, key: str) -> dict[str, Any]:
        """Read a row that must be there."""
        reply = self.call("GET", f"/sobjects/{kind}/{key}")
        assert reply.status_code == 200, reply.text
        return dict(reply.json())

    def query(self, text: str) -> list[dict[str, Any]]:
        """Run a query that must succeed."""
        reply = self.call("GET", "/query", params={"q": text})
        assert reply.status_code == 200, reply.text
        return list(reply.json()["records"])

    def names(self, text: str) -> list[str]:
        """Run a query and give the names it finds."""
        return [record["Name"] for record in self.query(text)]

    def code(self, reply: Any) -> tuple[int, str]:
        """Give what matters of a refusal."""
        return reply.status_code, reply.json()[0]["errorCode"]

    def refused(self, text: str) -> tuple[int, str]:
        """Run a query that must not succeed."""
        return self.code(self.call("GET", "/query", params={"q": text}))

    def control(self, name: str, **body: Any) -> Any:
        """Use a control call."""
        return self.http.post(f"/__sandbox__/{name}", json=body).json()


@pytest.fixture
def org() -> Iterator[Org]:
    """Give an org without customers."""
    org = Org("empty")
    yield org
    org.http.close()


@pytest.fixture
def demo() -> Iterator[Org]:
    """Give the org of the demo."""
    org = Org("demo")
    yield org
    org.http.close()
