"""Conditional requests: answer only what is new, change only what is still as it was seen.

https://developer.salesforce.com/docs/platform/api-rest/guide/intro-rest-conditional-requests.html
"""

import hashlib
from datetime import UTC, datetime
from email.utils import format_datetime, parsedate_to_datetime

from cosell_emulators.salesforce.calls import Call
from cosell_emulators.salesforce.problems import Refusal, refusal
from cosell_emulators.salesforce.store import Row


def headers_of(call: Call, row: Row) -> dict[str, str] | None:
    """Weigh a conditional read; nothing when the caller's copy is still good."""
    changed = _changed(row)
    headers: dict[str, str] = {}
    if changed is not None:
        headers["Last-Modified"] = format_datetime(changed, usegmt=True)
    tag = _tag(row)
    if tag is not None:
        headers["ETag"] = tag
        if _named(call, "if-none-match", tag):
            return None
        if "if-match" in call.headers and not _named(call, "if-match", tag):
            raise _precondition()
    since = _moment(call, "if-modified-since", lenient=True)
    if since is not None and changed is not None and changed <= since:
        return None
    until = _moment(call, "if-unmodified-since", lenient=True)
    if until is not None and changed is not None and changed > until:
        raise _precondition()
    return headers


def unmodified(call: Call, row: Row) -> None:
    """Refuse to change a row that was changed since the caller last saw it, to the second."""
    changed, tag = _changed(row), _tag(row)
    if tag is not None:
        stranger = "if-match" in call.headers and not _named(call, "if-match", tag)
        if stranger or _named(call, "if-none-match", tag):
            raise _precondition()
    until = _moment(call, "if-unmodified-since", lenient=False)
    if until is not None and changed is not None and changed > until:
        raise _precondition()
    since = _moment(call, "if-modified-since", lenient=False)
    if since is not None and changed is not None and changed <= since:
        raise _precondition()


def _changed(row: Row) -> datetime | None:
    found: datetime | None = row.get("LastModifiedDate") or row.get("SystemModstamp")
    return found


def _tag(row: Row) -> str | None:
    """Give the entity tag of a row, which only accounts have; it follows from what they hold."""
    if row.type.name != "Account":
        return None
    held = repr(sorted((name, str(value)) for name, value in row.values.items()))
    return f'"{hashlib.sha256(held.encode()).hexdigest()[:32]}--gzip"'


def _named(call: Call, header: str, tag: str) -> bool:
    text = call.headers.get(header)
    if text is None:
        return False
    named = {part.strip().removeprefix("W/").strip('"') for part in text.split(",")}
    plain = tag.strip('"')
    return bool(named & {"*", plain, plain.removesuffix("--gzip")})


def _precondition() -> Refusal:
    message = "The precondition of the request was not met: the record has changed"
    return refusal("PRECONDITION_FAILED", message, bare=True)


def _moment(call: Call, header: str, *, lenient: bool) -> datetime | None:
    text = call.headers.get(header)
    if text is None:
        return None
    try:
        moment = parsedate_to_datetime(text)
    except ValueError:
        if lenient:
            return None
        message = f"Invalid value for header {header}: {text}"
        raise refusal("INVALID_HEADER", message, bare=True) from None
    return moment.replace(tzinfo=moment.tzinfo or UTC)
