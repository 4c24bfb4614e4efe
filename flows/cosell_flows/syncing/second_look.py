"""Look at a record once more before it is written, where an edit may hide behind the version we know.

Salesforce's versions count whole seconds, and so does the condition of a write: an edit in the very
second of the version that was read passes for nothing. So that second is waited out, by the clock
of the other side, and the record is looked at then. What is edited after that has a later version,
and refuses the write.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from cosell_connectors.errors import ConnectorError

from .mirror import Mirror
from .records import pick
from .sending import Systems, read_record
from .standing import differing, may_hide_an_edit
from .values import parse_moment


async def stands(
    systems: Systems,
    mirror: Mirror,
    record: Mapping[str, Any],
    fields: Iterable[str],
    *,
    name: str | None = None,
) -> None:
    """Raise a conflict where *record* of the right side says something else by now.

    *name*: of the object, where it is not the mapping's own.
    """
    side = mirror.mapping.right
    version = pick(record, side.version)
    if systems.planning or not may_hide_an_edit(version, began=systems.began):
        return
    await _waited_out(systems, side.connection, version)
    asked = (side.version, *fields)
    fresh = await read_record(systems, mirror, str(record["Id"]), asked, name=name)
    moved = differing(record, fresh, asked)
    if moved:
        told = f"{record['Id']} was changed since it was read: {', '.join(moved)}"
        raise ConnectorError("conflict", told, connection=side.connection)


async def read_to_write(
    systems: Systems, mirror: Mirror, record_id: str, fields: Iterable[str]
) -> Mapping[str, Any]:
    """A record as it is, in a version that tells every later edit."""
    side = mirror.mapping.right
    asked = tuple(dict.fromkeys((*fields, side.version)))
    fresh = await read_record(systems, mirror, record_id, asked)
    version = pick(fresh, side.version)
    if not systems.planning and await _waited_out(systems, side.connection, version):
        fresh = await read_record(systems, mirror, record_id, asked)
    return {**fresh, "Id": record_id}


async def _waited_out(systems: Systems, connection: str, version: Any) -> bool:
    moment = parse_moment(version)
    return moment is not None and await systems.until_over(connection, moment)
