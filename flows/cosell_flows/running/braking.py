"""Stop a run that would change too much at once, before it writes anything."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from cosell_definitions.model import Brakes, ForEach, MappingFile

from .outcomes import StepFailed, StepRecord
from .scope import Frame
from .tallying import Done

if TYPE_CHECKING:
    from .interpreter import Effects, Walk

FEWEST_LINKS = 20  # below this many links a share says nothing


@dataclass(frozen=True, slots=True, kw_only=True)
class Toll:
    """What a run would do to the records of a mapping."""

    changed: int
    created: int
    deleted: int
    links: int


def judge(brakes: Brakes, toll: Toll) -> str | None:
    """Why a run with this *toll* is to be stopped, or None. Pure."""
    if toll.links < FEWEST_LINKS:
        return None
    share = Decimal(toll.changed) / toll.links
    if brakes.max_changed is not None and share > brakes.max_changed:
        return (
            f"it would change {toll.changed} of {toll.links} linked deals ({share:.0%}), "
            f"and the mapping allows {brakes.max_changed:.0%}"
        )
    if brakes.max_created is not None and toll.created > brakes.max_created:
        return (
            f"it would create {toll.created} records, and the mapping allows {brakes.max_created}"
        )
    if brakes.max_deleted is not None and toll.deleted > brakes.max_deleted:
        return (
            f"it would delete {toll.deleted} records, and the mapping allows {brakes.max_deleted}"
        )
    if brakes.when_all_changed == "stop" and toll.changed >= toll.links:
        return f"it would change every one of the {toll.links} linked deals"
    return None


def toll_of(items: Sequence[Done], links: int) -> Toll:
    """What these items did, or would do."""
    return Toll(
        changed=sum(bool(item.kinds) for item in items),
        created=sum("create" in item.kinds for item in items),
        deleted=sum("delete" in item.kinds for item in items),
        links=links,
    )


def braked(reason: str, flow: str) -> StepFailed:
    """The failure of a run that was stopped."""
    return StepFailed(
        "brake",
        f"the brake stopped this run before it wrote anything: {reason}",
        code="brake",
        hint=f"look at `cosell plan {flow}`; if it is right, run it with --release-brake",
    )


@dataclass(slots=True, kw_only=True)
class Brake:
    """Plays a loop as a plan first where it is long enough to be dangerous."""

    flow: str
    mapping: MappingFile | None
    rehearsal: Callable[[], Effects]
    links: Callable[[str], Any]  # awaitable: how many links a mapping has
    released: bool = False

    async def before(self, walk: Walk, loop: ForEach, frame: Frame, items: Sequence[Any]) -> None:
        """Raise StepFailed of class `brake` where running *loop* would change too much."""
        if self.released or self.mapping is None:
            return
        links = await self.links(self.mapping.id)
        most = Toll(changed=len(items), created=len(items), deleted=len(items), links=links)
        if judge(self.mapping.brakes, most) is None:
            return  # even if every record changed, the brake would not mind
        from .interpreter import Walk as Rehearsed  # noqa: PLC0415 - the two know each other

        effects = self.rehearsal()
        again = Rehearsed(flow=walk.flow, effects=effects, depth=walk.depth)
        await effects.loops.run(again, "", loop, frame.around(), StepRecord(id=self.flow))
        reason = judge(self.mapping.brakes, toll_of(effects.loops.tally.told, links))
        if reason is not None:
            raise braked(reason, self.flow)
