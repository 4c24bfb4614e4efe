"""Which events go to which flows, and how many at a time. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta

from cosell_definitions.model import Flow, Trigger
from cosell_flows.ledger import StoredEvent

_ALONE_AFTER = 3  # tries in company before an event has to show what it does by itself


@dataclass(frozen=True, slots=True)
class Listening:
    """One flow that listens to events by one of its triggers."""

    flow: Flow
    trigger: Trigger

    def wants(self, event: StoredEvent) -> bool:
        """Whether this event is for this flow, and the flow is not through with it."""
        return event.name in self.trigger.events and self.flow.id not in event.handled


@dataclass(frozen=True, slots=True)
class Channel:
    """Flows that share events, and so take them together."""

    connection: str
    listening: tuple[Listening, ...]

    @property
    def key(self) -> tuple[tuple[str, str], ...]:
        """What tells this channel from others."""
        return tuple((one.flow.id, one.trigger.id) for one in self.listening)

    @property
    def names(self) -> frozenset[str]:
        """The events that come this way."""
        return frozenset(name for one in self.listening for name in one.trigger.events)

    @property
    def most(self) -> int:
        """How many events are taken at a time: what the choosiest flow allows."""
        return max(1, min(one.trigger.batch_max for one in self.listening))

    @property
    def wait(self) -> timedelta:
        """How long the first event waits for company."""
        return min(one.trigger.batch_wait for one in self.listening)


def channels_of(flows: Iterable[Flow], on: frozenset[str]) -> tuple[Channel, ...]:
    """The channels of the flows that are on."""
    found: list[Channel] = []
    for flow in flows:
        for trigger in flow.triggers if flow.id in on else ():
            if trigger.type != "webhook" or trigger.connection is None:
                continue
            new = Channel(trigger.connection, (Listening(flow, trigger),))
            shares = [
                one for one in found if one.connection == new.connection and one.names & new.names
            ]
            joined = tuple(listening for one in shares for listening in one.listening)
            found = [one for one in found if one not in shares]
            found.append(Channel(new.connection, joined + new.listening))
    return tuple(found)


def batches_of(events: Iterable[StoredEvent]) -> list[list[StoredEvent]]:
    """Events to be run together; one that failed often in company goes alone."""
    together: list[StoredEvent] = []
    alone: list[list[StoredEvent]] = []
    for event in events:
        if event.attempts > _ALONE_AFTER:
            alone.append([event])
        else:
            together.append(event)
    return ([together] if together else []) + alone
