"""The stage: faults, the request log, the clock, and the way to the emulator."""

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from cosell_emulators import exact_json
from cosell_emulators.serving import Served
from cosell_emulators.stage import BadControl, Clock, ConnectionCut, stage


class Counting:
    """An emulator that counts what reaches it."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.count = 0
        self.seed = "none"
        self.life: list[str] = []
        self.controls = {"add": self.add}
        self.views = {"total": lambda: {"total": self.count}}

    def reset(self, seed: str) -> None:
        self.seed = seed
        self.count = 0

    async def start(self) -> None:
        self.life.append("started")

    async def stop(self) -> None:
        self.life.append("stopped")

    async def handle(self, request: Request) -> Response:
        self.count += 1
        return JSONResponse({"count": self.count, "sent": (await request.body()).decode()})

    async def add(self, body: dict[str, Any]) -> dict[str, int]:
        if "n" not in body:
            raise BadControl("How many?")
        self.count += body["n"]
        return {"count": self.count}


class Play:
    """An emulator on a socket and a client of it."""

    def __init__(self, emulator: Counting, client: httpx.AsyncClient) -> None:
        self.emulator = emulator
        self.http = client

    async def fault(self, **fault: Any) -> httpx.Response:
        return await self.http.post("/__sandbox__/faults", json=fault)

    async def control(self, name: str, **body: Any) -> httpx.Response:
        return await self.http.post(f"/__sandbox__/{name}", json=body)

    async def log(self) -> list[dict[str, Any]]:
        answer = await self.http.get("/__sandbox__/requests")
        return list(answer.json()["requests"])


@pytest.fixture
async def play() -> AsyncIterator[Play]:
    """An emulator on a real socket."""
    emulator, served = Counting(), Served("127.0.0.1", 0)
    await served.start(stage(emulator))
    async with httpx.AsyncClient(base_url=served.url, trust_env=False) as client:
        yield Play(emulator, client)
    await served.stop()


async def test_everything_else_is_the_emulators(play: Play) -> None:
    """A request that is no control call reaches the emulator, its body included."""
    answer = await play.http.post("/some/where", content=b"hello")

    assert answer.json() == {"count": 1, "sent": "hello"}


async def test_reset_starts_over(play: Play) -> None:
    """Resetting empties faults and log, sets the clock back and seeds the emulator."""
    await play.fault(then={"status": 500}, times=None)
    await play.http.get("/a")
    await play.control("clock", advance_s=10_000_000)
    await play.control("reset", seed="empty")
    answer = await play.http.get("/a")
    log = await play.log()

    lag = abs((play.emulator.clock.now() - datetime.now(UTC)).total_seconds())
    assert (play.emulator.seed, answer.status_code, len(log), lag < 5) == ("empty", 200, 1, True)


async def test_unknown_seed_is_refused(play: Play) -> None:
    """A seed nobody knows answers 400 with a sentence."""
    answer = await play.control("reset", seed="grass")

    assert (answer.status_code, answer.json()["error"]) == (400, 'The seed is "demo" or "empty".')


async def test_status_fault_does_no_work(play: Play) -> None:
    """A status fault answers with its status, headers and body, and nothing is done."""
    headers, body = {"Retry-After": "57"}, {"statusCode": 429}
    await play.fault(
        match={"method": "GET"}, then={"status": 429, "headers": headers, "body": body}
    )
    answer = await play.http.get("/a")

    seen = (answer.status_code, answer.headers["retry-after"], answer.json(), play.emulator.count)
    assert seen == (429, "57", body, 0)


async def test_text_body_stays_text(play: Play) -> None:
    """A fault's body that is text is sent as it is."""
    await play.fault(then={"status": 503, "body": "<html>busy</html>"})
    answer = await play.http.get("/a")

    assert answer.text == "<html>busy</html>"


async def test_fault_fails_once_by_default(play: Play) -> None:
    """A fault hits one request, the next one passes."""
    await play.fault(then={"status": 500})
    statuses = [(await play.http.get("/a")).status_code for _ in range(3)]

    assert statuses == [500, 200, 200]


async def test_after_and_times(play: Play) -> None:
    """So many requests pass first, then so many fail."""
    await play.fault(then={"status": 500}, after=1, times=2)
    statuses = [(await play.http.get("/a")).status_code for _ in range(5)]

    assert statuses == [200, 500, 500, 200, 200]


async def test_lasting_fault_ends_when_deleted(play: Play) -> None:
    """With times null a fault stays until the faults are deleted."""
    await play.fault(then={"status": 500}, times=None)
    before = [(await play.http.get("/a")).status_code for _ in range(3)]
    await play.http.delete("/__sandbox__/faults")
    after = (await play.http.get("/a")).status_code

    assert (before, after) == ([500, 500, 500], 200)


