"""Calls about the org itself: versions, resources, limits, objects, changes, list views.

https://developer.salesforce.com/docs/platform/api-rest/guide/resources_list.html
"""

from datetime import datetime, timedelta
from email.utils import format_datetime, parsedate_to_datetime
from typing import Any

from cosell_emulators.salesforce import describing
from cosell_emulators.salesforce.calls import Call, Reply
from cosell_emulators.salesforce.coercing import moment
from cosell_emulators.salesforce.defining import listed
from cosell_emulators.salesforce.org import ORG_ID, Org
from cosell_emulators.salesforce.problems import Refusal, refusal
from cosell_emulators.salesforce.rendering import record, stamp
from cosell_emulators.salesforce.schema import ObjectType

OLDEST, NEWEST = 31, 68
_UPDATED_DAYS, _DELETED_DAYS = 30, 15
_SEASONS = ("Winter", "Spring", "Summer")


def versions() -> list[dict[str, str]]:
    """Answer GET /services/data, oldest first."""
    return [
        {
            "label": _label(number),
            "url": f"/services/data/v{number}.0",
            "version": f"{number}.0",
        }
        for number in range(OLDEST, NEWEST + 1)
    ]


def _label(number: int) -> str:
    # Three releases a year; version 68 is Winter '27.
    year, season = divmod(number - 68, 3)
    return f"{_SEASONS[season]} '{27 + year:02d}"


def resources(org: Org, call: Call) -> Reply:
    """GET /services/data/vNN.0."""
    base = f"/services/data/v{call.version}"
    names = (
        "composite",
        "jobs",
        "limits",
        "query",
        "queryAll",
        "recent",
        "search",
        "sobjects",
        "tooling",
    )
    identity = f"{call.headers.get('x-base', '')}/id/{ORG_ID}/{call.session.user_id}"
    return Reply(200, {name: f"{base}/{name}" for name in names} | {"identity": identity})


def limits(org: Org, call: Call) -> Reply:
    """GET /limits."""
    left = max(org.settings.daily_calls - org.calls_today, 0)
    fixed = {
        "ConcurrentAsyncGetReportInstances": 200,
        "DailyAsyncApexExecutions": 250_000,
        "DailyBulkApiBatches": 15_000,
        "DailyBulkV2QueryFileStorageMB": 976_562,
        "DailyBulkV2QueryJobs": 10_000,
        "DailyStreamingApiEvents": 10_000,
        "DataStorageMB": 1024,
        "FileStorageMB": 1024,
        "HourlyAsyncReportRuns": 1200,
        "SingleEmail": 5000,
    }
    shown = {name: {"Max": most, "Remaining": most} for name, most in fixed.items()}
    shown["DailyApiRequests"] = {"Max": org.settings.daily_calls, "Remaining": left}
    return Reply(200, dict(sorted(shown.items())))


def record_count(org: Org, call: Call) -> Reply:
    """GET /limits/recordCount?sObjects=A,B."""
    wanted = [name.strip() for name in call.query.get("sObjects", "").split(",") if name.strip()]
    kinds = [org.store.schema.find(name) for name in wanted] if wanted else [*org.store.schema]
    counts = [
        {"count": sum(1 for _ in org.store[kind.name].alive()), "name": kind.name}
        for kind in kinds
        if kind is not None
    ]
    return Reply(200, {"sObjects": counts})


def recent(org: Org, call: Call) -> Reply:
    """GET /recent: the rows the caller wrote last."""
    return Reply(200, _recent(org, call, None))


def objects(org: Org, call: Call) -> Reply:
    """GET /sobjects."""
    return Reply(200, describing.everything(org.store.schema, version=call.version))


def basic(org: Org, call: Call, name: str) -> Reply:
    """GET /sobjects/X."""
    kind = org.kind(name)
    brief = describing.brief(kind, version=call.version)
    return Reply(200, {"objectDescribe": brief, "recentItems": _recent(org, call, kind)})


