"""From status, headers and body to a reply, or to the right error. Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from email.utils import parsedate_to_datetime
from typing import Any

from cosell_definitions.freezing import dataclass

from . import envelopes, tables
from .errors import ConnectorError, ErrorClass, Happened
from .markup import fault, title
from .model import Answer, ErrorRules, Rows
from .pointers import MISSING, first, pick, pick_all

LONGEST_MESSAGE = 1024
LONGEST_RECORD = 200

_THEIR_FAULT = ("", "Server", "Receiver")

# Classes by status, where the connector's file has no rule of its own (RFC 9110 section 15).
CLASS_BY_STATUS: Mapping[int, ErrorClass] = {
    401: "unauthorized",
    403: "forbidden",
    404: "not_found",
    408: "unavailable",
    409: "conflict",
    410: "not_found",
    412: "conflict",
    413: "too_large",
    414: "too_large",
    423: "locked",
    429: "rate_limited",
    431: "too_large",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """What came back. `body` is plain JSON values, with decimals where there is a fraction."""

    status: int
    body: Any
    headers: Mapping[str, str]  # names in lower case


def read(
    rules: ErrorRules,
    *,
    status: int,
    headers: Mapping[str, str],
    content: bytes,
    now: datetime,
    answer: Answer | None = None,
) -> Reply:
    """The reply, where *status* says it went well; raises ConnectorError where it does not."""
    lowered = {name.lower(): value for name, value in headers.items()}
    if not 200 <= status < 300:
        body, readable = _decode(content)
        body = body if readable else fault(content)
        page = None if body is not None else title(content)
        raise _failure(rules, status=status, headers=lowered, body=body, page=page, now=now)
    body, readable = _decode_as(answer, content, lowered.get("content-type", ""))
    if not readable:
        # A proxy or a sign-in page has answered in the system's place, after the request went out.
        kind = answer.kind.upper() if answer else "JSON"
        raise ConnectorError(
            "unavailable",
            f"the answer is not {kind} but {lowered.get('content-type', 'of no stated type')}",
            code="not_json",
            status=status,
            request_id=_request_id(rules, lowered),
            happened="maybe",
        )
    return Reply(status=status, body=body, headers=lowered)


def retry_after(headers: Mapping[str, str], *, now: datetime) -> timedelta | None:
    """How long the answer asks to wait: seconds or a date (RFC 9110 section 10.2.3)."""
    text = headers.get("retry-after", "").strip()
    if not text:
        return None
    if text.isascii() and text.isdigit():
        return timedelta(seconds=min(int(text), 86_400 * 365))
    try:
        until = parsedate_to_datetime(text)
        # The other system's date counts from its own clock, where it tells it.
        told = parsedate_to_datetime(headers["date"]) if "date" in headers else now
    except ValueError:
        return None
    return max(timedelta(), _aware(until) - _aware(told))


def date_of(headers: Mapping[str, str]) -> datetime | None:
    """What time it is there, where the answer tells (RFC 9110 section 6.6.1)."""
    try:
        return _aware(parsedate_to_datetime(headers["date"])) if "date" in headers else None
    except ValueError:
        return None


def with_row_errors(
    reply: Reply, rows: Rows, rules: ErrorRules, arguments: Mapping[str, Any]
) -> Reply:
    """*reply* with an `error` in each row that did not go well, although the whole did.

    Raises ConnectorError where the row stands for the call.
    """
    for found in pick_all(reply.body, rows.at):
        for place, row in enumerate(found if isinstance(found, list) else ()):
            status = _row_status(row, rows)
            if status is None:
                continue
            told = _told(pick(row, rows.errors), rows.says)
            error = _row_error(rules, told, reply, status)
            error.record = _row_record(rows, arguments, place)
            if rows.alone:
                raise error
            row["error"] = {  # it was decoded for this reply alone, and may be added to
                "class": error.error_class,
                "code": error.code,
                "message": error.message,
                "field": error.field,
                "record": error.record,
                "request_id": error.request_id,
            }
    return reply


def _row_status(row: Any, rows: Rows) -> int | None:
    """The status by which a row failed; nothing where it went well."""
    if not isinstance(row, dict):
        return None
    if rows.succeeded is not None:
        return 400 if pick(row, rows.succeeded) is False else None
    if rows.status is None:
        return 400 if pick(row, rows.errors) not in (MISSING, None, "") else None
    status = pick(row, rows.status)
    return status if isinstance(status, int) and status >= 300 else None


def _told(errors: Any, says: str | None) -> Any:
    """What the rules read: *errors* as they are, or taken apart where they are one text."""
    if says is None or not isinstance(errors, str):
        return errors
    pattern = re.escape(says)
    for name in ("code", "message", "field"):
        within = ".*" if name == "message" else "[^:]*"
        pattern = pattern.replace(re.escape(f"{{{name}}}"), f"(?P<{name}>{within})", 1)
    found = re.fullmatch(pattern, errors.strip(), re.DOTALL)
    return _Apart(**found.groupdict()) if found else _Apart(message=errors)


@dataclass(frozen=True, slots=True)
class _Apart:
    """The parts of an error that was one text."""

    code: str = ""
    message: str = ""
    field: str = ""


def _row_error(rules: ErrorRules, told: Any, reply: Reply, status: int) -> ConnectorError:
    apart = told if isinstance(told, _Apart) else _apart(rules, told)
    return ConnectorError(
        _class(rules, status=status, code=apart.code),
        apart.message[:LONGEST_MESSAGE],
        code=apart.code,
        status=status,
        field=apart.field or None,
        request_id=_request_id(rules, reply.headers),
    )


def _apart(rules: ErrorRules, told: Any) -> _Apart:
    return _Apart(_text(told, rules.code), _text(told, rules.message), _text(told, rules.field))


def _row_record(rows: Rows, arguments: Mapping[str, Any], place: int) -> str | None:
    """What the row is about, as the call named it."""
    if rows.record is None:
        return None
    found = pick(arguments, rows.record.replace("*", str(place)))
    return None if found is MISSING or found is None else str(found)[:LONGEST_RECORD]


def _failure(
    rules: ErrorRules,
    *,
    status: int,
    headers: Mapping[str, str],
    body: Any,
    page: str | None,
    now: datetime,
) -> ConnectorError:
    code = _text(body, rules.code)
    told = _text(body, rules.message) or f"answered with status {status}"
    if page is not None:
        # A gateway or a sign-in page stands in the system's place.
        told += f" and a web page: {page}"
    # SOAP answers every refusal with 500; but for these codes, it is about what was asked.
    # https://www.w3.org/TR/2000/NOTE-SOAP-20000508/#_Toc478383510
    refused = isinstance(body, dict) and "faultcode" in body and code not in _THEIR_FAULT
    error_class = _class(rules, status=status, code=code, otherwise=400 if refused else status)
    return ConnectorError(
        error_class,
        told[:LONGEST_MESSAGE],
        code=code or str(status),
        request_id=_request_id(rules, headers),
        retry_after=retry_after(headers, now=now),
        status=status,
        field=_text(body, rules.field) or None,
        record=_text(body, rules.record)[:LONGEST_RECORD] or None,
        happened="no"
        if refused and error_class != "unavailable"
        else _happened(status, error_class),
    )


def _class(
    rules: ErrorRules, *, status: int, code: str, otherwise: int | None = None
) -> ErrorClass:
    """The class by the file's rules, or else by the status; of a fault, by the one it stands for."""
    for rule in rules.rules:
        if rule.statuses and status not in rule.statuses:
            continue
        if rule.codes and code.casefold() not in (one.casefold() for one in rule.codes):
            continue
        return rule.error_class
    status = otherwise or status
    if status in CLASS_BY_STATUS:
        return CLASS_BY_STATUS[status]
    return "unavailable" if status >= 500 else "invalid"


