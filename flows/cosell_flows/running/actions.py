"""The engine's own operations, as flows name them: `sync.plan`, `sync.apply`, `debug.echo` …"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from functools import partial
from typing import Any

from cosell_definitions.model_mappings import MappingFile
from cosell_definitions.problems import Place, did_you_mean

from ..ledger.links import Link, Pair
from ..syncing import applying, creating, failing
from ..syncing.composing import compose
from ..syncing.echo import as_left, outdated
from ..syncing.failing import Failure
from ..syncing.mirror import Mirror, mirror_of
from ..syncing.pairs import PairPlan, plan_pair
from ..syncing.records import pick
from ..syncing.rows import plan_rows
from ..syncing.sending import read_record
from ..syncing.standing import differing
from ..syncing.values import parse_moment
from . import fitting
from .foresight import grouped
from .items import ITEM, TURN, Turn
from .losing import Losses
from .outcomes import Fleeting, StepFailed
from .permits import STALE
from .remembering import Remembering
from .world import World

_ECHO = logging.getLogger("cosell.echo")


class PlanOutput(Fleeting):
    """What `sync.plan` gives out: readable by expressions, and carried whole to `sync.apply`."""

    def __init__(self, plan: PairPlan) -> None:
        self.plan = plan
        super().__init__(
            is_empty=plan.is_empty,
            left=[write.field for write in (*plan.to_left_first, *plan.to_left)],
            right=[write.field for write in plan.to_right],
            notes=list(plan.notes),
            edits=plan.edits,
            echoes=[str(one) for one in plan.echoes],
            left_moment=plan.left_moment,
            right_moment=plan.right_moment,
        )


class EngineActions:
    """Does the engine's operations for one run."""

    def __init__(
        self,
        world: World,
        *,
        mappings: Mapping[str, MappingFile],
        env: Mapping[str, Any],
        flow: str,
    ) -> None:
        self._world = world
        self._mappings = mappings
        self._env = env
        self._flow = flow
        self._mirrors: dict[str, Mirror] = {}
        self._losses = Losses(world, flow=flow)
        self._turn = Turn()
        self._known: Mapping[str, Callable[[Mapping[str, Any]], Awaitable[Any]]] = {
            "sync.plan": self._plan,
            "sync.apply": self._apply,
            "sync.create": self._create,
            "sync.compose": self._compose,
            "sync.report": self._report,
            "sync.note": self._note,
            "sync.due": self._due,
            "sync.waiting": self._waiting,
            "sync.deleted": self._deleted,
            "sync.links": self._links,
            "sync.plan_rows": self._plan_rows,
            "sync.recall": self._recall,
            "sync.remember": self._remember,
            "sync.advance_cursor": self._advance_cursor,
            "sync.compare": self._compare,
            "sync.unlike": self._unlike,
            "sync.writable": self._writable,
            "sync.prune": self._prune,
            "sync.keep": self._keep,
            "sync.take": self._take,
            "debug.echo": self._echo,
            **Remembering(world).operations,
        }

    async def act(
        self, system: str, operation: str, arguments: Mapping[str, Any], *, place: Place
    ) -> Any:
        """Do `system.operation`, for the step at *place*."""
        if (system, operation) == ("debug", "fail"):
            return _fail(arguments, (TURN.get() or self._turn).failed_before(str(place)))
        placed = {"sync.write": self._write, "sync.follow": self._follow}
        if f"{system}.{operation}" in placed:  # their rule is the step itself
            return await placed[f"{system}.{operation}"](arguments, place)
        done = self._known.get(f"{system}.{operation}")
        if done is None:
            raise StepFailed(
                "invalid",
                f"the engine has no operation {system}.{operation}",
                hint=did_you_mean(f"{system}.{operation}", [*self._known, *placed]),
            )
        return await done(arguments)

    def mirror(self, mapping: str) -> Mirror:
        """The mapping called *mapping*, with this environment's names in it."""
        if mapping not in self._mirrors:
            known = self._mappings.get(mapping)
            if known is None:
                raise StepFailed(
                    "invalid",
                    f"there is no mapping {mapping!r}",
                    hint=did_you_mean(mapping, self._mappings),
                )
            side = known.left
            updatable = self._world.resource(side.connection, side.object).updatable
            self._mirrors[mapping] = mirror_of(known, self._env, updatable=updatable)
        return self._mirrors[mapping]

    async def _plan(self, given: Mapping[str, Any]) -> PlanOutput:
        left, right = _record(given, "left"), _record(given, "right")
        mirror = await fitting.narrowed(self._world, self.mirror(given["mapping"]), right)
        link = await self._world.books.find(
            mirror.id, left_id=str(pick(left, mirror.left_key)), right_id=str(right.get("Id"))
        )
        await self._heed_others(mirror, link, right)
        letter = await self._world.books.open_letter(
            mirror.id,
            opportunity_id=str(right.get("Id")),
            referral_id=str(pick(left, mirror.left_key)),
        )
        planned = partial(
            plan_pair,
            link=link,
            left=left,
            right=right,
            now=self._world.now(),
            mend=letter is not None and letter.error_class != applying.PAUSED,
            extra_notes=tuple(given.get("notes") or ()),
        )
        plan = planned(mirror)
        if known := await fitting.learnt(self._world, mirror, plan):
            plan = planned(known)
        item = ITEM.get()
        if item is not None:
            item.deal = (plan.left_id, plan.right_id)
        for one in plan.echoes:
            _ECHO.info("%s %s: %s (%s)", mirror.id, plan.right_id, one, one.side)
        if plan.is_empty:
            await applying.remember(self._world, plan)
            if letter is not None and not plan.paused and not self._world.planning:
                await self._world.books.close_letters(
                    mirror.id, opportunity_id=plan.right_id, referral_id=plan.left_id
                )
        return PlanOutput(plan)

    async def _heed_others(
        self, mirror: Mirror, link: Link | None, right: Mapping[str, Any]
    ) -> None:
        """Raise a conflict where another run wrote the right record since it was read."""
        old = outdated(mirror, link, right)
        if old == "no" or (old == "perhaps" and self._world.planning):
            return
        # It may also be that the clock over there went back: then the record is as it was read.
        fields = [mirror.mapping.right.version, *mirror.own_fields()]
        fresh = await read_record(self._world, mirror, str(right["Id"]), fields)
        if differing(right, fresh, fields):
            self._world.doubt()
            raise StepFailed("conflict", "another run wrote the record since it was read")

    async def _apply(self, given: Mapping[str, Any]) -> dict[str, Any]:
        planned = given["plan"]
        if not isinstance(planned, PlanOutput):
            raise StepFailed("invalid", "`plan` takes the output of a `sync.plan` step")
        plan = planned.plan
        version = pick(plan.left, plan.mirror.mapping.left.version)
        if not plan.is_empty:
            version = await applying.apply(self._world, plan)
        return {
            "written": not plan.is_empty,
            "left_version": version,
            "left": len(plan.to_left_first) + len(plan.to_left),
            "right": len(plan.to_right) + len(plan.own),
        }

    async def _write(self, given: Mapping[str, Any], place: Place) -> Any:
        record, fields = _record(given, "record"), _record(given, "fields")
        mirror, loses = self.mirror(given["mapping"]), given.get("loses") or {}
        writes = applying.spelled(record, fields, loses=loses, rule=place)
        if given.get("of") is None:
            return {"version": await applying.write_left(self._world, mirror, record, writes)}
        name = given.get("object") or mirror.mapping.right.object
        deal = _record(given, "of")
        await applying.write_related(self._world, mirror, name, record, writes, deal=deal)
        return {"version": None}

    async def _create(self, given: Mapping[str, Any]) -> Mapping[str, Any]:
        mirror = self.mirror(given["mapping"])
        source, also = _record(given, "from"), given.get("also") or {}
        if given["side"] == "left":
            return await creating.create_left(self._world, mirror, source, also=also)
        message = given.get("message") or "Received from Partner Center: a new referral."
        mirror = await fitting.computing(self._world, mirror, mirror.two_way())
        return await creating.create_right(self._world, mirror, source, also=also, message=message)

    async def _compose(self, given: Mapping[str, Any]) -> dict[str, Any]:
        mirror = self.mirror(given["mapping"])
        if given["side"] == "right":
            mirror = await fitting.computing(self._world, mirror, mirror.two_way())
        body, _ = compose(
            mirror, _record(given, "from"), to=given["side"], also=given.get("also") or {}
        )
        return body

    async def _report(self, given: Mapping[str, Any]) -> None:
        error = given["error"] if isinstance(given["error"], Mapping) else {}
        if error.get("code") == STALE:
            return  # the plan that is applied no longer fits: the record is left as it is
        place = f"{error.get('file')}:{error.get('line')}" if error.get("file") else None
        failure = Failure(
            error_class=str(error.get("class") or "invalid"),
            message=str(error.get("message") or given["error"]),
            hint=error.get("hint"),
            flow=self._flow,
            place=place,
        )
        await failing.report(
            self._world,
            await fitting.narrowed(self._world, self.mirror(given["mapping"]), given.get("right")),
            failure,
            left=given.get("left"),
            right=given.get("right"),
        )
        item = ITEM.get()
        if item is not None:
            item.letters += 1

    async def _note(self, given: Mapping[str, Any]) -> None:
        right = _record(given, "right")
        mirror = await fitting.narrowed(self._world, self.mirror(given["mapping"]), right)
        await failing.note(self._world, mirror, str(given["message"]), right)

    async def _due(self, given: Mapping[str, Any]) -> dict[str, Any]:
        mirror = self.mirror(given["mapping"])
        due = given.get("named") is True or await failing.is_due(
            self._world, mirror, _record(given, "record"), side=given["side"]
        )
        waits = "failed lately and did not change since; tried again within the hour"
        return {"due": due, "reason": None if due else waits}

    async def _waiting(self, given: Mapping[str, Any]) -> dict[str, list[str]]:
        before = self._world.now() - failing.PATIENCE
        letters = await self._world.ledger.letters.due(given["mapping"], before)
        alive = [letter for letter in letters if letter.error_class != "deleted"]
        return {
            "left_ids": [one.referral_id for one in alive if one.referral_id],
            "right_ids": [one.opportunity_id for one in alive if one.opportunity_id],
        }

    async def _deleted(self, given: Mapping[str, Any]) -> dict[str, int]:
        mirror = self.mirror(given["mapping"])
        closed = given.get("closed") is True
        return {"count": await self._losses.deleted(mirror, given["right_ids"], closed=closed)}

    async def _follow(self, given: Mapping[str, Any], place: Place) -> dict[str, Any]:
        mirror = self.mirror(given["mapping"])
        return {"moved": await self._losses.follow(mirror, given["moves"], place=place)}

    async def _links(self, given: Mapping[str, Any]) -> dict[str, Any]:
        links, noted = self._world.ledger.links, given.get("noted")
        found: Sequence[Link | Pair]
        if noted is not None:
            found = await links.noting(given["mapping"], noted["name"], noted["key"], noted["any"])
        elif given.get("left_ids") is None and given.get("right_ids") is None:
            found = await links.pairs(given["mapping"])
        else:
            found = await self._world.books.find_many(
                given["mapping"], given.get("right_ids") or (), left_ids=given.get("left_ids") or ()
            )
        return {
            "links": [
                {"left_id": one.left_id, "right_id": one.right_id, "state": one.state}
                for one in found
            ],
            "by_left": {one.left_id: one.right_id for one in found if one.left_id},
            "by_right": {one.right_id: one.left_id for one in found if one.right_id},
        }

    async def _plan_rows(self, given: Mapping[str, Any]) -> dict[str, Any]:
        return plan_rows(given["left"], given["right"], given.get("base"))

    async def _recall(self, given: Mapping[str, Any]) -> dict[str, Any]:
        link = await self._world.books.find(given["mapping"], left_id=given["left_id"])
        return {"value": link.notes.get(given["name"]) if link else None}

    async def _remember(self, given: Mapping[str, Any]) -> None:
        link = await self._world.books.find(given["mapping"], left_id=given["left_id"])
        if link is None or self._world.planning:
            return
        notes = {**link.notes, given["name"]: given["value"]}
        if notes != dict(link.notes):
            await self._world.books.save(replace(link, notes=notes))

    async def _advance_cursor(self, given: Mapping[str, Any]) -> None:
        moment = parse_moment(given["to"]) if given["to"] else None
        if moment is not None:
            await self._world.advance(given["name"], moment)

    async def _compare(self, given: Mapping[str, Any]) -> dict[str, Any]:
        mirror = self.mirror(given["mapping"])
        left, right = _record(given, "left"), _record(given, "right")
        link = await self._world.books.find(
            mirror.id, left_id=str(pick(left, mirror.left_key)), right_id=str(right.get("Id"))
        )
        plan = plan_pair(mirror, link, left, right, now=self._world.now())
        if known := await fitting.learnt(self._world, mirror, plan):
            plan = plan_pair(known, link, left, right, now=self._world.now())
        sides = (
            (mirror.mapping.left.connection, (*plan.to_left_first, *plan.to_left)),
            (mirror.mapping.right.connection, plan.to_right),
        )
        return {
            "differences": [
                {"system": system, **write.as_json(planned=True)}
                for system, writes in sides
                for write in writes
            ]
        }

    async def _unlike(self, given: Mapping[str, Any]) -> dict[str, list[str]]:
        mirror = self.mirror(given["mapping"])
        records = {str(one["Id"]): one for one in given["records"]}
        found = await self._world.ledger.links.find_many(mirror.id, records)
        alike = {one.right_id for one in found if as_left(mirror, one, records[str(one.right_id)])}
        return {"right_ids": [one for one in records if one not in alike]}

    async def _writable(self, given: Mapping[str, Any]) -> dict[str, Any]:
        system, fields = self.mirror(given["mapping"]).mapping.right.connection, given["fields"]
        computed = await fitting.computed(self._world, system, given["object"], fields)
        kept = {name: value for name, value in fields.items() if name not in computed}
        return {"fields": kept, "computed": computed}

    async def _prune(self, given: Mapping[str, Any]) -> dict[str, Any]:
        if self._world.planning:
            return {"deleted": {}}
        before = self._world.now() - timedelta(days=int(given["older_than_days"]))
        return {"deleted": await self._world.ledger.retention.prune(before)}

    async def _keep(self, given: Mapping[str, Any]) -> None:
        keys = [str(key) for key in given.get("keys") or ()]
        lists = grouped(given["records"], str(given["by"]), keys)
        if given.get("many") is not True:
            values = {key: rows[0] for key, rows in lists.items() if len(rows) == 1}
            self._world.foresight.keep(str(given["name"]), values)
            return
        self._world.foresight.keep(str(given["name"]), lists)

    async def _take(self, given: Mapping[str, Any]) -> dict[str, Any]:
        leave = given.get("leave") is True
        return {"value": self._world.taken(str(given["name"]), str(given["key"]), leave=leave)}

    async def _echo(self, given: Mapping[str, Any]) -> Mapping[str, Any]:
        return given


def _fail(given: Mapping[str, Any], before: int) -> dict[str, int]:
    times = given.get("times")
    if before < (1 if times is None else int(times)):
        raise StepFailed(
            given.get("class") or "invalid", given.get("message") or "failed on purpose"
        )
    return {"attempts": before + 1}


def _record(given: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    value = given[name]
    if not isinstance(value, Mapping):
        shown = value.isoformat() if isinstance(value, date | datetime) else repr(value)
        raise StepFailed("invalid", f"`{name}` takes a record, and got {shown}")
    return value
