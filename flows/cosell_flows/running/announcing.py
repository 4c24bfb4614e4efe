"""Name a write that must happen once, so that every run gives it the same name. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cosell_connectors.recovering import Question

from ..syncing.records import flatten
from ..syncing.writes import Write
from .digesting import digest
from .outcomes import StepFailed


def intent_key(write: Write, asked: Question) -> str:
    """The same for the same write, whichever run is about to send it."""
    chosen = [asked.rule.operation, sorted(_chosen(write.arguments, asked))]
    return f"{write.system}.{write.operation}:{digest(chosen)}"


def _chosen(arguments: Mapping[str, Any], asked: Question) -> list[str]:
    # Where it is looked for counts too: every engagement has a referral for `msft`.
    flat = flatten(arguments)
    return [
        f"{pointer}={flat.get(pointer.strip('/').replace('/', '.'))}"
        for pointer in (*asked.rule.arguments.values(), *asked.rule.match.values())
    ]


def unknown(write: Write) -> StepFailed:
    """The failure of a write of which nobody can tell whether it happened."""
    return StepFailed(
        "unavailable",
        f"{write.system}.{write.operation} was sent, and its answer was lost",
        hint="look on the other side whether it happened before it is tried again",
        final=True,
    )


def was_there(reply: Any) -> bool:
    """Whether an upsert says that it found the record: another run made it."""
    return isinstance(reply, Mapping) and reply.get("created") is False
