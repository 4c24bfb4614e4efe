"""Count the records a run worked on, and remember those there is something to say about."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from ..syncing.writes import Write
from .outcomes import COUNTED
from .sightings import Seen

MOST_QUIET = 1_000  # records that nothing happened to and that are remembered all the same


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """A record that was worked on, and what came of it."""

    key: str
    keyed: bool
    status: str
    reason: str | None = None
    kinds: frozenset[str] = frozenset()
    writes: tuple[Write, ...] = ()
    seen: Seen = field(default_factory=dict)  # of a plan: the records it was made from

    def as_json(self, told: Mapping[int, dict[str, Any]]) -> dict[str, Any]:
        """The record for reports; *told*: the writes of the run as it tells them, by identity."""
        return {
            "key": self.key,
            "status": self.status,
            "reason": self.reason,
            "writes": [told.get(id(write)) or write.as_json() for write in self.writes],
        }


@dataclass(slots=True)
class Tally:
    """The records of a run. Of a hundred thousand that were left alone, only the number is kept."""

    told: list[Done] = field(default_factory=list)
    quiet: Counter[tuple[bool, str]] = field(default_factory=Counter)  # (keyed, status) → how many
    most_quiet: int | None = MOST_QUIET  # None: every record is remembered
    _quiet_told: int = 0

    def add(self, done: Done) -> None:
        """Take note of a record."""
        if not done.kinds and done.status not in ("failed", "skipped"):
            if self.most_quiet is not None and self._quiet_told >= self.most_quiet:
                self.quiet[done.keyed, done.status] += 1
                return
            self._quiet_told += 1
        self.told.append(done)

    def records(self) -> Iterator[Done]:
        """The items that stand for records: those of loops with a `key`, or else of every loop."""
        keyed = self._are_keyed()
        return (one for one in self.told if not keyed or one.keyed or one.status == "failed")

    def counts(self) -> dict[str, int]:
        """How many records, and what became of them."""
        counts = dict.fromkeys(COUNTED, 0)
        keyed = self._are_keyed()
        numbers = Counter(one.status for one in self.records())
        for (has_key, status), number in self.quiet.items():
            if has_key or not keyed:
                numbers[status] += number
        for status, number in numbers.items():
            counts["read"] += number
            counts[status if status in counts else "unchanged"] += number
        return counts

    def _are_keyed(self) -> bool:
        return any(one.keyed for one in self.told) or any(keyed for keyed, _ in self.quiet)
