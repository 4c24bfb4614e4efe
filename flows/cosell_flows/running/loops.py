"""Loops over lists: concurrency, one run at a time per key, what a failed item does, and the counts."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, nullcontext
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from cosell_definitions.model import ForEach

from ..compiling.expressions import evaluate, evaluate_bare
from .outcomes import StepFailed, StepRecord, Stopped
from .scope import Frame
from .world import ITEM, Item

if TYPE_CHECKING:
    from .interpreter import Walk

Lease = Callable[[str], AbstractAsyncContextManager[Any]]
Progress = Callable[[int, int], None]


@dataclass(slots=True, kw_only=True)
class Loops:
    """How a run walks through lists. One for a run and all the flows it calls."""

    lease: Lease | None = None  # holds a key so that two runs never work on one deal at once
    settled: Callable[[Item], Awaitable[None]] | None = None  # told of every outermost item
    failed: Callable[[Item, Any, StepFailed], Awaitable[None]] | None = None
    before: Callable[[Walk, ForEach, Frame, Sequence[Any]], Awaitable[None]] | None = None
    only: frozenset[str] | None = None  # of a plan that is applied: the records it is about
    progress: Progress | None = None  # told how many of how many records are through
    items: list[Item] = field(default_factory=list)
    partial: bool = False

    def records(self) -> list[Item]:
        """The items that stand for records: those of loops with a `key`, or else of every loop."""
        keyed = [item for item in self.items if item.keyed]
        lost = [item for item in self.items if not item.keyed and item.status == "failed"]
        return keyed + lost if keyed else self.items

    async def run(
        self, walk: Walk, loop: ForEach, frame: Frame, record: StepRecord
    ) -> dict[str, Any]:
        """Run the loop's steps for every item; gives counts, results in input order, and errors."""
        items = _list(evaluate_bare(loop.items, frame.scope()))
        walk.saw(record.id, "items" if items else "no items")
        if ITEM.get() is None and self.before is not None:
            await self.before(walk, loop, frame, items)
        turns = _Turns(self, walk, loop, frame, total=len(items))
        record.counts = turns.counts
        await turns.run(items)
        if turns.counts["failed"]:
            self.partial = True
            record.reason = f"{turns.counts['failed']} of {len(items)} failed"
        return {"counts": dict(turns.counts), "results": turns.results, "errors": turns.errors}


class _Turns:
    """The turns of one loop."""

    def __init__(
        self, loops: Loops, walk: Walk, loop: ForEach, frame: Frame, *, total: int
    ) -> None:
        self.loops, self.walk, self.loop, self.frame = loops, walk, loop, frame
        self.outermost = ITEM.get() is None
        self.counts = {"total": total, "succeeded": 0, "skipped": 0, "failed": 0}
        self.results: list[Any] = [None] * total if loop.result is not None else []
        self.errors: list[dict[str, Any]] = []
        self.done = 0

    async def run(self, items: Sequence[Any]) -> None:
        queue = iter(enumerate(items))
        workers = [
            asyncio.ensure_future(self._worker(queue))
            for _ in range(max(1, min(self.loop.concurrency, len(items))))
        ]
        try:
            await asyncio.gather(*workers)
        finally:
            for worker in workers:
                worker.cancel()
            await asyncio.gather(*workers, return_exceptions=True)
        self.errors.sort(key=lambda error: error["index"])

    async def _worker(self, queue: Iterable[tuple[int, Any]]) -> None:
        for index, value in queue:
            await self._turn(index, value)

    async def _turn(self, index: int, value: Any) -> None:
        frame = self.frame.for_item({self.loop.name: value, "index": index, "_in_item": True})
        keyed = self.loop.key is not None
        item = Item(key=label_of(value, index), keyed=keyed) if self.outermost else None
        token = ITEM.set(item) if item else None
        try:
            self._count(item, *await self._held(index, frame, item))
        except Stopped as stopped:
            if stopped.scope == "flow":
                raise
            await self._stopped(index, value, item, stopped)
        except StepFailed as failure:
            await self._failed(index, value, item, failure)
        finally:
            if item is not None:
                self.loops.items.append(item)
                if self.loops.settled is not None:
                    await self.loops.settled(item)
                if self.loops.progress is not None and keyed:
                    self.done += 1
                    self.loops.progress(self.done, self.counts["total"])
            if token is not None:
                ITEM.reset(token)

    async def _held(self, index: int, frame: Frame, item: Item | None) -> tuple[str, str | None]:
        key = None
        if self.loop.key is not None:
            key = str(evaluate(self.loop.key, frame.scope()))
            if item is not None:
                item.key = key
                if self.loops.only is not None and key not in self.loops.only:
                    return "skipped", "not in the plan that is applied"
        lease = self.loops.lease
        async with lease(key) if key is not None and lease is not None else nullcontext():
            await self.walk.steps(self.loop.steps, frame)
        if self.loop.result is not None:
            self.results[index] = evaluate(self.loop.result, frame.scope())
        return "succeeded", None

    async def _stopped(self, index: int, value: Any, item: Item | None, stopped: Stopped) -> None:
        if stopped.status == "failed":
            await self._failed(index, value, item, stopped.as_failure())
        else:
            self._count(item, stopped.status, stopped.reason)

    async def _failed(self, index: int, value: Any, item: Item | None, failure: StepFailed) -> None:
        self._count(item, "failed", failure.message)
        if self.loop.on_item_error == "fail":
            raise failure
        self.errors.append({"index": index, "error": failure.as_json()})
        if item is not None and self.loops.failed is not None:
            await self.loops.failed(item, value, failure)

    def _count(self, item: Item | None, status: str, reason: str | None) -> None:
        self.counts[status] += 1
        if item is not None:
            item.status = item.outcome() if status == "succeeded" else status
            item.reason = reason


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
