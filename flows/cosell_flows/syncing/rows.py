"""Merge two lists of keys (solutions, people) against the list both sides last agreed on. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any


def plan_rows(
    left: Sequence[str], right: Sequence[str], base: Sequence[str] | None
) -> dict[str, Any]:
    """What each list must gain and lose so that both end the same.

    Keys compare without regard to case. Without a base, nothing was removed: both lists are joined.
    """
    ours, theirs = _keyed(right), _keyed(left)
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


def _keyed(names: Sequence[str]) -> dict[str, str]:
    return {name.casefold(): name for name in names if name}
