"""What a rehearsal of a run found, and the plan file it makes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from ..syncing.writes import Write
from .outcomes import RunResult
from .plan_file import PlanFile, PlannedRecord, Sighting, fingerprint
from .sightings import Seen
from .tallying import Done
from .world import World


@dataclass(frozen=True, slots=True, kw_only=True)
class Rehearsal:
    """A run that wrote nothing: what it would have written, and what it went by."""

    result: RunResult
    inputs: Mapping[str, Any]
    items: Sequence[Done]
    world: World
    cursors: Mapping[str, datetime]
    at: datetime

    def records(self, salt: str, *, every: bool = False) -> tuple[PlannedRecord, ...]:
        """Record by record what would come of it, and by which versions.

        *salt* goes into the fingerprints of fields. Records without a write are judged by nothing,
        unless *every* one is to be told.
        """
        of_items = {id(write) for item in self.items for write in item.writes}
        loose = [write for write in self.world.writes if id(write) not in of_items]
        records = [self._of_item(item, salt, every=every) for item in self.items]
        if loose:
            records.insert(0, self._loose(loose, salt))
        return tuple(records)

    def _of_item(self, item: Done, salt: str, *, every: bool) -> PlannedRecord:
        told = every or bool(item.writes)
        seen: Seen = dict(item.seen) if told else {}
        named = {item.key, *_ids(item.writes)}
        for place, fields in self.world.seen.items():
            if told and place[1] in named:
                seen.setdefault(place, fields)
        return PlannedRecord(
            key=item.key,
            status=item.status,
            reason=item.reason,
            changes=tuple(write.as_change() for write in item.writes),
            seen=self._sightings(seen, salt),
        )

    def _loose(self, writes: Sequence[Write], salt: str) -> PlannedRecord:
        return PlannedRecord(
            key=None,
            status=self.result.status,
            changes=tuple(write.as_change() for write in writes),
            seen=self._sightings(self.world.seen, salt),
        )

    def _sightings(self, seen: Seen, salt: str) -> tuple[Sighting, ...]:
        found = []
        for (system, record_id), fields in sorted(seen.items()):
            version = self.world.marks.version_of(system, fields)
            if version is not None:
                found.append(
                    Sighting(
                        system=system,
                        id=record_id,
                        version=version,
                        object=fields.get("attributes.type"),
                        fields={
                            name: fingerprint(value, salt=f"{salt}{name}")
                            for name, value in sorted(fields.items())
                        },
                    )
                )
        return tuple(found)

    def as_plan(self, *, environment: str, fingerprints: Mapping[str, str]) -> PlanFile:
        """The rehearsal as a plan that can be kept and applied."""
        plan_id = self.result.run_id
        return PlanFile(
            id=plan_id,
            flow=self.result.flow,
            environment=environment,
            inputs=self.inputs,
            made_at=self.at,
            status=self.result.status,
            braked=self.result.braked,
            error=self.result.error,
            records=self.records(plan_id),
            cursors=dict(self.cursors),
            reached=dict(self.world.reached),
            fingerprints=fingerprints,
        )


def _ids(writes: Iterable[Write]) -> set[str | None]:
    return {name for one in writes for name in (one.id, one.left_id, one.right_id)}