def describe(org: Org, call: Call, name: str) -> Reply:
    """GET /sobjects/X/describe."""
    kind = org.kind(name)
    since = call.headers.get("if-modified-since")
    changed = org.described_at
    try:
        if since is not None and parsedate_to_datetime(since) >= changed:
            return Reply(304)
    except (ValueError, TypeError):
        pass  # an unreadable date is ignored on reads
    body = describing.full(org.store, kind, version=call.version)
    return Reply(200, body, {"Last-Modified": format_datetime(changed, usegmt=True)})


def layouts(org: Org, call: Call, name: str) -> Reply:
    """GET /sobjects/X/describe/layouts: which lists a page of the object shows below it."""
    kind = org.kind(name)
    shown = []
    for full_name in org.setup.names("Layout"):
        owner, _, label = full_name.partition("-")
        if owner.lower() == kind.name.lower():
            document = org.setup.read("Layout", full_name) or {}
            lists = [related["relatedList"] for related in listed(document.get("relatedLists"))]
            related = [{"label": one, "name": one, "columns": []} for one in lists]
            shown.append({"name": label, "detailLayoutSections": [], "relatedLists": related})
    mapping = {"available": True, "defaultRecordTypeMapping": True, "master": True}
    body = {"layouts": shown, "recordTypeMappings": [{**mapping, "name": "Master"}]}
    return Reply(200, {**body, "recordTypeSelectorRequired": [False]})


def _recent(org: Org, call: Call, kind: ObjectType | None) -> list[dict[str, Any]]:
    ids: dict[str, None] = {}
    for change in reversed(org.store.changes):
        if change.user == call.session.user_id and kind in (None, org.kind(change.object)):
            ids[change.id] = None
    rows = [row for key in list(ids)[:25] if (row := org.store.living(key)) is not None]
    return [record(r, ["Id", r.type.name_field or "Id"], version=call.version) for r in rows]


def updated(org: Org, call: Call, name: str) -> Reply:
    """GET /sobjects/X/updated?start&end.

    https://developer.salesforce.com/docs/platform/api-rest/guide/resources-getupdated.html
    """
    kind = org.kind(name)
    start, end = _span(org, call, days=_UPDATED_DAYS)
    ids = [
        row.id
        for row in org.store[kind.name].alive()
        if (changed := row.get("SystemModstamp")) is not None and start <= changed < end
    ]
    return Reply(200, {"ids": ids, "latestDateCovered": stamp(min(end, _minute(org.now())))})


def deleted(org: Org, call: Call, name: str) -> Reply:
    """GET /sobjects/X/deleted?start&end.

    https://developer.salesforce.com/docs/platform/api-rest/guide/resources-getdeleted.html
    """
    kind = org.kind(name)
    start, end = _span(org, call, days=_DELETED_DAYS)
    gone = [
        {"id": row.id, "deletedDate": stamp(row.deleted_at)}
        for row in org.store[kind.name].rows.values()
        if row.deleted_at is not None and start <= row.deleted_at < end
    ]
    body = {
        "deletedRecords": gone,
        "earliestDateAvailable": stamp(org.now() - timedelta(days=_DELETED_DAYS)),
        "latestDateCovered": stamp(min(end, _minute(org.now()))),
    }
    return Reply(200, body)


def _span(org: Org, call: Call, *, days: int) -> tuple[datetime, datetime]:
    try:
        # A plus sign that was not encoded arrives as a space.
        start, end = (
            moment(call.query[name].strip().replace(" ", "+")) for name in ("start", "end")
        )
    except (KeyError, ValueError):
        message = "start and end must be dates and times like 2026-11-20T10:00:00+00:00"
        raise refusal("INVALID_PARAMETER_VALUE", message, bare=True) from None
    start, end = _minute(start), _minute(end)
    if start >= end:
        message = f"invalid parameter value: startDate ({stamp(start)}) must precede endDate"
        raise refusal("INVALID_REPLICATION_DATE", message, bare=True)
    if org.now() - start > timedelta(days=days):
        raise _too_early(start, days)
    return start, end


def _minute(when: datetime) -> datetime:
    return when.replace(second=0, microsecond=0)


def _too_early(start: datetime, days: int) -> Refusal:
    message = f"startDate {stamp(start)} is more than {days} days ago"
    return refusal("INVALID_REPLICATION_DATE", message, bare=True)
