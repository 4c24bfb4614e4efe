"""The client against servers that behave as the internet does."""

from __future__ import annotations

import asyncio
import gzip
import ipaddress
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import unquote

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from cosell_connectors.client import Client
from cosell_connectors.errors import ConnectorError
from cosell_connectors.model import Connector, Operation, Parameter, RateLimit
from cosell_env.connections import Connection

pytestmark = pytest.mark.journey

SQUEEZED = gzip.compress(b'{"name": "value"}' * 20)
FINE = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"


@dataclass
class Server:
    """A server that says the same to everybody."""

    url: str
    heard: list[bytes] = field(default_factory=list)
    connections: int = 0


@asynccontextmanager
async def serving(answer: bytes, *, tls: ssl.SSLContext | None = None) -> AsyncIterator[Server]:
    """Answer every request with *answer*; an incomplete one is followed by the end."""
    made = Server(url="")

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        made.connections += 1
        try:
            while True:
                made.heard.append(await reader.readuntil(b"\r\n\r\n"))
                writer.write(answer)
                await writer.drain()
                if answer != FINE:
                    break
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=tls)
    port = server.sockets[0].getsockname()[1]
    made.url = f"{'https' if tls else 'http'}://127.0.0.1:{port}"
    try:
        yield made
    finally:
        server.close()


def client(url: str, *, method: str = "GET") -> Client:
    operation = Operation(
        name="do",
        summary="Do it.",
        method=method,  # type: ignore[arg-type]
        path="/{what}",
        effect="read" if method == "GET" else "write",
        idempotent=True,
        parameters=(Parameter(name="what", location="path", wire_name="what"),),
    )
    connector = Connector(name="x", title="X", operations={"do": operation})
    return Client(connector, Connection(name="x", connector="x", settings={"base_url": url}))


async def failure(url: str, *, method: str = "GET") -> ConnectorError:
    async with client(url, method=method) as asking:
        with pytest.raises(ConnectorError) as caught:
            await asking.call("do", {"what": "it"})
    return caught.value


@pytest.mark.parametrize("what", ["a b", "a/b", "a%2Fb", "a+b", "a?b#c", "Ærø☃", "a;b=c,d", "'"])
async def test_an_argument_arrives_as_it_was(what: str) -> None:
    """What goes over the wire is one path segment, and reads back as the argument."""
    async with serving(FINE) as server, client(server.url) as asking:
        await asking.call("do", {"what": what})

    path = server.heard[0].split(b" ")[1].decode()
    assert (path.count("/"), unquote(path[1:])) == (1, what)


async def test_connections_are_kept() -> None:
    """Ten calls one after the other take one connection."""
    async with serving(FINE) as server, client(server.url) as asking:
        for _ in range(10):
            await asking.call("do", {"what": "it"})

    assert (server.connections, len(server.heard)) == (1, 10)


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{",
        b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 4\r\n\r\nnope",
        b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 20\r\n\r\n" + SQUEEZED[:20],
        b"220 this is a mail server\r\n",
    ],
    ids=["nothing", "half", "not gzip", "half of gzip", "not http"],
)
@pytest.mark.parametrize("method", ["PUT", "POST", "DELETE"])
async def test_a_broken_answer_to_a_write_leaves_doubt(answer: bytes, method: str) -> None:
    """However the answer is broken, the write is sent once, and may have happened."""
    async with serving(answer) as server:
        error = await failure(server.url, method=method)

    assert (error.error_class, error.happened, len(server.heard)) == ("unavailable", "maybe", 1)


@pytest.fixture(scope="module")
def tls(tmp_path_factory: pytest.TempPathFactory) -> tuple[ssl.SSLContext, Path]:
    """A server's certificate that nobody knows, and the file that makes it known."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    address = x509.IPAddress(ipaddress.ip_address("127.0.0.1"))
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([address]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, SHA256())
    )
    folder = tmp_path_factory.mktemp("tls")
    known, secret = folder / "ca.pem", folder / "key.pem"
    known.write_bytes(certificate.public_bytes(Encoding.PEM))
    secret.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(known, secret)
    return context, known


async def test_a_certificate_nobody_knows_is_refused(tls: tuple[ssl.SSLContext, Path]) -> None:
    """Verification is always on; nothing is sent to a stranger."""
    async with serving(FINE, tls=tls[0]) as server:
        error = await failure(server.url, method="POST")

    assert (error.code, error.happened, server.heard) == ("no_connection", "no", [])


@pytest.mark.parametrize("variable", ["SSL_CERT_FILE", "REQUESTS_CA_BUNDLE"])
async def test_an_authority_may_be_named(
    tls: tuple[ssl.SSLContext, Path], monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    """A company's own authority is made known by the usual variables."""
    monkeypatch.setenv(variable, str(tls[1]))

    async with serving(FINE, tls=tls[0]) as server, client(server.url) as asking:
        reply = await asking.call("do", {"what": "it"})

    assert reply.body == {}


