"""The trail a seller reads: a line per sync, and the mark in front of the name. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from .speaking import ENGLISH, words

Say = Callable[[str], str]
GOOD = "✔ "
BAD = "✘ "
# Older packages of the connector wrote ✓ and ✖; a variation selector may follow any of them.
_MARK = re.compile("^(?:[✔✓✘✖✗]\ufe0f?\\s*)+")
_STAMP = "%Y-%m-%d %H:%M"


def unmarked(name: str | None) -> str:
    """*name* without our mark: it is never sent, compared or read back."""
    return _MARK.sub("", name or "")


def marked(name: str | None, mark: str, *, limit: int = 120) -> str:
    """*name* with *mark* in front; a name too long to carry it stays without."""
    bare = unmarked(name)
    return bare if len(bare) + len(mark) > limit else f"{mark}{bare}"


def with_line(trail: str | None, message: str, *, at: datetime, limit: int) -> str:
    """*trail* with a line for *message* on top, cut at *limit* characters, whole lines only."""
    line = f"{at.astimezone(UTC).strftime(_STAMP)} - {' '.join(message.split())}"
    lines = [line, *(trail or "").replace("\r\n", "\n").split("\n")]
    kept: list[str] = []
    size = -1
    for text in lines:
        if not text.strip():
            continue
        size += len(text) + 1
        if size > limit and kept:
            break
        kept.append(text if len(text) <= limit else f"{text[: limit - 1].rstrip()}…")
    return "\n".join(kept)


def last_message(trail: str | None) -> str | None:
    """What the newest line of *trail* says, without its moment."""
    first = (trail or "").replace("\r\n", "\n").split("\n", 1)[0]
    _, dash, message = first.partition(" - ")
    return message if dash else None


def told(
    sent: Sequence[tuple[str, Any, Any]],
    received: Sequence[tuple[str, Any, Any]],
    notes: Iterable[str],
    *,
    language: str = ENGLISH,
) -> str:
    """One sentence for a seller: (label, old, new) of what was sent and received, and the notes."""
    say = words(language).say
    parts = [f"{say(note.rstrip('.'))}." for note in notes]
    if sent:
        parts.append(say("Sent to Partner Center: {changes}.").format(changes=_changes(sent, say)))
    if received:
        told = _changes(received, say)
        parts.append(say("Received from Partner Center: {changes}.").format(changes=told))
    return " ".join(parts) or say("In step with Partner Center.")


def _changes(changes: Sequence[tuple[str, Any, Any]], say: Say) -> str:
    return "; ".join(
        f"{say(label)} {_shown(new, say)}" if old in (None, "", [], False) else
        f"{say(label)} {_shown(old, say)} → {_shown(new, say)}"
        for label, old, new in changes
    )  # fmt: skip


def _shown(value: Any, say: Say) -> str:
    if value in (None, ""):
        return say("(empty)")
    if isinstance(value, bool):
        return say("yes") if value else say("no")
    if isinstance(value, Decimal):
        return format(value.normalize(), "f")
    if isinstance(value, (list, tuple)):
        return "/".join(_shown(item, say) for item in value)
    text = value.isoformat() if isinstance(value, date) else " ".join(str(value).split())
    longest = 60
    return text if len(text) <= longest else f"{text[: longest - 1]}…"
