"""One thing that must be right for the sync to work, and what was found of it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal

Status = Literal["ok", "warning", "failed", "unreachable", "skipped"]
"""ok; warning: it works, and something is odd; failed: it does not work; unreachable: it could not
be asked; skipped: what it needs failed before."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """What was looked at, how it stands, and what to do."""

    id: str
    status: Status
    message: str
    hint: str | None = None

    def as_json(self) -> dict[str, Any]:
        """The check as `doctor --json` prints it."""
        return {
            "id": self.id,
            "status": self.status,
            "message": self.message,
            "hint": self.hint,
        }


def ok(name: str, message: str) -> Check:
    """It is right."""
    return Check(id=name, status="ok", message=message)


def warning(name: str, message: str, hint: str | None = None) -> Check:
    """It works, but something is odd."""
    return Check(id=name, status="warning", message=message, hint=hint)


def failed(name: str, message: str, hint: str | None = None) -> Check:
    """It is not right."""
    return Check(id=name, status="failed", message=message, hint=hint)


def skipped(name: str, because: str) -> Check:
    """It could not be looked at, because something before it failed."""
    return Check(id=name, status="skipped", message=f"not looked at: {because}")


def listed(names: Iterable[str], *, most: int = 5) -> str:
    """A few names, and how many more there are."""
    known = list(names)
    rest = f" and {len(known) - most} more" if len(known) > most else ""
    return ", ".join(known[:most]) + rest
