"""Prove who we are: OAuth 2.0 and its plainer relatives, as authentication flows of httpx.

One token serves all callers of a connection. Whoever finds it stale fetches the next one, and the
others wait; an answer of 401 is worth one new token and one more try, never two.
"""

from __future__ import annotations

import asyncio
import base64
import json
import logging
import re
import time
from collections.abc import AsyncGenerator, Callable, Generator, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, assert_never
from urllib.parse import quote, urlencode, urlsplit
from uuid import uuid4

import httpx

from cosell_env.connections import Connection
from cosell_env.secrets import Secret

from .errors import ConnectorError, ErrorClass
from .incoming import retry_after
from .model import Auth, Connector
from .tokens import StaticHeader, StaticToken, Token, hushed, went_stale

# A token this close to its end might lapse on the way.
EARLY = timedelta(minutes=2)
# Salesforce takes assertions that live at most three minutes.
# https://help.salesforce.com/s/articleView?id=sf.remoteaccess_oauth_jwt_flow.htm
ASSERTION_LIFETIME = timedelta(minutes=3)

_TOLD_TO_NOBODY = ("assertion", "client_secret", "password", "refresh_token")
_LOG = logging.getLogger(__name__)
_PLACEHOLDER = re.compile(r"\{(\w+)\}")


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
    settings: Mapping[str, str],
    clock: Callable[[], float] = time.time,
) -> httpx.Auth | None:
    """What signs the requests of *connection*; *settings* are those that the file's texts name."""
    auth = choose(connector, connection)
    if auth is None:
        return None
    match auth.type:
        case "refresh_token" | "client_credentials" | "jwt_bearer" | "password":
            return OAuth(auth, connection, base_url=base_url, settings=settings, clock=clock)
        case "bearer":
            return StaticToken(connection.secret("token"))
        case "basic":
            pair = f"{connection.text('username')}:{connection.secret('password').reveal()}"
            return StaticHeader("Authorization", f"Basic {_base64(pair)}")
        case "api_key":
            return StaticHeader(auth.header, connection.secret("api_key").reveal())
        case unknown:
            assert_never(unknown)


async def sign_in(http: httpx.AsyncClient, url: str) -> None:
    """Fetch the token that calls to *url* need, where they need one and there is none."""
    if not isinstance(http.auth, OAuth):
        return
    flow = http.auth.async_auth_flow(http.build_request("GET", url))
    asking = await anext(flow)
    while str(asking.url) != str(url):
        asking = await flow.asend(await http.send(asking, auth=None))
    await flow.aclose()


Form = dict[str, str]


