"""Check what a step calls: operations and flows, and what they are given."""

from __future__ import annotations

from cosell_definitions.binding import misfit
from cosell_definitions.model import Action, CallFlow, Flow, Step
from cosell_definitions.problems import Place

from .finding import Findings, suggestion
from .planning_names import check_mapping
from .viewing import Operated, ProjectView


def check_action(action: Action, step: Step, view: ProjectView, found: Findings) -> None:
    """The operation exists, and is given what it takes."""
    if action.system in view.connections:
        found.connections.setdefault(action.system, action.place)
    operations = view.operations.get(action.system)
    if operations is None:
        systems = list(view.operations)
        found.say(
            "F023",
            _part(action.place, 0, len(action.system)),
            f"there is no system {action.system!r}",
            suggestion(action.system, systems, there="there are"),
        )
        return
    operation = operations.get(action.operation)
    if operation is None:
        found.say(
            "F023",
            _part(action.place, len(action.system) + 1, len(action.operation)),
            f"{action.system} has no operation {action.operation!r}",
            suggestion(action.operation, list(operations), there=f"{action.system} has"),
        )
        return
    _check_parameters(action, step, operation, found)
    mapping = action.arguments.get("mapping")
    if isinstance(mapping, str) and "mapping" in operation.parameters:
        node = action.argument_nodes.get("mapping")
        place = node.place if node is not None else action.place
        check_mapping(mapping, place, view, found)


def _part(place: Place, offset: int, length: int) -> Place:
    """A part of a name that stands on one line."""
    if place.end_column is None:
        return place
    start = place.column + offset
    if start + length > place.end_column:
        return place
    return Place(file=place.file, line=place.line, column=start, end_column=start + length)


def _check_parameters(action: Action, step: Step, operation: Operated, found: Findings) -> None:
    name = f"{action.system}.{action.operation}"
    for given in action.arguments:
        if given not in operation.parameters:
            found.say(
                "F024",
                action.argument_places.get(given, action.place),
                f"{name} has no parameter {given!r}",
                suggestion(given, list(operation.parameters), there="it takes"),
            )
    meant = {
        near
        for given in action.arguments
        if given not in operation.parameters
        for near in operation.parameters
        if near.lower().startswith(given.lower()[:3])
    }
    for parameter, required in operation.parameters.items():
        if required and parameter not in action.arguments and parameter not in meant:
            found.say(
                "F025",
                step.place,
                f"{name} needs the parameter {parameter!r}",
                f"add it under `with:`: {parameter}: …",
            )


def check_call(call: CallFlow, step: Step, view: ProjectView, found: Findings) -> None:
    """The flow exists, and is given what it takes."""
    found.flows.setdefault(call.flow, call.place)
    child = view.flows.get(call.flow)
    if child is None:
        if call.flow not in view.broken:
            found.say(
                "F027",
                call.place,
                f"there is no flow {call.flow!r}",
                suggestion(call.flow, list(view.flows), there="there are"),
            )
        return
    inputs = {one.name: one for one in child.inputs}
    for given, value in call.arguments.items():
        place = call.argument_places.get(given, call.place)
        if given not in inputs:
            say_unknown_input(child, given, place, found)
            continue
        node = call.argument_nodes.get(given)
        wrong = misfit(node, value, inputs[given]) if node is not None else None
        if node is not None and wrong is not None:
            say_refused(child, given, node.place, wrong, found)
    for one in child.inputs:
        if one.required and one.name not in call.arguments:
            found.say(
                "F029",
                step.place,
                f"flow {child.id!r} needs the input {one.name!r}",
                f"add it under `with:`: {one.name}: …",
            )


def say_unknown_input(flow: Flow, name: str, place: Place, found: Findings) -> None:
    """The flow has no such input."""
    found.say(
        "F028",
        place,
        f"flow {flow.id!r} has no input {name!r}",
        suggestion(name, [one.name for one in flow.inputs], there="its inputs"),
    )


def say_refused(flow: Flow, name: str, place: Place, wrong: str, found: Findings) -> None:
    """The input does not take this value."""
    found.say(
        "F038",
        place,
        f"the input {name!r} of flow {flow.id!r} does not take this value: {wrong}",
        "change the value, or the input",
    )
