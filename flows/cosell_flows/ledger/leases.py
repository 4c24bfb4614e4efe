"""Let one worker at a time work on a thing, across processes and machines."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import random
import uuid
from collections.abc import AsyncIterator
from datetime import timedelta

from sqlalchemy import delete, select, update

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
        token, key = uuid.uuid4().hex, _fitting(key)
        await self._take_in_turn(key, owner=owner, token=token, ttl=ttl, wait=wait)
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
                await asyncio.shield(self._let_go(key, token=token))

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

    async def _take_in_turn(
        self, key: str, *, owner: str, token: str, ttl: timedelta, wait: timedelta
    ) -> None:
        loop = asyncio.get_running_loop()
        give_up_at = loop.time() + wait.total_seconds()
        pause = _FIRST_PAUSE_S
        while not await self._take(key, owner=owner, token=token, ttl=ttl):
            left = give_up_at - loop.time()
            if left <= 0:
                raise LeaseBusy(key=key, holder=await self.holder(key))
            # Waiters that came together do not keep coming together.
            await asyncio.sleep(min(left, pause * random.uniform(0.5, 1)))  # noqa: S311
            pause = min(pause * 2, _LONGEST_PAUSE_S)

    async def _take(self, key: str, *, owner: str, token: str, ttl: timedelta) -> bool:
        now = self._database.now()
        values = {"owner": owner, "token": token, "taken_at": now, "expires_at": now + ttl}
        taken = await self._database.change(
            self._database.insert(LEASES)
            .values(key=key, **values)
            .on_conflict_do_update(
                index_elements=[LEASES.c.key], set_=values, where=LEASES.c.expires_at <= now
            )
        )
        return taken == 1

    async def _renew(self, key: str, *, token: str, ttl: timedelta) -> None:
        """Keep the lease; returns once it is lost."""
        loop = asyncio.get_running_loop()
        sure_until = loop.time() + ttl.total_seconds()
        while True:
            await asyncio.sleep(ttl.total_seconds() / 3)
            asked_at = loop.time()
            try:
                kept = await self._database.change(
                    update(LEASES)
                    .where(LEASES.c.key == key, LEASES.c.token == token)
                    .values(expires_at=self._database.now() + ttl)
                )
            except LedgerUnreachable:
                if loop.time() >= sure_until:
                    return
                continue
            if kept != 1:
                return
            sure_until = asked_at + ttl.total_seconds()

    async def _let_go(self, key: str, *, token: str) -> None:
        await self._database.change(
            delete(LEASES).where(LEASES.c.key == key, LEASES.c.token == token)
        )


def _fitting(key: str) -> str:
    """*key* as the ledger can keep it: what people spell may be of any length."""
    if len(key) <= _LONGEST_KEY:
        return key
    return f"{key[:100]}…{hashlib.sha256(key.encode()).hexdigest()}"
