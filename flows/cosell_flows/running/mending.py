"""Set a field of a linked deal by hand: read both sides, plan, and write through the sync."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from cosell_connectors.errors import ConnectorError

from ..ledger.links import Link
from ..syncing import applying
from ..syncing.mending import CannotSet, plan_setting, plan_setting_alone
from ..syncing.mirror import Mirror, Row
from ..syncing.pairs import PairPlan
from . import fitting
from .actions import EngineActions
from .engine import Engine
from .looking_up import GONE, getting
from .outcomes import COUNTED, RunResult, StepFailed
from .world import World

_LEASE = timedelta(seconds=30)
_WAIT = timedelta(seconds=60)


@dataclass(frozen=True, slots=True, kw_only=True)
class Mending:
    """A field that is about to be set by hand."""

    engine: Engine
    world: World
    plan: PairPlan
    trigger: str

    async def carry_out(self) -> RunResult:
        """Write both sides, each only where it is as it was read; the ledger keeps it as a run."""
        runs, deal = self.engine.ledger.runs, self.plan.right_id
        await runs.start(
            self.world.run_id, flow=self.world.flow, flow_hash="", trigger=self.trigger,
            inputs={"opportunity_id": deal, "referral_id": self.plan.left_id},
        )  # fmt: skip
        result = self._result("failed", StepFailed("cancelled", "interrupted"))
        try:
            async with self.engine.ledger.leases.hold(
                f"deal:{deal}", owner=self.world.run_id, ttl=_LEASE, wait=_WAIT
            ):
                result = await self._apply()
        finally:
            await runs.finish(self.world.run_id, result.status, result.as_json())
        return result

    async def _apply(self) -> RunResult:
        try:
            if self.plan.left_id:
                await applying.apply(self.world, self.plan)
            else:
                await applying.apply_right(self.world, self.plan)
        except ConnectorError as error:
            hint = None
            if error.error_class == "conflict":
                hint = "somebody changed the deal a moment ago; look again, and repeat it"
            return self._result("failed", StepFailed(error.error_class, str(error), hint=hint))
        return self._result("succeeded", None)

    def _result(self, status: str, failure: StepFailed | None) -> RunResult:
        counts = {**dict.fromkeys(COUNTED, 0), "read": 1}
        counts["failed" if failure else "updated"] = 1
        return RunResult(
            run_id=self.world.run_id,
            flow=self.world.flow,
            status=status,  # type: ignore[arg-type]
            counts=counts,
            writes=[write.as_json() for write in self.world.writes],
            error=failure.as_json() if failure else None,
        )


def by_hand(engine: Engine, what: str) -> tuple[World, EngineActions]:
    """What *what*, which is no flow, may do to the outside."""
    world = World(
        ledger=engine.ledger,
        client=engine.client,
        connector=engine.connector,
        clock=engine.clock,
        pause=engine.sleep,
        run_id=str(uuid.uuid4()),
        flow=what,
        flow_hash="",
        columns=engine.columns,
    )
    actions = EngineActions(
        world, mappings=engine.project.mappings, env=engine.environment.values, flow=what
    )
    return world, actions


async def prepare(
    engine: Engine, link: Link, row: Row, value: Any, *, what: str, note: str
) -> Mending:
    """Read both sides of *link* and plan to set *row* to *value*; nothing is written yet."""
    world, actions = by_hand(engine, what)
    try:
        plan = await _planned(world, actions, link, row, value, note=note)
    except ConnectorError as error:
        if error.error_class not in GONE:
            raise
        raise CannotSet(f"{row.label} cannot be set: {error}", field=row.field) from error
    return Mending(engine=engine, world=world, plan=plan, trigger=what)


async def _planned(
    world: World, actions: EngineActions, link: Link, row: Row, value: Any, *, note: str
) -> PairPlan:
    right = await _right(world, actions.mirror(link.mapping), str(link.right_id))
    mirror = await fitting.narrowed(world, actions.mirror(link.mapping), right)
    mirror = await fitting.computing(world, mirror, row.right)
    row = next(one for one in mirror.rows if one.field is row.field)
    if link.left_id is None:
        return plan_setting_alone(mirror, right, row, value, now=world.now(), note=note)
    left = await _left(world, mirror, link.left_id)
    return plan_setting(mirror, link, left, right, row, value, now=world.now(), note=note)


async def _left(world: World, mirror: Mirror, record_id: str) -> Mapping[str, Any]:
    side = mirror.mapping.left
    call = world.resource(side.connection, side.object).get
    reply = await world.read(side.connection, *getting(call, side.object, record_id, None))
    return reply if isinstance(reply, Mapping) else {}


async def _right(world: World, mirror: Mirror, record_id: str) -> Mapping[str, Any]:
    """The record with the mapping's fields, and what they need of related records."""
    side = mirror.mapping.right
    related: dict[str, list[str]] = {}
    own = [side.version, "Id"]
    for path in mirror.right_fields():
        relation, _, name = path.rpartition(".")
        if relation:
            related.setdefault(relation, ["Id", side.version]).append(name)
        else:
            own.append(path)
    own += [f"{relation}Id" for relation in related]
    call = world.resource(side.connection, side.object).get
    asked = getting(call, side.object, record_id, own)
    record = dict(await world.read(side.connection, *asked))
    for relation, fields in related.items():
        other = record.get(f"{relation}Id")
        if other:
            call = world.resource(side.connection, relation).get
            record[relation] = await world.read(
                side.connection, *getting(call, relation, str(other), fields)
            )
    return record
