"""Our frozen values are those of `dataclasses` in all that anybody sees of them."""

from __future__ import annotations

import copy
import dataclasses
import pickle
from collections.abc import Callable
from dataclasses import field
from typing import Any

import pytest

from cosell_definitions import freezing


def _classes(dataclass: Any) -> tuple[Any, Any]:
    @dataclass(frozen=True, slots=True)
    class Spot:
        """A place."""

        file: str
        line: int = 1
        turns: tuple[int, ...] = field(default=(), compare=False, repr=False)

    @dataclass(frozen=True, slots=True, kw_only=True)
    class Step:
        """What is done there."""

        id: str
        spot: Any = None
        given: dict[str, int] = field(default_factory=dict)

        def __post_init__(self) -> None:
            if not self.id:
                raise ValueError("no id")

    return Spot, Step


OURS, THEIRS = _classes(freezing.dataclass), _classes(dataclasses.dataclass)


def _said(act: Callable[[Any, Any], Any], classes: tuple[Any, Any]) -> str:
    """What comes of an act, in words; of a failure its kind and text."""
    try:
        return repr(act(*classes))
    except Exception as error:  # noqa: BLE001 - whatever the one raises, the other must
        return f"{type(error).__name__}: {error}"


ACTS: list[Callable[[Any, Any], Any]] = [
    lambda spot, _: spot("a"),
    lambda spot, _: spot("a", 2, (3,)),
    lambda spot, _: spot(line=2, file="a"),
    lambda spot, _: spot(),
    lambda spot, _: spot("a", 2, (), 4),
    lambda spot, _: spot("a", column=2),
    lambda _, step: step(id="a"),
    lambda _, step: step("a"),
    lambda _, step: step(id=""),
    lambda spot, step: step(id="a", spot=spot("b"), given={"c": 1}),
    lambda _, step: step(id="a").given is step(id="a").given,
    lambda spot, _: spot("a", turns=(1,)) == spot("a"),
    lambda spot, _: spot("a") == spot("b"),
    lambda spot, _: spot("a") == ("a", 1, ()),
    lambda spot, step: spot("a") != step(id="a"),
    lambda spot, _: len({spot("a"), spot("a", turns=(1,)), spot("b")}),
    lambda _, step: hash(step(id="a")),
    lambda spot, _: setattr(spot("a"), "line", 3),
    lambda spot, _: delattr(spot("a"), "line"),
    lambda spot, _: dataclasses.replace(spot("a", 2), file="b"),
    lambda _, step: dataclasses.asdict(step(id="a", given={"b": 1})),
    lambda spot, _: [(one.name, one.compare) for one in dataclasses.fields(spot)],
    lambda spot, step: (spot.__match_args__, step.__match_args__, spot.__slots__),
    lambda spot, step: copy.deepcopy(step(id="a", spot=spot("b", turns=(1,)))).spot.turns,
]


@pytest.mark.parametrize("act", ACTS, ids=range(len(ACTS)))
def test_all_is_as_in_dataclasses(act: Callable[[Any, Any], Any]) -> None:
    """Making, comparing, hashing, showing, refusing to change: with the same words."""
    assert _said(act, OURS) == _said(act, THEIRS)


@freezing.dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """A value that is pickled."""

    name: str
    more: tuple[Kept, ...] = ()


def test_a_value_survives_pickling() -> None:
    """With all that it holds."""
    kept = Kept(name="a", more=(Kept(name="b"),))

    assert pickle.loads(pickle.dumps(kept)) == kept


def test_what_can_change_is_left_to_dataclasses() -> None:
    """Only frozen values with slots are ours."""

    @freezing.dataclass(slots=True)
    class Open:
        count: int = 0

    opened = Open()
    opened.count += 1

    assert opened == Open(1)
