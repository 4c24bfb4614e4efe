"""The client against servers that mean ill: they send it elsewhere, keep it waiting, and tell tales.

Two servers stand on loopback: the system a connection is for, and a stranger. Whatever the first
says, nothing may ever reach the second.
"""

from __future__ import annotations

import asyncio
import json
import logging
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest

from cosell_connectors.client import Client
from cosell_connectors.errors import ConnectorError
from cosell_connectors.parsing import parse
from cosell_definitions.settings import SecretRef
from cosell_env.connections import Connection, Sources

pytestmark = pytest.mark.journey

SECRET, REFRESH, TOKEN = "client-s3cret-value", "refresh-t0ken-value", "access-t0ken-value"
PAGE = """
connector: v1
id: x
title: X
auth: [{ type: refresh_token, token_path: /token }]
operations:
  read:
    summary: Read.
    method: GET
    path: /things
    effect: read
    paging: { items: /value, next: /next }
    output: { things: items }
  write:
    summary: Write.
    method: POST
    path: /things
    effect: write
    idempotent: false
    parameters:
      thing: { in: body, type: object }
errors: { code: [/error], message: [/error_description] }
"""
Say = Callable[[str, str], bytes | None]


@dataclass
class Heard:
    """A server, and what it was told."""

    url: str = ""
    requests: list[str] = field(default_factory=list)


def answer(body: Any, status: int = 200, **headers: str) -> bytes:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    lines = [f"HTTP/1.1 {status} X", f"Content-Length: {len(content)}"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, "", ""]).encode() + content


@asynccontextmanager
async def speaking(say: Say) -> AsyncIterator[Heard]:
    """Answer as *say* says of method and path; nothing means silence."""
    heard = Heard()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode()
                length = [
                    line for line in head.split("\r\n") if line.lower()[:15] == "content-length:"
                ]
                body = await reader.readexactly(int(length[0][15:])) if length else b""
                heard.requests.append(head + body.decode())
                said = say(*head.split(" ")[:2])
                if said is None:
                    await asyncio.sleep(30)
                    break
                writer.write(said)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    heard.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        yield heard
    finally:
        server.close()


def client(url: str, **more: str) -> Client:
    settings = {"base_url": url, "client_id": "me", **more}
    secrets = {
        key: SecretRef(kind="env", name=key.upper()) for key in ("client_secret", "refresh_token")
    }
    process = {"CLIENT_SECRET": SECRET, "REFRESH_TOKEN": REFRESH}
    connection = Connection(
        name="x",
        connector="x",
        settings={**settings, **secrets},
        sources=Sources(process=process),
    )
    connector, problems = parse(PAGE, file="connectors/x/connector.yaml")
    assert connector is not None, problems
    return Client(connector, connection)


def ours(things: Say) -> Say:
    """A sign-in that goes well, and *things* for the rest."""

    def say(method: str, path: str) -> bytes | None:
        if path == "/token":
            return answer({"access_token": TOKEN, "token_type": "Bearer", "expires_in": 3600})
        return things(method, path)

    return say


async def failure(url: str, operation: str = "read", **more: str) -> ConnectorError:
    arguments = {"thing": {"a": 1}} if operation == "write" else {}
    async with client(url, **more) as asking:
        with pytest.raises(ConnectorError) as caught:
            await asking.collect(operation, arguments)
    return caught.value


REDIRECTS = (301, 302, 303, 307, 308)


@pytest.mark.parametrize("status", REDIRECTS)
@pytest.mark.parametrize("operation", ["read", "write"])
async def test_no_redirect_is_followed(status: int, operation: str) -> None:
    """Neither token nor body go where an answer points."""
    async with speaking(lambda *_: answer({})) as stranger:
        away = answer(b"", status, Location=f"{stranger.url}/things")
        async with speaking(ours(lambda *_: away)) as system:
            error = await failure(system.url, operation)

    assert (stranger.requests, error.error_class) == ([], "invalid")


@pytest.mark.parametrize("status", REDIRECTS)
async def test_a_sign_in_is_not_sent_elsewhere(status: int) -> None:
    """A secret is told to the address that was configured, and to no other."""
    async with speaking(lambda *_: answer({"access_token": TOKEN})) as stranger:
        away = answer(b"", status, Location=f"{stranger.url}/token")
        async with speaking(lambda *_: away) as system:
            error = await failure(system.url)

    assert (stranger.requests, error.happened) == ([], "no")
    assert len(system.requests) == 1


