"""Stop a run that would change too much at once, before it writes anything."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Protocol

from cosell_definitions.model import ForEach
from cosell_definitions.model_mappings import Brakes, MappingFile
from cosell_definitions.problems import Place

from .nesting import leads_to_records
from .outcomes import StepFailed, StepRecord, Stopped
from .portions import Items, how_many
from .scope import Frame
from .tallying import Done

if TYPE_CHECKING:
    from .interpreter import Effects, Walk

    class Rehearsing(Effects, Protocol):
        """A run that writes nothing, and knows what it would do."""

        def toll(self, links: int) -> Toll:
            """What it would do to the records of a mapping."""


FEWEST_LINKS = 20  # below this many links a share says nothing


@dataclass(frozen=True, slots=True, kw_only=True)
class Toll:
    """What a run would do to the records of a mapping."""

    changed: int
    created: int
    deleted: int
    links: int
    lost: int = 0  # linked records that are not found any more
    empty: str | None = None  # why a whole side looks empty


def judge(brakes: Brakes, toll: Toll) -> str | None:
    """Why a run with this *toll* is to be stopped, or None. Pure."""
    if toll.links < FEWEST_LINKS:
        return None
    if toll.empty:
        return toll.empty
    share = Decimal(toll.changed) / toll.links
    if brakes.max_changed is not None and share > brakes.max_changed:
        return (
            f"it would change {toll.changed} of {toll.links} linked deals ({share:.0%}), "
            f"and the mapping allows {brakes.max_changed:.0%}"
        )
    if brakes.max_changed is not None and Decimal(toll.lost) / toll.links > brakes.max_changed:
        return f"{toll.lost} of {toll.links} linked deals are not found any more"
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


def toll_of(items: Sequence[Done], links: int, *, lost: int = 0, empty: str | None = None) -> Toll:
    """What these items did, or would do; and what was not found on the way."""
    return Toll(
        # A deal that is made is none of those that are linked: `max_created` is for it.
        changed=sum(bool(item.kinds) and "create" not in item.kinds for item in items),
        created=sum("create" in item.kinds for item in items),
        deleted=sum("delete" in item.kinds for item in items),
        links=links,
        lost=lost,
        empty=empty,
    )


def braked(reason: str, flow: str) -> StepFailed:
    """The failure of a run that was stopped."""
    return StepFailed(
        "brake",
        f"the brake stopped this run before it wrote anything: {reason}",
        code="brake",
        hint=f"look at `cosell plan {flow}`; if it is right, run it with --release-brake, or from "
        "the Prefect UI with the tag release-brake",
    )


class Braked(Stopped):
    """A run is stopped in its middle, before it takes records for what they are not."""

    def __init__(self, reason: str, flow: str, place: Place) -> None:
        super().__init__("flow", "failed", reason, "brake", flow, place)
        self.flow = flow

    def as_failure(self) -> StepFailed:
        """The failure of the run."""
        return braked(self.reason, self.flow)


@dataclass(slots=True, kw_only=True)
class Brake:
    """Plays a loop as a plan first where it is long enough to be dangerous."""

    flow: str
    mapping: MappingFile | None
    rehearsal: Callable[[], Rehearsing]
    links: Callable[[str], Awaitable[int]]  # how many links a mapping has
    missing: Callable[[], Awaitable[str | None]]  # which record that is always there is not
    released: bool = False

    async def before(self, walk: Walk, loop: ForEach, frame: Frame, items: Items) -> None:
        """Raise StepFailed of class `brake` where running *loop* would change too much."""
        if self.released or self.mapping is None:
            return
        links = await self.links(self.mapping.id)
        many = how_many(items, in_portions=leads_to_records(loop))
        if many and links >= FEWEST_LINKS and (absent := await self.missing()):
            raise braked(absent, self.flow)
        most = Toll(changed=many, created=many, deleted=many, lost=many, links=links)
        if judge(self.mapping.brakes, most) is None:
            return  # even if every record changed, the brake would not mind
        from .interpreter import Walk as Rehearsed  # noqa: PLC0415 - the two know each other

        effects = self.rehearsal()
        again = Rehearsed(flow=walk.flow, effects=effects, depth=walk.depth)
        place, record = frame.around(), StepRecord(id=self.flow)
        await effects.loops.run(again, "", loop, place, record, items=items)
        reason = judge(self.mapping.brakes, effects.toll(links))
        if reason is not None:
            raise braked(reason, self.flow)

    async def judged(self, toll: Callable[[int], Toll]) -> str | None:
        """Why a run that would do this is to be stopped, or None."""
        if self.mapping is None:
            return None
        links = await self.links(self.mapping.id)
        reason = judge(self.mapping.brakes, toll(links))
        return reason or (await self.missing() if links >= FEWEST_LINKS else None)
