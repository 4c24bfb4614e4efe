"""Loops over lists: concurrency, one run at a time per key, what a failed item does, and the counts.

Theory of operation. The items of the outermost loop are the records a run is about. Rule 1: where
that loop has no `key` and one inside of it has, its items are portions of a list, and the records
are those of the inner one. Rule 2: a record that another portion had already is passed by. Rule 3:
a list that comes page by page is walked through page by page: what was kept for a portion is let
go of behind it, and the place is kept in the ledger.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, aclosing, nullcontext
from contextvars import ContextVar
from dataclasses import dataclass, field
from functools import partial
from itertools import islice
from typing import TYPE_CHECKING, Any

from cosell_definitions.model import ForEach, Value

from ..compiling.expressions import ExpressionFailed, evaluate
from .bookmarks import Bookmarks
from .holding import Coming
from .items import ITEM, TURN, Item, Turn
from .lasting import ended, withdraw
from .nesting import leads_to_records
from .outcomes import StepFailed, StepRecord, Stopped, Waiting
from .portions import Items, Portions, items_of
from .scope import Frame, Told
from .tallying import Done, Tally
from .twins import ALONE, Alone

if TYPE_CHECKING:
    from .interpreter import Walk

Hold = Callable[[str, Coming | None], AbstractAsyncContextManager[Any]]
Progress = Callable[[int, int], None]
HELD: ContextVar[frozenset[str]] = ContextVar("held", default=frozenset())
"""The keys that the work around holds: a loop inside of it need not wait for itself."""
PORTION: ContextVar[dict[str, set[str]] | None] = ContextVar("portion", default=None)
"""Within a portion of a list: the keys that each loop had by now, in all portions."""
_AGAIN = "again"  # of a record that an earlier portion had


@dataclass(slots=True, kw_only=True)
class Loops:
    """How a run walks through lists. One for a run and all the flows it calls."""

    hold: Hold | None = None  # holds a key so that two runs never work on one deal at once
    held: Callable[[Item], None] | None = None  # told of an item that is ours alone now
    settled: Callable[[Item], Awaitable[None]] | None = None  # told of every outermost item
    failed: Callable[[Item, Any, StepFailed], Awaitable[None]] | None = None
    before: Callable[[Walk, ForEach, Frame, Items], Awaitable[None]] | None = None
    behind: Callable[[], Callable[[], None]] | None = None  # lets go of what a portion had at hand
    bookmarks: Bookmarks | None = None
    only: frozenset[str] | None = None  # of a plan that is applied: the records it is about
    progress: Progress | None = None  # told how many of how many records are through
    tally: Tally = field(default_factory=Tally)
    partial: bool = False

    async def run(
        self,
        walk: Walk,
        step: str,
        loop: ForEach,
        frame: Frame,
        record: StepRecord,
        *,
        items: Items | None = None,
    ) -> dict[str, Any]:
        """Run the loop's steps for every item; gives counts, results in input order, and errors."""
        keeps = walk.effects.keeps
        mark = frame.told.mark(step) if keeps else {}
        items = items if items is not None else mark.get("items")
        if items is None:
            found = items_of(loop.items, frame.scope())
            items = found if isinstance(found, Portions) else _list(found)
        if keeps:
            mark["items"] = items
        walk.saw(step, "items" if items else "no items")
        turns = _Turns(self, walk, step, loop, frame, mark)
        if turns.is_first:
            await turns.take_up(items)
            if self.before is not None:
                await self.before(walk, loop, frame, items)
        record.counts = turns.counts
        await turns.run(items)
        if turns.counts["failed"]:
            self.partial = True
            record.reason = f"{turns.counts['failed']} of {turns.counts['total']} failed"
        return {"counts": dict(turns.counts), "results": turns.results, "errors": turns.errors}

    @contextlib.asynccontextmanager
    async def holding(self, key: str, coming: Coming | None = None) -> AsyncIterator[None]:
        """Work on what *key* names, and nobody else meanwhile; a record, where others are *coming*."""
        held = HELD.get()
        free = self.hold is None or key in held
        async with nullcontext() if free or self.hold is None else self.hold(key, coming):
            token = HELD.set(held | {key})
            try:
                yield
            finally:
                HELD.reset(token)

    @contextlib.asynccontextmanager
    async def alone(self, key: Value, frame: Frame) -> AsyncIterator[None]:
        """A scope: where it has a key, what is looked for and made in it is one at a time."""
        if key is None:
            yield
            return
        name = str(evaluate(key, frame.scope()))
        async with self.holding(name):
            token = ALONE.set(Alone(name))
            try:
                yield
            finally:
                ALONE.reset(token)


