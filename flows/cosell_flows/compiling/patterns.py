"""Regular expressions that cannot run away: what backtracks without end is refused. Pure."""

from __future__ import annotations

import functools
import re

from .values import Faulty

MAX_PATTERN = 300
MAX_WORK = 5_000_000
_QUANTIFIER = re.compile(r"[*+?]|\{[0-9]*,?[0-9]*\}")


def fits(text: str, pattern: str) -> bool:
    """Whether all of *text* fits *pattern*; raises Faulty where that could take too long."""
    compiled, loops = _safe(pattern)
    if loops and len(text) ** loops > MAX_WORK:
        raise Faulty(
            f"a text of {len(text):,} letters is too long for this pattern",
            "use fewer * and + in the pattern, or startswith, endswith, contains",
        )
    return compiled.fullmatch(text) is not None


@functools.lru_cache(maxsize=512)
def _safe(pattern: str) -> tuple[re.Pattern[str], int]:
    """The compiled pattern, and how many open-ended repetitions stand side by side in it."""
    if len(pattern) > MAX_PATTERN:
        raise Faulty(f"a pattern has at most {MAX_PATTERN} letters")
    try:
        compiled = re.compile(pattern)
    except (re.error, OverflowError, RecursionError) as error:
        raise Faulty(
            f"{pattern!r} is not a pattern: {error}", "as in: '006[0-9A-Za-z]{12}'"
        ) from None
    return compiled, _loops(pattern)


def _loops(pattern: str) -> int:
    """Count repetitions; refuse those inside repetitions, where the work grows without bound."""
    plain = _without_classes(pattern)
    if re.search(r"\\[1-9]|\(\?[=!<P]", plain):
        raise Faulty("back references and look-arounds are not read in patterns")
    loops = 0
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
            loops += 1 if _is_open(found[0]) else 0
            groups = [True] * len(groups)
            at = found.end() + (plain[found.end() : found.end() + 1] in ("?", "+"))
            continue
        risky = False
        if letter == "(":
            groups.append(False)
        elif letter == "|":
            groups = [True] * len(groups)
        elif letter == ")" and groups:
            risky = groups.pop()
        at += 1
    return loops


def _without_classes(pattern: str) -> str:
    """Escapes and [classes] as one plain letter each; back references stay."""
    plain = re.sub(r"\\([^1-9])", "x", pattern)
    return re.sub(r"\[\^?\]?[^\]]*\]", "x", plain)


def _is_open(quantifier: str) -> bool:
    """Whether it repeats often enough to matter."""
    if quantifier in "*+":
        return True
    if quantifier == "?":
        return False
    most = quantifier.strip("{}").split(",")[-1]
    return not most or int(most) > 50  # a count; "" is without end