async def test_a_proxy_may_be_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """HTTP_PROXY is asked, with the whole address."""
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    async with serving(FINE) as proxy:
        monkeypatch.setenv("HTTP_PROXY", proxy.url)
        monkeypatch.setenv("http_proxy", proxy.url)
        async with client("http://somewhere.invalid/v1") as asking:
            await asking.call("do", {"what": "it"})

    assert proxy.heard[0].startswith(b"GET http://somewhere.invalid/v1/it HTTP/1.1")


async def test_a_proxy_may_be_passed_by(monkeypatch: pytest.MonkeyPatch) -> None:
    """NO_PROXY names the hosts that are reached directly."""
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setenv("no_proxy", "127.0.0.1")

    async with serving(FINE) as server, client(server.url) as asking:
        await asking.call("do", {"what": "it"})

    assert len(server.heard) == 1


@asynccontextmanager
async def tunnelling() -> AsyncIterator[Server]:
    """A proxy that opens a tunnel to where it is asked to, as one for https does."""
    made = Server(url="")

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        made.connections += 1
        head = await reader.readuntil(b"\r\n\r\n")
        made.heard.append(head)
        host, port = head.split(b" ")[1].decode().rsplit(":", 1)
        far_reader, far_writer = await asyncio.open_connection(host, int(port))
        writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")

        async def carry(source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
            while data := await source.read(65536):
                target.write(data)
                await target.drain()
            target.close()

        await asyncio.gather(
            carry(reader, far_writer), carry(far_reader, writer), return_exceptions=True
        )

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    made.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        yield made
    finally:
        server.close()


async def test_https_goes_through_a_tunnel(
    tls: tuple[ssl.SSLContext, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """HTTPS_PROXY sees where we go, and nothing of what we say; the far end is verified."""
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("SSL_CERT_FILE", str(tls[1]))
    async with serving(FINE, tls=tls[0]) as server, tunnelling() as proxy:
        for name in ("HTTPS_PROXY", "https_proxy"):
            monkeypatch.setenv(name, proxy.url)
        async with client(server.url) as asking:
            reply = await asking.call("do", {"what": "secret"})

    where = server.url.removeprefix("https://")
    assert (reply.body, proxy.heard[0].split(b"\r\n")[0]) == (
        {},
        f"CONNECT {where} HTTP/1.1".encode(),
    )
    assert server.heard[0].startswith(b"GET /secret HTTP/1.1")


async def test_https_through_a_tunnel_is_verified_too(
    tls: tuple[ssl.SSLContext, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A proxy is no reason to trust a certificate nobody knows."""
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
    async with serving(FINE, tls=tls[0]) as server, tunnelling() as proxy:
        for name in ("HTTPS_PROXY", "https_proxy"):
            monkeypatch.setenv(name, proxy.url)
        error = await failure(server.url, method="POST")

    assert (error.code, error.happened, server.heard) == ("no_connection", "no", [])


async def test_what_is_squeezed_is_read() -> None:
    """gzip is asked for, and unpacked."""
    squeezed = gzip.compress(b'{"a": "' + b"x" * 10_000 + b'"}')
    head = f"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: {len(squeezed)}\r\n\r\n"
    async with serving(head.encode() + squeezed) as server, client(server.url) as asking:
        reply = await asking.call("do", {"what": "it"})

    assert (len(reply.body["a"]), b"gzip" in server.heard[0].lower()) == (10_000, True)


async def test_connections_are_kept_when_many_call_at_once() -> None:
    """A hundred calls of a connector that bears four at once take four connections."""
    async with serving(FINE) as server, client(server.url) as asking:
        asking.connector = replace(asking.connector, rate_limit=RateLimit(concurrent=4))
        await asyncio.gather(*(asking.call("do", {"what": str(n)}) for n in range(100)))

    assert (server.connections <= 4, len(server.heard)) == (True, 100)