class _Turns:
    """The turns of one loop."""

    def __init__(
        self,
        loops: Loops,
        walk: Walk,
        step: str,
        loop: ForEach,
        frame: Frame,
        mark: dict[str, Any],
    ) -> None:
        self.loops, self.walk, self.step, self.loop = loops, walk, step, loop
        self.place, self.frame = frame, frame.around()
        self.keeps = walk.effects.keeps
        self.over: dict[str, Any] = mark.setdefault("turns", {}) if self.keeps else {}
        self.is_first = ITEM.get() is None and PORTION.get() is None
        self.in_portions = self.is_first and leads_to_records(loop)
        self.of_records = ITEM.get() is None and not self.in_portions
        self.counts = {"total": 0, "succeeded": 0, "skipped": 0, "failed": 0}
        self.results: list[Any] = []
        self.errors: list[dict[str, Any]] = []
        self.waiting: Waiting | None = None
        self.bookmarks: Bookmarks | None = None
        self.done = 0
        self.queue: deque[tuple[int, Any]] = deque()
        self.keys: dict[int, str] = {}  # of items that are in the queue, where it was asked

    async def take_up(self, items: Items) -> None:
        """Go on where a run before this one left the list, if one did."""
        bookmarks = self.loops.bookmarks
        if bookmarks is None or self.walk.depth or not isinstance(items, Portions):
            return
        self.bookmarks = bookmarks
        kept = await bookmarks.open(self.step, items)
        if kept is not None:
            self.counts.update(kept["counts"])
            self.errors = list(kept["errors"])
            self.results = list(kept["results"] or [None] * self.counts["total"])

    async def run(self, items: Items) -> None:
        """Take every item its turn."""
        token = PORTION.set({}) if self.in_portions else None
        try:
            if isinstance(items, Portions):
                await self._page_by_page(items)
            else:
                await self._all(items)
        finally:
            if token is not None:
                PORTION.reset(token)
        self.errors.sort(key=lambda error: error["index"])
        if self.waiting is not None:
            raise self.waiting

    async def _page_by_page(self, items: Portions) -> None:
        let_go = self.loops.behind() if self.is_first and self.loops.behind else None
        async with aclosing(items.chunks(self.loop.concurrency)) as chunks:
            async for chunk, mark in chunks:
                await self._all(chunk)
                if let_go is not None:
                    let_go()
                if self.bookmarks is not None:
                    await self.bookmarks.keep(self.step, mark, self._so_far())

    def _so_far(self) -> dict[str, Any]:
        results = self.results if self.loop.result is not None else None
        return {"counts": self.counts, "results": results, "errors": self.errors}

    async def _all(self, items: Sequence[Any]) -> None:
        first = len(self.results)
        self.counts["total"] += len(items)
        self.results += [None] * len(items)
        self.queue = deque(enumerate(items, first))
        workers = [
            asyncio.ensure_future(self._worker())
            for _ in range(min(self.loop.concurrency, len(items)))
        ]
        try:
            await asyncio.gather(*workers)
        except BaseException:
            await ended(workers)
            left = [partial(self._turn, index, items[index - first]) for index in self._open()]
            await withdraw(left)
            raise

    def _open(self) -> list[int]:
        """The items that wait, or were begun in an earlier life of the run, and are not over."""
        return [int(index) for index in self.place.told.inner.get(self.step, {})]

    async def _worker(self) -> None:
        while self.queue:
            index, value = self.queue.popleft()
            known = self.over.get(str(index)) if self.over else None
            if known is not None:  # it was over before the run had to wait
                self._recall(index, known)
            else:
                await self._turn(index, value)

    async def _turn(self, index: int, value: Any) -> None:
        frame = self._frame(index, value)
        item = None
        if self.of_records:
            item = Item(key=label_of(value, index), keyed=self.loop.key is not None)
        tokens = ITEM.set(item) if item else None, TURN.set(Turn())
        try:
            status, reason = await self._held(index, frame, item)
            if status == _AGAIN:
                self.counts["total"] -= 1
                item = None
            else:
                self._over(index, item, status, reason)
        except Waiting as waiting:
            self.waiting, item = waiting, None
        except Stopped as stopped:
            if stopped.scope == "flow":
                raise
            await self._stopped(index, value, item, stopped)
        except StepFailed as failure:
            await self._failed(index, value, item, failure)
        finally:
            if item is not None:
                await self._settle(item)
            TURN.reset(tokens[1])
            if tokens[0] is not None:
                ITEM.reset(tokens[0])

    def _frame(self, index: int, value: Any) -> Frame:
        names = {self.loop.name: value, "index": index}
        told, path = Told(), ""
        if self.keeps:
            told = self.place.told.place(self.step, str(index))
            path = f"{self.place.path}{self.step}[{index}]/"
        return self.frame.for_item(names, told, path)

    async def _settle(self, item: Item) -> None:
        cut_short = item.status == "running"
        if cut_short:
            item.status, item.reason = item.outcome() if item.kinds else "skipped", "cancelled"
        self.loops.tally.add(
            Done(
                key=item.key,
                keyed=item.keyed,
                status=item.status,
                reason=item.reason,
                kinds=frozenset(item.kinds),
                writes=tuple(item.writes),
                seen=item.seen,
            )
        )
        if self.loops.settled is not None and not cut_short:
            await self.loops.settled(item)
        if self.loops.progress is not None and item.keyed:
            self.done += 1
            self.loops.progress(self.done, self.counts["total"])

    async def _held(self, index: int, frame: Frame, item: Item | None) -> tuple[str, str | None]:
        if self.loop.key is None:
            await self._do(index, frame)
            return "succeeded", None
        key = self.keys.pop(index, None) or self._key(self.loop.key, frame)
        if item is not None:
            item.key = key
            if self._had(key):
                return _AGAIN, None
            if self.loops.only is not None and key not in self.loops.only:
                return "skipped", "not in the plan that is applied"
        async with self.loops.holding(key, self._coming if self.of_records else None):
            if item is not None and self.loops.held is not None:
                self.loops.held(item)
            await self._do(index, frame)
        return "succeeded", None

    def _key(self, key: Value, frame: Frame) -> str:
        return str(evaluate(key, frame.scope()))

    def _coming(self, most: int) -> list[str]:
        """The keys of the records that are next; a run that may be put aside does not look."""
        if self.loop.key is None or self.keeps:
            return []
        portions, only = PORTION.get() or {}, self.loops.only
        had = portions.get(self.step, set())
        coming: dict[str, None] = {}
        try:
            for index, value in islice(self.queue, most):
                if index not in self.keys:
                    self.keys[index] = self._key(self.loop.key, self._frame(index, value))
                key = self.keys[index]
                if key not in had and (only is None or key in only):
                    coming[key] = None
        except ExpressionFailed:
            pass  # it is told when that record has its turn
        return list(coming)

    def _had(self, key: str) -> bool:
        """Whether an earlier portion had the record; from now on, one has."""
        portions = PORTION.get()
        if portions is None:
            return False
        known = portions.setdefault(self.step, set())
        had = key in known
        known.add(key)
        return had

    async def _do(self, index: int, frame: Frame) -> None:
        await self.walk.steps(self.loop.steps, frame)
        if self.loop.result is not None:
            self.results[index] = evaluate(self.loop.result, frame.scope())

    async def _stopped(self, index: int, value: Any, item: Item | None, stopped: Stopped) -> None:
        if stopped.status == "failed":
            await self._failed(index, value, item, stopped.as_failure())
        else:
            self._over(index, item, stopped.status, stopped.reason)

    async def _failed(self, index: int, value: Any, item: Item | None, failure: StepFailed) -> None:
        self._over(index, item, "failed", failure.message)
        if self.loop.on_item_error == "fail":
            raise failure
        self.errors.append({"index": index, "error": failure.as_json()})
        if self.keeps:
            self.over[str(index)]["error"] = self.errors[-1]["error"]
        if item is not None and self.loops.failed is not None:
            await self.loops.failed(item, value, failure)

    def _over(self, index: int, item: Item | None, status: str, reason: str | None) -> None:
        self.counts[status] += 1
        if self.keeps:
            self.over[str(index)] = {"status": status, "result": self.results[index]}
            self.place.told.inner.get(self.step, {}).pop(str(index), None)
        if item is not None:
            item.status = item.outcome() if status == "succeeded" else status
            item.reason = reason

    def _recall(self, index: int, known: Mapping[str, Any]) -> None:
        self.counts[known["status"]] += 1
        self.results[index] = known["result"]
        if "error" in known:
            self.errors.append({"index": index, "error": known["error"]})


def label_of(value: Any, index: int) -> str:
    """A name for an item in reports: its id where it has one."""
    if isinstance(value, str):
        return value
    if isinstance(value, Mapping):
        for name in ("Id", "id", "key", "name"):
            if value.get(name):
                return str(value[name])
    return f"#{index + 1}"


def _list(value: Any) -> Sequence[Any]:
    if isinstance(value, (list, tuple)):
        return value
    if isinstance(value, (Mapping, str, bytes)) or not isinstance(value, Iterable):
        raise StepFailed("invalid", f"`foreach` needs a list, and got {type(value).__name__}")
    return list(value)
