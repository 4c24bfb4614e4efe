"""Fit a mapping to the fields an org has: how long a text may be there, and what computes itself."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from ..syncing.mirror import Mirror
from ..syncing.pairs import PairPlan
from ..syncing.records import pick
from .columns import Column
from .world import World

_SHORTEST = 200  # no field that could hold an audit is shorter: below, nobody need be asked


async def narrowed(world: World, mirror: Mirror, record: Mapping[str, Any] | None) -> Mirror:
    """The mirror, with an audit no longer than its field, once *record* has much in it."""
    trail, side = mirror.audit, mirror.mapping.right
    if trail is None or not record or len(str(pick(record, trail.field) or "")) < _SHORTEST:
        return mirror
    column = (await _columns(world, side.connection, side.object)).get(trail.field.lower())
    if column is None or not 0 < column.length < trail.max_length:
        return mirror
    return replace(mirror, audit=replace(trail, max_length=column.length))


async def computing(world: World, mirror: Mirror, paths: Iterable[str]) -> Mirror:
    """The mirror that knows which of *paths* of the right side compute themselves.

    Only rows that carry a value either way are asked about: a row that says `left_to_right` claims
    that its field can be written.
    """
    asked = set(mirror.two_way()).intersection(paths)
    side = mirror.mapping.right
    found = {
        path
        for path in sorted(asked)
        if path in await computed(world, side.connection, _object(mirror, path), [path])
    }
    return mirror.computing(found) if found else mirror


async def learnt(world: World, mirror: Mirror, plan: PairPlan) -> Mirror | None:
    """The mirror to plan anew with, where *plan* writes fields that compute themselves."""
    known = await computing(world, mirror, [write.field for write in plan.to_right])
    return known if known is not mirror else None


async def computed(world: World, system: str, name: str, paths: Iterable[str]) -> list[str]:
    """Which of the fields at *paths*, of records of the object *name*, compute themselves."""
    columns = await _columns(world, system, name)
    own = {path: columns.get(path.rpartition(".")[2].lower()) for path in paths}
    return [path for path, column in own.items() if column is not None and column.computes]


def _object(mirror: Mirror, path: str) -> str:
    relation, dot, _ = path.rpartition(".")
    return relation if dot else mirror.mapping.right.object


async def _columns(world: World, system: str, name: str) -> Mapping[str, Column]:
    return await world.columns.of(world.client, system, name, now=world.now())
