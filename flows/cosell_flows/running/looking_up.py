"""Look whether a record of one side of a mapping is there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from cosell_connectors.errors import ConnectorError
from cosell_connectors.model import ResourceCall
from cosell_definitions.model_mappings import MappingFile, MapSide

from ..compiling.expressions import evaluate
from ..syncing.sending import Systems

GONE = ("not_found", "deleted")


async def is_there(systems: Systems, side: MapSide, record_id: str) -> bool:
    """Whether the record can be seen; raises ConnectorError where its system does not answer."""
    call = systems.resource(side.connection, side.object).get
    try:
        await systems.read(side.connection, *getting(call, side.object, record_id, None))
    except ConnectorError as error:
        if error.error_class in GONE:
            return False
        raise
    return True


async def missing_sentinel(
    systems: Systems, mapping: MappingFile | None, env: Mapping[str, Any]
) -> str | None:
    """Which record that is always there is not found: its side cannot be trusted."""
    if mapping is None:
        return None
    brakes = mapping.brakes
    for side, key in ((mapping.left, brakes.sentinel_left), (mapping.right, brakes.sentinel_right)):
        wanted = evaluate(key, {"env": env}) if key is not None else None
        if wanted and not await is_there(systems, side, str(wanted)):
            return f"{side.connection} does not show {side.object} {wanted}, which is always there"
    return None


def getting(
    call: ResourceCall | None, name: str, record_id: str, fields: Sequence[str] | None
) -> tuple[str, dict[str, Any]]:
    """The operation that gets a record, and its arguments."""
    if call is None or call.id_parameter is None:
        raise LookupError(f"the connector does not say how to get {name} records")
    arguments: dict[str, Any] = {call.id_parameter: record_id}
    if call.object_parameter:
        arguments[call.object_parameter] = name
    if call.fields_parameter and fields:
        arguments[call.fields_parameter] = list(dict.fromkeys(fields))
    return call.operation, arguments
