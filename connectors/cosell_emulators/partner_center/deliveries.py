"""Deliver webhook events: signed, ten times at most, and as badly as a test wants.

https://learn.microsoft.com/en-us/partner-center/developer/partner-center-webhooks
"""

import asyncio
from collections import deque
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import httpx

from cosell_emulators import exact_json
from cosell_emulators.faults import BadControl
from cosell_emulators.partner_center import moments
from cosell_emulators.partner_center.signing import ALGORITHM, Signer

ATTEMPTS = 10
# The printed deliveries name a certificate under this path, on a host of Microsoft's.
CERTIFICATE_PATH = "/cert/pcnotifications-dispatch.microsoft.com.cer"

# How long a reordered event waits for a later one to overtake it.
_OVERTAKING_S = 0.3
_TIMEOUT_S = 15
_AT_ONCE = 32
_KEPT = 10_000
_MODES = {
    "lose": "a whole number, zero or more",
    "duplicate": "a whole number, zero or more",
    "reorder": "true or false",
    "delay_s": "a number of seconds, zero or more",
    "spacing_s": "a number of seconds, zero or more",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Registration:
    """Who wants which events; a tenant has one at most."""

    subscriber_id: str
    url: str
    events: tuple[str, ...]
    in_ms_signature: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Modes:
    """How deliveries go wrong; seconds are real ones."""

    lose: int = 0
    duplicate: int = 0
    reorder: bool = False
    delay_s: float = 0
    spacing_s: float = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One event as it is sent, and its own identity for the log."""

    name: str
    uri: str
    body: bytes


@dataclass(slots=True, kw_only=True)
class Attempt:
    """One try to deliver an event and what came of it."""

    event: Event
    url: str
    number: int
    status: int | None = None
    error: str | None = None
    at: datetime = field(default_factory=lambda: datetime.now(UTC))

    def document(self) -> dict[str, Any]:
        """Show the attempt."""
        return {
            "at": self.at.isoformat().replace("+00:00", "Z"),
            "event": self.event.name,
            "resource_uri": self.event.uri,
            "url": self.url,
            "attempt": self.number,
            "status": self.status,
            "error": self.error,
        }


def event(name: str, uri: str, *, resource: str, at: int) -> Event:
    """Write an event: thin, compact, its properties in the printed order."""
    document = {
        "EventName": name,
        "ResourceUri": uri,
        "ResourceName": resource,
        "AuditUri": None,
        "ResourceChangeUtcDate": moments.write_with_offset(at),
    }
    return Event(name=name, uri=uri, body=exact_json.dumps(document).encode())


class Courier:
    """Carries events to whoever is registered, in the background."""

    def __init__(self, *, base_url: Callable[[], str], signer: Callable[[], Signer]) -> None:
        self._base_url = base_url
        self._signer = signer
        self.registration: Registration | None = None
        self.modes = Modes()
        self.log: deque[Attempt] = deque(maxlen=_KEPT)
        self._outbox: list[Event] = []
        self._held: list[Event] = []
        self._tasks: set[asyncio.Task[None]] = set()
        self._client: httpx.AsyncClient | None = None
        self._room = asyncio.Semaphore(_AT_ONCE)

    def reset(self) -> None:
        """Forget the registration, the modes, the log, and everything on its way."""
        self.registration = None
        self.modes = Modes()
        self.log.clear()
        self._outbox.clear()
        self._held.clear()
        for task in self._tasks:
            task.cancel()

    async def stop(self) -> None:
        """Drop what is on its way and close the connections."""
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        if self._client is not None:
            await self._client.aclose()
            self._client = None

    def post(self, posted: Event) -> None:
        """Put an event into the outbox, if anybody registered for it."""
        if self.registration is not None and posted.name in self.registration.events:
            self._outbox.append(posted)

    def flush(self) -> None:
        """Send the outbox off; it waits where no event loop is running."""
        try:
            asyncio.get_running_loop()
        except RuntimeError:
            return
        leaving, self._outbox = self._outbox, []
        for posted in leaving:
            for sent in self._with_mishaps(posted):
                if self.modes.reorder:
                    self._hold(sent)
                else:
                    self._begin(self._deliver(sent, asyncio.Event()))

    def attempts_for(self, uri: str) -> list[Attempt]:
        """Find what came of an event so far."""
        return [attempt for attempt in self.log if attempt.event.uri == uri]

    def set_modes(self, changes: dict[str, Any]) -> dict[str, Any]:
        """Change how deliveries go wrong; what is not named stays."""
        self.modes = replace(self.modes, **{key: _mode(key, changes[key]) for key in changes})
        return {
            "lose": self.modes.lose,
            "duplicate": self.modes.duplicate,
            "reorder": self.modes.reorder,
            "delay_s": self.modes.delay_s,
            "spacing_s": self.modes.spacing_s,
        }

    def show(self) -> dict[str, Any]:
        """Show every attempt, and how many events are still on their way."""
        on_their_way = len(self._outbox) + len(self._held) + len(self._tasks)
        return {
            "deliveries": [attempt.document() for attempt in self.log],
            "pending": on_their_way,
        }

    def _with_mishaps(self, posted: Event) -> list[Event]:
        if self.modes.lose > 0:
            self.modes = replace(self.modes, lose=self.modes.lose - 1)
            url = self.registration.url if self.registration is not None else ""
            self.log.append(Attempt(event=posted, url=url, number=0, error="lost"))
            return []
        if self.modes.duplicate > 0:
            self.modes = replace(self.modes, duplicate=self.modes.duplicate - 1)
            return [posted, posted]
        return [posted]

    def _hold(self, held: Event) -> None:
        self._held.append(held)
        if len(self._held) == 1:
            self._begin(self._release())

    async def _release(self) -> None:
        """Let what was held go, the last first, each after the one before has been tried."""
        await asyncio.sleep(_OVERTAKING_S)
        held, self._held = self._held, []
        for one in reversed(held):
            tried = asyncio.Event()
            self._begin(self._deliver(one, tried))
            await tried.wait()

    def _begin(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _deliver(self, sent: Event, tried: asyncio.Event) -> None:
        try:
            if self.modes.delay_s:
                await asyncio.sleep(self.modes.delay_s)
            signature = f"Signature {self._signer().sign(sent.body)}"
            for number in range(1, ATTEMPTS + 1):
                registration = self.registration
                if registration is None:
                    return
                async with self._room:
                    delivered = await self._attempt(sent, signature, registration, number)
                tried.set()
                if delivered:
                    return
                await asyncio.sleep(self.modes.spacing_s * 2 ** (number - 1))
        finally:
            tried.set()

    async def _attempt(
        self, sent: Event, signature: str, registration: Registration, number: int
    ) -> bool:
        attempt = Attempt(event=sent, url=registration.url, number=number)
        self.log.append(attempt)
        if self._client is None:
            self._client = httpx.AsyncClient(timeout=_TIMEOUT_S, trust_env=False)
        headers = {
            "Content-Type": "application/json",
            "x-ms-signature" if registration.in_ms_signature else "Authorization": signature,
            "X-MS-Certificate-Url": f"{self._base_url()}{CERTIFICATE_PATH}",
            "X-MS-Signature-Algorithm": ALGORITHM,
        }
        try:
            answer = await self._client.post(registration.url, content=sent.body, headers=headers)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            attempt.error = f"{type(error).__name__}: {error}"
            return False
        attempt.status = answer.status_code
        return answer.is_success


def _mode(key: str, value: Any) -> Any:
    match key:
        case "reorder":
            good = isinstance(value, bool)
        case "lose" | "duplicate":
            good = isinstance(value, int) and not isinstance(value, bool) and value >= 0
        case "delay_s" | "spacing_s":
            number = isinstance(value, int | Decimal) and not isinstance(value, bool)
            good = number and value >= 0
        case _:
            raise BadControl(f"Deliveries know no {key!r}; they know {', '.join(_MODES)}.")
    if not good:
        raise BadControl(f'"{key}" must be {_MODES[key]}.')
    return float(value) if key.endswith("_s") else value
