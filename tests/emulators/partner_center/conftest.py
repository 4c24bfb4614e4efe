"""One emulator on a real socket for all tests of this folder, emptied before each."""

import json
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest

from cosell_emulators.partner_center import PartnerCenterEmulator
from cosell_emulators.serving import LoopThread, Served
from cosell_emulators.stage import stage

REFERRALS = "https://api.partner.microsoft.com"
WEBHOOKS = "https://api.partnercenter.microsoft.com"
SAMPLES = Path(__file__).parents[4] / "shared" / "samples" / "partner-center"


class World:
    """A partner with tokens for both audiences, and Microsoft at the other end."""

    def __init__(self, emulator: PartnerCenterEmulator, root: str) -> None:
        self.emulator = emulator
        self.root = root
        self.http = httpx.Client(timeout=10, trust_env=False)
        self.token = ""
        self.webhook_token = ""

    def begin(self, seed: str) -> "World":
        """Start over, with tokens that have their whole life before them."""
        self.control("reset", seed=seed)
        self.token = self.new_token(REFERRALS)
        self.webhook_token = self.new_token(WEBHOOKS)
        return self

    def ask_token(self, **changes: str | None) -> httpx.Response:
        form = {
            "grant_type": "refresh_token",
            "client_id": self.emulator.client_id,
            "client_secret": self.emulator.client_secret,
            "refresh_token": self.emulator.refresh_token,
            "resource": REFERRALS,
            **changes,
        }
        data = {name: value for name, value in form.items() if value is not None}
        return self.http.post(self.emulator.token_url, data=data)

    def new_token(self, resource: str, **changes: str) -> str:
        return str(self.ask_token(resource=resource, **changes).json()["access_token"])

    def call(self, method: str, path: str, *, token: str | None = None, **rest: Any) -> Any:
        """Call the Referrals API."""
        headers = {"Authorization": f"Bearer {token or self.token}"} | rest.pop("headers", {})
        return self.http.request(method, self.emulator.url + path, headers=headers, **rest)

    def hook(self, method: str, path: str, **rest: Any) -> httpx.Response:
        """Call the webhook registration API."""
        headers = {"Authorization": f"Bearer {self.webhook_token}"}
        return self.http.request(method, self.emulator.webhooks_url + path, headers=headers, **rest)

    def control(self, name: str, **body: Any) -> Any:
        answer = self.http.post(f"{self.root}/__sandbox__/{name}", json=body)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def refused(self, name: str, **body: Any) -> str:
        """Make a control call that is refused, and give the sentence."""
        answer = self.http.post(f"{self.root}/__sandbox__/{name}", json=body)
        assert answer.status_code == 400, answer.text
        return str(answer.json()["error"])

    def create(self, body: dict[str, Any]) -> Any:
        answer = self.call("POST", "/referrals", json=body)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def co_sell(self, body: dict[str, Any]) -> tuple[Any, Any]:
        """Make a deal and send it to Microsoft: the partner's referral and Microsoft's."""
        own = self.create(body)
        connected = body | {
            "engagementId": own["engagementId"],
            "target": [{"type": "BusinessProfileLocation", "id": "msft"}],
            "inviteContext": {"assistanceRequestCode": "QuotesOrLicensing"},
        }
        theirs = self.create(connected)
        return self.get(own["id"]), theirs

    def get(self, referral_id: str) -> Any:
        return self.call("GET", f"/referrals/{referral_id}").json()

    def listed(self, **options: str) -> Any:
        params = {f"${name}": value for name, value in options.items()}
        return self.call("GET", "/referrals", params=params).json()

    def patch(self, referral_id: str, *operations: Any, **headers: str) -> httpx.Response:
        """Patch with (path, value) pairs, as replace operations."""
        body = [{"op": "replace", "path": path, "value": value} for path, value in operations]
        path = f"/referrals/{referral_id}"
        return self.call("PATCH", path, json=body, headers=headers)  # type: ignore[no-any-return]

    def received(self, receiver: "Receiver", count: int) -> list["Delivery"]:
        """Wait until so many events have arrived."""
        end = time.monotonic() + 10
        while len(receiver.got) < count and time.monotonic() < end:
            time.sleep(0.01)
        assert len(receiver.got) >= count, receiver.got
        return receiver.got

    def quiet(self) -> list[dict[str, Any]]:
        """Wait until nothing is on its way, and give what was tried."""
        end = time.monotonic() + 10
        while time.monotonic() < end:
            shown = self.http.get(f"{self.root}/__sandbox__/deliveries").json()
            if not shown["pending"]:
                return list(shown["deliveries"])
            time.sleep(0.01)
        raise AssertionError("deliveries never came to rest")


