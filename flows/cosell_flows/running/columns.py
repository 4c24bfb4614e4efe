"""What a system says of the fields of its objects, asked once an hour and not for every run."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Protocol

from cosell_connectors.errors import ConnectorError

_BELIEVED = timedelta(hours=1)  # an admin may change a field while we serve


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """What a system says of one of its fields."""

    length: int = 0
    computes: bool = False  # a formula or a roll-up: nobody can write it


class Describing(Protocol):
    """Who can be asked what fields an object has."""

    def answers(self, operation: str) -> bool:
        """Whether it can be asked to do *operation*."""

    async def collect(self, operation: str, arguments: Mapping[str, Any]) -> Any:
        """Call an operation, follow its pages, give its output."""


@dataclass(slots=True)
class Columns:
    """The fields of objects, by system and name."""

    _known: dict[tuple[str, str], tuple[datetime, Mapping[str, Column]]] = field(
        default_factory=dict
    )

    async def of(
        self,
        asked: Callable[[str], Awaitable[Describing]],
        system: str,
        name: str,
        *,
        now: datetime,
    ) -> Mapping[str, Column]:
        """The fields of an object, in small letters; none where its system cannot describe it."""
        told = self._known.get((system, name))
        if told is None or not timedelta() <= now - told[0] < _BELIEVED:
            told = (now, await _described(await asked(system), name))
            self._known[system, name] = told
        return told[1]

    def forget(self) -> None:
        """Ask anew from now on."""
        self._known.clear()


async def _described(caller: Describing, name: str) -> Mapping[str, Column]:
    if not caller.answers("describe"):
        return {}
    try:
        told = await caller.collect("describe", {"object": name})
    except ConnectorError:
        return {}  # the mapping's own words have to do
    fields = told.get("fields", ()) if isinstance(told, Mapping) else ()
    return {
        str(one["name"]).lower(): Column(
            length=int(one.get("length") or 0), computes=one.get("calculated") is True
        )
        for one in fields
    }
