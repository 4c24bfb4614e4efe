"""Make the missing twin of a record, once, and link the two."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from cosell_connectors.model import ResourceCall

from ..ledger.links import Link
from .applying import remember
from .composing import compose, untold
from .mirror import Mirror
from .pairs import PairPlan, own_writes, plan_pair, spoken
from .records import pick
from .sending import Systems, needed, read_record
from .writes import Write, new_id


async def create_left(
    systems: Systems, mirror: Mirror, right: Mapping[str, Any], *, also: Mapping[str, Any]
) -> Mapping[str, Any]:
    """Make the left twin of *right* from the mapping's rows and *also*, and link the two.

    The intent is stored before the request is sent; a run cut off in between finds out whether the
    record was made before it asks again.
    """
    side = mirror.mapping.left
    body, fields = compose(mirror, right, to="left", also=also)
    call = needed(systems.resource(side.connection, side.object).create, side.object, "create")
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
        await systems.books.save(
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

    An upsert by the mapping's key, so that making it twice makes it once. The two are linked at once:
    a step that begins anew goes on from there, since some fields are taken by a new record only.
    """
    side = mirror.mapping.right
    left_id = str(pick(left, mirror.left_key))
    known = await systems.books.find(mirror.id, left_id=left_id)
    if known is not None and known.right_id and not known.base_left and not systems.planning:
        return await _agree(systems, mirror, left, known.right_id)
    body, fields = compose(mirror, left, to="right", also=also)
    told = " ".join([message, *(f"{one}." for one in untold(mirror, left))])
    own = own_writes(mirror, body, spoken(mirror, told), good=True, now=systems.now())
    body |= {write.field: write.new for write in own}
    own_fields = {write.field: write for write in own}
    fields = tuple(own_fields.pop(f.field, f) if f.field in own_fields else f for f in fields)
    call = needed(systems.resource(side.connection, side.object).upsert, side.object, "upsert")
    made = await systems.write(
        Write(
            system=side.connection,
            object=side.object,
            id=None,
            kind="create",
            operation=call.operation,
            arguments=_upsert(call, side.object, mirror.right_key, left_id, body),
            fields=(*fields, *own_fields.values()),
            mapping=mirror.id,
            left_id=left_id,
            predicted={"id": new_id(side.object, [mirror.id, left_id])},
        )
    )
    record_id = str(pick(made, (call.new_id or "/id").strip("/").replace("/", ".")))
    if systems.planning:
        return {**body, "Id": record_id}
    await systems.books.save(Link(mapping=mirror.id, left_id=left_id, right_id=record_id))
    return await _agree(systems, mirror, left, record_id)


async def _agree(
    systems: Systems, mirror: Mirror, left: Mapping[str, Any], record_id: str
) -> Mapping[str, Any]:
    """Keep what both sides agree on, now that the right twin is made; gives the twin."""
    left_id, side = str(pick(left, mirror.left_key)), mirror.mapping.right
    fresh = await read_record(systems, mirror, record_id, [*mirror.own_fields(), side.version])
    plan = plan_pair(mirror, None, left, {**fresh, "Id": record_id}, now=systems.now())
    await remember(systems, _agreed(plan))
    await systems.books.close_letters(mirror.id, referral_id=left_id)
    return {**fresh, "Id": record_id}


def _upsert(
    call: ResourceCall, object_name: str, key_field: str, key: str, body: Mapping[str, Any]
) -> dict[str, Any]:
    """The arguments of an upsert: the key stands beside the fields, not among them."""
    named = {
        call.object_parameter: object_name,
        call.key_field_parameter: key_field,
        call.id_parameter: key,
        call.body_parameter: {
            name: value for name, value in body.items() if name != key_field and value is not None
        },
    }
    return {name: value for name, value in named.items() if name is not None}


def _agreed(plan: PairPlan) -> PairPlan:
    """*plan* with only what both sides agree on in its base: the rest is for the next sync."""
    open_rows = {write.label for write in (*plan.to_left, *plan.to_right)}
    known = {row.field.id for row in plan.mirror.rows if row.label not in open_rows}
    return replace(
        plan,
        base_left={k: v for k, v in plan.base_left.items() if k in known},
        base_right={k: v for k, v in plan.base_right.items() if k in known},
        right_moment=None,  # the record is ours so far
        keeps={},
    )