class Delivery:
    """One webhook call as it arrived."""

    def __init__(self, headers: dict[str, str], body: bytes) -> None:
        self.headers = headers
        self.body = body
        self.event = json.loads(body)

    @property
    def name(self) -> str:
        return str(self.event["EventName"])

    @property
    def referral(self) -> str:
        return str(self.event["ResourceUri"]).rpartition("/")[2]


class Receiver:
    """A callback on this machine that answers what a test tells it to."""

    def __init__(self) -> None:
        self.got: list[Delivery] = []
        self.answers: list[int] = []
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                headers = {name.lower(): value for name, value in self.headers.items()}
                receiver.got.append(Delivery(headers, body))
                self.send_response(receiver.answers.pop(0) if receiver.answers else 200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}/callback"
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture(scope="session")
def _served() -> Iterator[World]:
    loop = LoopThread()
    served = Served("127.0.0.1", 0)
    emulator = PartnerCenterEmulator(served.url, seed="empty")
    loop.run(served.start(stage(emulator)))
    world = World(emulator, served.url)
    yield world
    world.http.close()
    loop.run(served.stop())
    loop.end()


@pytest.fixture
def world(_served: World) -> World:
    """An emulator without a single referral."""
    return _served.begin("empty")


@pytest.fixture
def demo(_served: World) -> World:
    """An emulator with the demo's referrals."""
    return _served.begin("demo")


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """A callback that is not registered yet."""
    receiver = Receiver()
    yield receiver
    receiver.close()


@pytest.fixture
def registered(world: World, receiver: Receiver) -> Receiver:
    """A callback registered for the four referral events and the test event."""
    events = ["created", "updated"]
    names = [f"{kind}referral-{event}" for kind in ("", "related-") for event in events]
    body = {"WebhookUrl": receiver.url, "WebhookEvents": [*names, "test-created"]}
    assert world.hook("POST", "/registration", json=body).status_code == 200
    return receiver


@pytest.fixture
def deal() -> dict[str, Any]:
    """A shared deal the partner can create."""
    return {
        "name": "Harbour cranes online",
        "type": "Shared",
        "qualification": "SalesQualified",
        "target": [{"type": "SolutionProfile", "id": "SOL-20817-KWB"}],
        "customerProfile": {
            "name": "Wide World Harbours",
            "address": {"city": "Gdansk", "postalCode": "80-890", "country": "PL"},
            "team": [
                {
                    "firstName": "Ewa",
                    "lastName": "Nowak",
                    "phoneNumber": "48585550112",
                    "email": "ewa.nowak@wideworld.example",
                }
            ],
        },
        "consent": {"consentToToShareInfoWithOthers": True, "consentToContact": True},
        "details": {
            "notes": "Twelve cranes.",
            "dealValue": 50000,
            "currency": "EUR",
            "closingDateTime": "2027-03-31T00:00:00Z",
            "requirements": {"solutions": [{"id": "SOL-20817-KWB", "type": "Name"}]},
        },
        "team": [{"firstName": "Marit", "lastName": "Solberg", "email": "marit@alpine.example"}],
    }


@pytest.fixture
def samples() -> Path:
    """The collected samples; they are not part of the project."""
    if not SAMPLES.is_dir():
        pytest.skip("the collected samples are not here")
    return SAMPLES
