"""List referrals: the OData options, pages, and the link to the next one.

https://learn.microsoft.com/en-us/partner-center/developer/get-a-list-of-referrals
"""

import base64
import heapq
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import quote

from cosell_emulators.partner_center import filtering, moments
from cosell_emulators.partner_center.problems import ReferralRefusal, invalid
from cosell_emulators.partner_center.referrals import Referral, Referrals
from cosell_emulators.partner_center.shapes import REFERRAL, Many, Shape, Thing

PAGE = 50

# The two the documents name; the service refuses to sort by anything else.
_SORTABLE = {"createddatetime": "createdDateTime", "updateddatetime": "updatedDateTime"}
_KNOWN = {"$filter", "$select", "$orderby", "$top", "$skip", "$count", "$expand", "$skiptoken"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """What a listing asks for; *offset* and *left* move from page to page."""

    filter: str | None = None
    select: tuple[tuple[str, ...], ...] = ()
    orderby: tuple[tuple[str, bool], ...] = ()
    left: int | None = None
    offset: int = 0
    counted: bool = True


def read(options: Mapping[str, str]) -> Query:
    """Read the options of a request; refuse those nobody documented."""
    known = {name.lower(): value for name, value in options.items() if name.startswith("$")}
    if unknown := sorted(set(known) - _KNOWN):
        raise _unsound(unknown[0], "is not supported")
    if "$skiptoken" in known:
        return _from_token(known["$skiptoken"])
    return Query(
        filter=known.get("$filter") or None,
        select=_select(known.get("$select", "")),
        orderby=_orderby(known.get("$orderby", "")),
        left=_whole(known, "$top"),
        offset=_whole(known, "$skip") or 0,
        counted=_truth(known.get("$count", "true")),
    )


def page(referrals: Referrals, query: Query, *, base_url: str, size: int = PAGE) -> dict[str, Any]:
    """Answer one page of a listing."""
    found = _found(referrals, query.filter)
    wanted = size if query.left is None else min(size, query.left)
    until = query.offset + wanted
    ordered = _ordered(found, query.orderby, until)
    value = [project(one.document, query.select) for one in ordered[query.offset : until]]
    # The printed context and next link are plain http and leave /engagements out; the host here is
    # the emulator's own, where the short address answers as well. A client does best to take the
    # $skiptoken alone, and to send its token nowhere but to the address it was configured with.
    short = base_url.replace("https://", "http://", 1)
    answer: dict[str, Any] = {"@odata.context": f"{short}/v1.0/$metadata#Referrals"}
    if query.counted:
        answer["@odata.count"] = len(found)
    answer["value"] = value
    left = None if query.left is None else query.left - len(value)
    if until < len(found) and left != 0:
        token = _to_token(replace(query, offset=until, left=left))
        answer["@odata.nextLink"] = f"{short}/v1.0/referrals?$skiptoken={quote(token)}"
    return answer


def project(document: Mapping[str, Any], select: tuple[tuple[str, ...], ...]) -> dict[str, Any]:
    """Leave only the selected properties; all of them where nothing is selected."""
    if not select:
        return dict(document)
    chosen: dict[str, Any] = {}
    for path in select:
        source: Any = document
        target = chosen
        for name in path[:-1]:
            source = source.get(name) or {}
            target = target.setdefault(name, {})
        target[path[-1]] = source.get(path[-1])
    return chosen


def select_of(options: Mapping[str, str]) -> tuple[tuple[str, ...], ...]:
    """Read $select alone, the one option a single referral takes."""
    return _select(options.get("$select", ""))


def _found(referrals: Referrals, text: str | None) -> list[Referral]:
    if text is None:
        return list(referrals)
    condition = filtering.read(text)
    among: Iterable[Referral] = referrals
    if condition.engagement is not None:
        among = referrals.engaged(condition.engagement)
    return [one for one in among if condition.matches(one.document)]


def _ordered(
    found: list[Referral], orderby: tuple[tuple[str, bool], ...], until: int
) -> list[Referral]:
    if not orderby:
        return found
    (field, down), *rest = orderby
    if rest:
        for name, falling in reversed(orderby):
            found = sorted(found, key=_by(name), reverse=falling)
        return found
    # The usual question is for the newest few of many.
    return (heapq.nlargest if down else heapq.nsmallest)(until, found, key=_by(field))


def _by(field: str) -> Callable[[Referral], tuple[int, int]]:
    # Some observed moments have six digits, so the texts themselves do not sort.
    return lambda one: (moments.read(one.document[field]), one.number)


def _select(text: str) -> tuple[tuple[str, ...], ...]:
    names = [name.strip() for name in text.split(",") if name.strip()]
    return () if "*" in names else tuple(_selected(name) for name in names)


def _selected(name: str) -> tuple[str, ...]:
    shape: Shape = REFERRAL
    path: list[str] = []
    for part in name.split("/"):
        inside = shape.item if isinstance(shape, Many) and not path else shape
        fields = inside.fields if isinstance(inside, Thing) else {}
        known = next((one for one in fields if one.lower() == part.lower()), None)
        if known is None:
            raise _unsound("$select", f"knows no property {name!r}")
        path.append(known)
        shape = fields[known]
    return tuple(path)


def _orderby(text: str) -> tuple[tuple[str, bool], ...]:
    order = []
    for part in filter(None, (part.strip() for part in text.split(","))):
        name, _, direction = part.partition(" ")
        field, direction = _SORTABLE.get(name.lower()), direction.strip().lower() or "asc"
        if field is None or direction not in ("asc", "desc"):
            raise _unsound("$orderby", f"takes createdDateTime or updatedDateTime, not {part!r}")
        order.append((field, direction == "desc"))
    return tuple(order)


def _whole(options: Mapping[str, str], name: str) -> int | None:
    if name not in options:
        return None
    if not (options[name].isascii() and options[name].isdigit()):
        raise _unsound(name, "must be a whole number")
    return int(options[name])


def _truth(text: str) -> bool:
    if text not in ("true", "false"):
        raise _unsound("$count", "must be true or false")
    return text == "true"


def _to_token(query: Query) -> str:
    fields = [query.filter, query.select, query.orderby, query.left, query.offset, query.counted]
    return base64.urlsafe_b64encode(json.dumps(fields).encode()).decode().rstrip("=")


def _from_token(token: str) -> Query:
    try:
        padded = token + "=" * (-len(token) % 4)
        fields = json.loads(base64.urlsafe_b64decode(padded))
        text, select, orderby, left, offset, counted = fields
        return Query(
            filter=text,
            select=tuple(tuple(path) for path in select),
            orderby=tuple((field, down) for field, down in orderby),
            left=left,
            offset=offset,
            counted=counted,
        )
    except (ValueError, TypeError) as error:
        raise _unsound("$skiptoken", "is not one of ours") from error


def _unsound(option: str, message: str) -> ReferralRefusal:
    text = f"The query is not valid. {option} {message}."
    return invalid(text, target=option, inner="InvalidQuery")
