"""Prove who we are: tokens are fetched, shared, renewed and never shown."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from joserfc import jwt
from joserfc.jwk import RSAKey

from cosell_connectors.client import Client
from cosell_connectors.errors import ConnectorError
from cosell_connectors.model import Auth, Connector, Operation
from cosell_env.connections import Connection, Sources
from cosell_env.rotating import RefreshTokens
from cosell_env.secrets import Secret

ORG = "https://acme.my.salesforce.com"


def fine(_: httpx.Request) -> httpx.Response:
    return httpx.Response(200, json={})


def form(request: httpx.Request) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(request.content.decode()).items()}


async def test_a_refresh_token_buys_a_token_for_its_audience(talk: Callable[..., Any]) -> None:
    """Partner Center's v1 endpoint is told for which resource the token is."""
    heard = talk("partner_center", fine)

    await heard.client.call("get_referral", {"id": "1"})

    assert form(heard.tokens[0]) == {
        "grant_type": "refresh_token",
        "refresh_token": "r3fresh",
        "client_id": "id",
        "client_secret": "s3cret",
        "resource": "https://api.partner.microsoft.com",
    }


async def test_events_have_another_audience(talk: Callable[..., Any]) -> None:
    """Two hosts, two audiences, two tokens."""
    heard = talk("partner_center_events", fine)

    await heard.client.call("list_events", {})

    assert form(heard.tokens[0])["resource"] == "https://api.partnercenter.microsoft.com"


async def test_salesforce_signs_in_with_client_credentials(talk: Callable[..., Any]) -> None:
    """Without a key and a refresh token, the client's own credentials do, at the org's domain."""
    heard = talk("salesforce", fine)

    await heard.client.call("limits", {})

    assert (str(heard.tokens[0].url), form(heard.tokens[0])) == (
        f"{ORG}/services/oauth2/token",
        {"grant_type": "client_credentials", "client_id": "id", "client_secret": "s3cret"},
    )


@pytest.fixture(scope="module")
def key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def with_key(pem: str) -> dict[str, str]:
    return {"base_url": ORG, "client_id": "id", "username": "sync@acme.test", "private_key": pem}


async def test_with_a_private_key_an_assertion_is_signed(
    talk: Callable[..., Any], key: rsa.RSAPrivateKey
) -> None:
    """The assertion names client, user and audience, lives three minutes, and fits the key."""
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    heard = talk("salesforce", fine, with_key(pem.decode()), clock=lambda: 1_000_000.0)

    await heard.client.call("limits", {})

    claims = jwt.decode(form(heard.tokens[0])["assertion"], RSAKey.import_key(pem)).claims
    del claims["jti"]
    assert claims == {
        "iss": "id",
        "sub": "sync@acme.test",
        "aud": "https://login.salesforce.com",
        "iat": 1_000_000,
        "exp": 1_000_180,
    }


async def test_a_broken_key_is_not_quoted(talk: Callable[..., Any]) -> None:
    """What is wrong with a key is said without a letter of it, in the whole chain of causes."""
    heard = talk("salesforce", fine, with_key("-----BEGIN PRIVATE KEY-----\nhunter2"))

    with pytest.raises(ConnectorError) as caught:
        await heard.client.call("limits", {})

    chain = [caught.value, caught.value.__cause__]
    assert "hunter2" not in "".join(map(repr, chain)) + str(caught.value)


async def test_many_waiters_share_one_token(talk: Callable[..., Any]) -> None:
    """Fifty calls at once fetch one token."""
    heard = talk("partner_center", fine)

    await asyncio.gather(*(heard.client.call("get_referral", {"id": "1"}) for _ in range(50)))

    assert len(heard.tokens) == 1


async def test_a_token_is_renewed_before_it_ends(talk: Callable[..., Any]) -> None:
    """A token of an hour is not used in its last two minutes."""
    now = [0.0]
    heard = talk("partner_center", fine, clock=lambda: now[0])
    await heard.client.call("get_referral", {"id": "1"})
    now[0] = 3600 - 119

    await heard.client.call("get_referral", {"id": "1"})

    assert heard.calls[-1].headers["Authorization"] == "Bearer T2"


