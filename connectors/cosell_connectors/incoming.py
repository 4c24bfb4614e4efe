"""From status, headers and body to a reply, or to the right error. Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from email.utils import parsedate_to_datetime
from typing import Any

from .errors import ConnectorError, ErrorClass, Happened
from .markup import fault, title
from .model import ErrorRules, Rows
from .pointers import MISSING, first, pick

LONGEST_MESSAGE = 1024

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
    rules: ErrorRules, *, status: int, headers: Mapping[str, str], content: bytes, now: datetime
) -> Reply:
    """The reply, where *status* says it went well; raises ConnectorError where it does not."""
    lowered = {name.lower(): value for name, value in headers.items()}
    body, readable = _decode(content)
    if not 200 <= status < 300:
        body = body if readable else fault(content)
        page = None if body is not None else title(content)
        raise _failure(rules, status=status, headers=lowered, body=body, page=page, now=now)
    if not readable:
        # A proxy or a sign-in page has answered in the system's place, after the request went out.
        raise ConnectorError(
            "unavailable",
            f"the answer is not JSON but {lowered.get('content-type', 'of no stated type')}",
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


def with_row_errors(reply: Reply, rows: Rows, rules: ErrorRules) -> Reply:
    """*reply* with an `error` in each row that did not go well, although the whole did."""
    found = pick(reply.body, rows.at)
    if not isinstance(found, list):
        return reply
    for row in found:  # they were decoded for this reply alone, and may be added to
        if isinstance(row, dict) and pick(row, rows.succeeded) is False:
            row["error"] = _row_error(rules, pick(row, rows.errors), reply)
    return reply


def _row_error(rules: ErrorRules, told: Any, reply: Reply) -> dict[str, Any]:
    code = _text(told, rules.code)
    return {
        "class": _class(rules, status=400, code=code),
        "code": code,
        "message": _text(told, rules.message)[:LONGEST_MESSAGE],
        "field": _text(told, rules.field) or None,
        "request_id": _request_id(rules, reply.headers),
    }


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
    return ConnectorError(
        _class(rules, status=status, code=code),
        told[:LONGEST_MESSAGE],
        code=code or str(status),
        request_id=_request_id(rules, headers),
        retry_after=retry_after(headers, now=now),
        status=status,
        field=_text(body, rules.field) or None,
        happened=_happened(status),
    )


def _class(rules: ErrorRules, *, status: int, code: str) -> ErrorClass:
    for rule in rules.rules:
        if rule.statuses and status not in rule.statuses:
            continue
        if rule.codes and code.casefold() not in (one.casefold() for one in rule.codes):
            continue
        return rule.error_class
    if status in CLASS_BY_STATUS:
        return CLASS_BY_STATUS[status]
    return "unavailable" if status >= 500 else "invalid"


def _happened(status: int) -> Happened:
    # A gateway may give up (408, 5xx) on a write that the system behind it goes on to do.
    return "maybe" if status >= 500 or status == 408 else "no"


def _request_id(rules: ErrorRules, headers: Mapping[str, str]) -> str | None:
    return next((headers[name] for name in rules.request_id if name in headers), None)


def _text(body: Any, pointers: tuple[str, ...]) -> str:
    found = first(body, pointers)
    return str(found) if found is not MISSING and not isinstance(found, dict | list) else ""


def _decode(content: bytes) -> tuple[Any, bool]:
    if not content.strip():
        return None, True
    try:
        return json.loads(content, parse_float=Decimal), True
    except (ValueError, RecursionError):
        return None, False


def _aware(moment: datetime) -> datetime:
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
