"""The token service: client credentials, refresh token, JWT bearer, and a seller's password.

https://help.salesforce.com/s/articleView?id=sf.remoteaccess_oauth_endpoints.htm
"""

import base64
import binascii
import hashlib
import hmac
import json
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import Any
from urllib.parse import parse_qsl, unquote_plus

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from cosell_emulators.clock import Clock
from cosell_emulators.salesforce.calls import Reply, Session

# A session ends two hours after its last call; every call starts the two hours anew.
IDLE = timedelta(hours=2)
SCOPE = "refresh_token api id web full"
PASSWORD = "sandbox"
# The platform allows three minutes from now; clients with a slow clock need some more.
_FURTHEST = timedelta(minutes=5)
_JWT = "urn:ietf:params:oauth:grant-type:jwt-bearer"
# A number of seconds this large is one of milliseconds: the sf command sends those.
_MILLISECONDS = 100_000_000_000


class Denied(Exception):
    """The token service refuses."""

    def __init__(self, error: str, description: str, *, status: int = 400) -> None:
        super().__init__(error, description)
        self.error = error
        self.description = description
        self.status = status


@dataclass(slots=True)
class _Life:
    user_id: str
    last_call: datetime


@dataclass(frozen=True, slots=True)
class User:
    """What the token service must know of a user."""

    id: str
    active: bool
    # Somebody who never chose a password has the one that all have.
    password: str | None = None


