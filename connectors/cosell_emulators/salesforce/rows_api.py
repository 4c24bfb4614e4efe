"""The row calls: one row by id, by an external id, or a new one.

https://developer.salesforce.com/docs/platform/api-rest/guide/resources_sobject_basic_info.html
"""

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from cosell_emulators.salesforce.calls import Call, Reply
from cosell_emulators.salesforce.coercing import Unfit, coerced
from cosell_emulators.salesforce.conditions import headers_of, unmodified
from cosell_emulators.salesforce.identifiers import is_id, long_id, malformed
from cosell_emulators.salesforce.org import Org
from cosell_emulators.salesforce.problems import (
    Refusal,
    SeveralMatches,
    not_found,
    refusal,
)
from cosell_emulators.salesforce.rendering import readable, record
from cosell_emulators.salesforce.schema import Field, ObjectType
from cosell_emulators.salesforce.store import Row

# An update by external id answered 204 before this version, and a body since.
# https://developer.salesforce.com/docs/platform/api-rest/guide/dome-upsert.html
_ANSWERS_UPDATES = 46.0


def create(org: Org, call: Call, name: str) -> Reply:
    """POST /sobjects/X."""
    kind = org.kind(name)
    row = org.writer.create(kind, call.object(), org.doing(call))
    return _created(call, row)


def create_by_id(org: Org, call: Call, name: str) -> Reply:
    """POST /sobjects/X/Id: an insert for clients that always upsert."""
    kind = org.kind(name)
    body = {key: value for key, value in call.object().items() if key.lower() != "id"}
    row = org.writer.create(kind, body, org.doing(call))
    reply = _created(call, row)
    return Reply(201, {**reply.body, "created": True}, reply.headers)


def get(org: Org, call: Call, name: str, key: str) -> Reply:
    """GET /sobjects/X/{id}."""
    row = _row(org, call, org.kind(name), key, reading=True)
    return _shown(org, call, row)


def update(org: Org, call: Call, name: str, key: str) -> Reply:
    """PATCH /sobjects/X/{id}."""
    body = call.object()
    row = _row(org, call, org.kind(name), key, reading=False)
    unmodified(call, row)
    org.writer.update(row, body, org.doing(call))
    return Reply(204)


def delete(org: Org, call: Call, name: str, key: str) -> Reply:
    """DELETE /sobjects/X/{id}."""
    org.writer.delete(_row(org, call, org.kind(name), key, reading=False), org.doing(call))
    return Reply(204)


def get_by_key(org: Org, call: Call, name: str, field: str, value: str) -> Reply:
    """GET /sobjects/X/{external id}/{value}, or a parent of a row by its relationship."""
    kind = org.kind(name)
    if is_id(field) and kind.field(field) is None:
        return _related(org, call, kind, field, value)
    row = _match(org, call, kind, _key(kind, field), value)
    if row is None:
        raise not_found()
    return _shown(org, call, row)


def delete_by_key(org: Org, call: Call, name: str, field: str, value: str) -> Reply:
    """DELETE /sobjects/X/{external id}/{value}."""
    kind = org.kind(name)
    row = _match(org, call, kind, _key(kind, field), value)
    if row is None:
        raise not_found()
    org.writer.delete(row, org.doing(call))
    return Reply(204)


def upsert(org: Org, call: Call, name: str, field: str, value: str) -> Reply:
    """PATCH /sobjects/X/{external id}/{value}."""
    kind = org.kind(name)
    found = _key(kind, field)
    body = call.object()
    row = _match(org, call, kind, found, value)
    only_update = call.query.get("updateOnly", "").lower() == "true"
    if row is None and (only_update or found.name == "Id"):
        raise not_found()
    if row is not None:
        unmodified(call, row)
    row, created = upserted(org, call, kind, found, value=value, body=body, row=row)
    result = {"id": row.id, "success": True, "errors": [], "created": created}
    if created:
        return Reply(201, result, _location(call, row))
    return Reply(200, result) if call.number >= _ANSWERS_UPDATES else Reply(204)


