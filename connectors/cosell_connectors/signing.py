"""Prove who we are: OAuth 2.0 and its plainer relatives, as authentication flows of httpx.

One token serves all callers of a connection. Whoever finds it stale fetches the next one, and the
others wait; an answer of 401 is worth one new token and one more try, never two.
"""

from __future__ import annotations

import asyncio
import base64
import json
import time
from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, assert_never
from urllib.parse import quote, urlencode, urlsplit
from uuid import uuid4

import httpx
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import RSAKey

from cosell_env.connections import Connection
from cosell_env.secrets import Secret

from .errors import ConnectorError, ErrorClass
from .incoming import retry_after
from .model import Auth, Connector

# A token this close to its end might lapse on the way.
EARLY = timedelta(minutes=2)
# Salesforce takes assertions that live at most three minutes.
# https://help.salesforce.com/s/articleView?id=sf.remoteaccess_oauth_jwt_flow.htm
ASSERTION_LIFETIME = timedelta(minutes=3)

Rotation = Callable[[str, Secret], None]
"""Told the connection's name and its new refresh token."""


def choose(connector: Connector, connection: Connection) -> Auth | None:
    """The first way to sign in whose setting the connection has; nothing where none is declared."""
    for auth in connector.auth:
        if auth.when is None or connection.get(auth.when):
            return auth
    if connector.auth:
        last = connector.auth[-1]
        connection.require(last.when or "token_url")
    return None


def signature(
    connector: Connector,
    connection: Connection,
    *,
    base_url: str,
    on_rotation: Rotation | None = None,
    clock: Callable[[], float] = time.time,
) -> httpx.Auth | None:
    """What signs the requests of *connection*."""
    auth = choose(connector, connection)
    if auth is None:
        return None
    match auth.type:
        case "refresh_token" | "client_credentials" | "jwt_bearer":
            return OAuth(auth, connection, base_url=base_url, on_rotation=on_rotation, clock=clock)
        case "bearer":
            return StaticHeader("Authorization", f"Bearer {connection.secret('token').reveal()}")
        case "basic":
            pair = f"{connection.text('username')}:{connection.secret('password').reveal()}"
            return StaticHeader("Authorization", f"Basic {_base64(pair)}")
        case "api_key":
            return StaticHeader(auth.header, connection.secret("api_key").reveal())
        case unknown:
            assert_never(unknown)


class StaticHeader(httpx.Auth):
    """A header that is the same in every request."""

    def __init__(self, name: str, value: str) -> None:
        self._name = name
        self._value = Secret(value)

    async def async_auth_flow(
        self, request: httpx.Request
    ) -> AsyncGenerator[httpx.Request, httpx.Response]:
        """Put the header on *request*."""
        request.headers[self._name] = self._value.reveal()
        yield request


@dataclass(frozen=True, slots=True)
class _Token:
    value: Secret
    stale_at: float | None  # None: it does not say; an answer of 401 will

    def sign(self, request: httpx.Request) -> None:
        """Put the token on *request*."""
        request.headers["Authorization"] = f"Bearer {self.value.reveal()}"