class Tokens:
    """Issues sessions and knows them again; a reset of the org leaves them alone."""

    def __init__(
        self,
        *,
        clock: Clock,
        org_id: str,
        username: str,
        base_url: Callable[[], str],
        user: Callable[[str], User | None],
        logged_in: Callable[[str], None],
    ) -> None:
        self._clock = clock
        self._org_id = org_id
        self._username = username
        self.url = base_url
        self._user = user
        self._logged_in = logged_in
        self._sessions: dict[str, _Life] = {}
        self.client_id = f"3MVG9{secrets.token_urlsafe(60)}"
        self.client_secret = secrets.token_hex(32).upper()
        self.refresh_token = _refresh_token()
        # With this on, every redemption answers a new refresh token and ends the old one.
        self.rotating = False

    @cached_property
    def _key(self) -> rsa.RSAPrivateKey:
        return rsa.generate_private_key(public_exponent=65537, key_size=2048)

    @property
    def private_key_pem(self) -> bytes:
        """Give the key whose certificate the app carries."""
        return self._key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )

    def session(self, token: str) -> Session | None:
        """Find the session of a token, and let its two hours start anew."""
        life = self._sessions.get(token)
        if life is None or self._clock.now() - life.last_call > IDLE:
            return None
        life.last_call = self._clock.now()
        return Session(user_id=life.user_id, token=token)

    def issue(self, user_id: str) -> str:
        """Begin a session without asking for credentials."""
        token = f"{self._org_id[:15]}!{secrets.token_urlsafe(72)}"
        self._sessions[token] = _Life(user_id, self._clock.now())
        return token

    def end(self, token: str) -> bool:
        """End a session."""
        return self._sessions.pop(token, None) is not None

    def expire(self) -> int:
        """End every session, as an administrator can."""
        ended = len(self._sessions)
        self._sessions.clear()
        return ended

    def answer(self, content: bytes, headers: Mapping[str, str]) -> Reply:
        """Answer POST /services/oauth2/token."""
        try:
            form = dict(parse_qsl(content.decode("utf-8", "replace"), keep_blank_values=True))
            body = self._granted(form, headers)
        except Denied as denied:
            error = {"error": denied.error, "error_description": denied.description}
            return Reply(denied.status, error)
        return Reply(200, body, {"Cache-Control": "no-cache, no-store", "Pragma": "no-cache"})

    def _granted(self, form: Mapping[str, str], headers: Mapping[str, str]) -> dict[str, str]:
        match form.get("grant_type"):
            case "client_credentials":
                self._know_client(form, headers, with_secret=True)
                return self._body(self._active(self._username))
            case "refresh_token":
                self._know_client(form, headers, with_secret=False)
                if form.get("refresh_token") != self.refresh_token:
                    raise Denied("invalid_grant", "expired access/refresh token")
                body = self._body(self._active(self._username))
                if self.rotating:
                    self.refresh_token = body["refresh_token"] = _refresh_token()
                return body
            case grant if grant == _JWT:
                return self._body(self._active(self._asserted(form.get("assertion", ""))))
            case "password":
                # Orgs made since 2023 block this flow; a sandbox needs it to play the sellers.
                self._know_client(form, headers, with_secret=True)
                user = self._user(form.get("username", ""))
                wanted = (user.password if user is not None else None) or PASSWORD
                if not str(form.get("password", "")).startswith(wanted):
                    raise Denied("invalid_grant", "authentication failure - Invalid Password")
                return self._body(self._active(form.get("username", "")))
            case None | "":
                raise Denied("unsupported_grant_type", "grant type not supported")
        raise Denied("unsupported_grant_type", "grant type not supported")

    def _know_client(
        self, form: Mapping[str, str], headers: Mapping[str, str], *, with_secret: bool
    ) -> None:
        basic = _basic(headers.get("authorization", ""))
        client, secret = basic or (form.get("client_id"), form.get("client_secret"))
        if not client:
            raise Denied("invalid_request", "client_id is required")
        if client != self.client_id:
            raise Denied("invalid_client_id", "client identifier invalid")
        if secret is None and not with_secret:
            return
        if not secret:
            raise Denied("invalid_request", "client_secret is required")
        if not hmac.compare_digest(secret.encode(), self.client_secret.encode()):
            raise Denied("invalid_client", "invalid client credentials")

    def _active(self, username: str) -> str:
        user = self._user(username)
        if user is None:
            raise Denied("invalid_grant", "authentication failure")
        if not user.active:
            raise Denied("inactive_user", "user is inactive")
        return user.id

    def _asserted(self, assertion: str) -> str:
        """Check a signed assertion, and give the user it is for."""
        head, claims = self._verified(assertion)
        if head.get("alg") != "RS256":
            raise Denied("invalid_grant", "algorithm must be RS256")
        if claims.get("iss") != self.client_id:
            raise Denied("invalid_client_id", "client identifier invalid")
        audience = str(claims.get("aud", "")).rstrip("/")
        hosts = ("https://login.salesforce.com", "https://test.salesforce.com")
        # The sf command signs for the address it calls.
        if audience not in (*hosts, self.url().rstrip("/")):
            raise Denied("invalid_grant", "Audience validation failed")
        self._timely(claims.get("exp"))
        user = self._user(str(claims.get("sub", "")))
        if user is None:
            raise Denied("invalid_grant", "user hasn't approved this consumer")
        return str(claims["sub"])

    def _verified(self, assertion: str) -> tuple[dict[str, Any], dict[str, Any]]:
        try:
            head, claims, signature = assertion.split(".")
            self._key.public_key().verify(
                _unpacked(signature),
                f"{head}.{claims}".encode(),
                padding.PKCS1v15(),
                hashes.SHA256(),
            )
            return json.loads(_unpacked(head)), json.loads(_unpacked(claims))
        except InvalidSignature:
            raise Denied("invalid_grant", "invalid assertion") from None
        except (ValueError, TypeError, binascii.Error):
            raise Denied("invalid_grant", "invalid assertion") from None

    def _timely(self, expires: Any) -> None:
        try:
            seconds = float(expires)
            if seconds > _MILLISECONDS:
                seconds /= 1000
            moment = datetime.fromtimestamp(seconds, UTC)
        except (TypeError, ValueError, OverflowError, OSError):
            raise Denied("invalid_grant", "expired authorization code") from None
        # A client signs by its own clock, which the emulated time does not move.
        nows = (self._clock.now(), datetime.now(UTC))
        if not any(now - timedelta(minutes=1) <= moment <= now + _FURTHEST for now in nows):
            raise Denied("invalid_grant", "expired authorization code")

    def _body(self, user_id: str) -> dict[str, str]:
        token, base = self.issue(user_id), self.url()
        self._logged_in(user_id)
        issued = str(int(self._clock.now().timestamp() * 1000))
        identity = f"{base}/id/{self._org_id}/{user_id}"
        signature = hmac.digest(
            self.client_secret.encode(), (identity + issued).encode(), hashlib.sha256
        )
        return {
            "access_token": token,
            "signature": base64.b64encode(signature).decode(),
            "scope": SCOPE,
            "instance_url": base,
            "id": identity,
            "token_type": "Bearer",
            "issued_at": issued,
            "api_instance_url": base,
        }


def _refresh_token() -> str:
    return f"5Aep861{secrets.token_urlsafe(60)}"


def _unpacked(part: str) -> bytes:
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))


def _basic(header: str) -> tuple[str, str] | None:
    scheme, _, value = header.partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        client, _, secret = base64.b64decode(value, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return None
    return unquote_plus(client), unquote_plus(secret)
