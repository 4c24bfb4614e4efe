"""Which rights the flows need in a system that describes its objects, and which are missing. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from cosell_connectors.model import Connector
from cosell_definitions.model import Action, Flow
from cosell_definitions.model_mappings import MappingFile

from ..running.nesting import every_step

_RIGHT = {"POST": "create", "PATCH": "update", "PUT": "update", "DELETE": "delete"}
_FLAG = {"create": "createable", "update": "updateable", "delete": "deletable", "read": "queryable"}


def needed(
    connection: str, connector: Connector, flows: Iterable[Flow], mappings: Iterable[MappingFile]
) -> dict[str, set[str]]:
    """Object → what the flows do with its records: read, create, update, delete."""
    found: dict[str, set[str]] = {}
    for mapping in mappings:
        for side in (mapping.left, mapping.right):
            if side.connection == connection:
                found.setdefault(side.object, set()).update({"read", "update"})
    for flow in flows:
        for step in every_step(flow):
            action = step.do
            if not isinstance(action, Action) or action.system != connection:
                continue
            operation = connector.operations.get(action.operation)
            named = action.arguments.get("object")
            if operation is None or operation.effect != "write" or not isinstance(named, str):
                continue
            right = _RIGHT.get(operation.method, "update")
            if right == "create" and operation.idempotent:
                right = "update"  # SOAP posts whatever it does
            found.setdefault(named, set()).update({"read", right})
    return found


def missing(
    rights: Mapping[str, set[str]], describes: Mapping[str, Mapping[str, Any] | None]
) -> list[str]:
    """What the user may not do, a sentence each."""
    lacks = []
    for name, wanted in sorted(rights.items()):
        described = describes.get(name)
        if described is None:
            lacks.append(f"may not see {name}, or there is no such object")
            continue
        denied = [one for one in sorted(wanted) if described.get(_FLAG[one]) is False]
        if denied:
            lacks.append(f"may not {' or '.join(denied)} {name} records")
    return lacks
