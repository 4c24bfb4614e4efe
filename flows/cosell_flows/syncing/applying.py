"""Carry out what was planned for a pair: the writes, and what the ledger keeps of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, Protocol

from cosell_connectors.model import Resource, ResourceCall

from ..ledger import Ledger
from ..ledger.links import Link
from .mirror import Mirror
from .pairs import PairPlan, compose, own_writes, plan_pair
from .records import flatten, pick
from .writes import FieldWrite, Write, new_id


class Systems(Protocol):
    """What the sync may do to the outside: read, write, remember, and know the time."""

    planning: bool
    ledger: Ledger

    def now(self) -> datetime:
        """The engine's time, UTC."""

    async def read(self, system: str, operation: str, arguments: Mapping[str, Any]) -> Any:
        """Call an operation that changes nothing."""

    async def write(self, write: Write) -> Any:
        """Send a write, or record it where this is a plan."""

    def resource(self, system: str, name: str) -> Resource:
        """How records of an object are read and written."""


async def apply(systems: Systems, plan: PairPlan) -> None:
    """Write both sides of *plan*, Partner Center first, and keep the new base.

    Raises ConnectorError of class `conflict` where a record moved since it was read: read and plan
    again.
    """
    left_version = pick(plan.left, plan.mirror.mapping.left.version)
    if plan.to_left and not systems.planning:
        await _intend(systems, plan)
    for writes in (plan.to_left_first, plan.to_left):
        if writes:
            left_version = await _write_left(systems, plan, writes, left_version)
    right_version = await _write_right(systems, plan)
    if systems.planning:
        return
    await systems.ledger.links.save(
        replace(
            await _link(systems, plan),
            left_version=left_version,
            right_version=right_version,
            pending_left=None,
            pending_right=None,
            state="closed" if plan.edits == "frozen" else "active",
        )
    )
    await systems.ledger.letters.close(plan.mirror.id, opportunity_id=plan.right_id)


async def remember(systems: Systems, plan: PairPlan) -> None:
    """Keep the base of a pair that needed no write; nothing where it is as it was."""
    if systems.planning:
        return
    known = await _known_link(systems, plan)
    link = replace(
        await _link(systems, plan),
        left_version=pick(plan.left, plan.mirror.mapping.left.version),
        right_version=pick(plan.right, plan.mirror.mapping.right.version),
        pending_left=None,
        pending_right=None,
        state="closed" if plan.edits == "frozen" else "active",
    )
    if link != known or known.created_at is None:
        await systems.ledger.links.save(link)


async def _intend(systems: Systems, plan: PairPlan) -> None:
    """Note what we are about to write, so that a run cut off here knows its own hand again.

    The base stays: until the write is done, both sides have not agreed on anything new.
    """
    known = await _known_link(systems, plan)
    pending = {write.field: write.new for write in plan.to_left}
    await systems.ledger.links.save(replace(known, pending_left=pending))


async def _known_link(systems: Systems, plan: PairPlan) -> Link:
    known = await systems.ledger.links.find(plan.mirror.id, left_id=plan.left_id)
    return known or Link(mapping=plan.mirror.id, left_id=plan.left_id, right_id=plan.right_id)


async def _link(systems: Systems, plan: PairPlan) -> Link:
    return replace(
        await _known_link(systems, plan),
        right_id=plan.right_id,
        base_left=plan.base_left,
        base_right=plan.base_right,
        left_moment=plan.left_moment,
        right_moment=plan.right_moment,
    )


async def _write_left(
    systems: Systems, plan: PairPlan, writes: Sequence[FieldWrite], version: Any
) -> Any:
    side = plan.mirror.mapping.left
    resource = systems.resource(side.connection, side.object)
    call = _needs(resource.update, side.object, "update")
    reply = await systems.write(
        Write(
            system=side.connection,
            object=side.object,
            id=plan.left_id,
            kind="update",
            operation=call.operation,
            arguments=_arguments(call, side.object, plan.left_id, writes, version),
            fields=tuple(writes),
            mapping=plan.mirror.id,
            left_id=plan.left_id,
            right_id=plan.right_id,
            predicted={**plan.left, side.version: version},
        )
    )
    return pick(reply, side.version) if isinstance(reply, Mapping) else None