def upserted(
    org: Org,
    call: Call,
    kind: ObjectType,
    field: Field,
    *,
    value: Any,
    body: Mapping[str, Any],
    row: Row | None,
) -> tuple[Row, bool]:
    """Change the row with a key, or make it; say which it was."""
    if any(key.lower() == field.name.lower() for key in body):
        message = f"The {field.name} field should not be specified in the sobject data."
        raise refusal("INVALID_FIELD", message, bare=True)
    if row is not None:
        return org.writer.update(row, body, org.doing(call)), False
    return org.writer.create(kind, {**body, field.name: value}, org.doing(call)), True


def matches(org: Org, kind: ObjectType, field: Field, value: Any) -> list[Row]:
    """Find the rows with a key."""
    try:
        wanted = coerced(field, value)
    except Unfit as unfit:
        raise Refusal(unfit.problem) from None
    if wanted is None:
        return []
    if field.name == "Id":
        row = org.store.living(wanted)
        return [row] if row is not None and row.type.name == kind.name else []
    return org.store[kind.name].having(field.name, wanted)


def _match(org: Org, call: Call, kind: ObjectType, field: Field, value: str) -> Row | None:
    rows = [row for row in matches(org, kind, field, value) if org.sees(call, row)]
    if len(rows) > 1:
        base = f"/services/data/v{call.version}/sobjects/{kind.name}"
        raise SeveralMatches([f"{base}/{row.id}" for row in rows])
    return rows[0] if rows else None


def _key(kind: ObjectType, name: str) -> Field:
    found = kind.field(name)
    if found is None or not (found.keyed or found.name == "Id"):
        raise _no_key(name)
    return found


def _no_key(name: str) -> Refusal:
    message = "Provided external ID field does not exist or is not accessible: "
    return not_found(message + name)


def _row(org: Org, call: Call, kind: ObjectType, key: str, *, reading: bool) -> Row:
    """Find the row of an id in an address."""
    if len(key) not in (15, 18):
        raise _no_key(key)
    if not is_id(key):
        raise malformed(key)
    row = org.store.row(long_id(key))
    if kind.name == "ContentNote":
        row = org.store["ContentNote"].rows.get(long_id(key))
    if row is None or row.type.name != kind.name or not org.sees(call, row):
        if reading:
            raise not_found()
        message = "invalid cross reference id"
        raise refusal("INVALID_CROSS_REFERENCE_KEY", message, status=404)
    if row.deleted_at is not None:
        raise refusal("ENTITY_IS_DELETED", "entity is deleted")
    return row


def _related(org: Org, call: Call, kind: ObjectType, key: str, name: str) -> Reply:
    """GET /sobjects/X/{id}/{relationship or blob}."""
    row = _row(org, call, kind, key, reading=True)
    blob = kind.field(name)
    if blob is not None and blob.type == "base64":
        return org.blob(row, blob)
    lookup = kind.by_relationship.get(name.lower())
    if lookup is not None:
        parent = org.store.living(row.get(lookup.name))
        if parent is None:
            raise not_found()
        return _shown(org, call, parent)
    for child in org.store.schema.children_of(kind):
        if child.relationship is not None and child.relationship.lower() == name.lower():
            below = org.store[child.object].having(child.field, row.id)
            rows = [found for found in below if org.sees(call, found)]
            names = _fields(org.store.schema[child.object], call)
            records = [record(found, names, version=call.version) for found in rows]
            return Reply(200, {"totalSize": len(records), "done": True, "records": records})
    raise not_found()


def _shown(org: Org, call: Call, row: Row) -> Reply:
    headers = headers_of(call, row)
    if headers is None:
        return Reply(304)
    shown = record(row, _fields(org.store.kind_of(row), call), version=call.version)
    return Reply(200, shown, headers)


def _fields(kind: ObjectType, call: Call) -> list[str]:
    wanted = call.query.get("fields")
    if not wanted:
        return readable(kind)
    names = []
    for name in wanted.split(","):
        found = kind.field(name.strip())
        if found is None:
            message = f"No such column '{name.strip()}' on entity '{kind.name}'"
            raise refusal("INVALID_FIELD", message, bare=True)
        names.append(found.name)
    return names if "Id" in names else [*names, "Id"]


def _created(call: Call, row: Row) -> Reply:
    return Reply(201, {"id": row.id, "success": True, "errors": []}, _location(call, row))


def _location(call: Call, row: Row) -> dict[str, str]:
    path = f"/services/data/v{call.version}/sobjects/{row.type.name}/{quote(row.id)}"
    return {"Location": path}
