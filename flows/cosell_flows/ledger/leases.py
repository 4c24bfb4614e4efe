"""Let one worker at a time work on a thing, across processes and machines."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import random
import uuid
from collections.abc import AsyncIterator, Collection, Mapping
from datetime import timedelta

from sqlalchemy import ColumnElement, delete, select, tuple_, update

from .database import Database
from .errors import LeaseBusy, LeaseLost, LedgerUnreachable
from .tables import LEASES

_FIRST_PAUSE_S = 0.02
_LONGEST_PAUSE_S = 0.5
_LONGEST_KEY = 300


class Leases:
    """Mutual exclusion that outlives nobody: a holder that dies lets go when its lease expires."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @contextlib.asynccontextmanager
    async def hold(
        self, key: str, *, owner: str, ttl: timedelta, wait: timedelta
    ) -> AsyncIterator[None]:
        """Hold the lease on *key* while the block runs, renewing it in the background.

        Raises LeaseBusy when nobody let go within *wait*. Where the lease is lost, the block is
        cancelled and LeaseLost raised.
        """
        token = new_token()
        await self.take_in_turn(key, owner=owner, token=token, ttl=ttl, wait=wait)
        block = asyncio.current_task()
        assert block is not None
        cancels = block.cancelling()
        renewing = asyncio.create_task(self._renew(key, token=token, ttl=ttl))
        renewing.add_done_callback(lambda done: None if done.cancelled() else block.cancel())
        try:
            yield
        except asyncio.CancelledError:
            # Ours, not the caller's: the renewing ended by itself, so the lease is lost.
            if renewing.done() and not renewing.cancelled() and block.uncancel() <= cancels:
                raise LeaseLost(key=key) from None
            raise
        finally:
            renewing.cancel()
            with contextlib.suppress(LedgerUnreachable):  # then it expires by itself
                await asyncio.shield(self.let_go({key: token}))

    async def holder(self, key: str) -> str | None:
        """Who holds *key* now."""
        row = await self._database.row(
            select(LEASES.c.owner).where(
                LEASES.c.key == _fitting(key), LEASES.c.expires_at > self._database.now()
            )
        )
        return row.owner if row else None

    async def take_from(self, owner: str) -> int:
        """Free what an owner that is gone still holds, without waiting for it to expire."""
        return await self._database.change(delete(LEASES).where(LEASES.c.owner == owner))

    async def take_in_turn(
        self, key: str, *, owner: str, token: str, ttl: timedelta, wait: timedelta
    ) -> None:
        """Take *key* as soon as nobody else holds it; raises LeaseBusy after *wait*."""
        loop = asyncio.get_running_loop()
        give_up_at = loop.time() + wait.total_seconds()
        pause = _FIRST_PAUSE_S
        while not await self.take([key], owner=owner, token=token, ttl=ttl):
            left = give_up_at - loop.time()
            if left <= 0:
                raise LeaseBusy(key=key, holder=await self.holder(key))
            # Waiters that came together do not keep coming together.
            await asyncio.sleep(min(left, pause * random.uniform(0.5, 1)))  # noqa: S311
            pause = min(pause * 2, _LONGEST_PAUSE_S)

    async def take(
        self, keys: Collection[str], *, owner: str, token: str, ttl: timedelta
    ) -> frozenset[str]:
        """Take those of *keys* that nobody holds, without waiting; gives them."""
        now = self._database.now()
        values = {"owner": owner, "token": token, "taken_at": now, "expires_at": now + ttl}
        # In order: two workers that want the same ones do not wait for each other in a circle.
        asked = {_fitting(key): key for key in keys}
        rows = [{"key": name, **values} for name in sorted(asked)]
        statement = (
            self._database.insert(LEASES)
            .values(rows)
            .on_conflict_do_update(
                index_elements=[LEASES.c.key], set_=values, where=LEASES.c.expires_at <= now
            )
        )
        taken = await self._database.written(statement.returning(LEASES.c.key))
        return frozenset(asked[row.key] for row in taken)

    async def renew(self, held: Mapping[str, str], *, ttl: timedelta) -> frozenset[str]:
        """Keep the leases *held*, by key with their tokens; gives the keys that are still held."""
        kept = await self._database.written(
            update(LEASES)
            .where(_in_order(held))
            .values(expires_at=self._database.now() + ttl)
            .returning(LEASES.c.key)
        )
        asked = {_fitting(key): key for key in held}
        return frozenset(asked[row.key] for row in kept)

    async def let_go(self, held: Mapping[str, str]) -> None:
        """Free the leases *held*, by key with their tokens, but not what others took since."""
        await self._database.change(delete(LEASES).where(_in_order(held)))

    async def _renew(self, key: str, *, token: str, ttl: timedelta) -> None:
        """Keep the lease; returns once it is lost."""
        loop = asyncio.get_running_loop()
        sure_until = loop.time() + ttl.total_seconds()
        while True:
            await asyncio.sleep(ttl.total_seconds() / 3)
            asked_at = loop.time()
            try:
                kept = await self.renew({key: token}, ttl=ttl)
            except LedgerUnreachable:
                if loop.time() >= sure_until:
                    return
                continue
            if not kept:
                return
            sure_until = asked_at + ttl.total_seconds()


def new_token() -> str:
    """What tells one holding of a lease from the next."""
    return uuid.uuid4().hex


def _in_order(held: Mapping[str, str]) -> ColumnElement[bool]:
    """Those leases, locked one after the other as `take` locks them: PostgreSQL's own order is any.

    https://www.postgresql.org/docs/current/explicit-locking.html#LOCKING-DEADLOCKS
    """
    pairs = [(_fitting(key), token) for key, token in held.items()]
    theirs = tuple_(LEASES.c.key, LEASES.c.token).in_(pairs)
    return LEASES.c.key.in_(
        select(LEASES.c.key).where(theirs).order_by(LEASES.c.key).with_for_update()
    )


def _fitting(key: str) -> str:
    """*key* as the ledger can keep it: what people spell may be of any length."""
    if len(key) <= _LONGEST_KEY:
        return key
    return f"{key[:100]}…{hashlib.sha256(key.encode()).hexdigest()}"