async def test_faults_queue_up(play: Play) -> None:
    """Two faults for the same request happen one after the other."""
    await play.fault(then={"status": 429})
    await play.fault(then={"status": 503})
    statuses = [(await play.http.get("/a")).status_code for _ in range(3)]

    assert statuses == [429, 503, 200]


@pytest.mark.parametrize(
    ("match", "hit"),
    [
        ({}, True),
        ({"method": "get"}, True),
        ({"method": "POST"}, False),
        ({"path": "^/deep/path"}, True),
        ({"path": "^/path"}, False),
        ({"path": "engagementId eq"}, True),
        ({"path": r"\$filter=engagementId%20eq"}, True),
    ],
)
async def test_faults_match_method_path_and_query(
    play: Play, match: dict[str, str], hit: bool
) -> None:
    """The path is searched in path and query, as written and as read."""
    await play.fault(match=match, then={"status": 500})
    answer = await play.http.get("/deep/path?$filter=engagementId%20eq%201")

    assert (answer.status_code == 500) is hit


async def test_drop_before_does_no_work(play: Play) -> None:
    """A connection dropped before the work leaves nothing done and nothing answered."""
    await play.fault(then={"drop": "before"})
    with pytest.raises(httpx.TransportError):
        await play.http.get("/a")

    assert play.emulator.count == 0


async def test_drop_after_does_the_work(play: Play) -> None:
    """A connection dropped after the work leaves it done and unanswered."""
    await play.fault(then={"drop": "after"})
    with pytest.raises(httpx.TransportError):
        await play.http.get("/a")

    assert play.emulator.count == 1


async def test_next_request_after_a_drop_works(play: Play) -> None:
    """A client that connects again after a drop is served."""
    await play.fault(then={"drop": "before"})
    with pytest.raises(httpx.TransportError):
        await play.http.get("/a")
    answer = await play.http.get("/a")

    assert answer.status_code == 200


async def test_drop_without_a_socket_raises() -> None:
    """Where there is no connection to cut, the application raises."""
    transport = httpx.ASGITransport(app=stage(Counting()))
    async with httpx.AsyncClient(transport=transport, base_url="http://sandbox") as client:
        await client.post("/__sandbox__/faults", json={"then": {"drop": "before"}})
        with pytest.raises(ConnectionCut):
            await client.get("/a")


async def test_delay_waits_then_works(play: Play) -> None:
    """A delay answers late, but answers."""
    await play.fault(then={"delay_ms": 120})
    begun = asyncio.get_running_loop().time()
    answer = await play.http.get("/a")
    took = asyncio.get_running_loop().time() - begun

    assert (answer.status_code, took >= 0.12) == (200, True)


async def test_log_names_the_faults(play: Play) -> None:
    """The log says what went wrong; a dropped request has no status."""
    for then in ({"status": 500}, {"delay_ms": 1}, {"drop": "before"}, {"drop": "after"}):
        await play.fault(then=then)
        try:
            await play.http.get("/a")
        except httpx.TransportError:
            continue
    await play.http.get("/a")

    assert [(entry["fault"], entry["status"]) for entry in await play.log()] == [
        ("status", 500),
        ("delay", 200),
        ("drop_before", None),
        ("drop_after", None),
        (None, 200),
    ]


async def test_log_shows_the_request(play: Play) -> None:
    """An entry has method, path, query, headers and the body as JSON, digits kept."""
    await play.http.post(
        "/a?x=1", content=b'{"v":10.50}', headers={"content-type": "application/json"}
    )
    text = (await play.http.get("/__sandbox__/requests")).text
    entry = exact_json.loads(text)["requests"][0]

    seen = {name: entry[name] for name in ("method", "path", "query", "body", "status")}
    assert exact_json.dumps(seen) == (
        '{"method":"POST","path":"/a","query":"x=1","body":{"v":10.50},"status":200}'
    )


async def test_log_has_no_control_calls(play: Play) -> None:
    """Control calls are not in the log."""
    await play.control("clock", advance_s=1)

    assert await play.log() == []


async def test_log_can_be_emptied(play: Play) -> None:
    """Deleting the requests empties the log."""
    await play.http.get("/a")
    await play.http.delete("/__sandbox__/requests")

    assert await play.log() == []


async def test_log_blanks_secrets(play: Play) -> None:
    """No token and no secret can be read in the log, wherever it was sent."""
    form = {"client_secret": "s3cret", "refresh_token": "s3cret", "assertion": "s3cret"}
    await play.http.post("/t?access_token=s3cret", data=form)
    await play.http.post("/t", json={"deep": [{"client_secret": "s3cret"}]})
    await play.http.get("/t", headers={"Authorization": "Bearer s3cret"})

    assert "s3cret" not in json.dumps(await play.log())


