"""The token service: who may call, for which of the two audiences, and for how long.

https://learn.microsoft.com/en-us/partner-center/developer/enable-secure-app-model
"""

import base64
import binascii
import secrets
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qsl, unquote_plus

from starlette.requests import Request
from starlette.responses import Response

from cosell_emulators import exact_json
from cosell_emulators.clock import Clock
from cosell_emulators.partner_center.problems import TokenRefusal

REFERRALS = "https://api.partner.microsoft.com"
WEBHOOKS = "https://api.partnercenter.microsoft.com"

TENANT = "3e9d1b52-7c46-4f0a-8e13-d5a2960bf784"
LIFE = timedelta(hours=1)
# Entra lets a token begin five minutes early, for clocks that are slow.
_EARLY = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Grant:
    """What an access token stands for."""

    audience: str
    of_user: bool
    until: datetime


class Tokens:
    """Issues access tokens and knows them again; a reset of the emulator leaves them alone."""

    def __init__(self, *, clock: Clock) -> None:
        self._clock = clock
        self.client_id = "d0f6c1a4-58b3-4e97-b2c8-1a7e904d63f5"
        self.client_secret = secrets.token_urlsafe(30)
        self.refresh_token = _refresh_token()
        # Every redemption answers a new refresh token. Entra leaves the old ones alone; with this
        # on they end, as a stricter service, or a policy of the tenant, would have it.
        self.ends_old_ones = False
        self._redeemable = {self.refresh_token}
        self._issued: dict[str, Grant] = {}

    def grant_of(self, authorization: str | None) -> Grant | None:
        """Find what an Authorization header stands for; nothing once it has expired."""
        scheme, _, token = (authorization or "").partition(" ")
        grant = self._issued.get(token.strip()) if scheme.lower() == "bearer" else None
        return grant if grant is not None and self._clock.now() < grant.until else None

    def issue(self, audience: str, *, of_user: bool = True) -> str:
        """Make an access token without asking for credentials."""
        token = f"eyJ0eXAiOiJKV1QifQ.{secrets.token_urlsafe(96)}.{secrets.token_urlsafe(32)}"
        self._issued[token] = Grant(audience, of_user, self._clock.now() + LIFE)
        return token

    async def handle(self, request: Request, *, tenant: str, version: int) -> Response:
        """Answer POST /{tenant}/oauth2/token, or its second version with scopes."""
        try:
            if request.method != "POST":
                text = "The endpoint only accepts POST requests."
                raise TokenRefusal(400, "invalid_request", 900561, text)
            form = await _form(request)
            answer = self._answer(form, request.headers, tenant=tenant, version=version)
        except TokenRefusal as refusal:
            now = self._clock.now()
            refusal.trace = {
                "timestamp": f"{now:%Y-%m-%d %H:%M:%S}Z",
                "trace_id": str(uuid.uuid4()),
                "correlation_id": str(uuid.uuid4()),
            }
            return refusal.response()
        headers = {"Cache-Control": "no-store", "Pragma": "no-cache"}
        return Response(exact_json.dumps(answer), headers=headers, media_type="application/json")

    def _answer(
        self,
        form: Mapping[str, str],
        headers: Mapping[str, str],
        *,
        tenant: str,
        version: int,
    ) -> dict[str, Any]:
        grant = _wanted(form, "grant_type")
        self._know_client(form, headers)
        audience, scope = _audience(form, version=version)
        match grant:
            case "refresh_token":
                if _wanted(form, "refresh_token") not in self._redeemable:
                    raise TokenRefusal(400, "invalid_grant", 9002313, "The token is malformed.")
                granted = {"refresh_token": self._rotate(), "id_token": _opaque()}
                token = self.issue(audience)
                scope = scope if version > 1 else "user_impersonation"
                return self._token(token, audience, version, scope) | granted
            case "client_credentials":
                if tenant.lower() in ("common", "organizations"):
                    text = "The tenant of an application without a user must be named."
                    raise TokenRefusal(400, "invalid_request", 50059, text)
                token = self.issue(audience, of_user=False)
                return self._token(token, audience, version, None)
            case "password":
                # Since partners must use a second factor, a password alone gets nobody in.
                # https://learn.microsoft.com/en-us/partner-center/partner-center-authentication
                text = "You must use multi-factor authentication to access the resource."
                raise TokenRefusal(400, "invalid_grant", 50076, text)
            case "authorization_code":
                text = "The provided authorization code is not valid here."
                raise TokenRefusal(400, "invalid_grant", 70000, text)
        text = f"The app requested an unsupported grant type '{grant}'."
        raise TokenRefusal(400, "unsupported_grant_type", 70003, text)

    def _rotate(self) -> str:
        """Make the refresh token that comes with an answer."""
        fresh = _refresh_token()
        if self.ends_old_ones:
            self.refresh_token = fresh
            self._redeemable.clear()
        self._redeemable.add(fresh)
        return fresh

    def _know_client(self, form: Mapping[str, str], headers: Mapping[str, str]) -> None:
        client, secret = _basic(headers) or (form.get("client_id"), form.get("client_secret"))
        if not client:
            raise _missing("client_id")
        if client.lower() != self.client_id:
            text = f"Application with identifier '{client}' was not found in the directory."
            raise TokenRefusal(400, "unauthorized_client", 700016, text)
        status = HTTPStatus.UNAUTHORIZED
        if not secret:
            text = "The request body must contain 'client_assertion' or 'client_secret'."
            raise TokenRefusal(status, "invalid_client", 7000218, text)
        if not secrets.compare_digest(secret.encode(), self.client_secret.encode()):
            raise TokenRefusal(status, "invalid_client", 7000215, "Invalid client secret provided.")

    def _token(self, token: str, audience: str, version: int, scope: str | None) -> dict[str, Any]:
        seconds = int(LIFE.total_seconds())
        shown = {"scope": scope} if scope else {}
        if version > 1:
            lives = {"expires_in": seconds, "ext_expires_in": seconds}
            return {"token_type": "Bearer", **shown, **lives, "access_token": token}
        now = self._clock.now()
        # The first version writes every number as a text.
        return {
            "token_type": "Bearer",
            **shown,
            "expires_in": str(seconds),
            "ext_expires_in": str(seconds),
            "expires_on": str(int((now + LIFE).timestamp())),
            "not_before": str(int((now - _EARLY).timestamp())),
            "resource": audience,
            "access_token": token,
        }


