"""The sandbox: both emulators, the ready document, and a clean end."""

import asyncio
import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx
import pytest

from cosell_emulators.sandbox import Sandbox

pytestmark = pytest.mark.journey

PROGRAM = """
import asyncio, json
from cosell_emulators.sandbox import run
ready = lambda document: print(json.dumps(document), flush=True)
asyncio.run(run("127.0.0.1", 0, 0, "empty", ready))
"""


def started() -> subprocess.Popen[str]:
    path = os.pathsep.join(sys.path)
    return subprocess.Popen(
        [sys.executable, "-c", PROGRAM],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONPATH": path},
    )


def test_ready_document() -> None:
    """The ready document says where everything is, and both sides answer there."""
    with Sandbox(seed="empty") as ready:
        theirs = ready["partner_center"]
        form = {
            "grant_type": "refresh_token",
            "client_id": theirs["client_id"],
            "client_secret": theirs["client_secret"],
            "refresh_token": theirs["refresh_token"],
            "resource": "https://api.partner.microsoft.com",
        }
        token = httpx.post(theirs["token_url"], data=form).json()["access_token"]
        headers = {"Authorization": f"Bearer {token}"}
        listed = httpx.get(f"{theirs['url']}/referrals", headers=headers).json()
        clock = httpx.get(f"{ready['salesforce']['url']}/__sandbox__/clock")

        assert (listed["value"], clock.status_code) == ([], 200)


def test_names_are_fixed() -> None:
    """The ready document has exactly the names scripts rely on."""
    with Sandbox(seed="empty") as ready:
        names = {name: set(ready[name]) for name in ready}

    connection = {"BASE_URL", "TOKEN_URL", "CLIENT_ID", "CLIENT_SECRET"}
    keys = {
        "SALESFORCE": connection | {"USERNAME"},
        "PARTNER_CENTER": connection | {"REFRESH_TOKEN", "RATE_LIMIT"},
        "PARTNER_CENTER_EVENTS": connection
        | {"REFRESH_TOKEN", "RATE_LIMIT", "CERTIFICATE_HOSTS", "CA_FILE"},
    }
    assert names == {
        "salesforce": {
            "url",
            "token_url",
            "client_id",
            "client_secret",
            "username",
            "refresh_token",
            "jwt_key_file",
        },
        "partner_center": {
            "url",
            "token_url",
            "webhooks_url",
            "client_id",
            "client_secret",
            "refresh_token",
        },
        "env": {f"COSELL_CONNECTION_{name}_{key}" for name, some in keys.items() for key in some},
    }


def test_files_go_with_the_sandbox() -> None:
    """The key and the authority's certificate are files while it runs, and gone afterwards."""
    with Sandbox(seed="empty") as ready:
        files = [
            Path(ready["salesforce"]["jwt_key_file"]),
            Path(ready["env"]["COSELL_CONNECTION_PARTNER_CENTER_EVENTS_CA_FILE"]),
        ]
        contents = [file.read_bytes()[:11] for file in files]

    assert contents == [b"-----BEGIN ", b"-----BEGIN "]
    assert [file.exists() for file in files] == [False, False]


async def test_inside_a_running_loop() -> None:
    """With `async with` the sandbox serves in the caller's own event loop."""
    async with Sandbox(seed="demo") as ready, httpx.AsyncClient() as client:
        answer = await client.get(f"{ready['salesforce']['url']}/__sandbox__/requests")

    assert answer.json() == {"requests": []}


def test_taken_port_is_an_os_error() -> None:
    """A port in use is an OSError, and the other one is let go."""
    with Sandbox(seed="empty") as ready:
        port = httpx.URL(ready["partner_center"]["url"]).port
        with pytest.raises(OSError, match="in use"), Sandbox(partner_center_port=port or 0):
            pass


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_clean_exit(number: signal.Signals) -> None:
    """Told to end, the sandbox prints nothing more, removes its files and exits with 0."""
    process = started()
    assert process.stdout is not None
    ready: Any = json.loads(process.stdout.readline())
    process.send_signal(number)
    out, err = process.communicate(timeout=20)

    folder = Path(ready["salesforce"]["jwt_key_file"]).parent
    assert (process.returncode, out, err, folder.exists()) == (0, "", "", False)


async def test_end_while_a_request_hangs(caplog: pytest.LogCaptureFixture) -> None:
    """A request that hangs does not keep the sandbox from ending, and nothing is complained of."""
    async with asyncio.timeout(10):
        async with Sandbox(seed="empty") as ready, httpx.AsyncClient() as client:
            url = httpx.URL(ready["partner_center"]["url"]).copy_with(path="/")
            fault = {"then": {"delay_ms": 60_000}}
            await client.post(url.join("/__sandbox__/faults"), json=fault)
            hanging = asyncio.create_task(client.get(url))
            await asyncio.sleep(0.1)
        answers = await asyncio.gather(hanging, return_exceptions=True)

    assert (isinstance(answers[0], httpx.TransportError), caplog.records) == (True, [])
