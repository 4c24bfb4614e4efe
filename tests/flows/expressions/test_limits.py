"""How long expressions may work: each by itself, and all of one value together."""

from __future__ import annotations

import itertools
from decimal import Decimal

import pytest

from cosell_definitions.model import Template
from cosell_definitions.problems import Place
from cosell_flows.compiling.expressions import evaluate
from cosell_flows.compiling.limits import MAX_SECONDS, Meter
from cosell_flows.compiling.values import Faulty

PLACE = Place(file="it.flow.yaml", line=1, column=1)


def turns_until_it_is_stopped(*, until: float | None) -> float:
    """What the clock says when work ends that takes a tenth of a second for each look at it."""
    ticks = itertools.count()
    read = []

    def clock() -> float:
        read.append(next(ticks) / 10)
        return read[-1]

    meter = Meter(clock, until=until)
    with pytest.raises(Faulty, match="takes too long"):
        _work(meter)
    return read[-1]


def _work(meter: Meter) -> None:
    for _ in range(100):
        meter.turn(20_000)


def test_one_expression_has_its_own_time() -> None:
    """It ends at the first look at the clock after that."""
    assert turns_until_it_is_stopped(until=None) == pytest.approx(MAX_SECONDS + 0.1)


def test_expressions_of_one_value_end_together() -> None:
    """What others of the same step have used up is no longer there for the next one."""
    assert turns_until_it_is_stopped(until=0.3) == pytest.approx(0.4)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("{{ rows | groupby('n') | map(attribute='value') | list }}", [1, True, "1", None]),
        ("{{ (rows | groupby('n') | first)['items'] | length }}", 3),
        ("{{ ['b', 'a', 'c'] | sort(reverse=true) }}", ["c", "b", "a"]),
        ("{{ [2, 1.5, 10] | sort }}", [Decimal("1.5"), 2, 10]),
        ("{{ pairs | sort(attribute='n') | map(attribute='id') | list }}", ["b", "a", "c"]),
        ("{{ (pairs | max(attribute='n')).id }}", "c"),
        ("{{ (pairs | min(attribute='n')).id }}", "b"),
    ],
)
def test_quick_ways_come_out_as_the_slow_ones_did(text: str, expected: object) -> None:
    """1 and 1.0 are one number, true is none; what is equal keeps its order."""
    scope = {
        "rows": [{"n": one} for one in (1, True, Decimal("1.0"), "1", None, 1)],
        "pairs": [{"id": "a", "n": 2}, {"id": "b", "n": 1}, {"id": "c", "n": Decimal("2.0")}],
    }

    assert evaluate(Template(text, PLACE), scope) == expected
