"""Records that failed: say so once in the seller's trail, keep a dead letter, know when to try again."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from cosell_connectors.errors import ConnectorError

from . import audit
from .applying import left_behind
from .echo import moment_of
from .mirror import Mirror
from .pairs import own_writes, spoken
from .records import pick
from .second_look import read_to_write
from .sending import Systems, update_right

PATIENCE = timedelta(hours=1)  # an unchanged failing record is tried again this often
_TRIES = 3
_STAMPS = ("LastModifiedDate", "LastModifiedById")


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """Why a record failed: the class flows branch on, a sentence for people, what to do."""

    error_class: str
    message: str
    hint: str | None = None
    flow: str = ""
    place: str | None = None


def fingerprint(mirror: Mirror, record: Mapping[str, Any]) -> str:
    """What a record says, without what we write into it: it changes when a person changed something."""
    trail = mirror.audit
    ours = {mirror.mapping.right.version, mirror.mapping.left.version, *_STAMPS}
    if mirror.mapping.left.moment:
        ours.add(mirror.mapping.left.moment)
    if trail:
        ours.add(trail.field)
    bare = {key: value for key, value in record.items() if key not in ours}
    if trail and trail.mark and isinstance(bare.get(trail.mark), str):
        bare[trail.mark] = audit.unmarked(bare[trail.mark])
    text = json.dumps(bare, sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def fingerprints(
    mirror: Mirror,
    left: Mapping[str, Any] | None,
    right: Mapping[str, Any] | None,
    before: str | None = None,
) -> str:
    """What both records say; of a side that is not at hand, what it said *before*."""
    known = _sides(before)
    for side, record in (("left", left), ("right", right)):
        if record:
            known[side] = fingerprint(mirror, record)
    return json.dumps(known, sort_keys=True)


def _sides(text: str | None) -> dict[str, str]:
    try:
        return dict(json.loads(text)) if text else {}
    except ValueError:
        return {}  # a letter of an earlier version


async def is_due(systems: Systems, mirror: Mirror, record: Mapping[str, Any], *, side: str) -> bool:
    """Whether a record is worth trying: it never failed, it changed since, or it waited long enough."""
    letter = await systems.books.open_letter(mirror.id, **_ids(mirror, record, side))
    if letter is None or _sides(letter.fingerprint).get(side) != fingerprint(mirror, record):
        return True
    return letter.retry_asked or systems.now() - letter.last_at >= PATIENCE


async def report(
    systems: Systems,
    mirror: Mirror,
    failure: Failure,
    *,
    left: Mapping[str, Any] | None,
    right: Mapping[str, Any] | None,
) -> None:
    """Tell the seller of *right*, and keep a dead letter for the pair."""
    if right is not None and failure.error_class != "deleted":
        await _tell(systems, mirror, failure.message, right, good=False)
    if systems.planning:
        return
    ids = _ids(mirror, right, "right") | _ids(mirror, left, "left")
    if right is not None and "referral_id" not in ids and (known := pick(right, mirror.right_key)):
        ids["referral_id"] = str(known)
    known_letter = await systems.books.open_letter(mirror.id, **ids) if ids else None
    before = known_letter.fingerprint if known_letter else None
    await systems.books.write_letter(
        mapping=mirror.id,
        flow=failure.flow,
        error_class=failure.error_class,
        message=failure.message,
        hint=failure.hint,
        fingerprint=fingerprints(mirror, left, right, before),
        place=failure.place,
        **ids,
    )


async def note(systems: Systems, mirror: Mirror, message: str, right: Mapping[str, Any]) -> None:
    """Put a line into the trail of *right* that tells of no failure."""
    await _tell(systems, mirror, message, right, good=True)


async def _tell(
    systems: Systems, mirror: Mirror, message: str, right: Mapping[str, Any], *, good: bool
) -> None:
    trail = mirror.audit
    if trail is None:
        return
    names = [trail.field, *([trail.mark] if trail.mark else [])]
    record_id = str(right["Id"])
    for attempt in range(1, _TRIES + 1):
        fresh = {**(await read_to_write(systems, mirror, record_id, names))}
        fresh |= systems.foreseen(record_id)
        said = " ".join(spoken(mirror, message).split())
        writes = own_writes(mirror, fresh, said, good=good, now=systems.now())
        if audit.last_message(pick(fresh, trail.field)) == said:
            writes = tuple(write for write in writes if write.field != trail.field)
        if not writes:
            return
        left_id = pick(right, mirror.right_key)
        link = await systems.books.find(mirror.id, right_id=record_id)
        if link is not None and not systems.planning:
            # Our line makes the record newer; the moment of the last change that was not ours stays.
            moment, _ = moment_of(mirror, link, {**right, **fresh}, "right")
            pending = {write.field: write.new for write in writes}
            link = await systems.books.save(
                replace(link, right_moment=moment, pending_right=pending)
            )
        try:
            await update_right(systems, mirror, fresh, writes, left_id)
        except ConnectorError as error:
            if error.error_class != "conflict" or attempt == _TRIES:
                raise
            continue
        if link is not None and not systems.planning:
            behind = await left_behind(systems, mirror, {**right, **fresh}, writes)
            await systems.books.save(replace(
                link, right_version=behind.version, pending_right=None, notes=behind.noted(link.notes),
            ))  # fmt: skip
        return


def _ids(mirror: Mirror, record: Mapping[str, Any] | None, side: str) -> dict[str, str]:
    if not record:
        return {}
    if side == "right":
        return {"opportunity_id": str(record["Id"])} if record.get("Id") else {}
    key = pick(record, mirror.left_key)
    return {"referral_id": str(key)} if key else {}