def _audience(form: Mapping[str, str], *, version: int) -> tuple[str, str | None]:
    """Find what the token is for: a resource, or in the second version a scope of one."""
    if version > 1:
        scope = _wanted(form, "scope")
        for audience in (REFERRALS, WEBHOOKS):
            if any(part.startswith(f"{audience}/") for part in scope.split()):
                return audience, f"{audience}/user_impersonation"
        text = f"The provided value for the input parameter 'scope' is not valid: {scope}."
        raise TokenRefusal(400, "invalid_scope", 70011, text)
    resource = _wanted(form, "resource")
    if resource.rstrip("/") not in (REFERRALS, WEBHOOKS):
        text = f"The resource principal named {resource} was not found in the tenant."
        raise TokenRefusal(400, "invalid_resource", 500011, text)
    return resource.rstrip("/"), None


async def _form(request: Request) -> dict[str, str]:
    kind = request.headers.get("content-type", "")
    if not kind.startswith("application/x-www-form-urlencoded"):
        raise _missing("grant_type")
    try:
        text = (await request.body()).decode()
    except UnicodeDecodeError as error:
        raise _missing("grant_type") from error
    return dict(parse_qsl(text, keep_blank_values=True))


def _basic(headers: Mapping[str, str]) -> tuple[str, str] | None:
    scheme, _, value = headers.get("authorization", "").partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        client, _, secret = base64.b64decode(value, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return None
    return unquote_plus(client), unquote_plus(secret)


def _wanted(form: Mapping[str, str], name: str) -> str:
    value = form.get(name)
    if not value:
        raise _missing(name)
    return value


def _missing(name: str) -> TokenRefusal:
    text = f"The request body must contain the following parameter: '{name}'."
    return TokenRefusal(400, "invalid_request", 900144, text)


def _refresh_token() -> str:
    return f"0.A{secrets.token_urlsafe(60)}"


def _opaque() -> str:
    return f"eyJ0eXAiOiJKV1QifQ.{secrets.token_urlsafe(48)}."
