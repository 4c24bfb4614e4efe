"""How fast a connection may go: so many calls in a while, pauses asked for, a day's budget. Pure.

Asked before each call and told after each answer; it never sleeps itself.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from .model import Budget, RateLimit

# A budget that was found spent is looked at again this often, with one call.
LOOK_AGAIN = timedelta(minutes=5)
_RATE = re.compile(r"(\d+)\s*/\s*(\d+)\s*(s|m|h)")
_UNITS = {"s": 1, "m": 60, "h": 3600}


@dataclass(frozen=True, slots=True)
class Usage:
    """What the other system last said about a day's calls."""

    used: int
    limit: int


def rate(text: str, limit: RateLimit | None) -> RateLimit | None:
    """*limit* with what a connection's setting says: `600/60s`, or `off`; ValueError otherwise."""
    concurrent = limit.concurrent if limit else 20
    budget = limit.budget if limit else None
    if text.strip().lower() == "off":
        return RateLimit(concurrent=concurrent, budget=budget)
    matched = _RATE.fullmatch(text.strip())
    if matched is None or int(matched[1]) == 0 or int(matched[2]) == 0:
        raise ValueError(text)
    seconds = int(matched[2]) * _UNITS[matched[3]]
    return RateLimit(
        concurrent=concurrent,
        calls=int(matched[1]),
        per=timedelta(seconds=seconds),
        budget=budget,
    )


class Pace:
    """The pace of one connection, shared by all its calls."""

    def __init__(self, limit: RateLimit | None, *, reserve: float | None = None) -> None:
        self._calls = limit.calls if limit else None
        self._per = limit.per.total_seconds() if limit else 0.0
        self._budget = limit.budget if limit else None
        self._reserve = reserve
        # When each token was taken, or will be; it comes back `per` later. So there are never more
        # than `calls` within any `per`, wherever one begins to count.
        self._taken: deque[float] = deque(maxlen=self._calls)
        self._held_until = 0.0
        self._look_again: float | None = None
        self.usage: Usage | None = None
        self.refused = 0

    def reserve(self, now: float, *, most: float) -> float | None:
        """Take a token: in how many seconds the call may go; nothing where that is beyond *most*."""
        begin = max(now, self._held_until)
        if self._calls is not None and len(self._taken) == self._calls:
            begin = max(begin, self._taken[0] + self._per)
        if begin - now > most:
            return None
        if self._calls is not None:
            self._taken.append(begin)
        return begin - now

    def hold(self, until: float) -> None:
        """Let no call go before *until*: the other system asked for a pause."""
        self._held_until = max(self._held_until, until)

    def told(self, headers: Mapping[str, str]) -> None:
        """Read how much of the day's budget is used, where an answer says so."""
        if self._budget is None:
            return
        # api-usage=18/5000 alone, beside `per-app-api-usage=…`, or before `; api-bursts=…`.
        found = re.search(
            rf"(?<![\w-]){re.escape(self._budget.name)}=(\d+)/(\d+)",
            headers.get(self._budget.header, ""),
        )
        if found is not None:
            self.usage = Usage(int(found[1]), int(found[2]))

    def spent(self, now: float) -> str | None:
        """Why no call may go: only what is left to people is left. One in five minutes may look."""
        usage, budget = self.usage, self._budget
        if usage is None or budget is None or usage.used < self._share(budget) * usage.limit:
            self._look_again = None
            return None
        if self._look_again is not None and now >= self._look_again:
            self._look_again = now + LOOK_AGAIN.total_seconds()
            return None
        self._look_again = self._look_again or now + LOOK_AGAIN.total_seconds()
        self.refused += 1
        kept = round(100 * (1 - self._share(budget)))
        return (
            f"{usage.used} of the {usage.limit} calls of a day are used, and the last {kept} % are"
            " left to people; it goes on when older calls leave the day behind"
        )

    def _share(self, budget: Budget) -> float:
        return 1 - (budget.reserve if self._reserve is None else self._reserve)
