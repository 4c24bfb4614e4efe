"""Put into the ledger what a test says is known before its run."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Protocol

from cosell_definitions.model import Flow
from cosell_definitions.model_tests import KnownLetter, KnownLink, State

from ...ledger.links import Link
from ...syncing.failing import fingerprints
from ...syncing.mirror import Mirror, mirror_of
from ...syncing.pairs import plan_pair
from ...syncing.records import pick
from ..engine import Engine
from .fixtures import Fixtures

_LONG_AGO = timedelta(hours=2)


class BadState(ValueError):
    """What is said to be known cannot be so."""

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class Settable(Protocol):
    """The ledger's clock: letters carry the time at which they came."""

    moment: datetime


async def seed(
    engine: Engine, flow: Flow, state: State, fixtures: Fixtures, clock: Settable
) -> None:
    """Put links, cursors, values and letters into the ledger."""
    for known in state.links:
        await engine.ledger.links.save(_link(engine, flow, known, fixtures))
    for name, moment in state.cursors.items():
        await engine.ledger.cursors.advance(name, moment)
    for name, value in state.values.items():
        await engine.ledger.state.put(name, fixtures.resolved(value))
    now = clock.moment
    for letter in state.letters:
        clock.moment = letter.at or now - _LONG_AGO
        await _open(engine, flow, letter, fixtures)
    clock.moment = now


def _link(engine: Engine, flow: Flow, known: KnownLink, fixtures: Fixtures) -> Link:
    mapping = _mapping(engine, flow, known.mapping)
    link = Link(
        mapping=mapping,
        left_id=known.left_id,
        right_id=known.right_id,
        state=known.state,
        notes=fixtures.resolved(known.notes),
    )
    if known.left is None and known.right is None:
        return link
    left, right = fixtures.resolved(known.left), fixtures.resolved(known.right)
    if not isinstance(left, Mapping) or not isinstance(right, Mapping):
        raise BadState(
            "a link says what both records were when they agreed, or of neither",
            hint="give it `left` and `right`, each with the fields of the mapping",
        )
    return _agreed(engine, _mirror(engine, mapping), known, left, right)


def _agreed(
    engine: Engine,
    mirror: Mirror,
    known: KnownLink,
    left: Mapping[str, Any],
    right: Mapping[str, Any],
) -> Link:
    """The link of two records that are in step, as a sync of them would have left it."""
    plan = plan_pair(mirror, None, left, right, now=engine.clock())
    return Link(
        mapping=mirror.id,
        left_id=known.left_id or plan.left_id,
        right_id=known.right_id or plan.right_id,
        base_left=plan.base_left,
        base_right=plan.base_right,
        left_version=pick(left, mirror.mapping.left.version),
        right_version=pick(right, mirror.mapping.right.version),
        left_moment=plan.left_moment,
        right_moment=plan.right_moment,
        state=known.state,
        notes=dict(known.notes),
    )


def _mirror(engine: Engine, mapping: str) -> Mirror:
    known = engine.project.mappings[mapping]
    side = known.left
    resource = engine.connector(side.connection).resource(side.object)
    return mirror_of(
        known, engine.environment.values, updatable=resource.updatable if resource else None
    )


async def _open(engine: Engine, flow: Flow, letter: KnownLetter, fixtures: Fixtures) -> None:
    mapping = _mapping(engine, flow, letter.mapping)
    left, right = fixtures.resolved(letter.left), fixtures.resolved(letter.right)
    known = fingerprints(_mirror(engine, mapping), left, right)
    ids = {"opportunity_id": letter.opportunity_id, "referral_id": letter.referral_id}
    await engine.ledger.letters.open_or_update(
        mapping,
        flow=flow.id,
        error_class=letter.error_class,
        message=letter.message,
        fingerprint=known,
        **{name: value for name, value in ids.items() if value is not None},
    )


def _mapping(engine: Engine, flow: Flow, named: str | None) -> str:
    """The mapping that is meant: the one that is named, or the flow's only one."""
    known = engine.project.mappings
    found = named or (flow.uses_mappings[0] if flow.uses_mappings else None)
    if found is None or found not in known:
        raise BadState(
            f"there is no mapping {found!r}" if found else "the state names no mapping",
            hint=f"write mapping: … ; there are: {', '.join(known) or 'none'}",
        )
    return found
