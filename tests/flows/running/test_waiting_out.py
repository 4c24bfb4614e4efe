"""The second of a version is over before a record is looked at for the last time."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from cosell_flows.running.world import World

from .conftest import Stage

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


@dataclass
class Clock:
    """The other side, of which nothing but its time is asked."""

    connector: Any = None
    time: datetime | None = None

    def answers(self, operation: str) -> bool:
        """Nothing."""
        return False

    async def ask_time(self) -> None:
        """Nobody is asked."""

    def time_there(self) -> datetime | None:
        """What its last answer said."""
        return self.time

    async def collect(self, operation: str, arguments: Any) -> Any:
        """Nobody asks."""

    async def page(self, operation: str, arguments: Any, *, at: str | None = None) -> Any:
        """Nobody asks."""


@pytest.mark.parametrize(
    ("there", "here", "waits"),
    [
        (NOON + timedelta(seconds=0.3), NOON, [0.7]),
        (NOON + timedelta(seconds=1), NOON, []),  # by its own clock it is over
        (NOON - timedelta(hours=1), NOON, [1]),  # a stamp ahead of its clock
        (None, NOON + timedelta(seconds=0.5), [0.5]),
        (None, NOON + timedelta(seconds=60), []),
    ],
    ids=["not over", "over", "its clock went back", "it never told", "it never told, long ago"],
)
async def test_a_second_is_waited_out_by_the_clock_of_the_other_side(
    stage: Stage, there: datetime | None, here: datetime, waits: list[float]
) -> None:
    """And for a second at most: by then it is over, whatever the clocks say."""
    slept: list[float] = []

    async def sleep(seconds: float) -> None:
        slept.append(round(seconds, 3))

    async def client(_: str) -> Clock:
        return Clock(time=there)

    engine = await stage.engine()
    world = World(
        ledger=engine.ledger,
        client=client,
        connector=engine.connector,
        clock=lambda: here,
        pause=sleep,
        run_id="run",
        flow="flow",
        flow_hash="",
    )

    waited = await world.until_over("salesforce", NOON + timedelta(seconds=0.4))

    assert (slept, waited) == (waits, bool(waits))
