"""What the ledger remembers, as the JSON documents of the commands show it. Pure."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ..ledger import Change, Letter, Link, StoredEvent


def link_json(link: Link) -> dict[str, Any]:
    """A link as `records --json` prints it."""
    return {
        "mapping": link.mapping,
        "record": {"opportunity_id": link.right_id, "referral_id": link.left_id},
        "state": link.state,
        "created_at": link.created_at,
        "updated_at": link.updated_at,
    }


def letter_json(letter: Letter) -> dict[str, Any]:
    """A letter as `letters --json` prints it."""
    return {
        "id": letter.id,
        "status": letter.status,
        "class": letter.error_class,
        "record": {
            "opportunity_id": letter.opportunity_id,
            "referral_id": letter.referral_id,
        },
        "flow": letter.flow,
        "message": letter.message,
        "hint": letter.hint,
        "first_at": letter.first_at,
        "last_at": letter.last_at,
        "attempts": letter.attempts,
        "place": letter.place,
        "retry_asked": letter.retry_asked,
    }


def event_json(event: StoredEvent) -> dict[str, Any]:
    """An event as `events --json` prints it."""
    return {
        "id": event.id,
        "name": event.name,
        "resource_id": event.resource_id,
        "received_at": event.received_at,
        "status": event.status,
        "attempts": event.attempts,
        "error": event.error,
    }


def change_json(change: Change) -> dict[str, Any]:
    """A change as `records --json` prints it."""
    return {
        "at": change.at,
        "run_id": change.run_id,
        "flow": change.flow,
        "flow_version": change.flow_hash or None,
        "system": change.system,
        "object": change.object,
        "id": change.record_id,
        "operation": change.operation,
        "field": change.field,
        "old": change.old,
        "new": change.new,
        "loses": change.loses,
        "own": change.own,
        "rule": {"file": change.rule_file, "line": change.rule_line} if change.rule_file else None,
    }


def when(moment: datetime | None) -> str:
    """A moment to the minute, UTC."""
    return moment.strftime("%Y-%m-%d %H:%M") if moment is not None else ""
