"""Check what a step calls: operations and flows, and what they are given."""

from __future__ import annotations

from collections.abc import Mapping

from cosell_definitions.binding import has_templates, misfit
from cosell_definitions.meaning import intended
from cosell_definitions.model import Action, CallFlow, Input, Output, Step, Template
from cosell_definitions.problems import Place

from .finding import Findings, suggestion
from .planning_names import check_mapping
from .types import ANY, NULL, Type, among, either, of_schema, record_of
from .viewing import Called, Operated, ProjectView


def check_action(
    action: Action,
    step: Step,
    given: Mapping[str, Type],
    view: ProjectView,
    found: Findings,
) -> Type:
    """The operation exists, and is given what it takes; gives the type of its output."""
    if action.system in view.connections:
        found.connections.setdefault(action.system, action.place)
    operations = view.operations.get(action.system)
    if operations is None:
        found.astray.add(action.system)
        if action.system in found.listed:
            return ANY  # the list says that there is none; once is enough
        systems = list(view.operations)
        found.say(
            "F023",
            _part(action.place, 0, len(action.system)),
            f"there is no system {action.system!r}",
            suggestion(action.system, systems, there="there are"),
        )
        return ANY
    operation = operations.get(action.operation)
    if operation is None:
        found.say(
            "F023",
            _part(action.place, len(action.system) + 1, len(action.operation)),
            f"{action.system} has no operation {action.operation!r}",
            suggestion(action.operation, list(operations), there=f"{action.system} has"),
        )
        return ANY
    _check_parameters(action, step, operation, found)
    for name, type_ in given.items():
        _check_argument(action, name, type_, operation, found)
    mapping = action.arguments.get("mapping")
    if isinstance(mapping, str) and "mapping" in operation.parameters:
        node = action.argument_nodes.get("mapping")
        place = node.place if node is not None else action.place
        check_mapping(mapping, place, view, found)
    if (action.system, action.operation) == ("debug", "echo"):
        return record_of({name: type_.widened() for name, type_ in given.items()})
    return operation.gives


def _check_argument(
    action: Action, name: str, type_: Type, operation: Operated, found: Findings
) -> None:
    wanted = operation.takes.get(name, ANY)
    what = f"{action.system}.{action.operation} takes {wanted} for {name!r}"
    place = _value_place(action, name)
    if wanted.known and not type_.may_be(*wanted.kinds):
        found.say("F061", place, f"{what}; this is {type_}", _make(wanted, type_))
    elif wanted.values and type_.values and not wanted.values & type_.values:
        value = str(next(iter(type_.values)))
        message = f"{action.system}.{action.operation} knows no {value!r} for {name!r}"
        found.say("F061", place, message, among(value, wanted.values))


def _value_place(step: Action | CallFlow, name: str) -> Place:
    node = step.argument_nodes.get(name)
    return node.place if node is not None else step.argument_places.get(name, step.place)


def _make(wanted: Type, given: Type) -> str | None:
    """How the wanted is made of what is given."""
    if given.kinds == {"null"}:
        return "give a value, or leave the parameter out"
    if "text" in given.kinds and wanted.may_be("integer", "number") and wanted.known:
        return "make a number of it: | int or | decimal"
    if "text" in given.kinds and "boolean" in wanted.kinds:
        return "make true or false of it: | boolean"
    if "moment" in given.kinds and "date" in wanted.kinds:
        return "make a date of it: | date"
    if "date" in given.kinds and "moment" in wanted.kinds:
        return "make a moment of it: | datetime"
    if wanted.kinds == {"text"} and not given.kinds & {"list", "record"}:
        return "make text of it: | string"
    if "list" in wanted.kinds and "record" not in given.kinds:
        return "make a list of it: [ … ]"
    if "record" in wanted.kinds and given.kinds <= {"text", "integer", "number", "boolean"}:
        return "write keys with values: { … }"
    if "list" in given.kinds:
        return "of a list: one item, such as | first; or a foreach over it"
    return None


def check_output(output: Output, given: Type, found: Findings) -> None:
    """An output is of the type that it declares."""
    wanted = of_schema(output.schema)
    if not given.known or not wanted.known or given.kinds == {"null"}:
        return
    takes = _conforming(wanted)
    if not given.may_be(*takes.kinds):
        message = f"the output {output.name!r} is declared as {wanted}; its value is {given}"
        place = output.value.place if isinstance(output.value, Template) else output.place
        found.say("F062", place, message, _make(wanted, given))