def expired(request: httpx.Request) -> httpx.Response:
    """Refuse the first token, take the second."""
    stale = request.headers["Authorization"] == "Bearer T1"
    return httpx.Response(401 if stale else 200, json={})


async def test_after_a_401_one_new_token_is_tried(talk: Callable[..., Any]) -> None:
    """A token that was revoked is replaced, and the call made again."""
    heard = talk("partner_center", expired)

    await heard.client.call("get_referral", {"id": "1"})

    assert [one.headers["Authorization"] for one in heard.calls] == ["Bearer T1", "Bearer T2"]


async def test_many_that_find_it_stale_renew_it_once(talk: Callable[..., Any]) -> None:
    """Fifty answers of 401 to the same token are worth one new token."""
    heard = talk("partner_center", expired)

    await asyncio.gather(*(heard.client.call("get_referral", {"id": "1"}) for _ in range(50)))

    assert len(heard.tokens) == 2


async def test_a_second_401_is_final(talk: Callable[..., Any]) -> None:
    """A user without rights is not tried for ever."""
    heard = talk("partner_center", lambda _: httpx.Response(401, json={}))

    with pytest.raises(ConnectorError) as caught:
        await heard.client.call("get_referral", {"id": "1"})

    assert (caught.value.error_class, len(heard.calls)) == ("unauthorized", 2)


def direct(handler: Callable[[httpx.Request], Any], **more: Any) -> Client:
    """A client with one operation, whose sign-in the test itself answers."""
    auth = more.pop("auth", Auth(type="refresh_token"))
    sources = more.pop("sources", Sources())
    changed = {
        key: more.pop(key) for key in ("refresh_token", "token_url", "tenant") if key in more
    }
    operation = Operation(
        name="get", summary="", method="GET", path="/x", effect="read", idempotent=True
    )
    settings = {
        "base_url": "https://api.example",
        "token_url": "https://login.example/token",
        "client_id": "a b",
        "client_secret": "s3cret",
        "refresh_token": "r3fresh",
        "token": "t0ken",
        "api_key": "k3y",
        "username": "user",
        "password": "p4ss",
        **changed,
    }
    return Client(
        Connector(name="x", title="X", auth=(auth,), operations={"get": operation}),
        Connection(name="x", connector="x", settings=settings, sources=sources),
        transport=httpx.MockTransport(handler),
        **more,
    )


def rotating(bought: list[str], *, ends_the_old: bool = True) -> Callable[..., httpx.Response]:
    """A sign-in that answers a new refresh token each time, and takes the newest alone."""

    def answer(request: httpx.Request) -> httpx.Response:
        if request.url.path != "/token":
            newest = f"Bearer {len(bought)}"
            return httpx.Response(200 if request.headers["Authorization"] == newest else 401)
        sent = form(request)["refresh_token"]
        if ends_the_old and sent != (f"new{len(bought)}" if bought else "r3fresh"):
            return httpx.Response(400, json={"error": "invalid_grant"})
        bought.append(sent)
        number = str(len(bought))
        return httpx.Response(200, json={"access_token": number, "refresh_token": f"new{number}"})

    return answer


async def test_a_rotated_refresh_token_takes_the_old_ones_place() -> None:
    """The next token is bought with the newest refresh token."""
    bought: list[str] = []
    client = direct(rotating(bought))
    await client.call("get", {})
    bought.append("somebody else's")  # the token of the first call is good no more

    with pytest.raises(ConnectorError):
        await client.call("get", {})

    assert bought == ["r3fresh", "somebody else's"]


