"""List views: a query an administrator saved, answered as columns.

https://developer.salesforce.com/docs/platform/api-rest/guide/resources-listviews.html
"""

from dataclasses import dataclass
from typing import Any

from cosell_emulators.salesforce.calls import Call, Reply
from cosell_emulators.salesforce.identifiers import long_id, minted
from cosell_emulators.salesforce.org import Org
from cosell_emulators.salesforce.problems import not_found
from cosell_emulators.salesforce.query_api import answer
from cosell_emulators.salesforce.schema import ObjectType

_MOST, _USUAL = 2000, 25
_COLUMNS = {
    "Account": ("Name", "BillingCountry", "Phone", "Type", "Owner.Alias"),
    "Contact": ("Name", "Account.Name", "Phone", "Email", "Owner.Alias"),
    "Lead": ("Name", "Company", "Country", "Status", "Owner.Name"),
    "Opportunity": ("Name", "Account.Name", "Amount", "CloseDate", "StageName", "Owner.Alias"),
}


@dataclass(frozen=True, slots=True)
class _View:
    id: str
    name: str
    label: str
    where: str


def listed(org: Org, call: Call, name: str) -> Reply:
    """GET /sobjects/X/listviews."""
    kind = org.kind(name)
    views = [_shown(call, kind, view) for view in _views(org, kind)]
    body = {"done": True, "listviews": views, "nextRecordsUrl": None, "size": len(views)}
    return Reply(200, {**body, "sobjectType": kind.name})


def one(org: Org, call: Call, name: str, key: str) -> Reply:
    """GET /sobjects/X/listviews/{id}."""
    kind = org.kind(name)
    return Reply(200, _shown(call, kind, _view(org, kind, key)))


def described(org: Org, call: Call, name: str, key: str) -> Reply:
    """GET /sobjects/X/listviews/{id}/describe."""
    kind = org.kind(name)
    view = _view(org, kind, key)
    body = {
        "columns": _columns(kind),
        "id": view.id,
        "orderBy": [
            {
                "fieldNameOrPath": kind.name_field or "Id",
                "nullsPosition": "first",
                "sortDirection": "ascending",
            }
        ],
        "query": _query(kind, view),
        "relatedEntityId": None,
        "scope": "mine" if view.where else "everything",
        "scopeEntityId": None,
        "sobjectType": kind.name,
        "whereCondition": {"conditions": [], "conjunction": "and"},
    }
    return Reply(200, body)


def results(org: Org, call: Call, name: str, key: str) -> Reply:
    """GET /sobjects/X/listviews/{id}/results."""
    kind = org.kind(name)
    view = _view(org, kind, key)
    limit = min(_number(call, "limit", _USUAL), _MOST)
    offset = min(_number(call, "offset", 0), _MOST)
    text = f"{_query(kind, view)} LIMIT {limit} OFFSET {offset}"
    found = answer(org, text, user_id=call.session.user_id, version=call.version)
    records = [_record(kind, found.show(row)) for row in found.rows]
    body = {
        "columns": _columns(kind),
        "developerName": view.name,
        "done": True,
        "id": view.id,
        "label": view.label,
        "records": records,
        "size": len(records),
    }
    return Reply(200, body)


def _views(org: Org, kind: ObjectType) -> list[_View]:
    place = list(org.store.schema.types).index(kind.name)
    plural = kind.plural.replace(" ", "")
    views = [_View(minted("00B", 2 * place + 1), f"All{plural}", f"All {kind.plural}", "")]
    if kind.has("OwnerId"):
        mine = "USING SCOPE mine"
        views.append(_View(minted("00B", 2 * place + 2), f"My{plural}", f"My {kind.plural}", mine))
    return views


def _view(org: Org, kind: ObjectType, key: str) -> _View:
    wanted = long_id(key) if len(key) in (15, 18) else key
    for view in _views(org, kind):
        if wanted in (view.id, view.name):
            return view
    raise not_found()


def _shown(call: Call, kind: ObjectType, view: _View) -> dict[str, Any]:
    url = f"/services/data/v{call.version}/sobjects/{kind.name}/listviews/{view.id}"
    return {
        "describeUrl": f"{url}/describe",
        "developerName": view.name,
        "id": view.id,
        "label": view.label,
        "resultsUrl": f"{url}/results",
        "soqlCompatible": True,
        "url": url,
    }


def _paths(kind: ObjectType) -> tuple[str, ...]:
    return (*_COLUMNS.get(kind.name, (kind.name_field or "Id",)), "Id")


def _query(kind: ObjectType, view: _View) -> str:
    paths = dict.fromkeys(_paths(kind))
    order = f"ORDER BY {kind.name_field or 'Id'} ASC NULLS FIRST, Id ASC NULLS FIRST"
    text = f"SELECT {', '.join(paths)} FROM {kind.name} {view.where} {order}"  # noqa: S608 - SOQL
    return " ".join(text.split())


def _columns(kind: ObjectType) -> list[dict[str, Any]]:
    columns = []
    for path in dict.fromkeys(_paths(kind)):
        found = kind.field(path)
        columns.append(
            {
                "ascendingLabel": "Z-A",
                "descendingLabel": "A-Z",
                "fieldNameOrPath": path,
                "hidden": path == "Id",
                "label": found.label if found is not None else path.replace(".", " "),
                "selectListItem": path,
                "sortDirection": "ascending" if path == kind.name_field else None,
                "sortIndex": 0 if path == kind.name_field else None,
                "sortable": path != "Id",
                "type": found.type if found is not None else "string",
            }
        )
    return columns


def _record(kind: ObjectType, shown: dict[str, Any]) -> dict[str, Any]:
    columns = []
    for path in dict.fromkeys(_paths(kind)):
        value: Any = shown
        for name in path.split("."):
            value = value.get(name) if isinstance(value, dict) else None
        # Values of list views are texts, whatever their type.
        text = None if value is None else str(value)
        columns.append({"fieldNameOrPath": path, "value": text})
    return {"columns": columns}


def _number(call: Call, name: str, usual: int) -> int:
    text = call.query.get(name, "")
    return int(text) if text.isdigit() else usual
