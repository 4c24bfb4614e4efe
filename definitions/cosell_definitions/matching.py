"""Search a text for a pattern that somebody wrote, within a time. The one place that knows `regex`."""

from __future__ import annotations

import regex

MAX_SECONDS = 0.5


class TooLong(ValueError):
    """A pattern that backtracks without end, on this text."""


def faulty(pattern: str) -> str | None:
    """Why a pattern cannot be read; None where it can."""
    try:
        regex.compile(pattern)
    except (regex.error, RecursionError, OverflowError) as error:
        return str(error)
    return None


def found_in_text(pattern: str, text: str) -> bool:
    """Whether a pattern is found in a text; raises TooLong where that takes for ever."""
    try:
        return regex.search(pattern, text, timeout=MAX_SECONDS) is not None
    except TimeoutError:
        raise TooLong(
            f"the pattern {pattern} takes too long on a text of {len(text):,} letters: "
            "write it without a repetition inside a repetition"
        ) from None
