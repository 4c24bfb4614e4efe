"""Carry out a plan that was saved: exactly what it says, or nothing.

Theory of operation. A plan is not replayed; its flow runs again, held to the plan. Rule 1: the same
definitions, values and connections, or it is refused. Rule 2: the run is rehearsed once more, and
every record must be in the version the plan saw, and get the same writes. Rule 3: while it runs,
a write that the plan does not say is not sent. So a plan somebody forged can do no more than the
flow itself would do.
"""

from __future__ import annotations

import hashlib
import uuid
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from cosell_connectors.errors import ConnectorError
from cosell_definitions.model import Flow
from cosell_definitions.model_mappings import MappingFile

from ..ledger import LeaseBusy, Ledger
from ..project import Project
from .engine import Engine
from .outcomes import COUNTED, RunResult, StepFailed
from .permits import STALE, Permit
from .plan_file import PlanFile, PlannedRecord, Sighting, fingerprint, signature
from .rehearsing import Rehearsal

_LEASE = timedelta(seconds=30)
_CLOCKS = {"LastModifiedDate", "SystemModstamp", "updatedDateTime", "eTag", "LastViewedDate",
           "LastReferencedDate", "attributes.url", "attributes.type"}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Moved:
    """Why a record can no longer be written as planned, and who changed it, where that is known."""

    key: str | None
    what: str
    fields: tuple[str, ...] = ()
    sighting: Sighting | None = None
    by: str = ""

    def sentence(self) -> str:
        """For people."""
        named = f" ({', '.join(self.fields)})" if self.fields else ""
        return f"{self.what}{named}{self.by}"


async def plan_of(engine: Engine, rehearsal: Rehearsal) -> PlanFile:
    """The plan file of a rehearsal in this project and environment."""
    return rehearsal.as_plan(
        environment=engine.environment.name,
        fingerprints=fingerprints_of(engine, rehearsal.result.flow),
    )


def fingerprints_of(engine: Engine, flow: str) -> dict[str, str]:
    """What a run of *flow* goes by: its files, the values it reads, the accounts it uses. No secret."""
    used, project = engine.used(flow), engine.project
    documents: list[Flow | MappingFile] = [
        *(project.flows[name] for name in used.flows),
        *(project.mappings[name] for name in used.mappings),
    ]
    # The hash of a document covers the overlays that are laid over it.
    prints = {one.place.file: one.content_hash[:16] for one in documents}
    for name in used.connections:
        file = f"connectors/{project.connector_of(name).name}/connector.yaml"
        prints[file] = hashlib.sha256((project.root / file).read_bytes()).hexdigest()[:16]
    values = engine.environment.values
    prints |= {f"variable {name}": fingerprint(values.get(name)) for name in used.variables}
    for name in used.connections:
        bound = engine.environment.connection(name)
        account = [bound.text(key) for key in ("base_url", "client_id", "username")]
        prints[f"connection {name}"] = fingerprint(account)
    return dict(sorted(prints.items()))


@dataclass(frozen=True, slots=True)
class Held:
    """An engine that is held to a plan, for whoever drives its run."""

    engine: Engine
    permit: Permit

    @property
    def project(self) -> Project:
        """Whose flows."""
        return self.engine.project

    @property
    def ledger(self) -> Ledger:
        """Where it is remembered."""
        return self.engine.ledger

    async def run(self, flow_id: str, inputs: Mapping[str, Any], **more: Any) -> RunResult:
        """Run the planned flow; nobody is asked, as nobody was when it was planned."""
        return await self.engine.run(
            flow_id, inputs, permit=self.permit, **{**more, "ask": None, "release_brake": True}
        )


Drive = Callable[[Held, str, Mapping[str, Any], str], Awaitable[RunResult]]
"""Runs a flow with its inputs, under the name of what started it."""


async def in_this_process(
    held: Held, flow: str, inputs: Mapping[str, Any], trigger: str
) -> RunResult:
    """Run it, and show it nowhere."""
    return await held.run(flow, inputs, trigger=trigger)


