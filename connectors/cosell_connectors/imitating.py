"""Make the answer a system would give from what an operation is to give out, or how it is to fail. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import field
from datetime import UTC, datetime, timedelta
from typing import Any

from cosell_definitions.freezing import dataclass
from cosell_definitions.problems import did_you_mean

from . import envelopes, incoming, paging, tables
from .encoding import encode
from .errors import ConnectorError
from .model import Connector, Operation, OutputField
from .outgoing import moment
from .pointers import MISSING, pick, segments

_STATUS: Mapping[str, int] = {
    "rate_limited": 429,
    "unavailable": 503,
    "locked": 423,
    "conflict": 409,
    "unauthorized": 401,
    "forbidden": 403,
    "not_found": 404,
    "invalid": 400,
    "too_large": 413,
}
_COUNTS = ("total", "count", "size")
_ANY_TIME = datetime(2000, 1, 1, tzinfo=UTC)


class NotLikeIt(ValueError):
    """The system would never answer so; the text says why, `hint` what to do."""

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        super().__init__(message)
        self.hint = hint


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """An answer, as it comes over the wire."""

    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    content: bytes = b""


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """How an operation is to fail. `lost`: the request arrived, and its answer did not."""

    error_class: str
    code: str | None = None
    message: str | None = None
    retry_after: timedelta | None = None
    lost: bool = False


def answer(body: Any, *, status: int = 200, headers: Mapping[str, str] | None = None) -> Answered:
    """An answer with that body: text as it is, anything else as JSON, nothing for null."""
    content = body.encode() if isinstance(body, str) else b"" if body is None else encode(body)
    return Answered(status=status, headers=dict(headers or {}), content=content)


def answered(operation: Operation, body: Any) -> Answered:
    """An answer of *operation* with that body, written as its answers are."""
    kind = operation.answer.kind if operation.answer else None
    if kind is None or isinstance(body, str):
        return answer(body)
    try:
        if kind == "csv":
            return Answered(headers={"Content-Type": "text/csv"}, content=_table(body))
        call = operation.soap.call if operation.soap else operation.name
        content = envelopes.response(call, body if isinstance(body, Mapping) else {})
        return Answered(headers={"Content-Type": "text/xml"}, content=content)
    except ValueError as error:
        raise NotLikeIt(f"{operation.name} answers in {kind.upper()}, and {error}") from None


def _table(body: Any) -> bytes:
    return tables.write(body) if body else b""


def check_body(operation: Operation, body: Any) -> None:
    """Raise NotLikeIt where an answer with *body* lacks what the operation reads from it."""
    if operation.paging is None:
        return
    try:
        paging.items(operation.paging, body)
    except ConnectorError as error:
        raise NotLikeIt(f"in the answer {error.message}") from None
    where = operation.paging.items
    if _picked(body, where) is None:
        raise NotLikeIt(
            f"the answer holds no list at {where or 'its top'}",
            hint="write what the system answers; with `return:`, what the operation gives out",
        )


def body_of(operation: Operation, value: Any) -> Any:
    """The body from which the operation gives out *value*; raises NotLikeIt where none can be."""
    if not operation.output:
        return value
    names = [one.name for one in operation.output]
    if not isinstance(value, Mapping):
        raise NotLikeIt(
            f"{operation.name} gives out {', '.join(names)}, and this is {_said(value)}",
            hint=f"write return: {{ {names[0]}: … }}",
        )
    for name in value:
        if name not in names:
            meant = did_you_mean(name, names)
            hint = f"did you mean {meant!r}?" if meant else f"it gives out: {', '.join(names)}"
            raise NotLikeIt(f"{operation.name} gives out no {name!r}", hint=hint)
    items = _items(operation, value)
    parts = [(one.pointer, value[one.name]) for one in _values(operation) if one.name in value]
    parts += [
        (one.pointer, len(items))
        for one in _values(operation)
        if operation.paging and one.name not in value and _is_count(one)
    ]
    if operation.paging is not None:
        parts.insert(0, (operation.paging.items, items))
    body = built(parts)
    _check_newest(operation, value, items)
    return body


def _values(operation: Operation) -> Iterator[OutputField]:
    return (one for one in operation.output if one.kind == "value")


def _items(operation: Operation, value: Mapping[str, Any]) -> list[Any]:
    for one in operation.output:
        if one.kind == "items" and one.name in value:
            found = value[one.name]
            if not isinstance(found, list | tuple):
                raise NotLikeIt(
                    f"{one.name!r} of {operation.name} is a list, and this is {_said(found)}",
                    hint=f"write {one.name}: [ … ]",
                )
            return list(found)
    return []


def _is_count(one: OutputField) -> bool:
    """Whether a field counts the items: it need not be written beside them."""
    return any(word in one.name.lower() for word in _COUNTS)


def _check_newest(operation: Operation, value: Mapping[str, Any], items: list[Any]) -> None:
    for one in operation.output:
        if one.kind != "newest" or value.get(one.name) is None:
            continue
        stamps = [stamp for item in items if (stamp := paging.stamp_of(item, one.pointer))]
        if not stamps or max(stamps) != _moment(value[one.name]):
            raise NotLikeIt(
                f"{one.name!r} is the newest {one.pointer} of the items, and none of them has it",
                hint=f"leave {one.name} out, or write {one.pointer.strip('/')} into an item",
            )


def _moment(value: Any) -> datetime | None:
    try:
        return moment(value)
    except (ValueError, TypeError):
        return None


def failing(connector: Connector, failure: Failure) -> Answered | None:
    """An answer that the connector reads as *failure*; None where no status and code can say it.

    Raises NotLikeIt where the connector reads the code that was given as another class.
    """
    read_as: str | None = None
    for status, code in _ways(connector, failure):
        made = _error(connector, failure, status=status, code=code)
        read_as = _class_of(connector, made)
        if read_as == failure.error_class:
            return made
    if failure.code is not None and read_as is not None:
        raise NotLikeIt(
            f"{connector.name} reads the code {failure.code} as class {read_as}",
            hint=f"write class: {read_as}, or another code",
        )
    return None


def _ways(connector: Connector, failure: Failure) -> Iterator[tuple[int, str]]:
    """Statuses and codes by which the class could be told, the connector's own rules first."""
    natural = _STATUS.get(failure.error_class, 400)
    for rule in connector.errors.rules:
        if rule.error_class == failure.error_class:
            status = rule.statuses[0] if rule.statuses else natural
            yield status, failure.code or (rule.codes[0] if rule.codes else "")
    yield natural, failure.code or ""
    yield 400, failure.code or ""