async def _write_right(systems: Systems, plan: PairPlan) -> Any:
    """Write the right side: its own record, then the related ones (Account.BillingCountry)."""
    side = plan.mirror.mapping.right
    version = pick(plan.right, side.version)
    groups: dict[str, list[FieldWrite]] = {}
    for write in (*plan.to_right, *plan.own):
        groups.setdefault(write.field.rpartition(".")[0], []).append(write)
    for relation, writes in groups.items():
        if relation:
            await _write_related(systems, plan, relation, writes)
    own = groups.get("", [])
    if not own:
        return version
    await update_right(systems, plan.mirror, plan.right, own, plan.left_id)
    return (
        await version_of(systems, plan.mirror, plan.right_id) if not systems.planning else version
    )


async def _write_related(
    systems: Systems, plan: PairPlan, relation: str, writes: Sequence[FieldWrite]
) -> None:
    side = plan.mirror.mapping.right
    record = pick(plan.right, relation) or {}
    record_id = record.get("Id") or plan.right.get(f"{relation}Id")
    if not record_id:
        return
    call = _needs(systems.resource(side.connection, relation).update, relation, "update")
    bare = [replace(write, field=write.field.rpartition(".")[2]) for write in writes]
    await systems.write(
        Write(
            system=side.connection,
            object=relation,
            id=record_id,
            kind="update",
            operation=call.operation,
            arguments=_arguments(call, relation, record_id, bare, record.get(side.version)),
            fields=tuple(writes),
            mapping=plan.mirror.id,
            left_id=plan.left_id,
            right_id=plan.right_id,
        )
    )


async def update_right(
    systems: Systems,
    mirror: Mirror,
    record: Mapping[str, Any],
    writes: Sequence[FieldWrite],
    left_id: str | None,
) -> None:
    side = mirror.mapping.right
    call = _needs(systems.resource(side.connection, side.object).update, side.object, "update")
    record_id = str(record["Id"])
    await systems.write(
        Write(
            system=side.connection,
            object=side.object,
            id=record_id,
            kind="update",
            operation=call.operation,
            arguments=_arguments(call, side.object, record_id, writes, pick(record, side.version)),
            fields=tuple(writes),
            mapping=mirror.id,
            left_id=left_id,
            right_id=record_id,
        )
    )


async def version_of(systems: Systems, mirror: Mirror, record_id: str) -> Any:
    """The version our own write left behind; Salesforce answers an update with nothing."""
    side = mirror.mapping.right
    fresh = await read_record(systems, mirror, record_id, [side.version])
    return pick(fresh, side.version)


async def read_record(
    systems: Systems, mirror: Mirror, record_id: str, fields: Sequence[str]
) -> Mapping[str, Any]:
    """Read some fields of a record of the right side."""
    side = mirror.mapping.right
    call = _needs(systems.resource(side.connection, side.object).get, side.object, "get")
    arguments: dict[str, Any] = {}
    if call.object_parameter:
        arguments[call.object_parameter] = side.object
    if call.id_parameter:
        arguments[call.id_parameter] = record_id
    if call.fields_parameter:
        arguments[call.fields_parameter] = list(fields)
    reply = await systems.read(side.connection, call.operation, arguments)
    return reply if isinstance(reply, Mapping) else {}


async def create_left(
    systems: Systems, mirror: Mirror, right: Mapping[str, Any], *, also: Mapping[str, Any]
) -> Mapping[str, Any]:
    """Make the left twin of *right* from the mapping's rows and *also*, and link the two.

    The intent is stored before the request is sent; a run cut off in between finds out whether the
    record was made before it asks again.
    """
    side = mirror.mapping.left
    body, fields = compose(mirror, right, to="left", also=also)
    call = _needs(systems.resource(side.connection, side.object).create, side.object, "create")
    right_id = str(right["Id"])
    made = await systems.write(
        Write(
            system=side.connection,
            object=side.object,
            id=None,
            kind="create",
            operation=call.operation,
            arguments={call.body_parameter or "body": body},
            fields=fields,
            mapping=mirror.id,
            right_id=right_id,
            predicted={
                **body,
                **call.gives,
                **{
                    name: new_id(name, [mirror.id, right_id])
                    for name in (mirror.left_key, *call.makes)
                },
            },
        )
    )
    if not systems.planning:
        await systems.ledger.links.save(
            Link(
                mapping=mirror.id,
                left_id=str(pick(made, mirror.left_key)),
                right_id=right_id,
                left_version=pick(made, side.version),
                right_version=None,
            )
        )
    return made  # type: ignore[no-any-return]


