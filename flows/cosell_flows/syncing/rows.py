"""Merge two lists of keys (solutions, people) against the list both sides last agreed on. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any


def plan_rows(
    left: Sequence[str],
    right: Sequence[str],
    base: Sequence[str] | Mapping[str, Sequence[str] | None] | None,
) -> dict[str, Any]:
    """What each list must gain and lose so that both end the same.

    Keys compare without regard to case. Without a base, nothing was removed: both lists are joined.
    A base of its own for each side (`left`, `right`) is for lists that need not be the same: only
    what came or went since travels, and what differed before stays as it is.
    """
    ours, theirs = _keyed(right), _keyed(left)
    if isinstance(base, Mapping):
        return _since(theirs, ours, _keyed(base.get("left") or ()), _keyed(base.get("right") or ()))
    known = _keyed(base or ())
    removed = {key for key in known if key not in ours or key not in theirs}
    wanted = {key: name for key, name in (theirs | ours).items() if key not in removed}
    return {
        "agreed": list(wanted.values()),
        "add_left": [name for key, name in wanted.items() if key not in theirs],
        "remove_left": [name for key, name in theirs.items() if key not in wanted],
        "add_right": [name for key, name in wanted.items() if key not in ours],
        "remove_right": [name for key, name in ours.items() if key not in wanted],
    }


def _since(
    theirs: Mapping[str, str],
    ours: Mapping[str, str],
    known_left: Mapping[str, str],
    known_right: Mapping[str, str],
) -> dict[str, Any]:
    # What was added on one side since is kept, though the other side took it off.
    new_left, new_right = theirs.keys() - known_left.keys(), ours.keys() - known_right.keys()
    gone_left, gone_right = known_left.keys() - theirs.keys(), known_right.keys() - ours.keys()
    off = {key for key in gone_left | gone_right if key not in new_left | new_right}
    return {
        "agreed": [name for key, name in {**theirs, **ours}.items() if key not in off],
        "add_left": [ours[key] for key in ours if key in new_right and key not in theirs],
        "remove_left": [theirs[key] for key in theirs if key in gone_right and key in off],
        "add_right": [theirs[key] for key in theirs if key in new_left and key not in ours],
        "remove_right": [ours[key] for key in ours if key in gone_left and key in off],
    }


def _keyed(names: Sequence[str]) -> dict[str, str]:
    return {name.casefold(): name for name in names if name}
