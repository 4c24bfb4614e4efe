"""Faults that a test orders: which requests go wrong, how, and how often."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPMethod
from typing import Any
from urllib.parse import unquote_plus

from starlette.responses import Response

from cosell_emulators import exact_json

_STATUSES = range(200, 600)


class BadControl(ValueError):
    """A control call that makes no sense; its text is the sentence the caller reads."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What goes wrong: a status instead of work, a cut connection, a pause."""

    status: int | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    body: Any = None
    drop: str | None = None
    delay_ms: int = 0

    @property
    def name(self) -> str:
        """Say how the request log calls it."""
        if self.drop is not None:
            return f"drop_{self.drop}"
        return "delay" if self.status is None else "status"

    def response(self) -> Response:
        """Make the answer of a status fault."""
        if self.body is None or isinstance(self.body, str):
            plain = {"content-type": "text/plain; charset=utf-8"} if self.body else {}
            return Response(self.body, self.status or 500, headers={**plain, **self.headers})
        json = {"content-type": "application/json"}
        text = exact_json.dumps(self.body)
        return Response(text, self.status or 500, headers={**json, **self.headers})


@dataclass(slots=True, kw_only=True)
class Fault:
    """One ordered fault and how much of it is left."""

    method: str | None
    path: re.Pattern[str] | None
    then: Answer
    passing: int
    left: int | None

    def matches(self, method: str, path: str, query: str) -> bool:
        """Say whether this is a request the fault is about."""
        if self.method is not None and self.method != method:
            return False
        if self.path is None:
            return True
        written = f"{path}?{query}" if query else path
        read = unquote_plus(written)
        return self.path.search(written) is not None or self.path.search(read) is not None


class Faults:
    """The faults in order; the first that is due takes the request."""

    def __init__(self) -> None:
        self._faults: list[Fault] = []

    def __len__(self) -> int:
        return len(self._faults)

    def clear(self) -> None:
        """Forget them all."""
        self._faults.clear()

    def order(self, body: Any) -> None:
        """Add the fault that the body of a control call describes."""
        self._faults.append(_fault(body))

    def take(self, method: str, path: str, query: str) -> Answer | None:
        """Find what goes wrong with a request, and count it."""
        for fault in self._faults:
            if not fault.matches(method, path, query):
                continue
            if fault.passing > 0:
                fault.passing -= 1
                continue
            if fault.left is None:
                return fault.then
            fault.left -= 1
            if fault.left == 0:
                self._faults.remove(fault)
            return fault.then
        return None


def _fault(body: Any) -> Fault:
    body = _object(body, "A fault", {"match", "then", "after", "times"})
    match = _object(body.get("match", {}), "match", {"method", "path"})
    if "then" not in body:
        raise BadControl('A fault needs "then": a status, a drop or a delay_ms.')
    times = body.get("times", 1)
    left = None if times is None else _count(times, "times", least=1)
    return Fault(
        method=_method(match.get("method")),
        path=_pattern(match.get("path")),
        then=_answer(body["then"]),
        passing=_count(body.get("after", 0), "after"),
        left=left,
    )


def _answer(then: Any) -> Answer:
    then = _object(then, "then", {"status", "headers", "body", "drop", "delay_ms"})
    status, drop = then.get("status"), then.get("drop")
    if status is None and drop is None and "delay_ms" not in then:
        raise BadControl('"then" needs a status, a drop or a delay_ms.')
    if status is not None and drop is not None:
        raise BadControl('"then" is a status or a drop, not both.')
    if status is not None and not (_is_whole(status) and status in _STATUSES):
        raise BadControl("The status must be a whole number from 200 to 599.")
    if drop not in (None, "before", "after"):
        raise BadControl('"drop" is "before" or "after".')
    headers = then.get("headers") or {}
    if not isinstance(headers, dict):
        raise BadControl('"headers" must be an object of names and values.')
    return Answer(
        status=status,
        headers={str(name).lower(): str(value) for name, value in headers.items()},
        body=then.get("body"),
        drop=drop,
        delay_ms=_count(then.get("delay_ms", 0), "delay_ms"),
    )


def _object(value: Any, name: str, known: set[str]) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise BadControl(f"{name} must be a JSON object.")
    if unknown := sorted(set(value) - known):
        raise BadControl(f"{name} knows no {unknown[0]!r}; it knows {', '.join(sorted(known))}.")
    return value


def _method(value: Any) -> str | None:
    if value is None:
        return None
    if not isinstance(value, str) or value.upper() not in set(HTTPMethod):
        raise BadControl("The method must be an HTTP method like POST.")
    return value.upper()


def _pattern(value: Any) -> re.Pattern[str] | None:
    if value is None:
        return None
    if not isinstance(value, str):
        raise BadControl("The path must be a regular expression.")
    try:
        return re.compile(value)
    except re.error as error:
        raise BadControl(f"The path is not a regular expression: {error}.") from error


def _count(value: Any, name: str, *, least: int = 0) -> int:
    if not _is_whole(value) or value < least:
        raise BadControl(f"{name!r} must be a whole number, {least} or more.")
    return int(value)


def _is_whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)