async def test_log_keeps_the_rest_of_a_form(play: Play) -> None:
    """A form is shown as it was sent but for its secrets."""
    await play.http.post("/t", data={"grant_type": "refresh_token", "client_secret": "x"})

    assert (await play.log())[0]["body"] == "grant_type=refresh_token&client_secret=***"


async def test_clock_advances(play: Play) -> None:
    """The emulated time goes forward by the seconds asked for."""
    before = play.emulator.clock.now()
    answer = await play.control("clock", advance_s=3600)
    now = datetime.fromisoformat(answer.json()["now"])

    assert 3600 <= (now - before).total_seconds() < 3605


async def test_clock_is_set(play: Play) -> None:
    """The emulated time goes to a moment and runs on from there."""
    await play.control("clock", now="2031-05-06T07:08:09+02:00")
    since = play.emulator.clock.now() - datetime(2031, 5, 6, 5, 8, 9, tzinfo=UTC)

    assert 0 <= since.total_seconds() < 5


@pytest.mark.parametrize(
    ("name", "body"),
    [
        ("clock", {}),
        ("clock", {"now": "soon"}),
        ("clock", {"now": "2031-05-06T07:08:09"}),
        ("clock", {"advance_s": "1"}),
        ("clock", {"advance_s": 1e18}),
        ("faults", {}),
        ("faults", {"then": {}}),
        ("faults", {"then": {"status": 42}}),
        ("faults", {"then": {"drop": "sometimes"}}),
        ("faults", {"then": {"status": 500, "drop": "after"}}),
        ("faults", {"then": {"status": 500}, "times": 0}),
        ("faults", {"then": {"status": 500}, "after": -1}),
        ("faults", {"then": {"status": 500}, "match": {"path": "("}}),
        ("faults", {"then": {"status": 500}, "match": {"host": "x"}}),
        ("add", {}),
    ],
)
async def test_senseless_control_calls_are_refused(
    play: Play, name: str, body: dict[str, Any]
) -> None:
    """A control call that makes no sense answers 400 with a sentence."""
    answer = await play.control(name, **body)

    assert (answer.status_code, answer.json()["error"][-1]) in [(400, "."), (400, "?")]


async def test_control_body_must_be_an_object(play: Play) -> None:
    """A control call with a list for a body answers 400."""
    answer = await play.http.post("/__sandbox__/clock", json=[1])

    assert answer.status_code == 400


async def test_unknown_control_is_not_found(play: Play) -> None:
    """A control call nobody offers answers 404."""
    answer = await play.control("dance")

    assert answer.status_code == 404


async def test_emulator_brings_its_own_controls(play: Play) -> None:
    """An emulator's own control calls and views answer in JSON."""
    await play.control("add", n=4)
    answer = await play.http.get("/__sandbox__/total")

    assert answer.json() == {"total": 4}


async def test_life_of_the_emulator() -> None:
    """An emulator is started before and stopped after it serves."""
    emulator, served = Counting(), Served("127.0.0.1", 0)
    await served.start(stage(emulator))
    await served.stop()

    assert emulator.life == ["started", "stopped"]


async def test_port_in_use_is_an_os_error() -> None:
    """A port that is taken is an OSError at once."""
    taken = Served("127.0.0.1", 0)
    try:
        with pytest.raises(OSError, match="in use"):
            Served("127.0.0.1", taken.port)
    finally:
        taken.close()


@pytest.mark.parametrize("host", ["0.0.0.0", ""])
def test_every_address_is_named_by_this_machines(host: str) -> None:
    """A socket that listens on every address is named by one that can be called."""
    served = Served(host, 0)
    served.close()

    assert served.url == f"http://127.0.0.1:{served.port}"


async def test_connections_are_kept(play: Play) -> None:
    """Several requests travel over one connection."""
    ports = set()
    for _ in range(3):
        answer = await play.http.get("/a")
        ports.add(answer.extensions["network_stream"].get_extra_info("client_addr"))

    assert len(ports) == 1


async def test_hundreds_at_once(play: Play) -> None:
    """Three hundred requests at once are all answered."""
    limits = httpx.Limits(max_connections=300)
    async with httpx.AsyncClient(base_url=play.http.base_url, limits=limits, timeout=30) as many:
        answers = await asyncio.gather(*(many.get("/a") for _ in range(300)))

    assert {answer.status_code for answer in answers} == {200}


def test_exact_json_keeps_every_digit() -> None:
    """Reading and writing gives the same digits, in texts that look like numbers too."""
    text = '{"a":1234567890123456.10,"b":[0.1,1E-7,"0.10"],"c":"é"}'

    assert exact_json.dumps(exact_json.loads(text)) == text


@pytest.mark.parametrize("text", ["NaN", '{"a":Infinity}'])
def test_exact_json_refuses_what_is_not_json(text: str) -> None:
    """Numbers that JSON does not know are refused."""
    with pytest.raises(ValueError, match="not JSON"):
        exact_json.loads(text)
