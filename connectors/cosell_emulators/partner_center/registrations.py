"""The webhook registration API: one registration for the tenant, and a way to test it.

https://learn.microsoft.com/en-us/partner-center/developer/partner-center-webhooks
"""

import ipaddress
import re
import uuid
from collections import deque
from dataclasses import dataclass
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Any
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import Response

from cosell_emulators import exact_json
from cosell_emulators.clock import Clock
from cosell_emulators.partner_center import deliveries, moments, tokens
from cosell_emulators.partner_center.deliveries import Courier, Registration
from cosell_emulators.partner_center.problems import RegistrationRefusal, Throttled
from cosell_emulators.partner_center.tokens import Tokens

EVENTS = (
    "azure-fraud-event-detected",
    "granular-admin-relationship-approved",
    "granular-admin-relationship-created",
    "invoice-ready",
    "referral-created",
    "referral-updated",
    "related-referral-created",
    "related-referral-updated",
    "reseller-relationship-accepted-by-customer",
    "subscription-active",
    "subscription-updated",
    "test-created",
    "usagerecords-thresholdExceeded",
)

# The one number seen in the wild, 20002, is for another refusal; these are the emulator's own.
_UNAUTHENTICATED, _INVALID, _NONE_THERE, _ONE_THERE, _METHOD = 20001, 20010, 20011, 20012, 20013