async def carry_out(engine: Engine, plan: PlanFile, *, drive: Drive = in_this_process) -> RunResult:
    """Apply *plan*. A plan that can no longer be applied gives a failed run with code `stale`."""
    try:
        async with engine.ledger.leases.hold(
            f"plan:{plan.id}", owner=str(uuid.uuid4()), ttl=_LEASE, wait=timedelta(0)
        ):
            return await _carry_out(engine, plan, drive)
    except LeaseBusy:
        return _refused(plan, "this plan is being applied right now", hint="wait until it is done")


async def _carry_out(engine: Engine, plan: PlanFile, drive: Drive) -> RunResult:
    refusal = await _misfit(engine, plan)
    if refusal is not None:
        return refusal
    again = await engine.rehearse(plan.flow, plan.inputs, cursors=plan.cursors, at=plan.made_at)
    if again.result.status == "failed" and plan.status != "failed":
        return again.result  # what a run needs cannot be read now
    now = again.records(plan.id, every=True)
    moved = [await _with_author(engine, one) for one in differences(plan.records, now)]
    if moved:
        sentences = "; ".join(one.sentence() for one in moved)
        return _refused(
            plan,
            f"{len(moved)} of its records moved since the plan was made: {sentences}",
            hint=f"look again: cosell plan {plan.flow} --out FILE",
        )
    permit = Permit.of(plan, frozenset(unchanged(plan.records, now)))
    return await drive(Held(engine, permit), plan.flow, plan.inputs, _trigger(plan))


async def _misfit(engine: Engine, plan: PlanFile) -> RunResult | None:
    """Why the plan cannot be applied here, whatever the records say."""
    for run in await engine.ledger.runs.list(limit=100, trigger=_trigger(plan)):
        written = await engine.ledger.history.of_run(run.run_id)
        if written or run.status in ("succeeded", "partial"):
            return _refused(
                plan,
                f"this plan was applied already, at {run.started_at:%Y-%m-%d %H:%M} UTC "
                f"(run {run.run_id}, {run.status})",
                hint=f"nothing was done now; for what is left: cosell plan {plan.flow} --out FILE",
            )
    here = engine.environment.name
    if plan.environment != here:
        return _refused(
            plan,
            f"the plan was made in environment {plan.environment!r}, and this is {here!r}",
            hint=f"cosell --env {plan.environment} apply FILE",
        )
    if plan.status == "failed":
        error = (plan.error or {}).get("message") or "it could not be read what there is to do"
        return _refused(plan, f"the plan itself failed: {error}", hint="mend that, and plan again")
    known = fingerprints_of(engine, plan.flow)
    changed = sorted(
        name
        for name in {*known, *plan.fingerprints}
        if known.get(name) != plan.fingerprints.get(name)
    )
    if changed:
        return _refused(
            plan,
            f"what the plan was made by has changed: {', '.join(changed)}",
            hint=f"look at what a run would do now: cosell plan {plan.flow} --out FILE",
        )
    return None


def _trigger(plan: PlanFile) -> str:
    return f"apply {plan.id}"


def _refused(plan: PlanFile, message: str, *, hint: str) -> RunResult:
    failure = StepFailed("conflict", message, code=STALE, hint=hint)
    return RunResult(
        run_id=str(uuid.uuid4()),
        flow=plan.flow,
        status="failed",
        counts=dict.fromkeys(COUNTED, 0),
        error=failure.as_json(),
    )


def differences(planned: Sequence[PlannedRecord], now: Sequence[PlannedRecord]) -> list[Moved]:
    """Why records that the plan writes cannot be written as it says. Pure."""
    found = {one.key: one for one in now}
    same = _same_altogether(planned, now)
    moved: list[Moved] = []
    for record in planned:
        if not record.changes:
            continue
        current = found.get(record.key)
        if current is None:
            what = f"{record.key or 'it'} is no longer among the records that the flow works on"
            moved.append(Moved(key=record.key, what=what))
            continue
        versions = _moved_versions(record, current)
        moved += versions
        if not (versions or same) and _writes(record) != _writes(current):
            moved.append(_otherwise(record, current))
    return moved


