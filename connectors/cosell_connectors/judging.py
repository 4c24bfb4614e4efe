"""Judge a connector file whose shape is right: does everything it names exist, and make sense?"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from cosell_definitions.checking import Shaped
from cosell_definitions.meaning import intended
from cosell_definitions.problems import Problem
from cosell_env.connections import KNOWN_KEYS

from .judging_bodies import of_bodies
from .model import Connector, Operation, Parameter, Recover, ResourceCall
from .outgoing import as_text
from .pointers import segments
from .spots import Spot

_WAYS = ("next", "cursor", "count")
_PLACEHOLDER = re.compile(r"\{(\w*)\}")
# A value of these types cannot break out of the quotes that `format` puts around it.
_TAME = frozenset({"uuid", "integer", "number", "boolean", "date", "datetime", "http_date"})


def judge(connector: Connector, shaped: Shaped, *, folder: str | None) -> tuple[Problem, ...]:
    """Every problem of *connector* that its shape alone does not show."""
    problems = list(_of_file(connector, shaped, folder))
    for operation in connector.operations.values():
        spot = Spot(shaped, ("operations", operation.name))
        problems += _of_parts(operation, spot)
        problems += _of_path(connector, operation, spot)
        problems += _of_body(operation, spot)
        problems += of_bodies(connector, operation, spot)
        problems += _of_lists(operation, spot)
        problems += _of_record(connector, operation, spot)
        for number, rule in enumerate(operation.recover):
            problems += _of_recover(connector, operation, rule, spot.at("recover", number))
    for resource in connector.resources.values():
        for verb in ("get", "create", "update", "upsert"):
            call: ResourceCall | None = getattr(resource, verb)
            if call is not None:
                spot = Spot(shaped, ("resources", resource.name, verb))
                problems += _of_call(connector, call, spot)
    return tuple(problems)


def _of_file(connector: Connector, shaped: Shaped, folder: str | None) -> Iterator[Problem]:
    if folder is not None and folder != connector.name:
        yield Spot(shaped, ("id",)).says(
            "C010",
            f"the id is {connector.name!r}, and the folder is {folder!r}",
            f"write id: {folder}, or rename the folder",
        )
    for number, auth in enumerate(connector.auth):
        known = KNOWN_KEYS | set(connector.settings)
        if auth.when is not None and auth.when not in known:
            spot = Spot(shaped, ("auth", number, "when"))
            yield spot.unknown("C011", "setting", auth.when, known)


def _of_record(connector: Connector, operation: Operation, spot: Spot) -> Iterator[Problem]:
    if isinstance(operation.record, str) and connector.record_of(operation) is None:
        known = [one.name for one in connector.resources.values() if one.record is not None]
        yield spot.at("record").unknown("C033", "resource with a record", operation.record, known)


def _of_parts(operation: Operation, spot: Spot) -> Iterator[Problem]:
    for parameter in operation.parameters:
        yield from _of_parameter(parameter, spot.at("parameters", parameter.name))
    if operation.effect == "write" and spot.at("idempotent").place() == spot.place():
        yield spot.says(
            "C012",
            f"{operation.name} writes, and does not say whether it may be sent twice",
            "add `idempotent: false`, or `true` where the second time does no harm",
        )


def _of_parameter(parameter: Parameter, spot: Spot) -> Iterator[Problem]:
    tame = parameter.type in _TAME or (parameter.escape and "'{}'" in (parameter.format or ""))
    if parameter.format is not None and not tame:
        yield spot.at("format").says(
            "C013",
            f"a value of type {parameter.type} could break out of this format",
            f"give it a type that cannot: {', '.join(sorted(_TAME))};"
            " or put '{}' into single quotes and add `escape: odata` or `escape: soql`",
        )
    if parameter.location == "body_field" and not parameter.wire_name.startswith("/"):
        yield spot.at("name").says(
            "C014",
            f"{parameter.wire_name!r} is no JSON Pointer",
            f"write /{parameter.wire_name}",
        )
    if parameter.default is not None and parameter.location in {"path", "query", "header"}:
        try:
            as_text(parameter.default, parameter.type)
        except ValueError as error:
            yield spot.at("default").says(
                "C015", f"the default does not fit: {error}", f"write a {parameter.type}"
            )


def _of_path(connector: Connector, operation: Operation, spot: Spot) -> Iterator[Problem]:
    base_path = connector.base_path if operation.base_path is None else operation.base_path
    holes = set(_PLACEHOLDER.findall(base_path + operation.path))
    filled = {one.wire_name for one in operation.parameters if one.location == "path"}
    for hole in sorted(holes - filled - set(connector.settings)):
        yield spot.at("path").unknown("C016", "path parameter", hole, filled)
    for parameter in operation.parameters:
        if parameter.location == "path" and parameter.wire_name not in holes:
            yield spot.at("parameters", parameter.name).says(
                "C017",
                f"the path has no place for {parameter.wire_name!r}",
                f"put {{{parameter.wire_name}}} into the path, or write in: query",
            )
        if parameter.location == "path" and not parameter.required and parameter.default is None:
            yield spot.at("parameters", parameter.name).says(
                "C017", "a path parameter cannot be left out", "delete `required: false`"
            )


def _of_body(operation: Operation, spot: Spot) -> Iterator[Problem]:
    whole = [one for one in operation.parameters if one.location == "body"]
    parts = [one for one in operation.parameters if one.location == "body_field"]
    if len(whole) > 1 or (whole and (parts or operation.fixed.body)):
        yield spot.at("parameters", whole[-1].name).says(
            "C018",
            "the body can be given whole or in fields, once",
            "write in: body_field for each of them, or keep one in: body",
        )
    if (whole or parts) and operation.method in {"GET", "HEAD"}:
        yield spot.at("method").says(
            "C019", f"a {operation.method} carries no body", "write in: query, or another method"
        )


def _of_lists(operation: Operation, spot: Spot) -> Iterator[Problem]:
    if operation.paging is not None:
        paging = spot.at("paging")
        ways = [name for name in _WAYS if paging.at(name).place() != paging.place()]
        if len(ways) != 1:
            yield paging.at(*ways[1:2]).says(
                "C025",
                f"a list goes on in one way, and this one has {' and '.join(ways) or 'none'}",
                f"keep one of: {', '.join(_WAYS)}",
            )
    stop = operation.paging.stop if operation.paging else None
    stoppers = {one.name for one in operation.parameters if one.location == "stop"}
    if stop is not None and operation.parameter(stop.before) is None:
        names = [one.name for one in operation.parameters]
        yield spot.at("paging", "stop", "before").unknown("C020", "parameter", stop.before, names)
    only = operation.paging.only if operation.paging else None
    if only is not None and operation.parameter(only.among) is None:
        names = [one.name for one in operation.parameters]
        yield spot.at("paging", "only", "among").unknown("C020", "parameter", only.among, names)
    heeded = {*([stop.before] if stop else []), *([only.among] if only else [])}
    for name in sorted(stoppers - heeded - intended(heeded, stoppers)):
        yield spot.at("parameters", name).says(
            "C021",
            f"{name!r} is not sent, and no list stops by it",
            f"add `stop: {{ field: …, before: {name} }}` to paging",
        )
    for field in operation.output:
        if field.kind != "value" and operation.paging is None:
            yield spot.at("output", field.name).says(
                "C022",
                "items are what pages hold, and this operation has no paging",
                "add `paging:`, or write { value: /… }",
            )


def _of_recover(
    connector: Connector, operation: Operation, rule: Recover, spot: Spot
) -> Iterator[Problem]:
    asked = connector.operations.get(rule.operation)
    if asked is None:
        yield spot.at("ask").unknown("C023", "operation", rule.operation, connector.operations)
        return
    if asked.effect != "read":
        yield spot.at("ask").says(
            "C024", f"{asked.name} writes; a question must only read", "name one with effect: read"
        )
    takes = {one.name for one in asked.parameters}
    for name in rule.arguments:
        if name not in takes:
            yield spot.at("with", name).unknown("C023", "parameter", name, takes)
    if rule.since_parameter is not None and rule.since_parameter not in takes:
        yield spot.at("since").unknown("C023", "parameter", rule.since_parameter, takes)
    if rule.candidates is not None and rule.candidates not in {one.name for one in asked.output}:
        names = [one.name for one in asked.output]
        yield spot.at("look_in").unknown("C023", "output", rule.candidates, names)
    own = {one.name for one in operation.parameters}
    pointed: Mapping[str, str] = {**rule.arguments, **rule.match}
    for pointer in (*pointed.values(), *([rule.if_argument] if rule.if_argument else [])):
        head = segments(pointer)[0] if pointer else ""
        if head not in own:
            yield spot.unknown("C023", "parameter", head, own)


def _of_call(connector: Connector, call: ResourceCall, spot: Spot) -> Iterator[Problem]:
    operation = connector.operations.get(call.operation)
    if operation is None:
        known = connector.operations
        yield spot.at("operation").unknown("C023", "operation", call.operation, known)
        return
    takes = {one.name for one in operation.parameters}
    for role in ("object", "id", "key_field", "body", "version", "fields"):
        name: str | None = getattr(call, f"{role}_parameter")
        if name is not None and name not in takes:
            yield spot.at(role).unknown("C023", "parameter", name, takes)
