"""What was asked of an emulator, in order of arrival, with every secret blanked."""

import re
from collections import deque
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from starlette.requests import Request

from cosell_emulators import exact_json

_BLANK = "***"
_SECRET_NAMES = (
    "access_token",
    "assertion",
    "client_assertion",
    "client_secret",
    "id_token",
    "password",
    "refresh_token",
)
_SECRET_IN_FORM = re.compile(rf"(?i)\b({'|'.join(_SECRET_NAMES)}|code|token|sid)=[^&]*")
_SECRET_IN_XML = re.compile(r"(?i)(<(?:\w+:)?sessionId\b[^>]*>)[^<]*")
_SECRET_HEADERS = {"authorization", "proxy-authorization", "x-sfdc-session"}

# A sandbox may run for days; the newest hundred thousand requests are enough for any test.
_KEPT = 100_000


@dataclass(slots=True)
class Entry:
    """One request; status stays empty until it is answered, for good when it was dropped."""

    method: str
    path: str
    query: str
    headers: dict[str, str]
    content: bytes
    at: datetime = field(default_factory=lambda: datetime.now(UTC))
    status: int | None = None
    fault: str | None = None

    def document(self) -> dict[str, Any]:
        """Show the entry as the control call does."""
        kind = self.headers.get("content-type", "")
        return {
            "at": self.at.isoformat().replace("+00:00", "Z"),
            "method": self.method,
            "path": self.path,
            "query": _SECRET_IN_FORM.sub(rf"\1={_BLANK}", self.query),
            "headers": {name: _header(name, value) for name, value in self.headers.items()},
            "body": _body(self.content, kind),
            "status": self.status,
            "fault": self.fault,
        }


class RequestLog:
    """The requests since the log was last emptied."""

    def __init__(self) -> None:
        self._entries: deque[Entry] = deque(maxlen=_KEPT)

    def clear(self) -> None:
        """Empty the log."""
        self._entries.clear()

    def add(self, request: Request, content: bytes) -> Entry:
        """Write a request down as it arrives."""
        entry = Entry(
            request.method,
            request.url.path,
            request.url.query,
            dict(request.headers),
            content,
        )
        self._entries.append(entry)
        return entry

    def documents(self) -> list[dict[str, Any]]:
        """Show every entry."""
        return [entry.document() for entry in self._entries]


def _header(name: str, value: str) -> str:
    if name not in _SECRET_HEADERS:
        return value
    scheme, _, rest = value.partition(" ")
    return f"{scheme} {_BLANK}" if rest else _BLANK


def _body(content: bytes, kind: str) -> Any:
    if not content:
        return None
    text = content.decode("utf-8", errors="replace")
    if "json" in kind:
        try:
            return _blanked(exact_json.loads(text))
        except ValueError:
            return text
    if "form" in kind:
        return _SECRET_IN_FORM.sub(rf"\1={_BLANK}", text)
    return _SECRET_IN_XML.sub(rf"\g<1>{_BLANK}", text)


def _blanked(value: Any) -> Any:
    if isinstance(value, dict):
        return {
            key: _BLANK if key.lower() in _SECRET_NAMES else _blanked(inner)
            for key, inner in value.items()
        }
    return [_blanked(inner) for inner in value] if isinstance(value, list) else value
