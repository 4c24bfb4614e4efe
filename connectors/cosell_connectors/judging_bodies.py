"""Judge what an operation says of bodies that are not JSON, and what it says in one way of several."""

from __future__ import annotations

import re
from collections.abc import Iterator

from cosell_definitions.problems import Problem

from .model import Connector, Cursor, Operation, Parameter
from .pointers import segments
from .spots import Spot

_PLACEHOLDER = re.compile(r"\{(\w*)\}")


def of_bodies(connector: Connector, operation: Operation, spot: Spot) -> Iterator[Problem]:
    """Every problem with an envelope, a table, and what is read from them."""
    yield from _of_ways(operation, spot)
    yield from _of_soap(operation, spot)
    for parameter in operation.parameters:
        here = spot.at("parameters", parameter.name)
        yield from _of_parameter(operation, parameter, here)
        yield from _of_addresses(connector, parameter, here)
    answer = operation.answer
    if answer is not None and answer.kind == "csv" and operation.soap is not None:
        yield spot.at("answer", "as").says(
            "C028", "a call by SOAP is answered in XML", "delete `as: csv`"
        )
    if answer is not None and answer.kind == "csv" and (answer.lists or answer.booleans):
        yield spot.at("answer").says(
            "C028",
            "`lists` and `booleans` are about XML; a table has rows, and text in them",
            "delete them, or write as: xml",
        )


def _of_ways(operation: Operation, spot: Spot) -> Iterator[Problem]:
    """Where one of two is to be said, and not both."""
    following = operation.paging.next if operation.paging else None
    if isinstance(following, Cursor) and (following.at is None) == (following.header is None):
        yield spot.at("paging", "cursor").says(
            "C026",
            "what to ask for next is in the body or in a header, and this says"
            + (" neither" if following.at is None else " both"),
            "keep one of: at, header",
        )
    rows = operation.rows
    if rows is not None and rows.succeeded is not None and rows.status is not None:
        yield spot.at("rows", "status").says(
            "C026",
            "a row says true or a status where it went well, and this says both",
            "keep one of: succeeded, status",
        )
    for number, rule in enumerate(operation.recover):
        if not rule.match and not rule.holds:
            yield spot.at("recover", number).says(
                "C026",
                "nothing tells whether the write happened",
                "add `match:` with what must be equal, or `holds:` with what must be there",
            )


def _of_soap(operation: Operation, spot: Spot) -> Iterator[Problem]:
    soap = operation.soap
    if soap is None:
        if operation.fixed.soap_header:
            yield spot.at("always", "soap_header").says(
                "C027", "only a call by SOAP has an envelope", "add `soap:`, or write header:"
            )
        return
    if operation.method != "POST":
        yield spot.at("method").says("C027", "a call by SOAP is a POST", "write method: POST")
    if soap.token is not None and len(segments(soap.token)) != 2:
        yield spot.at("soap", "token").says(
            "C027",
            f"{soap.token!r} is no header with one element in it",
            "write both, such as /SessionHeader/sessionId",
        )
    for parameter in operation.parameters:
        if parameter.location in {"body", "part"}:
            yield spot.at("parameters", parameter.name, "in").says(
                "C027", "a call by SOAP is made of elements", "write in: body_field"
            )


def _of_addresses(connector: Connector, parameter: Parameter, spot: Spot) -> Iterator[Problem]:
    if parameter.addresses and parameter.location not in {"body", "body_field"}:
        yield spot.at("addresses").says(
            "C028", "addresses are in bodies", "delete `addresses`, or write in: body_field"
        )
    for pointer, before in parameter.addresses.items():
        for hole in _PLACEHOLDER.findall(before):
            if hole not in connector.settings:
                place = spot.at("addresses", pointer)
                yield place.unknown("C011", "setting", hole, connector.settings)


def _of_parameter(operation: Operation, parameter: Parameter, spot: Spot) -> Iterator[Problem]:
    if operation.soap is None and parameter.location == "soap_header":
        yield spot.at("in").says(
            "C027", "only a call by SOAP has an envelope", "add `soap:`, or write in: header"
        )
    if operation.soap is None and parameter.elements is not None:
        yield spot.at("elements").says(
            "C027", "only a call by SOAP is made of elements", "delete `elements`"
        )
    if parameter.location == "soap_header" and not parameter.wire_name.startswith("/"):
        yield spot.at("name").says(
            "C014", f"{parameter.wire_name!r} is no JSON Pointer", f"write /{parameter.wire_name}"
        )
    if parameter.also is not None and parameter.location != "path":
        yield spot.at("also").says(
            "C028", "only a part of the path stands in the body as well", "delete `also`"
        )
    if parameter.type == "csv" and parameter.location != "body":
        yield spot.at("type").says("C028", "a table is the whole of a body", "write in: body")
    if parameter.null_as and parameter.type != "csv":
        yield spot.at("null_as").says(
            "C028", "only in a table null has to be spelt", "delete `null_as`"
        )