def unchanged(planned: Iterable[PlannedRecord], now: Sequence[PlannedRecord]) -> list[str]:
    """The keys of the records that get now what the plan says. Pure."""
    found = {one.key: one for one in now}
    same = _same_altogether(planned, now)
    return [
        one.key
        for one in planned
        if one.key is not None
        and one.key in found
        and (bool(one.changes and same) or _writes(one) == _writes(found[one.key]))
    ]


def _same_altogether(planned: Iterable[PlannedRecord], now: Iterable[PlannedRecord]) -> bool:
    """Whether the writes are the same but for which of two records makes what both need."""
    written = [one for one in planned if one.changes]
    keys = {one.key for one in written}
    before = sum((_writes(one) for one in written), Counter[object]())
    return before == sum((_writes(one) for one in now if one.key in keys), Counter[object]())


def _writes(record: PlannedRecord) -> Counter[object]:
    return Counter(signature(change) for change in record.changes)


def _moved_versions(record: PlannedRecord, now: PlannedRecord) -> list[Moved]:
    current = {(one.system, one.id): one for one in now.seen}
    moved = []
    for before in record.seen:
        after = current.get((before.system, before.id))
        name = f"{before.object or before.system} {before.id}"
        if after is None:
            moved.append(Moved(key=record.key, what=f"{name} is not found any more"))
        elif after.version != before.version:
            fields = tuple(
                field
                for field in sorted({*before.fields, *after.fields})
                if before.fields.get(field) != after.fields.get(field)
                and field.rpartition(".")[2] not in _CLOCKS and field not in _CLOCKS
            )  # fmt: skip
            moved.append(
                Moved(key=record.key, what=f"{name} was changed", fields=fields, sighting=after)
            )
    return moved


def _otherwise(record: PlannedRecord, now: PlannedRecord) -> Moved:
    before = {name for change in record.changes for name in _fields(change)}
    after = {name for change in now.changes for name in _fields(change)}
    differing = tuple(sorted(before ^ after)) or tuple(sorted(before))
    reason = f": {now.reason}" if now.reason else ""
    return Moved(
        key=record.key,
        what=f"{record.key or 'the flow'} would now be written differently{reason}",
        fields=differing,
    )


def _fields(change: Mapping[str, object]) -> set[str]:
    fields = change["fields"]
    assert isinstance(fields, list | tuple)
    return {str(one["field"]) for one in fields}


async def _with_author(engine: Engine, moved: Moved) -> Moved:
    """Say who changed a record, where its system tells."""
    seen = moved.sighting
    if seen is None or seen.object is None:
        return moved
    try:
        changed = await _read(engine, seen, ["LastModifiedDate", "LastModifiedById"])
        author = replace(seen, object="User", id=changed["LastModifiedById"])
        name = (await _read(engine, author, ["Name"]))["Name"]
        moment = str(changed["LastModifiedDate"])[:16].replace("T", " ")
    except (ConnectorError, LookupError, TypeError):
        return moved
    return replace(moved, by=f" by {name} at {moment} UTC")


async def _read(engine: Engine, seen: Sighting, fields: Sequence[str]) -> Mapping[str, Any]:
    """Some fields of a record; raises LookupError where its connector does not read so."""
    resource = engine.connector(seen.system).resource(seen.object or "")
    call = resource.get if resource else None
    if call is None or not (call.fields_parameter and call.id_parameter and call.object_parameter):
        raise LookupError(seen.system)
    arguments = {
        call.object_parameter: seen.object,
        call.id_parameter: seen.id,
        call.fields_parameter: fields,
    }
    return await (await engine.client(seen.system)).collect(call.operation, arguments)  # type: ignore[no-any-return]