async def create_right(
    systems: Systems,
    mirror: Mirror,
    left: Mapping[str, Any],
    *,
    also: Mapping[str, Any],
    message: str,
) -> Mapping[str, Any]:
    """Make the right twin of *left*, with its audit line and mark, and link the two.

    An upsert by the mapping's key, so that making it twice makes it once.
    """
    side = mirror.mapping.right
    left_id = str(pick(left, mirror.left_key))
    body, fields = compose(mirror, left, to="right", also=also)
    own = own_writes(mirror, body, message, good=True, now=systems.now())
    body |= {write.field: write.new for write in own}
    own_fields = {write.field: write for write in own}
    fields = tuple(own_fields.pop(f.field, f) if f.field in own_fields else f for f in fields)
    made = await systems.write(
        Write(
            system=side.connection,
            object=side.object,
            id=None,
            kind="create",
            operation="upsert_record",
            arguments={
                "object": side.object,
                "key_field": mirror.right_key,
                "key": left_id,
                "fields": {
                    k: v for k, v in body.items() if k != mirror.right_key and v is not None
                },
            },
            fields=(*fields, *own_fields.values()),
            mapping=mirror.id,
            left_id=left_id,
            predicted={"id": new_id(side.object, [mirror.id, left_id])},
        )
    )
    record_id = str(made["id"])
    if systems.planning:
        return {**body, "Id": record_id}
    fields_wanted = [name for name in mirror.right_fields() if "." not in name]
    fresh = await read_record(systems, mirror, record_id, [*fields_wanted, side.version])
    plan = plan_pair(mirror, None, left, {**fresh, "Id": record_id}, now=systems.now())
    await remember(systems, _agreed(plan))
    await systems.ledger.letters.close(mirror.id, referral_id=left_id)
    return {**fresh, "Id": record_id}


def _agreed(plan: PairPlan) -> PairPlan:
    """*plan* with only what both sides agree on in its base: the rest is for the next sync."""
    open_rows = {write.label for write in (*plan.to_left, *plan.to_right)}
    known = {row.field.id for row in plan.mirror.rows if row.label not in open_rows}
    return replace(
        plan,
        base_left={k: v for k, v in plan.base_left.items() if k in known},
        base_right={k: v for k, v in plan.base_right.items() if k in known},
        right_moment=None,  # the record is ours so far
    )


def _arguments(
    call: ResourceCall,
    object_name: str,
    record_id: str,
    writes: Sequence[FieldWrite],
    version: Any,
) -> dict[str, Any]:
    arguments: dict[str, Any] = {}
    if call.object_parameter:
        arguments[call.object_parameter] = object_name
    if call.id_parameter:
        arguments[call.id_parameter] = record_id
    if call.version_parameter and version is not None:
        arguments[call.version_parameter] = version
    if call.body_parameter:
        arguments[call.body_parameter] = (
            [_patch(write) for write in writes]
            if call.style == "json_patch"
            else {write.field: write.new for write in writes}
        )
    return arguments


def _patch(write: FieldWrite) -> dict[str, Any]:
    # RFC 6901: `~` and `/` inside a name are escaped.
    parts = [part.replace("~", "~0").replace("/", "~1") for part in write.field.split(".")]
    return {"op": "replace", "path": "/" + "/".join(parts), "value": write.new}


def _needs(call: ResourceCall | None, name: str, what: str) -> ResourceCall:
    if call is None:
        raise LookupError(f"the connector does not say how to {what} {name} records")
    return call


def shown(body: Mapping[str, Any]) -> dict[str, Any]:
    """A body by dotted path, as writes and plans name its fields."""
    return flatten(body)
