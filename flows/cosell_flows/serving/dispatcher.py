"""Bring waiting events to the flows that listen, until each is done or has failed for good."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Literal, Protocol

from cosell_definitions.model import Flow
from cosell_flows.compiling.expressions import evaluate
from cosell_flows.ledger import Clock, Ledger, LedgerError, StoredEvent
from cosell_flows.running.outcomes import RunResult

from .channels import Channel, Listening, batches_of, channels_of

_LOG = logging.getLogger(__name__)
MOST_ATTEMPTS = 10
LEASE_S = 30.0
_LOOK_S = 1.0  # how often to look for what nobody told us of: retries, other processes' events
_FIRST_PAUSE = timedelta(seconds=5)
_LONGEST_PAUSE = timedelta(minutes=10)
_UNTIL_RELEASED = timedelta(minutes=15)  # how often it is seen whether a person released the brake
_AFTER_TROUBLE_S = 5.0
_Key = tuple[tuple[str, str], ...]


class NotNow(Exception):
    """A run could not be begun, through no fault of its events."""


class RunBatch(Protocol):
    """Runs a flow for a batch of events; raises NotNow where it cannot be begun at the moment."""

    async def __call__(
        self, flow: Flow, inputs: Mapping[str, Any], *, key: str, name: str
    ) -> RunResult:
        """Run it to its end."""


@dataclass(frozen=True, slots=True)
class _Failed:
    """Why events could not be worked off, and what becomes of them: tried again, where not said."""

    message: str
    becomes: Literal["tried", "given up", "waiting for a person"] = "tried"


class Dispatcher:
    """Takes events from the inbox, batch by batch, channel by channel."""

    def __init__(
        self,
        ledger: Ledger,
        run: RunBatch,
        *,
        flows: Iterable[Flow],
        env: Mapping[str, Any],
        owner: str,
        clock: Clock,
        lease_s: float = LEASE_S,
        look_s: float = _LOOK_S,
    ) -> None:
        self._ledger = ledger
        self._run = run
        self._flows = tuple(flows)
        self._env = env
        self._owner = owner
        self._now = clock
        self._lease_s = lease_s
        self._look_s = look_s
        self._came = asyncio.Event()
        self._open: dict[_Key, asyncio.Task[None]] = {}
        self._closing: set[asyncio.Task[None]] = set()
        self._busy = 0
        self._stopped = False

    def listens_to(self, name: str) -> bool:
        """Whether any flow, on or off, waits for events of this name."""
        return any(name in trigger.events for flow in self._flows for trigger in flow.triggers)

    def event_came(self) -> None:
        """Somebody stored an event in this process: look now."""
        self._came.set()

    async def run(self, on: Callable[[], Awaitable[frozenset[str]]]) -> None:
        """Dispatch to the flows that are on, until cancelled; then give back what is unfinished."""
        try:
            while True:
                with contextlib.suppress(LedgerError):  # it is asked again in a second
                    self._follow(await on())
                await asyncio.sleep(self._look_s)
        finally:
            tasks = [*self._open.values(), *self._closing]
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    def take_no_more(self) -> None:
        """Begin no new batch; what is under way goes on."""
        self._stopped = True

    @property
    def is_idle(self) -> bool:
        """Whether no batch is under way."""
        return self._busy == 0

    def _follow(self, on: frozenset[str]) -> None:
        """Open and close channels as flows are turned on and off; a batch under way is finished."""
        if self._stopped:
            return
        wanted = {channel.key: channel for channel in channels_of(self._flows, on)}
        for key in [one for one in self._open if one not in wanted]:
            task = self._open.pop(key)
            self._closing.add(task)
            task.add_done_callback(self._closing.discard)
        for key, channel in wanted.items():
            if key not in self._open or self._open[key].done():
                self._open[key] = asyncio.create_task(self._work_off(channel))
        self._came.set()  # a closed channel that waits is to notice

    async def _work_off(self, channel: Channel) -> None:
        while channel.key in self._open and not self._stopped:
            try:
                if not await self._ledger.inbox.waiting(
                    channel.names, connection=channel.connection
                ):
                    await self._next_event()
                    continue
                await self._turn(channel)
            except NotNow as trouble:
                _LOG.warning("events wait, because no run can begin: %s", trouble)
                await asyncio.sleep(_AFTER_TROUBLE_S)
            except LedgerError as error:
                _LOG.warning("events wait: %s", error)
                await asyncio.sleep(_AFTER_TROUBLE_S)

    async def _next_event(self) -> None:
        self._came.clear()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._came.wait(), self._look_s)

    async def _turn(self, channel: Channel) -> None:
        await asyncio.sleep(channel.wait.total_seconds())
        if self._stopped:
            return
        events = await self._ledger.inbox.claim(
            channel.names,
            limit=channel.most,
            owner=self._owner,
            lease_seconds=self._lease_s,
            connection=channel.connection,
        )
        self._busy += 1
        try:
            async with self._kept(events):
                for batch in batches_of(events):
                    await self._settle(channel, batch)
        except BaseException:
            # Stopped, or nothing can run now: as if nobody had touched them. What was settled
            # before is no longer ours, and stays as it is.
            await asyncio.shield(
                self._ledger.inbox.release(_ids(events), owner=self._owner, counts=False)
            )
            raise
        finally:
            self._busy -= 1

    async def _settle(self, channel: Channel, batch: Sequence[StoredEvent]) -> None:
        """Run every flow that listens, and say of each event what became of it."""
        failed: dict[str, _Failed] = {}
        for listening in channel.listening:
            wanted = [event for event in batch if listening.wants(event)]
            if not wanted:
                continue
            failure = await self._deliver(listening, wanted)
            if failure is None:
                if len(channel.listening) > 1:
                    await self._ledger.inbox.handled(_ids(wanted), flow=listening.flow.id)
            else:
                failed |= {event.id: failure for event in wanted}
        done = [event.id for event in batch if event.id not in failed]
        await self._ledger.inbox.finish(done, "done", owner=self._owner)
        for event in batch:
            if event.id in failed:
                await self._try_again_later(event, failed[event.id])

    async def _deliver(self, listening: Listening, events: Sequence[StoredEvent]) -> _Failed | None:
        flow = listening.flow
        try:
            told = _told(events)
            scope = {"events": told, "event": told[0], "env": dict(self._env)}
            inputs = {
                name: evaluate(value, scope) for name, value in listening.trigger.inputs.items()
            }
            several = f"{len(events)} events" if len(events) > 1 else events[0].name
            result = await self._run(
                flow,
                inputs,
                key=_batch_key(flow.id, events),
                name=f"{several} {self._now():%Y-%m-%d %H:%M:%S}",
            )
        except (NotNow, LedgerError):
            raise
        except Exception as error:  # noqa: BLE001 - a faulty flow must not stop the others
            _LOG.error("flow %s could not run for its events: %s", flow.id, error)
            return _Failed(str(error))
        return _judged(result)

    async def _try_again_later(self, event: StoredEvent, failure: _Failed) -> None:
        inbox, ids = self._ledger.inbox, [event.id]
        if failure.becomes == "waiting for a person":
            _LOG.warning("event %s waits: %s", event.id, failure.message)
            await inbox.release(
                ids, not_before=self._now() + _UNTIL_RELEASED, error=failure.message,
                owner=self._owner, counts=False,
            )  # fmt: skip
            return
        if failure.becomes == "given up" or event.attempts >= MOST_ATTEMPTS:
            _LOG.error("event %s failed for good: %s", event.id, failure.message)
            await inbox.finish(ids, "failed", failure.message, owner=self._owner)
            return
        pause = min(_FIRST_PAUSE * 2 ** (event.attempts - 1), _LONGEST_PAUSE)
        await inbox.release(
            ids, not_before=self._now() + pause, error=failure.message, owner=self._owner
        )

    @contextlib.asynccontextmanager
    async def _kept(self, events: Sequence[StoredEvent]) -> AsyncIterator[None]:
        """Keep the events ours while the block runs."""

        async def renew() -> None:
            while True:
                await asyncio.sleep(self._lease_s / 3)
                with contextlib.suppress(LedgerError):  # the next time may be in time
                    await self._ledger.inbox.extend(
                        _ids(events), owner=self._owner, lease_seconds=self._lease_s
                    )

        renewing = asyncio.create_task(renew())
        try:
            yield
        finally:
            renewing.cancel()


def _judged(result: RunResult) -> _Failed | None:
    # Of a partial run, each record that failed has a dead letter and is tried again on its own.
    # A run that waits for a person has taken the events up; they are in its hands now.
    if result.status in ("succeeded", "skipped", "partial", "waiting"):
        return None
    error = result.error or {}
    message = str(error.get("message") or result.status)
    # A person decides: what somebody cancelled is over, and what a brake stopped is not pushed
    # through by us. It lasts until the brake lets it pass, or somebody does.
    if result.status == "cancelled":
        return _Failed(message, "given up")
    return _Failed(message, "waiting for a person" if error.get("code") == "brake" else "tried")


def _batch_key(flow: str, events: Sequence[StoredEvent]) -> str:
    """The same for the same try of the same events, so that a repeated request makes one run."""
    # What waited for a person is tried anew without being counted; it is another claim, though.
    tries = ",".join(f"{event.id}:{event.attempts}:{event.lease_until}" for event in events)
    return hashlib.sha256(f"{flow} {tries}".encode()).hexdigest()


def _told(events: Sequence[StoredEvent]) -> list[dict[str, Any]]:
    return [
        {
            "id": event.id,
            "name": event.name,
            "resource_id": event.resource_id,
            "resource_uri": event.resource_uri,
            "changed_at": event.changed_at,
            "received_at": event.received_at,
        }
        for event in events
    ]


def _ids(events: Iterable[StoredEvent]) -> list[str]:
    return [event.id for event in events]