class OAuth(httpx.Auth):
    """OAuth 2.0 without a person: refresh token, client credentials, assertion, or a password."""

    def __init__(
        self,
        auth: Auth,
        connection: Connection,
        *,
        base_url: str,
        settings: Mapping[str, str] | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._auth = auth
        self._connection = connection
        self._base_url = base_url
        self._settings = {**(settings or {}), "origin": _origin(base_url)}
        self._clock = clock
        self._lock = asyncio.Lock()
        self._token: Token | None = None
        self._rotated: Secret | None = None  # a newer refresh token that is kept nowhere else
        self._turns = 0  # how often asking for a token was answered
        self._refused: ConnectorError | None = None  # what came of it last, where it was a no

    async def async_auth_flow(
        self, request: httpx.Request
    ) -> AsyncGenerator[httpx.Request, httpx.Response]:
        """Sign *request*, fetching a token before it, or once more after a 401."""
        used: Token | None = None
        for _ in range(2):
            seen = self._turns
            async with self._lock:
                fetching = self._fetching(used, seen)
                asking = next(fetching, None)
                while asking is not None:
                    # Signing in is waited for no longer than any other call.
                    asking.extensions["timeout"] = request.extensions.get("timeout", {})
                    answer = yield asking
                    await answer.aread()
                    asking = _following(fetching, answer)
            used = self._token
            assert used is not None
            response = yield used.signed(request, self._auth.header)
            if not await went_stale(request, response):
                return

    def _fetching(
        self, used: Token | None, seen: int
    ) -> Generator[httpx.Request, httpx.Response, None]:
        """The requests that get a token newer than *used*; none where somebody else got one."""
        if self._token is not None and self._token is not used and self._usable(self._token):
            return
        if self._refused is not None and self._turns != seen:
            raise self._refused.again()  # whoever we waited for was refused, and so would we be
        for form in self._forms():
            response = yield self._token_request(form)
            self._turns += 1
            answer = _object(response.content)
            if response.status_code == httpx.codes.OK and answer.get("access_token"):
                self._refused = None
                self._keep(form, answer)
                return
            self._refused = self._refusal(response, answer, form)
            if self._refused.error_class != "unauthorized":
                break
        assert self._refused is not None
        raise self._refused.again()

    def _usable(self, token: Token) -> bool:
        return token.stale_at is None or self._clock() < token.stale_at

    def _keep(self, form: Form, answer: Mapping[str, Any]) -> None:
        lifetime = _seconds(answer.get("expires_in"))
        if lifetime is None and self._auth.lifetime is not None:
            lifetime = self._auth.lifetime.total_seconds()
        early = min(EARLY.total_seconds(), (lifetime or 0) / 10)
        stale_at = None if lifetime is None else self._clock() + lifetime - early
        self._token = Token(Secret(str(answer["access_token"])), stale_at, _secrets_in(form))
        fresh = answer.get("refresh_token")
        rotated = Secret(fresh) if isinstance(fresh, str) and fresh else None
        if self._auth.type == "password":
            self._rotated = rotated
        elif self._auth.type == "refresh_token":
            self._rotate(Secret(form["refresh_token"]), rotated)

    def _rotate(self, sent: Secret, rotated: Secret | None) -> None:
        """Keep the refresh token to use next: the one that came, or else the one that was taken."""
        newest = rotated or sent
        self._rotated = newest
        try:
            if newest == self._connection.secret("refresh_token"):
                self._connection.forget_refresh_token()
            elif newest != self._connection.refresh_token():
                self._connection.keep_refresh_token(newest)
        except OSError as error:
            _LOG.warning(
                "connection %s: the new refresh token cannot be kept (%s); after a restart the"
                " configured one is tried again",
                self._connection.name,
                error.strerror or type(error).__name__,
            )

    def _refusal(
        self, response: httpx.Response, answer: Mapping[str, Any], form: Form
    ) -> ConnectorError:
        status = response.status_code
        # What was sent is not repeated, whoever repeats it to us.
        sent = _secrets_in(form)
        code = hushed(str(answer.get("error") or status), sent)
        # RFC 6749 calls it error_description; SugarCRM error_message.
        told = str(answer.get("error_description") or answer.get("error_message") or "")
        told = hushed(told, sent)
        where = urlsplit(str(response.request.url))
        return ConnectorError(
            _class(status, code),
            f"signing in at {where.netloc} failed: "
            + (told.splitlines()[0] if told else f"it answered with status {status}"),
            code=code,
            status=status,
            request_id=response.headers.get("x-ms-request-id"),
            retry_after=retry_after(
                {name.lower(): value for name, value in response.headers.items()},
                now=datetime.fromtimestamp(self._clock(), UTC),
            ),
        )

    def _token_request(self, form: Form) -> httpx.Request:
        form, headers = dict(form), {"Accept": "application/json"}
        if self._auth.client_secret_in == "basic" and "client_secret" in form:  # noqa: S105
            # RFC 6749 section 2.3.1: both parts are form-encoded before they are joined.
            pair = ":".join(quote(form.pop(key), safe="") for key in ("client_id", "client_secret"))
            headers["Authorization"] = f"Basic {_base64(pair)}"
        if self._auth.token_body == "json":  # noqa: S105 - a format, not a secret
            headers["Content-Type"] = "application/json"
            content = json.dumps(form).encode()
        else:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
            content = urlencode(form).encode()
        return httpx.Request("POST", self._token_url(), headers=headers, content=content)

    def _token_url(self) -> str:
        configured = self._connection.text("token_url")
        if configured is None and self._auth.token_url is not None:
            return self._filled(self._auth.token_url)
        if configured is None and self._auth.token_path is not None:
            return _origin(self._base_url) + self._auth.token_path
        return configured or str(self._connection.require("token_url"))

    def _forms(self) -> Iterator[Form]:
        """What may buy a token, the likeliest first; the next is sent where one is refused."""
        match self._auth.type:
            case "refresh_token":
                for token in self._refresh_tokens():
                    yield self._refreshing(token)
            case "client_credentials":
                client = self._client(secret_required=True)
                yield self._with_extras({"grant_type": "client_credentials"} | client)
            case "jwt_bearer":
                grant = "urn:ietf:params:oauth:grant-type:jwt-bearer"
                yield self._with_extras({"grant_type": grant, "assertion": self._assertion()})
            case "password":
                if self._rotated is not None:
                    yield self._refreshing(self._rotated)
                pair = {
                    "username": str(self._connection.require("username")),
                    "password": self._connection.secret("password").reveal(),
                }
                client = self._client(secret_required=False)
                yield self._with_extras({"grant_type": "password"} | pair | client)

    def _refresh_tokens(self) -> Iterator[Secret]:
        """The newest token first; then what another process may have put in its place; at last
        the configured one."""
        tried: list[Secret] = []
        configured = self._connection.secret("refresh_token")
        for look in (self._newest, self._connection.refresh_token, lambda: configured):
            token = look()
            if token not in tried:
                tried.append(token)
                yield token

    def _newest(self) -> Secret:
        kept = self._connection.refresh_token()
        nobody_keeps = kept == self._connection.secret("refresh_token")
        return self._rotated if nobody_keeps and self._rotated is not None else kept

    def _refreshing(self, token: Secret) -> Form:
        grant = {"grant_type": "refresh_token", "refresh_token": token.reveal()}
        return self._with_extras(grant | self._client(secret_required=False))

    def _with_extras(self, form: Form) -> Form:
        audience = self._audience()
        if self._auth.audience_parameter is not None and audience is not None:
            form[self._auth.audience_parameter] = audience
        if self._auth.scope is not None:
            form["scope"] = self._filled(self._auth.scope)
        return dict(self._auth.fields) | form

    def _filled(self, text: str) -> str:
        """*text* with the settings it names; raises MissingSetting where one has no value."""

        def value(hole: re.Match[str]) -> str:
            return self._settings.get(hole[1]) or str(self._connection.require(hole[1]))

        return _PLACEHOLDER.sub(value, text)

    def _client(self, *, secret_required: bool) -> Form:
        client = {"client_id": str(self._connection.require("client_id"))}
        if secret_required or self._connection.get("client_secret"):
            client["client_secret"] = self._connection.secret("client_secret").reveal()
        return client

    def _audience(self) -> str | None:
        return self._connection.text("audience") or self._auth.audience

    def _assertion(self) -> str:
        # Few connections sign with a key of their own; what does it takes long to load.
        from joserfc import jwt  # noqa: PLC0415
        from joserfc.errors import JoseError  # noqa: PLC0415
        from joserfc.jwk import RSAKey  # noqa: PLC0415

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


def _following(
    fetching: Generator[httpx.Request, httpx.Response, None], answer: httpx.Response
) -> httpx.Request | None:
    try:
        return fetching.send(answer)
    except StopIteration:
        return None


def _secrets_in(form: Form) -> tuple[Secret, ...]:
    return tuple(Secret(form[key]) for key in _TOLD_TO_NOBODY if key in form)


def _object(content: bytes) -> Mapping[str, Any]:
    try:
        answer = json.loads(content)
    except ValueError:
        return {}
    return answer if isinstance(answer, dict) else {}


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


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
