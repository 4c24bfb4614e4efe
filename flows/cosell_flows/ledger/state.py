"""What flows remember under names of their own, and whose turn it is next."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from .database import Database
from .tables import STATE

_ITSELF = ""  # the key of a value that is remembered by its name alone


class State:
    """Values by name, and lists that are shared out evenly. Both live in the same table."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def get(self, name: str) -> Any:
        """What was remembered under *name*, or None."""
        row = await self._database.row(_at("value", name, _ITSELF))
        return row.value if row else None

    async def put(self, name: str, value: Any) -> None:
        """Remember *value* under *name*, in the place of what was there."""
        await self._database.change(self._upsert("value", name, _ITSELF, value))

    async def turn(self, name: str, *, key: str, among: Sequence[str]) -> str:
        """Which of *among* gets *key*: whoever had the fewest turns, and always the same for a key.

        Given in one transaction, so two workers never share a turn; whoever is cut off after it
        comes back with the same key, and gets the same answer.
        """

        async def work(connected: AsyncConnection) -> str:
            first = self._database.insert(STATE).values(
                kind="tally", name=name, key=_ITSELF, value={}, updated_at=self._database.now()
            )
            await connected.execute(first.on_conflict_do_nothing())
            # Whoever holds this row is alone with the list; SQLite has one writer anyway.
            tally = (await connected.execute(_at("tally", name, _ITSELF).with_for_update())).one()
            known = (await connected.execute(_at("turn", name, key))).first()
            if known is not None and known.value in among:
                return str(known.value)
            chosen, after = next_turn(tally.value, among)
            await connected.execute(self._upsert("tally", name, _ITSELF, after))
            await connected.execute(self._upsert("turn", name, key, chosen))
            return chosen

        return await self._database.write_again(work)

    async def turns(self, name: str, key: str) -> tuple[str | None, Mapping[str, Any]]:
        """What *key* was given, and how the turns stand: for a plan, which takes none."""
        given = await self._database.row(_at("turn", name, key))
        tally = await self._database.row(_at("tally", name, _ITSELF))
        return (given.value if given else None), (tally.value if tally else {})

    def _upsert(self, kind: str, name: str, key: str, value: Any) -> Any:
        values = {"value": value, "updated_at": self._database.now()}
        statement = self._database.insert(STATE).values(kind=kind, name=name, key=key, **values)
        return statement.on_conflict_do_update(
            index_elements=[STATE.c.kind, STATE.c.name, STATE.c.key], set_=values
        )


def _at(kind: str, name: str, key: str) -> Any:
    return select(STATE.c.value).where(
        STATE.c.kind == kind, STATE.c.name == name, STATE.c.key == key
    )


def next_turn(tally: Mapping[str, Any], among: Sequence[str]) -> tuple[str, dict[str, Any]]:
    """Whose turn it is, and how the turns stand then. Pure.

    Who is new, or was away for a while, begins level with whoever of the others had the fewest, and
    is not given all that the others had in the meantime.
    """
    had: Mapping[str, int] = tally.get("had", {})
    before: Collection[str] = tally.get("among", ())
    least = min((had.get(one, 0) for one in among if one in before), default=0)
    level = {
        one: had.get(one, 0) if one in before else max(had.get(one, 0), least) for one in among
    }
    chosen = min(level, key=lambda one: level[one])  # of several, the first in the list
    return chosen, {"had": {**had, **level, chosen: level[chosen] + 1}, "among": [*level]}
