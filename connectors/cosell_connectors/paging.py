"""Where a list goes on, where it ends, and what is made of its pages. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from types import MappingProxyType
from typing import Any
from urllib.parse import parse_qsl, quote, unquote_plus, urlsplit

from .errors import ConnectorError
from .model import Count, Cursor, Operation, Paging
from .outgoing import moment
from .pointers import MISSING, pick


def next_url(
    paging: Paging,
    body: Any,
    *,
    current: str,
    base_url: str,
    headers: Mapping[str, str] | None = None,
    had: int = 0,
) -> str | None:
    """The address of the next page, at the connection's own host; nothing at the last page.

    *had* is how many items this page had; the names of *headers* are in lower case.
    """
    match paging.next:
        case Cursor(at=at, header=header, parameter=parameter, end=end):
            told = headers or {}
            mark = pick(body, at) if at is not None else told.get(header or "", MISSING)
            if mark is MISSING or mark in (None, "", False) or str(mark) in end:
                return None
            if isinstance(mark, dict | list):
                raise _broken(f"the mark of the next page is a {type(mark).__name__}")
            return _elsewhere(_with(current, parameter, str(mark)), current)
        case Count(parameter=parameter, by=by, first=begin):
            if not had:
                return None
            written = dict(parse_qsl(urlsplit(current).query)).get(parameter, "")
            count = int(written) if written.isascii() and written.isdigit() else begin
            return _with(current, parameter, str(count + (had if by == "items" else 1)))
        case pointer:
            return _linked(pick(body, pointer), current=current, base_url=base_url)


def _linked(link: Any, *, current: str, base_url: str) -> str | None:
    """Where a link in an answer leads.

    It is taken for what it says after the host. Scheme and host are always the connection's, so
    that a token is never sent elsewhere: Partner Center prints `http://` links.
    """
    if link is MISSING or link is None or link == "":
        return None
    if not isinstance(link, str):
        raise _broken(f"the link to the next page is a {type(link).__name__}")
    base, target = urlsplit(base_url), urlsplit(link)
    path = _path(target.path, current=urlsplit(current).path, base=base.path.rstrip("/"))
    url = f"{base.scheme}://{base.netloc}{path}" + (f"?{target.query}" if target.query else "")
    return _elsewhere(url, current)


def again(url: str, *, base_url: str) -> str:
    """The address of a page that was told of before, at the connection's own host."""
    base = urlsplit(base_url)
    return urlsplit(url)._replace(scheme=base.scheme, netloc=base.netloc).geturl()


def _elsewhere(url: str, current: str) -> str:
    if url == current:
        raise _broken("the link to the next page leads to the page itself")
    return url


def _with(url: str, parameter: str, value: str) -> str:
    """*url* with one query parameter set; the others stay as they are written."""
    parts = urlsplit(url)
    kept = [
        pair
        for pair in parts.query.split("&")
        if pair and unquote_plus(pair.split("=", 1)[0]) != parameter
    ]
    pair = f"{quote(parameter, safe='$')}={quote(value, safe='')}"
    return parts._replace(query="&".join([*kept, pair])).geturl()


def _path(path: str, *, current: str, base: str) -> str:
    if not path.startswith("/"):
        return current  # `?$skiptoken=…` alone
    if any(part in {".", ".."} for part in path.replace("%2e", ".").replace("%2E", ".").split("/")):
        raise _broken("the link to the next page climbs out of its folder")
    if path == current or path.startswith(f"{base}/"):
        return path
    # Partner Center's own example lacks `/engagements`: v1.0/referrals?$skiptoken=…
    # https://learn.microsoft.com/en-us/partner-center/developer/get-a-list-of-referrals
    if path.rsplit("/", 1)[-1] == current.rsplit("/", 1)[-1]:
        return current
    raise _broken(f"the link to the next page leads outside {base or '/'}: {path[:200]}")


def _broken(message: str) -> ConnectorError:
    return ConnectorError("invalid", message, code="bad_next_link")


def items(paging: Paging, body: Any) -> list[Any]:
    """The items of one page."""
    found = pick(body, paging.items)
    if found is MISSING or found is None:
        return []
    if not isinstance(found, list):
        raise ConnectorError("invalid", f"{paging.items} is not a list", code="bad_page")
    return found


def until(
    paging: Paging, page: Sequence[Any], arguments: Mapping[str, Any]
) -> tuple[list[Any], bool]:
    """The items of *page* that are asked for, and whether the list ends here.

    What is asked for by name is looked for in the whole list, however old it is.
    """
    named = paging.named(arguments)
    if paging.only is not None and named:
        field = paging.only.field
        found = [item for item in page if str(pick(item, field)).lower() in named]
        return found, len({str(pick(item, field)).lower() for item in found}) == len(named)
    stop = paging.stop
    limit = arguments.get(stop.before) if stop else None
    if stop is None or limit is None:
        return list(page), False
    oldest = moment(limit)
    kept: list[Any] = []
    for item in page:
        stamp = stamp_of(item, stop.field)
        if stamp is not None and stamp < oldest:
            return kept, True
        kept.append(item)
    return kept, False


def stamp_of(item: Any, pointer: str) -> datetime | None:
    """The moment *item* carries, or nothing where it carries none that can be read."""
    text = pick(item, pointer)
    try:
        return moment(text) if isinstance(text, str | datetime) else None
    except ValueError:
        return None


def output(
    operation: Operation,
    body: Any,
    collected: Sequence[Any],
    arguments: Mapping[str, Any] = MappingProxyType({}),
) -> Any:
    """What the operation gives out: *body* as it is, or the names its file declares.

    Of items that were asked for by name, the newest says nothing of how far the list was read.
    """
    by_name = operation.paging is not None and bool(operation.paging.named(arguments))
    if not operation.output:
        return body
    made: dict[str, Any] = {}
    for field in operation.output:
        match field.kind:
            case "items":
                made[field.name] = list(collected)
            case "newest":
                made[field.name] = None if by_name else _newest(collected, field.pointer)
            case "value":
                found = pick(body, field.pointer)
                made[field.name] = None if found is MISSING else found
    return made


def _newest(collected: Sequence[Any], pointer: str) -> Any:
    stamped = (
        (stamp, str(pick(item, pointer)))
        for item in collected
        if (stamp := stamp_of(item, pointer)) is not None
    )
    newest = max(stamped, default=None)
    return newest[1] if newest else None
