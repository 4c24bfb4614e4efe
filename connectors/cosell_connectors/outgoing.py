"""From an operation and its arguments to the parts of a request. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sized
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import format_datetime
from functools import partial
from typing import Any
from urllib.parse import quote, urlsplit
from uuid import UUID

from . import tables
from .encoding import encode, text_of
from .envelopes import envelope
from .errors import BadArguments
from .model import Connector, Operation, Parameter, ParameterType, Soap
from .parts import Part, joined
from .pointers import change, put, segments

_PLACEHOLDER = re.compile(r"\{(\w+)\}")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_FRACTION = re.compile(r"\.(\d+)")
_ZONE_WITHOUT_COLON = re.compile(r"([+-]\d{2})(\d{2})$")


@dataclass(frozen=True, slots=True, kw_only=True)
class Outgoing:
    """The parts of a request, ready to be sent to one address."""

    method: str
    url: str
    headers: Mapping[str, str]
    content: bytes | None


class _DoesNotFit(ValueError):
    """A value that its parameter cannot carry; the text says what it takes."""


def build(
    connector: Connector,
    operation: Operation,
    arguments: Mapping[str, Any],
    *,
    base_url: str,
    settings: Mapping[str, str],
) -> Outgoing:
    """The request that asks *operation* for *arguments*; raises BadArguments naming each misfit."""
    values = fill(operation, arguments)
    paths = {**settings, **_texts(operation, values, "path", safe="")}
    root = base_url if operation.base_path is None else _origin(base_url) + operation.base_path
    base_path = connector.base_path if operation.base_path is None else ""
    path = _PLACEHOLDER.sub(lambda hole: paths[hole[1]], base_path + operation.path)
    query = "&".join(
        f"{quote(name, safe='$')}={quote(text, safe='')}"
        for name, text in {**operation.fixed.query, **_texts(operation, values, "query")}.items()
    )
    url = root.rstrip("/") + path + (f"?{query}" if query else "")
    if connector.max_url is not None and len(url) > connector.max_url:
        complaint = f"the address would be {len(url)} characters, and {connector.max_url} may be"
        raise BadArguments([complaint], operation=operation.name, error_class="too_large")
    content, kind = _body(operation, _addressed(operation, values, settings))
    headers = dict(connector.headers) | dict(operation.fixed.header)
    headers |= _texts(operation, values, "header")
    if content is not None:
        headers["Content-Type"] = kind
    return Outgoing(method=operation.method, url=url, headers=headers, content=content)


def fill(operation: Operation, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """*arguments* with defaults filled in; an optional one that is null counts as not given."""
    known = {parameter.name for parameter in operation.parameters}
    takes = ", ".join(sorted(known)) or "none"
    complaints = [
        f"there is no argument {name!r}; it takes {takes}"
        for name in arguments
        if name not in known
    ]
    values: dict[str, Any] = {}
    for parameter in operation.parameters:
        value = arguments.get(parameter.name)
        value = parameter.default if value is None else value
        if value is not None:
            complaints += _misfits(parameter, value)
            values[parameter.name] = value
        elif parameter.required:
            complaints.append(f"the argument {parameter.name!r} is missing")
    if complaints:
        raise BadArguments(complaints, operation=operation.name)
    return values


def record_named(operation: Operation, arguments: Mapping[str, Any]) -> str | None:
    """The record a call is about, as its path names it: `Opportunity 006…`."""
    named = (
        str(arguments[one.name])
        for one in operation.parameters
        if one.location == "path" and arguments.get(one.name) is not None
    )
    return " ".join(named)[:200] or None


def as_text(value: Any, kind: ParameterType) -> str:
    """*value* as it stands in an address or a header."""
    match kind:
        case "http_date":
            # RFC 9110 section 5.6.7; one second is the finest it can say.
            return format_datetime(
                moment(value).astimezone(UTC).replace(microsecond=0), usegmt=True
            )
        case "uuid":
            return str(UUID(str(value)))
        case "array" if isinstance(value, list | tuple):
            return ",".join(as_text(element, "any") for element in value)
    text = text_of(value)
    if text is None:
        raise _DoesNotFit(f"text is needed, and this is a {type(value).__name__}")
    return text


def escaped(text: str, way: str | None) -> str:
    """*text* made safe between single quotes, the way the other system reads them."""
    match way:
        case "odata":
            return text.replace("'", "''")
        case "soql":
            return text.replace("\\", "\\\\").replace("'", "\\'")
        case _:
            return text


def moment(value: Any) -> datetime:
    """The moment *value* names: a datetime, or ISO 8601 text with any number of digits."""
    if isinstance(value, str):
        # Partner Center writes seven digits, Salesforce a zone without a colon; Python takes
        # six and, before 3.11, neither.
        text = _FRACTION.sub(lambda digits: f".{digits[1][:6]:0<6}", value.strip(), count=1)
        value = datetime.fromisoformat(_ZONE_WITHOUT_COLON.sub(r"\1:\2", text))
    if not isinstance(value, datetime):
        raise _DoesNotFit(f"a moment is needed, and this is a {type(value).__name__}")
    return value if value.tzinfo else value.replace(tzinfo=UTC)


def _misfits(parameter: Parameter, value: Any) -> list[str]:
    try:
        if parameter.location in {"body", "body_field", "soap_header", "part"}:
            return _shape_misfits(parameter, value)
        if isinstance(value, list | tuple) and (complaint := _too_many(parameter, value)):
            return [complaint]
        text = as_text(value, parameter.type)
    except (ValueError, OverflowError) as error:
        return [f"the argument {parameter.name!r} does not fit: {error}"]
    if parameter.location == "path" and text in {"", ".", ".."}:
        return [f"the argument {parameter.name!r} may not be {text!r}: it is part of the address"]
    if parameter.location == "header" and _CONTROL.search(text):
        return [f"the argument {parameter.name!r} has a line break or control character in it"]
    return []


def _shape_misfits(parameter: Parameter, value: Any) -> list[str]:
    shapes: dict[str, type | tuple[type, ...]] = {
        "object": Mapping, "array": (list, tuple), "csv": (list, tuple), "bytes": bytes,
    }  # fmt: skip
    expected = shapes.get(parameter.type)
    if expected is not None and not isinstance(value, expected):
        found = type(value).__name__
        wanted = {"bytes": "bytes", "csv": "a list of rows"}.get(parameter.type)
        wanted = wanted or f"an {parameter.type}"
        return [f"the argument {parameter.name!r} takes {wanted}, and this is a {found}"]
    if isinstance(value, Sized) and (complaint := _too_many(parameter, value)):
        return [complaint]
    if parameter.type == "csv":
        tables.write(value)
    elif parameter.type != "bytes":
        encode(value)
    return []


def _too_many(parameter: Parameter, value: Sized) -> str | None:
    if parameter.max_items is None or len(value) <= parameter.max_items:
        return None
    most = f"{parameter.max_items} may be sent at once"
    return f"the argument {parameter.name!r} has {len(value)} elements, and {most}"


def _texts(
    operation: Operation, values: Mapping[str, Any], location: str, *, safe: str | None = None
) -> dict[str, str]:
    texts: dict[str, str] = {}
    for parameter in operation.parameters:
        if parameter.location == location and parameter.name in values:
            text = escaped(as_text(values[parameter.name], parameter.type), parameter.escape)
            text = parameter.format.replace("{}", text) if parameter.format else text
            texts[parameter.wire_name] = text if safe is None else quote(text, safe=safe)
    return texts


def _body(operation: Operation, values: Mapping[str, Any]) -> tuple[bytes | None, str]:
    """The body and its content type."""
    parts = [
        Part(
            name=one.wire_name,
            content=values[one.name] if one.type == "bytes" else encode(values[one.name]),
            filename=one.filename,
        )
        for one in operation.parameters
        if one.location == "part" and one.name in values
    ]
    if parts:
        return joined(parts)
    if operation.soap is not None:
        return _envelope(operation, operation.soap, values), "text/xml; charset=utf-8"
    for parameter in operation.parameters:
        if parameter.location == "body" and parameter.name in values:
            value = values[parameter.name]
            if parameter.type == "csv":
                return tables.write(value, null_as=parameter.null_as), "text/csv; charset=utf-8"
            return encode(value), "application/json"
    body = _fields(operation, values, "body_field", operation.fixed.body)
    return (encode(body) if body else None), "application/json"


def _fields(
    operation: Operation, values: Mapping[str, Any], location: str, always: Mapping[str, Any]
) -> dict[str, Any]:
    """The object that the parameters of a *location* make up, in their order."""
    fields = [(one.wire_name, one) for one in operation.parameters if one.location == location]
    if location == "body_field":
        fields += [(one.also, one) for one in operation.parameters if one.also is not None]
    made: dict[str, Any] = _own(always)
    # What reaches into elements comes last: the elements must be there.
    for pointer, parameter in sorted(fields, key=lambda one: "*" in one[0]):
        if parameter.name in values:
            put(made, pointer, _own(values[parameter.name]))
    return made


def _envelope(operation: Operation, soap: Soap, values: Mapping[str, Any]) -> bytes:
    try:
        return envelope(
            soap.call,
            _fields(operation, values, "body_field", operation.fixed.body),
            namespace=soap.namespace,
            headers=_fields(operation, values, "soap_header", operation.fixed.soap_header),
            token=soap.token,
            elements={
                segments(one.wire_name)[0]: one.elements
                for one in operation.parameters
                if one.elements is not None
            },
        )
    except ValueError as error:
        raise BadArguments([str(error)], operation=operation.name) from None


def _addressed(
    operation: Operation, values: Mapping[str, Any], settings: Mapping[str, str]
) -> Mapping[str, Any]:
    """*values* with what belongs before every address that is in them."""
    changed = dict(values)
    for parameter in operation.parameters:
        for pointer, before in parameter.addresses.items() if parameter.name in values else ():
            root = _PLACEHOLDER.sub(lambda hole: settings[hole[1]], before)
            changed[parameter.name] = change(
                changed[parameter.name], pointer, partial(_below, root=root, operation=operation)
            )
    return changed


def _below(address: Any, *, root: str, operation: Operation) -> str:
    if not isinstance(address, str) or not address.startswith("/") or address.startswith("//"):
        complaint = f"{address!r} is no address below {root}: write what follows that, from its /"
        raise BadArguments([complaint], operation=operation.name)
    return address if address.startswith(f"{root}/") else root + address


def _own(value: Any) -> Any:
    """A copy of *value* that may be added to: arguments belong to the caller."""
    if isinstance(value, Mapping):
        return {name: _own(member) for name, member in value.items()}
    if isinstance(value, list | tuple):
        return [_own(element) for element in value]
    return value


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"