_TESTS_A_MINUTE = 2
_MINUTE = timedelta(minutes=1)
_TESTS_KEPT = timedelta(days=7)
# The printed event names this host, and plain http.
_TESTS = "http://api.partnercenter.microsoft.com/webhooks/v1/registration/validationEvents"
_TEST = re.compile(r"/registration/validationevents/([^/]+)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class _Test:
    at: datetime
    uri: str
    url: str


class Registrations:
    """Answers /webhooks/v1."""

    def __init__(self, *, clock: Clock, tokens: Tokens, courier: Courier) -> None:
        self._clock = clock
        self._tokens = tokens
        self._courier = courier
        self._tests: dict[str, _Test] = {}
        self._recent: deque[datetime] = deque()

    def reset(self) -> None:
        """Forget the tests; the courier forgets the registration itself."""
        self._tests.clear()
        self._recent.clear()

    async def handle(self, request: Request, path: str) -> Response:
        """Answer a request below /webhooks/v1."""
        self._authorise(request)
        method, place = request.method, path.rstrip("/").lower()
        answer: Any
        match method, place:
            case "GET", "/registration/events":
                answer = list(EVENTS)
            case "GET", "/registration":
                answer = self._view()
            case "POST", "/registration":
                answer = self._register(await request.body())
            case "PUT", "/registration":
                answer = self._update(await request.body())
            case "POST", "/registration/validationevents":
                answer = self._begin_test()
            case "GET", _ if found := _TEST.fullmatch(place):
                answer = self._test(found[1])
            case _:
                raise _not_offered(place)
        headers = _echo(request)
        return Response(exact_json.dumps(answer), headers=headers, media_type="application/json")

    def _authorise(self, request: Request) -> None:
        grant = self._tokens.grant_of(request.headers.get("authorization"))
        if grant is None or grant.audience != tokens.WEBHOOKS:
            text = "The access token is missing, has expired, or is for another audience."
            raise RegistrationRefusal(401, _UNAUTHENTICATED, text, WWW_Authenticate="Bearer")

    def _view(self) -> dict[str, Any]:
        registration = self._registered()
        return {"WebhookUrl": registration.url, "WebhookEvents": list(registration.events)}

    def _register(self, content: bytes) -> dict[str, Any]:
        if self._courier.registration is not None:
            text = "The tenant has a registration already; update it with PUT."
            raise RegistrationRefusal(409, _ONE_THERE, text)
        return self._set(content, str(uuid.uuid4()))

    def _update(self, content: bytes) -> dict[str, Any]:
        return self._set(content, self._registered().subscriber_id)

    def _set(self, content: bytes, subscriber_id: str) -> dict[str, Any]:
        registration = _read(content, subscriber_id)
        self._courier.registration = registration
        return {
            "SubscriberId": registration.subscriber_id,
            "WebhookUrl": registration.url,
            "WebhookEvents": list(registration.events),
        }

    def _registered(self) -> Registration:
        if self._courier.registration is None:
            raise RegistrationRefusal(404, _NONE_THERE, "The tenant has no registration.")
        return self._courier.registration

    def _begin_test(self) -> dict[str, str]:
        registration = self._registered()
        if "test-created" not in registration.events:
            raise _invalid("The registration is not subscribed to test-created.")
        now = self._clock.now()
        while self._recent and not now - _MINUTE < self._recent[0] <= now:
            self._recent.popleft()
        if len(self._recent) >= _TESTS_A_MINUTE:
            left = self._recent[0] + _MINUTE - now
            raise Throttled(max(1, round(left.total_seconds())))
        self._recent.append(now)
        name = str(uuid.uuid4())
        uri = f"{_TESTS}/{name}"
        self._tests[name] = _Test(now, uri, registration.url)
        at = moments.ticks_of(now)
        self._courier.post(deliveries.event("test-created", uri, resource="test", at=at))
        return {"correlationId": name}

    def _test(self, name: str) -> dict[str, Any]:
        test = self._tests.get(name)
        if test is None or self._clock.now() - test.at > _TESTS_KEPT:
            raise RegistrationRefusal(404, _NONE_THERE, "There is no such validation event.")
        attempts = self._courier.attempts_for(test.uri)
        settled = [one for one in attempts if one.status is not None or one.error]
        return {
            "correlationId": name,
            "partnerId": tokens.TENANT,
            "status": "completed" if settled else "inProgress",
            "callbackUrl": test.url,
            "results": [_result(attempt) for attempt in settled],
        }


def _result(attempt: deliveries.Attempt) -> dict[str, Any]:
    return {
        "responseCode": _name_of(attempt.status),
        "responseMessage": attempt.error or "",
        "systemError": attempt.status is None,
        # Printed without an offset, unlike every other moment of the API.
        "dateTimeUtc": moments.write(moments.ticks_of(attempt.at)).rstrip("Z"),
    }


def _name_of(status: int | None) -> str:
    """Name a status as .NET does: OK, NotFound, BadGateway."""
    if status is None:
        return ""
    try:
        phrase = HTTPStatus(status).phrase
    except ValueError:
        return str(status)
    return phrase if phrase == "OK" else phrase.title().replace(" ", "").replace("-", "")


def _read(content: bytes, subscriber_id: str) -> Registration:
    try:
        document = exact_json.loads(content)
    except ValueError as error:
        raise _invalid("The body is not JSON.") from error
    if not isinstance(document, dict):
        raise _invalid("The body must be an object.")
    # The guide writes WebhookUrl, the reference webhookUrl.
    body = {name.lower(): value for name, value in document.items()}
    url, events = body.get("webhookurl"), body.get("webhookevents")
    if not isinstance(url, str) or not _may_be_called(url):
        raise _invalid("WebhookUrl must be an https address; plain http only on this machine.")
    if not isinstance(events, list) or not events:
        raise _invalid("WebhookEvents must be a list of events.")
    if unknown := [name for name in events if name not in EVENTS]:
        raise _invalid(f"There is no event {unknown[0]!r}.")
    signed = body.get("signaturetokentomssignatureheader")
    return Registration(
        subscriber_id=subscriber_id,
        url=url,
        events=tuple(dict.fromkeys(events)),
        # A boolean in the reference, a text in the client library.
        in_ms_signature=signed is True or str(signed).lower() == "true",
    )


def _may_be_called(url: str) -> bool:
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
    except ValueError:
        return False
    if parts.scheme == "https":
        return bool(host)
    return parts.scheme == "http" and _is_loopback(host)


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _not_offered(place: str) -> RegistrationRefusal:
    allowed = {
        "/registration": "GET, POST, PUT",
        "/registration/events": "GET",
        "/registration/validationevents": "POST",
    }.get(place, "GET" if _TEST.fullmatch(place) else None)
    if allowed is None:
        return RegistrationRefusal(404, _NONE_THERE, "The resource was not found.")
    text = "The resource does not support the method."
    return RegistrationRefusal(405, _METHOD, text, Allow=allowed)


def _invalid(text: str) -> RegistrationRefusal:
    return RegistrationRefusal(400, _INVALID, text)


def _echo(request: Request) -> dict[str, str]:
    return {
        name: request.headers.get(name) or str(uuid.uuid4())
        for name in ("MS-CorrelationId", "MS-RequestId")
    }