class OAuth(httpx.Auth):
    """OAuth 2.0 without a person: refresh token, client credentials, or a signed assertion."""

    def __init__(
        self,
        auth: Auth,
        connection: Connection,
        *,
        base_url: str,
        on_rotation: Rotation | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._auth = auth
        self._connection = connection
        self._base_url = base_url
        self._on_rotation = on_rotation
        self._clock = clock
        self._lock = asyncio.Lock()
        self._token: _Token | None = None
        self._rotated: Secret | None = None

    async def async_auth_flow(
        self, request: httpx.Request
    ) -> AsyncGenerator[httpx.Request, httpx.Response]:
        """Sign *request*, fetching a token before it, or once more after a 401."""
        if not self._usable(self._token):
            async with self._lock:
                if not self._usable(self._token):
                    answer = yield self._token_request()
                    self._keep(await _read(answer))
        used = self._token
        assert used is not None
        used.sign(request)
        response = yield request
        if response.status_code != httpx.codes.UNAUTHORIZED:
            return
        async with self._lock:
            if self._token is used:  # nobody else has fetched a newer one meanwhile
                answer = yield self._token_request()
                self._keep(await _read(answer))
        assert self._token is not None
        self._token.sign(request)
        yield request

    def _usable(self, token: _Token | None) -> bool:
        return token is not None and (token.stale_at is None or self._clock() < token.stale_at)

    def _keep(self, response: httpx.Response) -> None:
        answer = self._answer(response)
        lifetime = _seconds(answer.get("expires_in"))
        if lifetime is None and self._auth.lifetime is not None:
            lifetime = self._auth.lifetime.total_seconds()
        early = min(EARLY.total_seconds(), (lifetime or 0) / 10)
        stale_at = None if lifetime is None else self._clock() + lifetime - early
        self._token = _Token(Secret(str(answer["access_token"])), stale_at)
        rotated = answer.get("refresh_token")
        if self._auth.type == "refresh_token" and isinstance(rotated, str) and rotated:
            self._rotate(Secret(rotated))

    def _rotate(self, rotated: Secret) -> None:
        before = self._rotated or self._connection.secret("refresh_token")
        if rotated != before:
            self._rotated = rotated
            if self._on_rotation is not None:
                self._on_rotation(self._connection.name, rotated)

    def _answer(self, response: httpx.Response) -> dict[str, Any]:
        try:
            answer = json.loads(response.content)
        except ValueError:
            answer = None
        if not isinstance(answer, dict):
            answer = {}
        if response.status_code == httpx.codes.OK and answer.get("access_token"):
            return answer
        raise self._refusal(response, answer)

    def _refusal(self, response: httpx.Response, answer: dict[str, Any]) -> ConnectorError:
        status = response.status_code
        code = str(answer.get("error") or status)
        description = str(answer.get("error_description") or "").splitlines()
        where = urlsplit(str(response.request.url))
        return ConnectorError(
            _class(status, code),
            f"signing in at {where.netloc} failed: "
            + (description[0] if description else f"it answered with status {status}"),
            code=code,
            status=status,
            request_id=response.headers.get("x-ms-request-id"),
            retry_after=retry_after(
                {name.lower(): value for name, value in response.headers.items()},
                now=datetime.fromtimestamp(self._clock(), UTC),
            ),
        )

    def _token_request(self) -> httpx.Request:
        form, headers = self._form(), {"Accept": "application/json"}
        if self._auth.client_secret_in == "basic" and "client_secret" in form:  # noqa: S105
            # RFC 6749 section 2.3.1: both parts are form-encoded before they are joined.
            pair = ":".join(quote(form.pop(key), safe="") for key in ("client_id", "client_secret"))
            headers["Authorization"] = f"Basic {_base64(pair)}"
        headers["Content-Type"] = "application/x-www-form-urlencoded"
        return httpx.Request(
            "POST", self._token_url(), headers=headers, content=urlencode(form).encode()
        )

    def _token_url(self) -> str:
        configured = self._connection.text("token_url")
        if configured is None and self._auth.token_path is not None:
            parts = urlsplit(self._base_url)
            return f"{parts.scheme}://{parts.netloc}{self._auth.token_path}"
        return configured or str(self._connection.require("token_url"))

    def _form(self) -> dict[str, str]:
        form: dict[str, str] = {}
        match self._auth.type:
            case "refresh_token":
                token = self._rotated or self._connection.secret("refresh_token")
                form |= {"grant_type": "refresh_token", "refresh_token": token.reveal()}
                form |= self._client(secret_required=False)
            case "client_credentials":
                form |= {"grant_type": "client_credentials"} | self._client(secret_required=True)
            case "jwt_bearer":
                grant = "urn:ietf:params:oauth:grant-type:jwt-bearer"
                form |= {"grant_type": grant, "assertion": self._assertion()}
        audience = self._audience()
        if self._auth.audience_parameter is not None and audience is not None:
            form[self._auth.audience_parameter] = audience
        if self._auth.scope is not None:
            form["scope"] = self._auth.scope
        return form

    def _client(self, *, secret_required: bool) -> dict[str, str]:
        client = {"client_id": str(self._connection.require("client_id"))}
        if secret_required or self._connection.get("client_secret"):
            client["client_secret"] = self._connection.secret("client_secret").reveal()
        return client

    def _audience(self) -> str | None:
        return self._connection.text("audience") or self._auth.audience

    def _assertion(self) -> str:
        now = int(self._clock())
        claims = {
            "iss": str(self._connection.require("client_id")),
            "sub": str(self._connection.require("username")),
            "aud": self._audience() or str(self._connection.require("audience")),
            "iat": now,
            "exp": now + int(ASSERTION_LIFETIME.total_seconds()),
            "jti": str(uuid4()),
        }
        try:
            key = RSAKey.import_key(self._connection.secret("private_key").reveal())
            return jwt.encode({"alg": "RS256", "typ": "JWT"}, claims, key)
        except (JoseError, ValueError, TypeError):
            # The cause may quote the key.
            raise ConnectorError(
                "unauthorized",
                "the private key cannot be read: it must be an RSA key in PEM form,"
                " beginning with -----BEGIN PRIVATE KEY-----",
                code="bad_private_key",
            ) from None


async def _read(response: httpx.Response) -> httpx.Response:
    await response.aread()
    return response


def _class(status: int, code: str) -> ErrorClass:
    if status == httpx.codes.TOO_MANY_REQUESTS or code == "rate_limit_exceeded":
        return "rate_limited"
    # Entra answers `temporarily_unavailable` with 400 or 503 when it is overloaded.
    # https://learn.microsoft.com/en-us/entra/identity-platform/reference-error-codes
    if status >= 500 or code == "temporarily_unavailable":
        return "unavailable"
    return "unauthorized"


def _seconds(value: Any) -> float | None:
    try:
        return float(value)
    except (TypeError, ValueError):
        return None


def _base64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()
