"""Put a token on a request, or into it, and see from an answer whether it went stale."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterable
from dataclasses import dataclass
from typing import Any

import httpx

from cosell_env.secrets import Secret

from .envelopes import with_token
from .errors import ConnectorError
from .markup import fault
from .model import ErrorRules, Operation

_INSIDE = "cosell_token_inside"  # of a request whose body has a place for the token
_SAID = "cosell_token_said"  # of a request that was signed: by what, and what that was bought with
_SHOWN = "•••"
# Shorter ones would take half of a sentence with them.
_SHORTEST = 6


def signed_inside(operation: Operation, rules: ErrorRules) -> dict[str, Any] | None:
    """What marks a request of *operation* whose envelope carries the token, where it does.

    Such a call is not answered with 401 when the token went stale, but with a fault: the codes of
    class `unauthorized` tell.
    """
    if operation.soap is None or operation.soap.token is None:
        return None
    codes = (one.codes for one in rules.rules if one.error_class == "unauthorized")
    return {_INSIDE: frozenset(code for some in codes for code in some)}


@dataclass(frozen=True, slots=True)
class Token:
    """An access token, and when it is to be renewed."""

    value: Secret
    stale_at: float | None  # None: it does not say; an answer of 401 will
    bought_with: tuple[Secret, ...] = ()

    def signed(self, request: httpx.Request, header: str) -> httpx.Request:
        """*request* with the token on it, or in it; what was to be signed holds no token itself."""
        request.extensions[_SAID] = (self.value, *self.bought_with)
        if _INSIDE in request.extensions:
            content = with_token(request.content, self.value.reveal())
            names = {
                name: text for name, text in request.headers.items() if name != "content-length"
            }
            made = httpx.Request(request.method, request.url, headers=names, content=content)
            made.extensions = request.extensions  # the same: what befalls one befell the other
            return made
        bearer = "Bearer " if header == "Authorization" else ""
        request.headers[header] = bearer + self.value.reveal()
        return request


async def went_stale(request: httpx.Request, response: httpx.Response) -> bool:
    """Whether the answer says that the token is of no use any more."""
    if response.status_code == httpx.codes.UNAUTHORIZED:
        return True
    if _INSIDE not in request.extensions or response.is_success:
        return False
    told = fault(await response.aread()) or {}
    return told.get("faultcode") in request.extensions[_INSIDE]


def silenced(error: ConnectorError, request: httpx.Request) -> None:
    """Take out of *error* what the other system repeated of our secrets: it is shown and kept."""
    known = request.extensions.get(_SAID, ())
    error.message, error.code = hushed(error.message, known), hushed(error.code, known)
    error.args = (error.message,)
    error.request_id = error.request_id and hushed(error.request_id, known)
    error.field = error.field and hushed(error.field, known)


def hushed(text: str, secrets: Iterable[Secret]) -> str:
    """*text* without any of the *secrets*."""
    for secret in secrets:
        value = secret.reveal()
        if len(value) >= _SHORTEST:
            text = text.replace(value, _SHOWN)
    return text


class StaticHeader(httpx.Auth):
    """A header that is the same in every request."""

    def __init__(self, name: str, value: str) -> None:
        self._name = name
        self._value = Secret(value)

    async def async_auth_flow(
        self, request: httpx.Request
    ) -> AsyncGenerator[httpx.Request, httpx.Response]:
        """Put the header on *request*."""
        request.extensions[_SAID] = (self._value,)
        request.headers[self._name] = self._value.reveal()
        yield request


class StaticToken(httpx.Auth):
    """A token that was given out for good."""

    def __init__(self, value: Secret) -> None:
        self._token = Token(value, None)

    async def async_auth_flow(
        self, request: httpx.Request
    ) -> AsyncGenerator[httpx.Request, httpx.Response]:
        """Put the token on *request*."""
        yield self._token.signed(request, "Authorization")
