"""Give what is written out for a parameter the type of the parameter, and not that of its looks. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from cosell_connectors.model import Operation
from cosell_definitions.binding import bound, has_templates
from cosell_definitions.model import Action, CallFlow, Flow, Schema, Value

# The types of parameters under which a literal would otherwise be taken by its looks.
_SCHEMAS = {"text": "string", "uuid": "string", "boolean": "boolean"}


def literals_of(action: Action, operation: Operation | None) -> Mapping[str, Value]:
    """The literals among the arguments of an operation, typed by it: `zip: 00184`."""
    schemas = {
        one.name: Schema(type=_SCHEMAS[one.type])
        for one in (operation.parameters if operation is not None else ())
        if one.type in _SCHEMAS
    }
    literals = {name: value for name, value in action.arguments.items() if not has_templates(value)}
    return bound(literals, action.argument_nodes, schemas)


def arguments_of(call: CallFlow, called: Flow | None) -> Mapping[str, Value]:
    """The arguments of a call, its literals typed by what the called flow takes."""
    schemas = {one.name: one.schema for one in called.inputs} if called is not None else {}
    return bound(call.arguments, call.argument_nodes, schemas)
