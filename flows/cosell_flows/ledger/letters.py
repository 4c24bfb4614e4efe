"""Dead letters: one open item for each record that cannot be brought in step."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import ColumnElement, func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from .database import Database, in_chunks, made, numbers
from .tables import LETTERS


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """Why a record cannot be brought in step, since when, and what to do."""

    id: str
    mapping: str
    opportunity_id: str | None
    referral_id: str | None
    flow: str
    status: Literal["open", "closed"]
    error_class: str
    message: str
    hint: str | None
    place: str | None
    fingerprint: str | None
    attempts: int
    first_at: datetime
    last_at: datetime
    closed_at: datetime | None
    retry_asked: bool


class Letters:
    """All letters. A letter closes when a later run succeeds."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def open_or_update(
        self,
        mapping: str,
        *,
        flow: str,
        error_class: str,
        message: str,
        opportunity_id: str | None = None,
        referral_id: str | None = None,
        hint: str | None = None,
        fingerprint: str | None = None,
        place: str | None = None,
    ) -> Letter:
        """Say that a record failed; the letter that is already open about it counts one more."""
        values = {
            "flow": flow,
            "error_class": error_class,
            "message": message,
            "hint": hint,
            "fingerprint": fingerprint,
            "place": place,
            "last_at": self._database.now(),
            "retry_asked": False,
        }
        about = _about(mapping, opportunity_id, referral_id)
        ids = {"opportunity_id": opportunity_id, "referral_id": referral_id}

        async def work(connection: AsyncConnection) -> Letter:
            rows = (await connection.execute(_open(about).with_for_update())).all()
            if not rows:
                fresh = LETTERS.insert().values(
                    mapping=mapping,
                    status="open",
                    attempts=1,
                    first_at=values["last_at"],
                    **ids,
                    **values,
                )
                number = (await connection.execute(fresh.returning(LETTERS.c.id))).scalar_one()
                return await _read(connection, number)
            first, *others = rows
            # Two letters turn out to be about one deal: the older one goes on.
            await self._close(connection, LETTERS.c.id.in_([row.id for row in others]))
            known = {name: value for name, value in ids.items() if value is not None}
            await connection.execute(
                update(LETTERS)
                .where(LETTERS.c.id == first.id)
                .values(attempts=LETTERS.c.attempts + 1, **known, **values)
            )
            return await _read(connection, first.id)

        return await self._database.write_again(work)

    async def close(
        self, mapping: str, *, opportunity_id: str | None = None, referral_id: str | None = None
    ) -> int:
        """Close what is open about this record; how many letters that were."""
        about = _about(mapping, opportunity_id, referral_id)
        # Most records have no letter: ask before taking the one turn to write.
        if not await self._database.rows(_open(about)):
            return 0
        async with self._database.write() as connection:
            return await self._close(connection, about & (LETTERS.c.status == "open"))

    async def find_open(
        self, mapping: str, *, opportunity_id: str | None = None, referral_id: str | None = None
    ) -> Letter | None:
        """The open letter about this record."""
        rows = await self._database.rows(_open(_about(mapping, opportunity_id, referral_id)))
        return _letter(rows[0]) if rows else None

    async def among(self, mapping: str, ids: Collection[str]) -> frozenset[str]:
        """Those of *ids*, of either side, about which a letter is open."""
        columns = (LETTERS.c.opportunity_id, LETTERS.c.referral_id)
        queries = [
            select(*columns).where(
                LETTERS.c.mapping == mapping,
                LETTERS.c.status == "open",
                or_(*(column.in_(chunk) for column in columns)),
            )
            for chunk in in_chunks(ids)
        ]
        found = {
            one
            for rows in await self._database.rows_of_each(queries)
            for row in rows
            for one in row
        }
        return frozenset(found.intersection(ids))

    async def due(self, mapping: str, before: datetime) -> list[Letter]:
        """Open letters last tried before that moment, and those somebody asked to try again."""
        query = _open(LETTERS.c.mapping == mapping).where(
            or_(LETTERS.c.last_at < before, LETTERS.c.retry_asked)
        )
        return [_letter(row) for row in await self._database.rows(query)]

    async def get(self, id: str) -> Letter | None:  # noqa: A002 - what everybody calls it
        """The letter with this id."""
        rows = await self._database.rows(select(LETTERS).where(LETTERS.c.id.in_(numbers([id]))))
        return _letter(rows[0]) if rows else None

    async def mark_for_retry(self, ids: Iterable[str]) -> list[Letter]:
        """Ask for these letters' records to be tried again; the open ones among them."""
        chosen = _open(LETTERS.c.id.in_(numbers(ids)))
        async with self._database.write() as connection:
            rows = (await connection.execute(chosen)).all()
            await connection.execute(
                update(LETTERS)
                .where(LETTERS.c.id.in_([row.id for row in rows]))
                .values(retry_asked=True)
            )
            return [_letter(row) for row in (await connection.execute(chosen)).all()]

    async def count_open(self) -> int:
        """How many letters are open."""
        query = select(func.count()).select_from(LETTERS).where(LETTERS.c.status == "open")
        row = await self._database.row(query)
        return int(row[0]) if row else 0

    async def _close(self, connection: AsyncConnection, which: ColumnElement[bool]) -> int:
        closing = update(LETTERS).where(which)
        values = {"status": "closed", "closed_at": self._database.now(), "retry_asked": False}
        return (await connection.execute(closing.values(**values))).rowcount

    async def list(self, all: bool = False) -> list[Letter]:  # noqa: A002 - as the command says
        """Open letters, or all of them, oldest first."""
        query = select(LETTERS).order_by(LETTERS.c.id)
        if not all:
            query = query.where(LETTERS.c.status == "open")
        return [_letter(row) for row in await self._database.rows(query)]


def _about(
    mapping: str, opportunity_id: str | None, referral_id: str | None
) -> ColumnElement[bool]:
    either = []
    if opportunity_id is not None:
        either.append(LETTERS.c.opportunity_id == opportunity_id)
    if referral_id is not None:
        either.append(LETTERS.c.referral_id == referral_id)
    if not either:
        raise ValueError("a letter is about a record: name its opportunity or its referral")
    return (LETTERS.c.mapping == mapping) & or_(*either)


def _open(which: ColumnElement[bool]) -> Any:
    return select(LETTERS).where(which, LETTERS.c.status == "open").order_by(LETTERS.c.id)


async def _read(connection: AsyncConnection, number: int) -> Letter:
    return _letter((await connection.execute(select(LETTERS).where(LETTERS.c.id == number))).one())


def _letter(row: Any) -> Letter:
    return made(Letter, row, id=str(row.id))