@pytest.mark.parametrize(
    "shape",
    [
        "{url}/things?page=2",
        "//{host}/things?page=2",
        "http://127.0.0.1@{host}/things?page=2",
        "\\\\{host}\\things",
        "http:\\\\{host}/things",
        "/\\{host}/things",
        " \t{url}/things?page=2",
        "http:///{host}/things",
        "javascript://{host}/%0aX",
        "?next=//{host}/",
    ],
)
async def test_a_link_leads_nowhere_else(shape: str) -> None:
    """However a link is written, what it is followed to is our own host, or it is refused."""
    async with speaking(lambda *_: answer({"value": []})) as stranger:
        link = shape.format(url=stranger.url, host=stranger.url.removeprefix("http://"))

        def things(_: str, path: str) -> bytes:
            first = path == "/things"
            return answer({"value": [1], **({"next": link} if first else {})})

        async with speaking(ours(things)) as system, client(system.url) as asking:
            try:
                await asking.collect("read", {})
            except ConnectorError as error:
                assert error.error_class == "invalid"  # noqa: PT017 - both are allowed

    assert stranger.requests == []


async def test_a_silent_server_is_not_waited_for() -> None:
    """`read_timeout` ends it; a write may have happened."""
    async with speaking(ours(lambda *_: None)) as system:
        error = await failure(system.url, "write", read_timeout="300ms")

    assert (error.error_class, error.code, error.happened) == ("unavailable", "timeout", "maybe")


async def test_a_server_that_never_picks_up_is_not_waited_for() -> None:
    """`connect_timeout` ends it; nothing was sent."""
    with socket.socket() as deaf:
        deaf.bind(("127.0.0.1", 0))
        deaf.listen(0)
        where = deaf.getsockname()
        waiting = [socket.socket() for _ in range(4)]
        for one in waiting:  # who comes after them finds the line full
            one.setblocking(False)
            one.connect_ex(where)
        error = await failure(f"http://127.0.0.1:{where[1]}", "write", connect_timeout="300ms")
        for one in waiting:
            one.close()

    assert (error.error_class, error.code, error.happened) == ("unavailable", "no_connection", "no")


async def test_a_sign_in_is_waited_for_no_longer_than_a_call() -> None:
    """A silent sign-in ends at `read_timeout`, and the write was not sent."""
    async with speaking(lambda *_: None) as system:
        error = await failure(system.url, "write", read_timeout="300ms")

    assert (error.error_class, error.code, error.happened) == ("unavailable", "timeout", "no")


async def test_a_sign_in_that_hangs_is_not_waited_for() -> None:
    """The total time of a call holds for its sign-in, too."""
    async with speaking(lambda *_: None) as system:
        error = await failure(system.url, "write", total_timeout="400ms")

    assert (error.error_class, error.happened) == ("unavailable", "no")


async def test_what_a_server_lets_one_keep_is_not_sent_back() -> None:
    """Cookies are not kept: a call says what its arguments say, and nothing else."""
    things = answer({"value": []}, Set_Cookie="session=1; Path=/")
    async with speaking(ours(lambda *_: things)) as system, client(system.url) as asking:
        await asking.collect("read", {})
        await asking.collect("read", {})

    assert not [one for one in system.requests if "cookie" in one.lower()]


@pytest.mark.parametrize(
    "things",
    [
        answer({"error": "no", "error_description": f"not {TOKEN}, {SECRET} or {REFRESH}"}, 403),
        answer(f"<html><title>{TOKEN} {SECRET} {REFRESH}</title></html>".encode(), 500),
        answer({"error": TOKEN, "error_description": SECRET}, 400),
    ],
    ids=["message", "page", "code"],
)
async def test_a_server_that_tells_secrets_is_not_quoted(
    things: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    """What is said of a refusal, and what is logged of it, holds no secret of ours."""
    caplog.set_level(logging.DEBUG)
    async with speaking(ours(lambda *_: things)) as system:
        error = await failure(system.url)

    told = caplog.text + str(error) + repr(error) + repr(error.__dict__)
    assert not [one for one in (TOKEN, SECRET, REFRESH) if one in told]


async def test_a_sign_in_that_tells_secrets_is_not_quoted(caplog: pytest.LogCaptureFixture) -> None:
    """A token endpoint that repeats what it was sent does not bring it into our logs."""
    caplog.set_level(logging.DEBUG)
    told_off = {"error": "invalid_grant", "error_description": f"{REFRESH} of {SECRET} is bad"}
    async with speaking(lambda *_: answer(told_off, 400)) as system:
        error = await failure(system.url)

    told = caplog.text + str(error) + repr(error) + repr(error.__dict__)
    assert (error.code, SECRET in told, REFRESH in told) == ("invalid_grant", False, False)


async def test_a_good_day_leaves_no_secret_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    """Signing in, reading and writing, with everything logged that anybody logs."""
    caplog.set_level(logging.DEBUG)
    async with (
        speaking(ours(lambda *_: answer({"value": []}))) as system,
        client(system.url) as asking,
    ):
        await asking.collect("read", {})
        await asking.collect("write", {"thing": {}})
        shown = repr(asking) + repr(asking.connection)

    told = caplog.text + shown
    assert len(system.requests) == 3
    assert not [one for one in (TOKEN, SECRET, REFRESH) if one in told]
