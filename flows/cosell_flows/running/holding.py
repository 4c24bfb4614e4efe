"""Hold deals so that two runs never work on one at once: a handful is taken at a time, and read.

Theory of operation. A run comes by many deals that turn out to be in step, and for those every word
to the ledger counts. So whoever needs a deal takes the next ones with it, in one statement. Rule 1:
what the ledger knows of a deal is read after the deal was taken. Rule 2: who has to wait for a deal
holds none in advance, so no two runs wait for each other. Rule 3: a deal that was taken in advance
and not come to by the next renewal is given back. Rule 4: deals that are done with are given back
together, a moment later.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import (
    AsyncIterator,
    Callable,
    Iterable,
    Iterator,
    Mapping,
    Sequence,
)
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from ..ledger import Books, LeaseLost, Leases, LedgerError, LedgerUnreachable, new_token
from .outcomes import of_ledger

logger = logging.getLogger(__name__)

HANDFUL = 16  # deals that are taken at a time; a run that dies keeps others from so many
GLANCE = 100  # deals that a plan looks up at a time
_MOMENT_S = 0.05

Coming = Callable[[int], Sequence[str]]
"""The keys of so many deals, at most, that will be needed next."""


@dataclass(slots=True)
class _Held:
    """A deal that is worked on: its lease, and the work that ends where the lease is lost."""

    token: str
    block: asyncio.Task[Any]
    lost: bool = False


@dataclass(slots=True, kw_only=True)
class Holding:
    """The deals that one run holds."""

    leases: Leases
    owner: str
    books: Books  # what the ledger knows of them
    ttl: timedelta = timedelta(seconds=15)  # how long a run that died keeps others from its deals
    wait: timedelta = timedelta(minutes=5)
    _now: dict[str, _Held] = field(default_factory=dict)
    _ahead: dict[str, str] = field(default_factory=dict)  # taken in advance: key → token
    _stale: dict[str, str] = field(default_factory=dict)  # of those, the ones of before
    _done: dict[str, str] = field(default_factory=dict)  # to be given back
    _sure_until: dict[str, float] = field(default_factory=dict)  # by token
    _waiting: int = 0
    _turn: asyncio.Lock = field(default_factory=asyncio.Lock)
    _keeper: asyncio.Task[None] | None = None
    _timer: asyncio.TimerHandle | None = None
    _giving: set[asyncio.Task[None]] = field(default_factory=set)

    @contextlib.asynccontextmanager
    async def deal(self, key: str, coming: Coming | None) -> AsyncIterator[None]:
        """Hold the deal *key* while the block runs, and maybe take those that are *coming*.

        Where that is None, *key* is something else that is one at a time, and nothing is read. Where
        the lease is lost, the block is cancelled; that, and a ledger that is out of reach, is a
        failure in the words of a run.
        """
        try:
            token = await self._take(key, coming)
            try:
                async with self._worked_on(key, token):
                    yield
            finally:
                self.books.close(key)
                self._give_back({key: token})
        except LedgerError as error:
            raise of_ledger(error) from error

    @contextlib.asynccontextmanager
    async def _worked_on(self, key: str, token: str) -> AsyncIterator[None]:
        block = asyncio.current_task()
        assert block is not None
        held, cancels = _Held(token, block), block.cancelling()
        self._now[key] = held
        try:
            yield
        except asyncio.CancelledError:
            # Ours, not the caller's: somebody else took over.
            if held.lost and block.uncancel() <= cancels:
                raise LeaseLost(key=_named(key)) from None
            raise
        finally:
            if self._now.get(key) is held:
                del self._now[key]

    # -- taking

    async def _take(self, key: str, coming: Coming | None) -> str:
        if self._keeper is None:
            self._keeper = asyncio.create_task(self._keep())
            self._keeper.add_done_callback(self._not_kept)
        if coming is None:
            token = new_token()
            taken = await self._take_now([key], token, reads=False)
            return token if taken else await self._wait_for(key, reads=False)
        async with self._turn:
            if key in self._ahead:
                return self._ahead.pop(key)
            token = new_token()
            taken = await self._take_now([key, *self._wanted(coming)], token, reads=True)
            self._ahead |= dict.fromkeys(taken, token)
            if key in self._ahead:
                return self._ahead.pop(key)
        return await self._wait_for(key, reads=True)

    def _wanted(self, coming: Coming) -> list[str]:
        if self._waiting:
            return []
        here = (self._now, self._ahead, self._done)
        return [one for one in coming(HANDFUL - 1) if not any(one in some for some in here)]

    async def _take_now(self, keys: Sequence[str], token: str, *, reads: bool) -> list[str]:
        with self._undone(keys, token):
            self._sure_until[token] = _loop_time() + self.ttl.total_seconds()
            names = [_named(key) for key in keys]
            taken = await self.leases.take(names, owner=self.owner, token=token, ttl=self.ttl)
            held = [key for key in dict.fromkeys(keys) if _named(key) in taken]
            if held and reads:
                await self.books.open(held)
            return held

    async def _wait_for(self, key: str, *, reads: bool) -> str:
        token, name = new_token(), _named(key)
        with self._undone([key], token):
            self._waiting += 1
            try:
                self._give_back(self._all_ahead())
                await self.leases.take_in_turn(
                    name, owner=self.owner, token=token, ttl=self.ttl, wait=self.wait
                )
            finally:
                self._waiting -= 1
            self._sure_until[token] = _loop_time() + self.ttl.total_seconds()
            if reads:
                await self.books.open([key])
            return token

    @contextlib.contextmanager
    def _undone(self, keys: Sequence[str], token: str) -> Iterator[None]:
        """Whatever was taken is given back where the block fails or is cut short."""
        try:
            yield
        except BaseException:
            for key in keys:
                self.books.close(key)
            self._give_back(dict.fromkeys(keys, token))
            raise

    # -- giving back

    def _all_ahead(self) -> dict[str, str]:
        ahead, self._ahead = self._ahead, {}
        for key in ahead:
            self.books.close(key)
        return ahead

    def _give_back(self, held: Mapping[str, str]) -> None:
        self._done |= held
        if len(self._done) >= HANDFUL or self._waiting:
            self._give_now()
        elif self._timer is None:
            loop = asyncio.get_running_loop()
            self._timer = loop.call_later(_MOMENT_S, self._give_now)

    def _give_now(self) -> None:
        self._forget_timer()
        giving = asyncio.create_task(self._give())
        self._giving.add(giving)
        giving.add_done_callback(self._giving.discard)

    def _forget_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    async def _give(self) -> None:
        done, self._done = self._done, {}
        if done:
            with contextlib.suppress(LedgerUnreachable):  # then they expire by themselves
                await self.leases.let_go({_named(key): token for key, token in done.items()})

    async def aclose(self) -> None:
        """Give everything back."""
        keeper, self._keeper = self._keeper, None
        if keeper is not None:
            keeper.cancel()
            await asyncio.wait([keeper])
        self._forget_timer()
        self._done |= self._all_ahead()
        await self._give()
        if self._giving:
            await asyncio.wait(self._giving)

    # -- keeping

    async def _keep(self) -> None:
        while True:
            await asyncio.sleep(self.ttl.total_seconds() / 3)
            stale = {key: it for key, it in self._stale.items() if self._ahead.get(key) == it}
            for key in stale:
                del self._ahead[key]
                self.books.close(key)
            if stale:
                self._give_back(stale)
            self._stale = dict(self._ahead)
            await self._renew()

    def _not_kept(self, keeper: asyncio.Task[None]) -> None:
        """Where the keeping ended by itself, nobody knows how long a deal is ours: all are lost."""
        if keeper.cancelled():
            return
        logger.error("the leases of %s are not renewed", self.owner, exc_info=keeper.exception())
        if self._keeper is keeper:
            self._keeper = None  # whoever takes a deal next begins anew
        held = self._all_held()
        self._lose(held, held)

    def _all_held(self) -> dict[str, str]:
        return {key: one.token for key, one in self._now.items()} | self._ahead

    async def _renew(self) -> None:
        held = self._all_held()
        if not held:
            return
        asked_at = _loop_time()
        try:
            kept = await self.leases.renew(
                {_named(key): token for key, token in held.items()}, ttl=self.ttl
            )
        except LedgerUnreachable:
            late = [key for key, it in held.items() if asked_at >= self._sure_until.get(it, 0)]
            self._lose(late, held)
            return
        recent = {token: until for token, until in self._sure_until.items() if until > asked_at}
        sure_until = asked_at + self.ttl.total_seconds()
        self._sure_until = recent | dict.fromkeys(held.values(), sure_until)
        self._lose([key for key in held if _named(key) not in kept], held)

    def _lose(self, keys: Iterable[str], held: Mapping[str, str]) -> None:
        """Somebody else has these now."""
        for key in keys:
            work = self._now.get(key)
            if work is not None and work.token == held[key]:
                work.lost = True
                work.block.cancel()
            elif self._ahead.get(key) == held[key]:
                del self._ahead[key]
                self.books.close(key)


@dataclass(slots=True, kw_only=True)
class Looking:
    """What a run that writes nothing does instead: it holds no deal, and reads of many at a time."""

    books: Books
    _ahead: set[str] = field(default_factory=set)
    _turn: asyncio.Lock = field(default_factory=asyncio.Lock)

    @contextlib.asynccontextmanager
    async def deal(self, key: str, coming: Coming | None) -> AsyncIterator[None]:
        """Know what the ledger says of the deal *key* while the block runs."""
        if coming is None:
            yield
            return
        try:
            async with self._turn:
                if key not in self._ahead:
                    keys = [key, *coming(GLANCE - 1)]
                    await self.books.open(keys)
                    self._ahead.update(keys)
            yield
        except LedgerError as error:
            raise of_ledger(error) from error
        finally:
            self._ahead.discard(key)
            self.books.close(key)

    async def aclose(self) -> None:
        """Forget it all."""
        for key in self._ahead:
            self.books.close(key)
        self._ahead.clear()


def _named(key: str) -> str:
    return f"deal:{key}"


def _loop_time() -> float:
    return asyncio.get_running_loop().time()