def _happened(status: int, error_class: ErrorClass) -> Happened:
    # Whoever says that a record is locked, or that there were too many calls, wrote nothing.
    if error_class in ("locked", "rate_limited"):
        return "no"
    # A gateway may give up (408, 5xx) on a write that the system behind it goes on to do.
    return "maybe" if status >= 500 or status == 408 else "no"


def _request_id(rules: ErrorRules, headers: Mapping[str, str]) -> str | None:
    return next((headers[name] for name in rules.request_id if name in headers), None)


def _text(body: Any, pointers: tuple[str, ...]) -> str:
    found = first(body, pointers)
    return str(found) if found is not MISSING and not isinstance(found, dict | list) else ""


def _decode_as(answer: Answer | None, content: bytes, kind: str) -> tuple[Any, bool]:
    """*content* as plain values, and whether it is what it should be."""
    if answer is None:
        return _decode(content)
    try:
        if answer.kind == "xml":
            return envelopes.read(content, answer), True
        # A web page could be read as a table of one column.
        return (None, False) if "html" in kind else (tables.read(content), True)
    except (ValueError, RecursionError):
        return None, False


def _decode(content: bytes) -> tuple[Any, bool]:
    if not content.strip():
        return None, True
    try:
        return json.loads(content, parse_float=Decimal), True
    except (ValueError, RecursionError):
        return None, False


def _aware(moment: datetime) -> datetime:
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
