"""What a loop is working on: a record of the run, and one turn at any depth."""

from __future__ import annotations

from contextvars import ContextVar
from dataclasses import dataclass, field

from ..syncing.writes import Write
from .sightings import Seen


@dataclass(slots=True, kw_only=True)
class Item:
    """A record that a loop is working on."""

    key: str
    keyed: bool = False  # of a loop with `key`: its items are the records a run is about
    kinds: set[str] = field(default_factory=set)
    intents: list[str] = field(default_factory=list)
    writes: list[Write] = field(default_factory=list)
    seen: Seen = field(default_factory=dict)  # of a plan: the records it was made from
    sought: set[str] = field(default_factory=set)  # look-ups that found nothing
    deal: tuple[str | None, str | None] = (None, None)  # of a pair that was planned: both its ids
    letters: int = 0
    wrote: bool = False  # from its first write on, no answer of a rehearsal is believed
    shared: bool = False  # another run was at it since ours began: nothing read ahead is believed
    status: str = "running"
    reason: str | None = None

    def outcome(self) -> str:
        """Which count this record belongs to, if nothing went wrong."""
        if "create" in self.kinds:
            return "created"
        return "updated" if self.kinds else "unchanged"


DONE = frozenset({"created", "updated", "unchanged"})  # skipped is not: nothing was looked at
ITEM: ContextVar[Item | None] = ContextVar("item", default=None)


@dataclass(slots=True)
class Turn:
    """One turn of a loop at any depth, or a whole run: what is counted within it and no further."""

    failures: dict[str, int] | None = None  # of `debug.fail` steps, by place

    def failed_before(self, place: str) -> int:
        """How often this was called for *place* before."""
        if self.failures is None:
            self.failures = {}
        count = self.failures.get(place, 0)
        self.failures[place] = count + 1
        return count


TURN: ContextVar[Turn | None] = ContextVar("turn", default=None)
