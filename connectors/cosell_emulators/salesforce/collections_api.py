"""Collections: up to two hundred rows in one call, results in the order of the request.

https://developer.salesforce.com/docs/platform/api-rest/guide/resources-composite-sobjects-collections.html
"""

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any, TypeVar

from cosell_emulators.salesforce.calls import Call, Reply
from cosell_emulators.salesforce.identifiers import is_id, long_id, malformed
from cosell_emulators.salesforce.org import Org
from cosell_emulators.salesforce.problems import Problem, Refusal, refusal
from cosell_emulators.salesforce.rendering import record
from cosell_emulators.salesforce.rows_api import matches, upserted
from cosell_emulators.salesforce.schema import ObjectType
from cosell_emulators.salesforce.store import Row

Result = dict[str, Any]
Item = TypeVar("Item")
MOST = 200
_MOST_READ = 2000
_MOST_CHUNKS = 10
_ROLLED_BACK = Problem(
    "ALL_OR_NONE_OPERATION_ROLLED_BACK",
    "Record rolled back because not all records were valid and the request was using AllOrNone "
    "header",
    (),
)


class _RolledBack(Exception):
    """One row failed, and all were to be written or none."""


def create(org: Org, call: Call) -> Reply:
    """POST /composite/sobjects."""
    records, all_or_none = _records(call)

    def one(body: dict[str, Any]) -> Result:
        row = org.writer.create(_kind(org, body), _without_attributes(body), org.doing(call))
        return {"id": row.id, "success": True, "errors": []}

    return Reply(200, _each(org, records, one, all_or_none=all_or_none))


def update(org: Org, call: Call) -> Reply:
    """PATCH /composite/sobjects."""
    records, all_or_none = _records(call)

    def one(body: dict[str, Any]) -> Result:
        kind = _kind(org, body)
        key = next((value for name, value in body.items() if name.lower() == "id"), None)
        if key is None:
            raise refusal("MISSING_ARGUMENT", "Id not specified in an update call")
        row = living(org, kind, str(key))
        org.writer.update(row, _without_id(body), org.doing(call))
        return {"id": row.id, "success": True, "errors": []}

    return Reply(200, _each(org, records, one, all_or_none=all_or_none))


def upsert(org: Org, call: Call, name: str, field: str) -> Reply:
    """PATCH /composite/sobjects/X/{external id}."""
    kind = org.kind(name)
    found = kind.field(field)
    if found is None or not (found.keyed or found.name == "Id"):
        message = f"Provided external ID field does not exist or is not accessible: {field}"
        raise refusal("NOT_FOUND", message, bare=True)
    records, all_or_none = _records(call)

    def one(body: dict[str, Any]) -> Result:
        if _kind(org, body).name != kind.name:
            message = f"The type of a record must be {kind.name} in this call"
            raise refusal("INVALID_TYPE", message)
        plain = _without_attributes(body)
        given = next((key for key in plain if key.lower() == found.name.lower()), None)
        value = plain.pop(given) if given is not None else None
        if found.name == "Id":
            if value is None:
                row = org.writer.create(kind, plain, org.doing(call))
                return _upserted(row, created=True)
            row = living(org, kind, str(value))
            return _upserted(org.writer.update(row, plain, org.doing(call)), created=False)
        if value is None:
            message = f"{found.name} not specified"
            raise refusal("MISSING_ARGUMENT", message)
        rows = matches(org, kind, found, value)
        if len(rows) > 1:
            message = f"more than one record found for external id field: {value}"
            raise refusal("DUPLICATE_EXTERNAL_ID", message)
        match = next(iter(rows), None)
        row, created = upserted(org, call, kind, found, value=value, body=plain, row=match)
        return _upserted(row, created=created)

    return Reply(200, _each(org, records, one, all_or_none=all_or_none))


def delete(org: Org, call: Call) -> Reply:
    """DELETE /composite/sobjects?ids=…"""
    ids = [part.strip() for part in call.query.get("ids", "").split(",") if part.strip()]
    if not ids:
        raise refusal("REQUIRED_FIELD_MISSING", "ids is required", bare=True)
    _few(ids)

    def one(key: str) -> Result:
        kind = org.store.schema.of_id(key)
        if kind is None:
            raise malformed(key)
        row = living(org, kind, key)
        org.writer.delete(row, org.doing(call))
        return {"id": row.id, "success": True, "errors": []}

    all_or_none = call.query.get("allOrNone", "").lower() == "true"
    return Reply(200, _each(org, ids, one, all_or_none=all_or_none))


