"""The engine's own operations, as flows name them: `sync.plan`, `sync.apply`, `debug.echo` …"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

from cosell_definitions.model import MappingFile
from cosell_definitions.problems import did_you_mean

from ..ledger.links import Link
from ..syncing import applying, failing
from ..syncing.failing import Failure
from ..syncing.mirror import Mirror, mirror_of
from ..syncing.pairs import PairPlan, compose, plan_pair
from ..syncing.records import pick
from ..syncing.rows import plan_rows
from ..syncing.values import parse_moment
from .outcomes import StepFailed
from .permits import STALE
from .world import ITEM, World


class PlanOutput(dict[str, Any]):
    """What `sync.plan` gives out: readable by expressions, and carried whole to `sync.apply`."""

    def __init__(self, plan: PairPlan) -> None:
        self.plan = plan
        super().__init__(
            is_empty=plan.is_empty,
            left=[write.field for write in (*plan.to_left_first, *plan.to_left)],
            right=[write.field for write in plan.to_right],
            notes=list(plan.notes),
            edits=plan.edits,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineOperation:
    """One operation of the engine: its arguments (name → required) and what it gives out."""

    summary: str
    parameters: Mapping[str, bool]
    output: tuple[str, ...] | None = None


OPERATIONS: Mapping[str, Mapping[str, EngineOperation]] = {
    "sync": {
        "plan": EngineOperation(
            summary="merge two records field by field; nothing is written",
            parameters={"mapping": True, "left": True, "right": True, "notes": False},
            output=("is_empty", "left", "right", "notes", "edits"),
        ),
        "apply": EngineOperation(
            summary="write what `sync.plan` found, Partner Center first, and keep the new base",
            parameters={"plan": True},
            output=("written", "left", "right"),
        ),
        "create": EngineOperation(
            summary="make the missing twin of a record from the mapping's rows and `also`, once",
            parameters={
                "mapping": True, "side": True, "from": True, "also": False, "message": False,
            },
        ),
        "compose": EngineOperation(
            summary="what a new record would get from the mapping's rows; nothing is written",
            parameters={"mapping": True, "side": True, "from": True, "also": False},
        ),
        "report": EngineOperation(
            summary="tell the seller that the sync failed, and keep a dead letter",
            parameters={"mapping": True, "error": True, "left": False, "right": False},
        ),
        "note": EngineOperation(
            summary="put a line into the audit trail of a record",
            parameters={"mapping": True, "right": True, "message": True},
        ),
        "due": EngineOperation(
            summary="whether a record is worth trying, or failed lately and did not change since",
            parameters={"mapping": True, "side": True, "record": True, "named": False},
            output=("due", "reason"),
        ),
        "waiting": EngineOperation(
            summary="records that failed and are to be tried again now",
            parameters={"mapping": True},
            output=("left_ids", "right_ids"),
        ),
        "deleted": EngineOperation(
            summary="say of linked records that they were deleted in Salesforce",
            parameters={"mapping": True, "right_ids": True},
            output=("count",),
        ),
        "links": EngineOperation(
            summary="the links of a mapping, of some records or of all",
            parameters={"mapping": True, "left_ids": False, "right_ids": False},
            output=("links", "by_left", "by_right"),
        ),
        "plan_rows": EngineOperation(
            summary="merge two lists of keys against the list both last agreed on (`base`)",
            parameters={"left": True, "right": True, "base": False},
            output=("agreed", "add_left", "remove_left", "add_right", "remove_right"),
        ),
        "recall": EngineOperation(
            summary="what was remembered about a linked record under a name, or null",
            parameters={"mapping": True, "left_id": True, "name": True},
            output=("value",),
        ),
        "remember": EngineOperation(
            summary="remember a value about a linked record under a name",
            parameters={"mapping": True, "left_id": True, "name": True, "value": True},
        ),
        "advance_cursor": EngineOperation(
            summary="remember how far a list was read; never back, and nothing for null",
            parameters={"name": True, "to": True},
        ),
    },
    "debug": {
        "echo": EngineOperation(summary="give back what it is given", parameters={}),
        "fail": EngineOperation(
            summary="fail the first `times` attempts with `class`, then succeed",
            parameters={"class": False, "times": False, "message": False},
            output=("attempts",),
        ),
    },
}  # fmt: skip


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
        self._failures: dict[str, int] = {}
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
            "debug.echo": self._echo,
            "debug.fail": self._fail,
        }

    async def act(self, system: str, operation: str, arguments: Mapping[str, Any]) -> Any:
        """Do `system.operation`."""
        done = self._known.get(f"{system}.{operation}")
        if done is None:
            raise StepFailed(
                "invalid",
                f"the engine has no operation {system}.{operation}",
                hint=did_you_mean(f"{system}.{operation}", self._known),
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
        mirror = self.mirror(given["mapping"])
        left, right = _record(given, "left"), _record(given, "right")
        link = await self._world.ledger.links.find(
            mirror.id, left_id=str(pick(left, mirror.left_key)), right_id=str(right.get("Id"))
        )
        letter = await self._world.ledger.letters.find_open(
            mirror.id, opportunity_id=str(right.get("Id"))
        )
        plan = plan_pair(
            mirror,
            link,
            left,
            right,
            now=self._world.now(),
            mend=letter is not None,
            extra_notes=tuple(given.get("notes") or ()),
        )
        if plan.is_empty:
            await applying.remember(self._world, plan)
        return PlanOutput(plan)

    async def _apply(self, given: Mapping[str, Any]) -> dict[str, Any]:
        planned = given["plan"]
        if not isinstance(planned, PlanOutput):
            raise StepFailed("invalid", "`plan` takes the output of a `sync.plan` step")
        plan = planned.plan
        if not plan.is_empty:
            await applying.apply(self._world, plan)
        return {
            "written": not plan.is_empty,
            "left": len(plan.to_left_first) + len(plan.to_left),
            "right": len(plan.to_right) + len(plan.own),
        }

    async def _create(self, given: Mapping[str, Any]) -> Mapping[str, Any]:
        mirror = self.mirror(given["mapping"])
        source, also = _record(given, "from"), given.get("also") or {}
        if given["side"] == "left":
            return await applying.create_left(self._world, mirror, source, also=also)
        message = given.get("message") or "Received from Partner Center: a new referral."
        return await applying.create_right(self._world, mirror, source, also=also, message=message)

    async def _compose(self, given: Mapping[str, Any]) -> dict[str, Any]:
        mirror = self.mirror(given["mapping"])
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
            self.mirror(given["mapping"]),
            failure,
            left=given.get("left"),
            right=given.get("right"),
        )
        item = ITEM.get()
        if item is not None:
            item.letters += 1

    async def _note(self, given: Mapping[str, Any]) -> None:
        mirror = self.mirror(given["mapping"])
        await failing.note(self._world, mirror, str(given["message"]), _record(given, "right"))

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
        links = await self._world.ledger.links.find_many(mirror.id, given["right_ids"])
        gone = [link for link in links if link.state != "deleted"]
        for link in [] if self._world.planning else gone:
            await self._mark_deleted(mirror, link)
        return {"count": len(gone)}

    async def _mark_deleted(self, mirror: Mirror, link: Link) -> None:
        await self._world.ledger.links.save(replace(link, state="deleted"))
        await self._world.ledger.letters.open_or_update(
            mirror.id,
            flow=self._flow,
            error_class="deleted",
            message="The opportunity was deleted in Salesforce; the referral is left alone",
            hint="restore the opportunity from the recycle bin, or close the referral in Partner Center",
            opportunity_id=link.right_id,
            referral_id=link.left_id,
        )

    async def _links(self, given: Mapping[str, Any]) -> dict[str, Any]:
        links = self._world.ledger.links
        if given.get("left_ids") is None and given.get("right_ids") is None:
            found = await links.list(given["mapping"])
        else:
            found = await links.find_many(
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
        link = await self._world.ledger.links.find(given["mapping"], left_id=given["left_id"])
        return {"value": link.notes.get(given["name"]) if link else None}

    async def _remember(self, given: Mapping[str, Any]) -> None:
        link = await self._world.ledger.links.find(given["mapping"], left_id=given["left_id"])
        if link is None or self._world.planning:
            return
        notes = {**link.notes, given["name"]: given["value"]}
        if notes != dict(link.notes):
            await self._world.ledger.links.save(replace(link, notes=notes))

    async def _advance_cursor(self, given: Mapping[str, Any]) -> None:
        moment = parse_moment(given["to"]) if given["to"] else None
        if moment is not None:
            await self._world.advance(given["name"], moment)

    async def _echo(self, given: Mapping[str, Any]) -> Mapping[str, Any]:
        return given

    async def _fail(self, given: Mapping[str, Any]) -> dict[str, int]:
        key = f"{id(ITEM.get())}:{sorted(given.items(), key=str)}"
        self._failures[key] = self._failures.get(key, 0) + 1
        if self._failures[key] <= int(given.get("times") or 1):
            raise StepFailed(
                given.get("class") or "invalid", given.get("message") or "failed on purpose"
            )
        return {"attempts": self._failures.pop(key)}


def _record(given: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    value = given[name]
    if not isinstance(value, Mapping):
        shown = value.isoformat() if isinstance(value, date | datetime) else repr(value)
        raise StepFailed("invalid", f"`{name}` takes a record, and got {shown}")
    return value
