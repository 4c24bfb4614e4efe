"""The Tooling API as far as setting up an org needs it: custom fields, and what there is.

https://developer.salesforce.com/docs/atlas.en-us.api_tooling.meta/api_tooling/intro_api_tooling.htm
"""

from typing import Any

from cosell_emulators.salesforce import describing, query_api, rows_api
from cosell_emulators.salesforce.calls import Call, Reply
from cosell_emulators.salesforce.identifiers import is_id, long_id
from cosell_emulators.salesforce.org import Org
from cosell_emulators.salesforce.problems import not_found, refusal
from cosell_emulators.salesforce.rendering import readable, record
from cosell_emulators.salesforce.store import Row


def query(org: Org, call: Call) -> Reply:
    """GET /tooling/query?q=…"""
    with org.as_tools(call.session.user_id):
        return query_api.query(org, call)


def objects(org: Org, call: Call) -> Reply:
    """GET /tooling/sobjects."""
    with org.as_tools(call.session.user_id):
        found = describing.everything(org.store.schema, version=call.version)
    return Reply(200, found)


def describe(org: Org, call: Call, name: str) -> Reply:
    """GET /tooling/sobjects/X/describe."""
    with org.as_tools(call.session.user_id):
        return Reply(200, describing.full(org.store, org.kind(name), version=call.version))


def create(org: Org, call: Call, name: str) -> Reply:
    """POST /tooling/sobjects/CustomField: a new field."""
    with org.as_tools(call.session.user_id):
        kind = org.kind(name)
        if kind.name != "CustomField":
            if kind.for_tools:
                message = f"entity type cannot be inserted: {kind.label}"
                raise refusal("CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY", message)
            return rows_api.create(org, call, name)
        body = call.object()
        full_name, said = _field(body)
        org.setup.save("CustomField", {"fullName": full_name, **said}, org.doing(call), new=True)
        org.refresh(call.session.user_id)
    row = next(r for r in org.store["CustomField"].rows.values() if r.get("FullName") == full_name)
    path = f"/services/data/v{call.version}/tooling/sobjects/CustomField/{row.id}"
    result = {"id": row.id, "success": True, "errors": [], "warnings": [], "infos": []}
    return Reply(201, result, {"Location": path})


def get(org: Org, call: Call, name: str, key: str) -> Reply:
    """GET /tooling/sobjects/X/{id}."""
    with org.as_tools(call.session.user_id):
        row = _row(org, name, key)
        if row.type.name == "Layout":
            return Reply(200, _layout(org, row, call))
        return Reply(200, record(row, readable(org.store.kind_of(row)), version=call.version))


def update(org: Org, call: Call, name: str, key: str) -> Reply:
    """PATCH /tooling/sobjects/CustomField/{id}."""
    with org.as_tools(call.session.user_id):
        row = _row(org, name, key)
        if row.type.name == "Layout":
            full_name = str(row.get("FullName"))
            said = {**_metadata(call), "fullName": full_name}
            org.setup.save("Layout", said, org.doing(call), new=False)
            return Reply(204)
        if row.type.name != "CustomField":
            return rows_api.update(org, call, name, key)
        said = _metadata(call)
        full_name = str(row.get("FullName"))
        org.setup.save("CustomField", {**said, "fullName": full_name}, org.doing(call), new=False)
    return Reply(204)


def delete(org: Org, call: Call, name: str, key: str) -> Reply:
    """DELETE /tooling/sobjects/CustomField/{id}."""
    with org.as_tools(call.session.user_id):
        row = _row(org, name, key)
        if row.type.name != "CustomField":
            return rows_api.delete(org, call, name, key)
        org.setup.delete("CustomField", str(row.get("FullName")), org.doing(call))
    return Reply(204)


def _layout(org: Org, row: Row, call: Call) -> dict[str, Any]:
    """A layout with all that is on it, which a query does not show."""
    said = org.setup.read("Layout", str(row.get("FullName"))) or {}
    shown = record(row, readable(org.store.kind_of(row)), version=call.version)
    return {**shown, "Metadata": {key: value for key, value in said.items() if key != "fullName"}}


def _metadata(call: Call) -> dict[str, Any]:
    said = call.object().get("Metadata")
    if not isinstance(said, dict):
        raise refusal("REQUIRED_FIELD_MISSING", "Required fields are missing: [Metadata]")
    return said


def _row(org: Org, name: str, key: str) -> Row:
    kind = org.kind(name)
    row = org.store[kind.name].rows.get(long_id(key)) if is_id(key) else None
    if row is None:
        raise not_found()
    return row


def _field(body: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    full_name, said = body.get("FullName"), body.get("Metadata")
    missing = [name for name in ("FullName", "Metadata") if not body.get(name)]
    if missing or not isinstance(said, dict):
        message = f"Required fields are missing: [{', '.join(missing or ['Metadata'])}]"
        raise refusal("REQUIRED_FIELD_MISSING", message, *missing)
    return str(full_name), said