async def test_a_rotated_refresh_token_outlives_a_restart(tmp_path: Path) -> None:
    """Another process goes on with the newest one, from a file only its owner can read."""
    bought: list[str] = []
    folder = tmp_path / ".cosell" / "refresh-tokens"
    answer = rotating(bought)

    for _ in range(3):
        await direct(answer, sources=Sources(rotated=RefreshTokens(folder))).call("get", {})

    modes = {file.stat().st_mode & 0o777 for file in folder.iterdir()}
    assert (bought, modes) == (["r3fresh", "new1", "new2"], {0o600})


async def test_two_processes_share_the_newest_refresh_token(tmp_path: Path) -> None:
    """What one process bought, the other uses; neither is locked out."""
    bought: list[str] = []
    sources = Sources(rotated=RefreshTokens(tmp_path / "tokens"))
    answer = rotating(bought)
    one, other = direct(answer, sources=sources), direct(answer, sources=sources)

    for client in (one, other, one, other):
        await client.call("get", {})

    assert bought == ["r3fresh", "new1", "new2", "new3"]


async def test_a_newly_configured_refresh_token_wins(tmp_path: Path) -> None:
    """Whoever configures another token is not held to the descendants of the old one."""
    sources = Sources(rotated=RefreshTokens(tmp_path / "tokens"))
    await direct(rotating([]), sources=sources).call("get", {})
    bought: list[str] = []

    client = direct(
        rotating(bought, ends_the_old=False), sources=sources, refresh_token="configured-anew"
    )
    await client.call("get", {})

    assert bought == ["configured-anew"]


async def test_a_kept_refresh_token_that_is_refused_gives_way(tmp_path: Path) -> None:
    """Where the kept token has died, the configured one is tried before a person is called."""
    kept = RefreshTokens(tmp_path / "tokens")
    kept.keep("/x", Secret("r3fresh"), Secret("dead"))
    bought: list[str] = []

    client = direct(rotating(bought), sources=Sources(rotated=kept))
    await client.call("get", {})

    assert (bought, kept.newest("/x", Secret("r3fresh"))) == (["r3fresh"], Secret("new1"))