def _error(connector: Connector, failure: Failure, *, status: int, code: str) -> Answered:
    message = failure.message or f"this call fails in the test: {failure.error_class}"
    rules = connector.errors
    parts = [(pointers[0], text) for pointers, text in
             ((rules.code, code), (rules.message, message)) if pointers and text]  # fmt: skip
    headers = {"Content-Type": "application/json"}
    if failure.retry_after is not None:
        headers["Retry-After"] = str(int(failure.retry_after.total_seconds()))
    return answer(built(parts) if parts else message, status=status, headers=headers)


def _class_of(connector: Connector, made: Answered) -> str | None:
    try:
        incoming.read(
            connector.errors,
            status=made.status,
            headers=made.headers,
            content=made.content,
            now=_ANY_TIME,
        )
    except ConnectorError as error:
        return error.error_class
    return None


def built(parts: Iterable[tuple[str, Any]]) -> Any:
    """A body that holds each value where its pointer points; numbers make lists."""
    body: Any = None
    for pointer, value in parts:
        body = _with(body, segments(pointer), value)
    return body


def _with(body: Any, path: tuple[str, ...], value: Any) -> Any:
    if not path:
        return value
    head, rest = path[0], path[1:]
    if head.isdigit():
        made = list(body) if isinstance(body, list) else []
        made += [None] * (int(head) + 1 - len(made))
        made[int(head)] = _with(made[int(head)], rest, value)
        return made
    known = dict(body) if isinstance(body, Mapping) else {}
    return {**known, head: _with(known.get(head), rest, value)}


def _picked(body: Any, pointer: str) -> Any:
    found = pick(body, pointer)
    return None if found is MISSING else found


def _said(value: Any) -> str:
    match value:
        case None:
            return "null"
        case str():
            return "text"
        case Mapping():
            return "keys with values"
        case list() | tuple():
            return "a list"
        case _:
            return f"a {type(value).__name__}"
