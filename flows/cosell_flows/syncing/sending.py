"""Spell a write of some fields of a record as a call of its connector, and send it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Protocol

from cosell_connectors.model import Resource, ResourceCall

from ..ledger import Books
from .mirror import Mirror
from .records import pick
from .writes import FieldWrite, Write


class Systems(Protocol):
    """What the sync may do to the outside: read, write, remember, and know the time."""

    planning: bool
    began: datetime
    books: Books

    def now(self) -> datetime:
        """The engine's time, UTC."""

    async def read(self, system: str, operation: str, arguments: Mapping[str, Any]) -> Any:
        """Call an operation that changes nothing."""

    async def write(self, write: Write) -> Any:
        """Send a write, or record it where this is a plan."""

    async def until_over(self, system: str, moment: datetime) -> bool:
        """Wait until the second of *moment* is over there; whether there was anything to wait for."""

    def foreseen(self, record_id: str) -> Mapping[str, Any]:
        """What a plan has put into a record so far; nothing in a run, which can read it."""

    def resource(self, system: str, name: str) -> Resource:
        """How records of an object are read and written."""


async def update_left(
    systems: Systems,
    mirror: Mirror,
    record: Mapping[str, Any],
    writes: Sequence[FieldWrite],
    *,
    version: Any,
    right_id: str | None,
) -> Any:
    """Change fields of a record of the left side; gives its version afterwards, where it is told."""
    side = mirror.mapping.left
    left_id = str(pick(record, mirror.left_key))
    call = needed(systems.resource(side.connection, side.object).update, side.object, "update")
    reply = await systems.write(
        Write(
            system=side.connection,
            object=side.object,
            id=left_id,
            kind="update",
            operation=call.operation,
            arguments=_arguments(call, side.object, left_id, writes, version),
            fields=tuple(writes),
            mapping=mirror.id,
            left_id=left_id,
            right_id=right_id,
            predicted={**record, side.version: version},
        )
    )
    return pick(reply, side.version) if isinstance(reply, Mapping) else None


async def update_right(
    systems: Systems,
    mirror: Mirror,
    record: Mapping[str, Any],
    writes: Sequence[FieldWrite],
    left_id: str | None,
) -> None:
    """Change fields of a record of the right side, unless it moved since it was read."""
    side = mirror.mapping.right
    call = needed(systems.resource(side.connection, side.object).update, side.object, "update")
    record_id = str(record["Id"])
    await systems.write(
        Write(
            system=side.connection,
            object=side.object,
            id=record_id,
            kind="update",
            operation=call.operation,
            arguments=_arguments(call, side.object, record_id, writes, pick(record, side.version)),
            fields=tuple(writes),
            mapping=mirror.id,
            left_id=left_id,
            right_id=record_id,
        )
    )


async def update_other(
    systems: Systems,
    mirror: Mirror,
    name: str,
    record: Mapping[str, Any],
    writes: Sequence[FieldWrite],
    *,
    left_id: str | None,
    right_id: str,
) -> None:
    """Change fields of a record of the right side that belongs to the deal *right_id*."""
    side = mirror.mapping.right
    call = needed(systems.resource(side.connection, name).update, name, "update")
    record_id = str(record["Id"])
    await systems.write(
        Write(
            system=side.connection,
            object=name,
            id=record_id,
            kind="update",
            operation=call.operation,
            arguments=_arguments(call, name, record_id, writes, record.get(side.version)),
            fields=tuple(writes),
            mapping=mirror.id,
            left_id=left_id,
            right_id=right_id,
        )
    )


async def read_record(
    systems: Systems,
    mirror: Mirror,
    record_id: str,
    fields: Sequence[str],
    *,
    name: str | None = None,
) -> Mapping[str, Any]:
    """Read some fields of a record of the right side; *name*: of an object that is not its own."""
    side = mirror.mapping.right
    name = name or side.object
    call = needed(systems.resource(side.connection, name).get, name, "get")
    arguments: dict[str, Any] = {}
    if call.object_parameter:
        arguments[call.object_parameter] = name
    if call.id_parameter:
        arguments[call.id_parameter] = record_id
    if call.fields_parameter:
        arguments[call.fields_parameter] = list(fields)
    reply = await systems.read(side.connection, call.operation, arguments)
    return reply if isinstance(reply, Mapping) else {}


def _arguments(
    call: ResourceCall,
    object_name: str,
    record_id: str,
    writes: Sequence[FieldWrite],
    version: Any,
) -> dict[str, Any]:
    arguments: dict[str, Any] = {}
    if call.object_parameter:
        arguments[call.object_parameter] = object_name
    if call.id_parameter:
        arguments[call.id_parameter] = record_id
    if call.version_parameter and version is not None:
        arguments[call.version_parameter] = version
    if call.body_parameter:
        arguments[call.body_parameter] = (
            [_patch(write) for write in writes]
            if call.style == "json_patch"
            else {write.field: write.new for write in writes}
        )
    return arguments


def _patch(write: FieldWrite) -> dict[str, Any]:
    # RFC 6901: `~` and `/` inside a name are escaped.
    parts = [part.replace("~", "~0").replace("/", "~1") for part in write.field.split(".")]
    return {"op": "replace", "path": "/" + "/".join(parts), "value": write.new}


def needed(call: ResourceCall | None, name: str, what: str) -> ResourceCall:
    """The call, where the connector says how it is done."""
    if call is None:
        raise LookupError(f"the connector does not say how to {what} {name} records")
    return call