async def test_a_file_that_cannot_be_written_stops_nothing(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """The call goes on; the log says what a restart will cost, without a token in it."""
    (tmp_path / "taken").write_text("")
    kept = RefreshTokens(tmp_path / "taken" / "tokens")

    await direct(rotating([]), sources=Sources(rotated=kept)).call("get", {})

    assert ("cannot be kept" in caplog.text, "new1" in caplog.text) == (True, False)


async def test_those_who_wait_for_a_refused_sign_in_do_not_ask_again() -> None:
    """Fifty calls with a wrong secret are one question, not fifty."""
    asked: list[httpx.Request] = []

    async def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        await asyncio.sleep(0.01)
        return httpx.Response(401, json={"error": "invalid_client"})

    client = direct(answer, auth=Auth(type="client_credentials"))

    found = await asyncio.gather(
        *(client.call("get", {}) for _ in range(50)), return_exceptions=True
    )

    classes = {one.error_class for one in found if isinstance(one, ConnectorError)}
    assert (len(asked), len(found), classes) == (1, 50, {"unauthorized"})


async def test_a_password_signs_in_and_its_refresh_token_renews() -> None:
    """After the first sign-in, the password is not sent again while the refresh token is taken."""
    grants: list[dict[str, str]] = []
    now = [0.0]

    def answer(request: httpx.Request) -> httpx.Response:
        if request.url.path == "/token":
            grants.append(json.loads(request.content))
            if grants[-1].get("refresh_token") == "fresh2":
                return httpx.Response(401, json={"error": "invalid_grant", "error_message": "no"})
            number = len(grants)
            told = {"access_token": "t", "expires_in": 3600, "refresh_token": f"fresh{number}"}
            return httpx.Response(200, json=told)
        return httpx.Response(200)

    auth = Auth(
        type="password", token_body="json", header="OAuth-Token", fields={"platform": "cosell"}
    )
    client = direct(answer, auth=auth, clock=lambda: now[0])

    for _ in range(3):
        await client.call("get", {})
        now[0] += 3600

    assert [one["grant_type"] for one in grants] == [
        "password",
        "refresh_token",
        "refresh_token",
        "password",
    ]


async def test_texts_of_the_file_may_name_settings() -> None:
    """A tenant in the address of the sign-in, the org's own address in the scope."""
    seen: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return httpx.Response(200, json={"access_token": "t"})

    auth = Auth(
        type="client_credentials",
        token_url="https://login.example/{tenant}/token",
        scope="{origin}/.default",
    )
    client = direct(answer, auth=auth, token_url="", tenant="acme.example")

    await client.call("get", {})

    assert (str(seen[0].url), form(seen[0])["scope"]) == (
        "https://login.example/acme.example/token",
        "https://api.example/.default",
    )


async def test_the_client_may_be_named_in_a_header() -> None:
    """With Basic, identifier and secret are form-encoded and leave the body."""
    seen: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return httpx.Response(200, json={"access_token": "t"})

    await direct(answer, auth=Auth(type="client_credentials", client_secret_in="basic")).call(
        "get", {}
    )

    pair = base64.b64decode(seen[0].headers["Authorization"].removeprefix("Basic "))
    assert (pair, form(seen[0])) == (b"a%20b:s3cret", {"grant_type": "client_credentials"})


@pytest.mark.parametrize(
    ("auth", "header", "value"),
    [
        (Auth(type="bearer"), "Authorization", "Bearer t0ken"),
        (Auth(type="basic"), "Authorization", "Basic dXNlcjpwNHNz"),
        (Auth(type="api_key", header="X-Key"), "X-Key", "k3y"),
    ],
)
async def test_plain_credentials_are_sent_as_they_are(auth: Auth, header: str, value: str) -> None:
    """A fixed token, a name with a password, or a key in a header of its own."""
    seen: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return httpx.Response(200)

    await direct(answer, auth=auth).call("get", {})

    assert seen[0].headers[header] == value


@pytest.mark.parametrize(
    ("status", "body", "error_class"),
    [
        (400, {"error": "invalid_grant", "error_description": "expired"}, "unauthorized"),
        (401, {"error": "invalid_client"}, "unauthorized"),
        (429, {}, "rate_limited"),
        (400, {"error": "rate_limit_exceeded"}, "rate_limited"),
        (503, {"error": "temporarily_unavailable"}, "unavailable"),
        (500, None, "unavailable"),
        (200, {"not": "a token"}, "unauthorized"),
    ],
)
async def test_a_refused_sign_in_has_its_class(
    status: int, body: dict[str, str] | None, error_class: str
) -> None:
    """A wrong secret is for a person to mend; an overloaded service for time."""
    client = direct(lambda _: httpx.Response(status, json=body))

    with pytest.raises(ConnectorError) as caught:
        await client.call("get", {})

    assert (caught.value.error_class, caught.value.happened) == (error_class, "no")


async def test_errors_of_signing_in_show_no_secret() -> None:
    """Neither the text nor the facts of the error carry what was sent."""
    client = direct(lambda _: httpx.Response(400, json={"error": "invalid_grant"}))

    with pytest.raises(ConnectorError) as caught:
        await client.call("get", {})

    shown = f"{caught.value} {caught.value!r} {vars(caught.value)}"
    assert not any(secret in shown for secret in ("s3cret", "r3fresh", "t0ken", "p4ss"))


async def test_a_token_that_cannot_be_fetched_means_it_did_not_happen() -> None:
    """A write whose sign-in broke was never sent, however the sign-in broke."""

    def answer(request: httpx.Request) -> httpx.Response:
        raise httpx.ReadTimeout("slow", request=request)

    client = direct(answer)
    write = Operation(
        name="put", summary="", method="PUT", path="/x", effect="write", idempotent=True
    )
    client.connector = Connector(
        name="x", title="X", auth=client.connector.auth, operations={"put": write}
    )

    with pytest.raises(ConnectorError) as caught:
        await client.call("put", {})

    assert caught.value.happened == "no"
