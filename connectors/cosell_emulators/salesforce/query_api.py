"""The query calls, and the pages of their answers.

https://developer.salesforce.com/docs/platform/api-rest/guide/resources_query.html
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from cosell_emulators.salesforce import catalog, sharing
from cosell_emulators.salesforce.calls import Call, Reply
from cosell_emulators.salesforce.org import Org
from cosell_emulators.salesforce.problems import refusal
from cosell_emulators.salesforce.soql.binding import Context
from cosell_emulators.salesforce.soql.columns import described
from cosell_emulators.salesforce.soql.running import Answer, run

_SMALLEST, _LARGEST = 200, 2000
# Old cursors are closed when a user opens many; this many stay open here.
_OPEN = 200
# A cursor that lies open for longer is closed.
_LIFE = timedelta(days=2)


@dataclass(frozen=True, slots=True)
class Cursor:
    """An answer that did not fit on one page."""

    total: int
    rows: Sequence[Any]
    show: Callable[[Any], dict[str, Any]]
    size: int
    opened: datetime


def query(org: Org, call: Call) -> Reply:
    """GET /query?q=…"""
    return _queried(org, call, deleted=False)


def query_all(org: Org, call: Call) -> Reply:
    """GET /queryAll?q=…: rows in the recycle bin are answered too."""
    return _queried(org, call, deleted=True)


def more(org: Org, call: Call, locator: str) -> Reply:
    """GET /query/{locator}-{offset}."""
    name, _, offset = locator.rpartition("-")
    cursor = org.cursors.get(name)
    ended = cursor is not None and org.now() - cursor.opened > _LIFE
    if cursor is None or ended or not offset.isdigit() or int(offset) > cursor.total:
        raise refusal("INVALID_QUERY_LOCATOR", "invalid query locator", bare=True)
    return Reply(200, _page(call, name, cursor, int(offset)))


def answer(org: Org, text: str, *, user_id: str, version: str, deleted: bool = False) -> Answer:
    """Run a query."""
    return run(_context(org, text, user_id=user_id, version=version, deleted=deleted))


def _context(org: Org, text: str, *, user_id: str, version: str, deleted: bool) -> Context:
    if catalog.may_be_asked(text):
        org.refresh(user_id)
    return Context(
        store=org.store,
        text=text,
        now=org.now(),
        user_id=user_id,
        version=version,
        deleted=deleted,
        sees=sharing.seen(org.store, org.settings, user_id),
    )


def _queried(org: Org, call: Call, *, deleted: bool) -> Reply:
    text = call.query.get("q") or ""
    if not text.strip():
        message = "A query string has to be specified"
        raise refusal("MALFORMED_QUERY", message, bare=True)
    user_id = call.session.user_id
    context = _context(org, text, user_id=user_id, version=call.version, deleted=deleted)
    if call.query.get("columns", "").lower() == "true":
        return Reply(200, described(context))
    found = run(context)
    size = _size(org, call)
    if found.total <= size:
        records = [found.show(row) for row in found.rows]
        return Reply(200, {"totalSize": found.total, "done": True, "records": records})
    locator = org.store.numbered("01g")
    org.cursors[locator] = Cursor(found.total, found.rows, found.show, size, org.now())
    if len(org.cursors) > _OPEN:
        del org.cursors[next(iter(org.cursors))]
    return Reply(200, _page(call, locator, org.cursors[locator], 0))


def _page(call: Call, locator: str, cursor: Cursor, offset: int) -> dict[str, Any]:
    end = offset + cursor.size
    records = [cursor.show(row) for row in cursor.rows[offset:end]]
    page: dict[str, Any] = {"totalSize": cursor.total, "done": end >= cursor.total}
    if end < cursor.total:
        # queryAll goes on under /query as well.
        page["nextRecordsUrl"] = f"/services/data/v{call.version}/query/{locator}-{end}"
    return {**page, "records": records}


def _size(org: Org, call: Call) -> int:
    asked = call.option("sforce-query-options", "batchSize")
    if asked is not None and asked.isdigit():
        return min(max(int(asked), _SMALLEST), _LARGEST, max(org.settings.page_size, _SMALLEST))
    return org.settings.page_size
