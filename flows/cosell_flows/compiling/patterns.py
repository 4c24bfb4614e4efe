"""Regular expressions that cannot run away: what backtracks without end is refused. Pure."""

from __future__ import annotations

import functools
import re

from .limits import Meter
from .values import Faulty

MAX_PATTERN = 300
MAX_WORK = 5_000_000
_QUANTIFIER = re.compile(r"[*+?]|\{[0-9]*,?[0-9]*\}")


def fits(text: str, pattern: str, meter: Meter) -> bool:
    """Whether all of *text* fits *pattern*; raises Faulty where that could take too long."""
    compiled, ways, loops = _safe(pattern)
    work = ways * max(1, len(text)) ** loops
    if work > MAX_WORK:
        raise Faulty(
            f"this pattern could take for ever on a text of {len(text):,} letters",
            "use fewer * + ? and | in the pattern, or startswith, endswith, contains",
        )
    meter.turn(work // 20 + len(text) // 100)
    return compiled.fullmatch(text) is not None


@functools.lru_cache(maxsize=512)
def _safe(pattern: str) -> tuple[re.Pattern[str], int, int]:
    """The compiled pattern, in how many ways it can be tried, and how often anew per letter."""
    if len(pattern) > MAX_PATTERN:
        raise Faulty(f"a pattern has at most {MAX_PATTERN} letters")
    try:
        compiled = re.compile(pattern)
    except (re.error, OverflowError, RecursionError) as error:
        raise Faulty(
            f"{pattern!r} is not a pattern: {error}", "as in: '006[0-9A-Za-z]{12}'"
        ) from None
    return compiled, *_effort(pattern)


def _effort(pattern: str) -> tuple[int, int]:
    """Count what can be tried; refuse repetitions in repetitions: their work has no bound.

    Every repetition and every branch multiplies the ways in which a text can be tried; those
    without an end count once for each letter of the text.
    """
    plain = _without_classes(pattern)
    if re.search(r"\\[1-9]|\(\?[=!<P]", plain):
        raise Faulty("back references and look-arounds are not read in patterns")
    ways, loops = 1, 0
    groups: list[bool] = []  # of each open group: whether it repeats or branches inside
    risky = False  # whether the group that has just been closed did
    at = 0
    while at < len(plain):
        letter = plain[at]
        found = _QUANTIFIER.match(plain, at) if at else None
        if found:
            if risky and found[0] != "?":
                raise Faulty(
                    "a repetition inside a repetition can take for ever",
                    "write the pattern without a quantifier after a group that has one inside",
                )
            most = _choices(found[0])
            ways, loops = (ways * most, loops) if most else (ways, loops + 1)
            groups = [True] * len(groups)
            at = found.end() + (plain[found.end() : found.end() + 1] in ("?", "+"))
            continue
        risky = False
        if letter == "(":
            groups.append(False)
        elif letter == "|":
            ways += ways  # at most; a branch alone adds one
            groups = [True] * len(groups)
        elif letter == ")" and groups:
            risky = groups.pop()
        at += 1
    return ways, loops


def _without_classes(pattern: str) -> str:
    """Escapes and [classes] as one plain letter each; back references stay."""
    plain = re.sub(r"\\([^1-9])", "x", pattern)
    return re.sub(r"\[\^?\]?[^\]]*\]", "x", plain)


def _choices(quantifier: str) -> int:
    """How many counts it allows; 0: as many as there are letters."""
    if quantifier in "*+":
        return 0
    if quantifier == "?":
        return 2
    least, _, most = quantifier.strip("{}").partition(",")
    if "," not in quantifier:
        return 1
    return int(most) - int(least or 0) + 1 if most else 0
