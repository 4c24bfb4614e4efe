"""Go on in a long list where a run before this one had to stop.

Theory of operation. After every portion, a loop keeps where it is, and what came of it so far.
Rule 1: only the next run of the same flow, walking through the same lists, goes on there, and only
where the run before is over. Rule 2: what changed since that run began is for the run after this
one, so no cursor goes beyond that moment. Rule 3: a place where nobody gets any further is left
after some tries, and the list begun anew.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from cosell_definitions.model import Flow

from ..ledger import Bookmark, Ledger, is_gone
from .digesting import digest
from .portions import Mark, Portions

_OLDEST = timedelta(days=1)  # Salesforce forgets the rest of a query after two days
_SILENCE = timedelta(seconds=60)  # of a run whose process cannot be asked
_TRIES = 3


@dataclass(slots=True, kw_only=True)
class Bookmarks:
    """The bookmarks of one run. One that writes nothing reads those of others."""

    ledger: Ledger
    flow: Flow
    run_id: str
    at: datetime  # when the run began
    writing: bool
    horizon: datetime | None = None  # beyond this moment, the list was not looked at
    _mine: dict[str, dict[str, Any]] = field(default_factory=dict)  # step → what never changes

    async def open(self, step: str, portions: Portions) -> Mapping[str, Any] | None:
        """What a run before left of this loop, or None; the loop is to begin at its `mark`."""
        key, asked = f"{self.flow.id}/{step}", digest([self.flow.content_hash, portions.asked])
        found = await self.ledger.bookmarks.find(key)
        if found is not None and await self._is_alive(found):
            return None  # somebody is at it: this run begins at the beginning, and keeps nothing
        before = found.state if found is not None and self._fits(found, asked) else None
        fixed = {
            "began": before["began"] if before else self.at,
            "tries": before["tries"] + 1 if before else 0,
        }
        if self.writing:
            mine = await self.ledger.bookmarks.take(
                key,
                run_id=self.run_id,
                asked=asked,
                state={**(before or {}), **fixed},
                before=found.run_id if found is not None else None,
            )
            if not mine:
                return None
            self._mine[step] = fixed
        if before is None or "mark" not in before:
            return None
        self.horizon = min(before["began"], self.horizon or before["began"])
        portions.start = Mark.from_json(before["mark"])
        return before  # type: ignore[no-any-return]

    async def keep(self, step: str, mark: Mark, state: Mapping[str, Any]) -> None:
        """The loop has come as far as *mark*."""
        if step not in self._mine:
            return
        self._mine[step]["tries"] = 0
        kept = {**self._mine[step], "mark": mark.as_json(), **state}
        await self.ledger.bookmarks.keep(f"{self.flow.id}/{step}", run_id=self.run_id, state=kept)

    async def close(self) -> None:
        """The run is through."""
        if self._mine:
            await self.ledger.bookmarks.forget(run_id=self.run_id)

    def _fits(self, found: Bookmark, asked: str) -> bool:
        is_fresh = found.state["began"] > self.at - _OLDEST
        return found.asked == asked and is_fresh and found.state["tries"] < _TRIES

    async def _is_alive(self, found: Bookmark) -> bool:
        if found.run_id == self.run_id:
            return False
        run = await self.ledger.runs.get(found.run_id)
        if run is None or run.status != "running" or is_gone(run.owner):
            return False
        return run.beat_at > self.at - _SILENCE