def _conforming(wanted: Type) -> Type:
    """What an input or output of this type takes: dates and moments are read from text too."""
    if wanted.kinds & {"date", "moment"}:
        return Type(wanted.kinds | {"text", "null"})
    return Type(wanted.kinds | {"null"})


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
    if action.unread:
        return
    meant = intended(action.arguments, operation.parameters)
    for parameter, required in operation.parameters.items():
        if required and parameter not in action.arguments and parameter not in meant:
            found.say(
                "F025",
                step.place,
                f"{name} needs the parameter {parameter!r}",
                f"add it under `with:`: {parameter}: …",
            )


def check_call(
    call: CallFlow,
    step: Step,
    types: Mapping[str, Type],
    view: ProjectView,
    found: Findings,
) -> Type:
    """The flow exists, and is given what it takes; gives the type of its outputs."""
    found.flows.setdefault(call.flow, call.place)
    child = view.called.get(call.flow)
    if child is None:
        if call.flow not in view.broken:
            known = list(view.called)
            computed = "{{" in call.flow
            found.say(
                "F027",
                call.place,
                f"there is no flow {call.flow!r}",
                "which flow is called cannot be computed: choose with `switch`, and call each by its id"
                if computed
                else suggestion(call.flow.removesuffix(".flow.yaml"), known, there="there are"),
            )
        return ANY
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
        elif has_templates(value):
            check_given(child, inputs[given], types[given], _value_place(call, given), found)
    meant = intended(call.arguments, inputs)
    for one in child.inputs if not call.unread else ():
        if one.required and one.name not in call.arguments and one.name not in meant:
            found.say(
                "F029",
                step.place,
                f"flow {child.id!r} needs the input {one.name!r}",
                f"add it under `with:`: {one.name}: …",
            )
    return record_of({one.name: _optional(of_schema(one.schema)) for one in child.outputs})


def _optional(type_: Type) -> Type:
    return either(type_, NULL) if type_.known else ANY


def check_given(flow: Called, declared: Input, given: Type, place: Place, found: Findings) -> None:
    """What an expression gives to an input must be of its type."""
    wanted = of_schema(declared.schema)
    if not wanted.known or not given.known:
        return
    takes = _conforming(wanted)
    kinds = takes.kinds - {"null"} if declared.required else takes.kinds
    wrong = _wrong(wanted, given, kinds)
    if wrong is not None:
        say_refused(flow, declared.name, place, wrong, found, hint=_make(wanted, given))
    elif wanted.values and given.values and not wanted.values & given.values:
        value = str(next(iter(given.values)))
        wrong = f"it cannot be {value!r}"
        say_refused(flow, declared.name, place, wrong, found, hint=among(value, wanted.values))


def _wrong(wanted: Type, given: Type, kinds: frozenset[str]) -> str | None:
    """Why a value does not fit, or the items of a list, or the fields of a record."""
    if not given.may_be(*kinds):
        return f"it takes {wanted}, and this is {given}"
    if "list" in wanted.kinds and wanted.each.known and given.each.known:
        inside = _wrong(wanted.each, given.each, _conforming(wanted.each).kinds)
        return f"of every item, {inside}" if inside is not None else None
    for name, field in (wanted.fields or {}).items():
        own = (given.fields or {}).get(name, ANY)
        inside = _wrong(field, own, _conforming(field).kinds) if field.known else None
        if inside is not None:
            return f"of its field {name!r}, {inside}"
    return None


def say_unknown_input(flow: Called, name: str, place: Place, found: Findings) -> None:
    """The flow has no such input."""
    found.say(
        "F028",
        place,
        f"flow {flow.id!r} has no input {name!r}",
        suggestion(name, [one.name for one in flow.inputs], there="its inputs"),
    )


def say_refused(
    flow: Called, name: str, place: Place, wrong: str, found: Findings, *, hint: str | None = None
) -> None:
    """The input does not take this value."""
    found.say(
        "F038",
        place,
        f"the input {name!r} of flow {flow.id!r} does not take this value: {wrong}",
        hint or "change the value, or the input",
    )
