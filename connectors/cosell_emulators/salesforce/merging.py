"""Merge leads, contacts or accounts: what belonged to the others belongs to the one that stays.

https://developer.salesforce.com/docs/platform/api/guide/sforce-api-calls-merge.html
"""

from dataclasses import dataclass
from typing import Any

from cosell_emulators.salesforce.identifiers import is_id, long_id
from cosell_emulators.salesforce.org import Org
from cosell_emulators.salesforce.problems import Refusal, refusal
from cosell_emulators.salesforce.schema import ObjectType
from cosell_emulators.salesforce.store import Row
from cosell_emulators.salesforce.writing import Doing

MOST_OTHERS = 2
_MERGEABLE = ("Account", "Contact", "Lead")
_ROLE = "OpportunityContactRole"


@dataclass(frozen=True, slots=True)
class Outcome:
    """The row that stayed, those that went into it, and those that belong to it since."""

    master: Row
    merged: tuple[Row, ...]
    moved: tuple[Row, ...]


def merge(org: Org, name: str, body: dict[str, Any], other_ids: list[str], doing: Doing) -> Outcome:
    """Merge rows into a master, or refuse. *body*: its id, and what it is to say afterwards."""
    kind = _kind(org, name)
    key = next((body.pop(field) for field in list(body) if field.lower() == "id"), None)
    if not 1 <= len(other_ids) <= MOST_OTHERS:
        message = (
            f"between 1 and {MOST_OTHERS} records can be merged into one, not {len(other_ids)}"
        )
        raise refusal("INVALID_NUM_ARGS", message)
    with org.store.atomic():
        master = _living(org, kind, key)
        others = [_living(org, kind, other) for other in other_ids]
        if master in others:
            raise refusal("INVALID_ID_FIELD", "the master record cannot be merged into itself")
        if any(row.get("IsConverted") for row in (master, *others)):
            raise refusal("CANNOT_UPDATE_CONVERTED_LEAD", "cannot reference converted lead")
        moved = [row for other in others for row in _taken_over(org, other, master, doing)]
        for other in others:
            org.writer.delete(other, doing)
            org.store.merge(other, MasterRecordId=master.id)
        org.writer.update(master, body, doing)
        return Outcome(master, tuple(others), tuple(moved))


def _kind(org: Org, name: str) -> ObjectType:
    kind = org.store.schema.find(name)
    if kind is None:
        raise refusal("INVALID_TYPE", f"sObject type '{name}' is not supported.")
    if kind.name not in _MERGEABLE:
        raise refusal("INVALID_TYPE", f"merge is not supported for {kind.name}")
    return kind


def _living(org: Org, kind: ObjectType, key: object) -> Row:
    if not isinstance(key, str) or not is_id(key):
        raise refusal("MALFORMED_ID", f"malformed id {key}")
    row = org.store.row(long_id(key))
    if row is not None and row.deleted_at is not None:
        raise refusal("ENTITY_IS_DELETED", "entity is deleted")
    if row is None or row.type.name != kind.name:
        raise refusal("INVALID_CROSS_REFERENCE_KEY", f"invalid cross reference id: {key}")
    return row


def _taken_over(org: Org, other: Row, master: Row, doing: Doing) -> list[Row]:
    """Let what belonged to *other* belong to *master*; gives the rows that changed by it."""
    moment, moved = doing.now.replace(microsecond=0), []
    for child in other.type.children:
        if child.field == "MasterRecordId":
            continue
        for row in org.store[child.object].having(child.field, other.id):
            if child.object == _ROLE and _has_role(org, row, master):
                _dropped(org, row, doing)
                continue
            stamps = {
                name: value
                for name, value in (
                    ("SystemModstamp", moment),
                    ("LastModifiedDate", moment),
                    ("LastModifiedById", doing.user_id),
                )
                if row.type.has(name)
            }
            org.store.merge(row, **{child.field: master.id}, **stamps)
            moved.append(row)
    return moved


def _has_role(org: Org, role: Row, contact: Row) -> bool:
    """Tell whether a contact has a role in the same deal already."""
    roles = org.store[_ROLE].having("OpportunityId", role.get("OpportunityId"))
    return any(one.get("ContactId") == contact.id for one in roles)


def _dropped(org: Org, role: Row, doing: Doing) -> None:
    try:
        org.writer.delete(role, doing)
    except Refusal:
        org.store.discard(role, at=doing.now)
