"""Tell Prometheus how the sync is doing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from cosell_flows.ledger import Ledger

# https://prometheus.io/docs/instrumenting/exposition_formats/


@dataclass(frozen=True, slots=True, kw_only=True)
class Calls:
    """What a connection knows about a day's calls over there."""

    used: int | None
    limit: int | None
    refused: int


async def metrics_of(ledger: Ledger, calls: Mapping[str, Calls]) -> str:
    """Everything worth a graph or an alarm, as text. *calls*: by connection."""
    events = await ledger.inbox.counts()
    runs = await ledger.runs.counts()
    letters = await ledger.letters.count_open()
    unresolved = len(await ledger.intents.unresolved())
    lines = [
        *_gauge(
            "cosell_events",
            "Webhook events in the inbox, by status.",
            [({"status": status}, count) for status, count in events.items()],
        ),
        *_gauge(
            "cosell_runs",
            "Runs of flows, by flow and status.",
            [({"flow": flow, "status": status}, n) for (flow, status), n in sorted(runs.items())],
        ),
        *_gauge(
            "cosell_letters_open",
            "Records that cannot be brought in step until somebody helps.",
            [({}, letters)],
        ),
        *_gauge(
            "cosell_writes_unresolved",
            "Writes of which nobody knows yet whether they happened.",
            [({}, unresolved)],
        ),
        *_gauge(
            "cosell_calls_used",
            "Calls of the day that the other system counts, by connection.",
            [(_of(name), one.used) for name, one in calls.items() if one.used is not None],
        ),
        *_gauge(
            "cosell_calls_limit",
            "Calls of a day that the other system allows, by connection.",
            [(_of(name), one.limit) for name, one in calls.items() if one.limit is not None],
        ),
        *_gauge(
            "cosell_calls_refused",
            "Calls that were not made, to leave the last ones of the day to people.",
            [(_of(name), one.refused) for name, one in calls.items()],
        ),
    ]
    return "\n".join(lines) + "\n"


def _of(connection: str) -> Mapping[str, str]:
    return {"connection": connection}


def _gauge(name: str, what: str, samples: Iterable[tuple[Mapping[str, str], int]]) -> Iterable[str]:
    yield f"# HELP {name} {what}"
    yield f"# TYPE {name} gauge"
    for labels, value in samples:
        shown = ",".join(f'{key}="{_escaped(text)}"' for key, text in labels.items())
        yield f"{name}{{{shown}}} {value}" if shown else f"{name} {value}"


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