def read(org: Org, call: Call, name: str) -> Reply:
    """GET or POST /composite/sobjects/X: rows by id, null where there is none."""
    kind = org.kind(name)
    if call.method == "POST":
        body = call.object()
        ids, names = body.get("ids", []), body.get("fields", [])
    else:
        ids = call.query.get("ids", "").split(",")
        names = call.query.get("fields", "").split(",")
    if not isinstance(ids, list) or not isinstance(names, list):
        raise refusal("JSON_PARSER_ERROR", "ids and fields must be lists", bare=True)
    _few(ids, most=_MOST_READ)
    fields = ["Id"]
    for wanted in names:
        found = kind.field(str(wanted).strip())
        if found is None:
            message = f"No such column '{wanted}' on sobject of type {kind.name}"
            raise refusal("INVALID_FIELD", message, bare=True)
        if found.name not in fields:
            fields.append(found.name)
    rows = [org.store.living(long_id(str(key).strip())) for key in ids]
    return Reply(
        200,
        [
            None
            if row is None or row.type.name != kind.name or not org.sees(call, row)
            else record(row, fields, version=call.version)
            for row in rows
        ],
    )


def _each(
    org: Org, items: Sequence[Item], one: Callable[[Item], Result], *, all_or_none: bool
) -> list[Result]:
    """Do all of it, a failure here and there notwithstanding, or none of it."""
    results: list[Result] = []
    failed = False
    try:
        with org.store.atomic():
            for item in items:
                try:
                    results.append(one(item))
                except Refusal as error:
                    failed = True
                    results.append(_failure([p.as_result() for p in error.problems]))
            if failed and all_or_none:
                raise _RolledBack
    except _RolledBack:
        back = _failure([_ROLLED_BACK.as_result()])
        return [back if result["success"] else result for result in results]
    return results


def _failure(errors: list[Result]) -> Result:
    return {"success": False, "errors": errors}


def _upserted(row: Row, *, created: bool) -> Result:
    return {"id": row.id, "success": True, "errors": [], "created": created}


def _records(call: Call) -> tuple[list[dict[str, Any]], bool]:
    body = call.object()
    records = body.get("records")
    if not isinstance(records, list) or not all(isinstance(one, dict) for one in records):
        message = "The records property is required and must be a list of records"
        raise refusal("REQUIRED_FIELD_MISSING", message, "records")
    _few(records)
    said = (one.get("attributes") for one in records)
    kinds = [str(one.get("type")).lower() if isinstance(one, dict) else "" for one in said]
    # Neighbours of one type are written together; only so many changes of type are allowed.
    if sum(1 for before, kind in pairwise(kinds) if before != kind) >= _MOST_CHUNKS:
        message = (
            f"Cannot have more than {_MOST_CHUNKS} chunks in a single operation. Please rearrange "
            "the data to reduce chunking."
        )
        raise refusal("LIMIT_EXCEEDED", message, bare=True)
    return records, body.get("allOrNone") is True


def _few(items: Sequence[Any], *, most: int = MOST) -> None:
    if len(items) > most:
        message = f"record limit reached. cannot submit more than {most} records into this call"
        raise refusal("EXCEEDED_ID_LIMIT", message, bare=True)


def _kind(org: Org, body: dict[str, Any]) -> ObjectType:
    attributes = body.get("attributes")
    name = attributes.get("type") if isinstance(attributes, dict) else None
    if not name:
        raise refusal("INVALID_TYPE", "the type attribute of a record is missing")
    found = org.store.schema.find(str(name))
    if found is None:
        message = f"sObject type '{name}' is not supported."
        raise refusal("INVALID_TYPE", message)
    return found


def living(org: Org, kind: ObjectType, key: str) -> Row:
    """Find the living row of an id, or refuse."""
    if not is_id(key):
        raise malformed(key)
    row = org.store.row(long_id(key))
    if row is None or row.type.name != kind.name:
        raise refusal("INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id")
    if row.deleted_at is not None:
        raise refusal("ENTITY_IS_DELETED", "entity is deleted")
    return row


def _without_attributes(body: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in body.items() if name != "attributes"}


def _without_id(body: dict[str, Any]) -> dict[str, Any]:
    plain = _without_attributes(body)
    return {name: value for name, value in plain.items() if name.lower() != "id"}
