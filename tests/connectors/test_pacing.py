"""How fast a connection may go."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import timedelta
from itertools import pairwise
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cosell_connectors.errors import ConnectorError
from cosell_connectors.model import Budget, RateLimit
from cosell_connectors.pacing import Pace, Usage, rate

LIMIT = RateLimit(concurrent=8, calls=100, per=timedelta(seconds=60))
DAILY = RateLimit(
    concurrent=20, budget=Budget(header="sforce-limit-info", name="api-usage", reserve=0.2)
)
LONG = 10_000.0


def test_the_first_hundred_go_at_once() -> None:
    """What is allowed in a minute is allowed in its first second."""
    pace = Pace(LIMIT)

    assert {pace.reserve(0, most=LONG) for _ in range(100)} == {0.0}


def test_the_next_waits_until_the_first_is_a_minute_old() -> None:
    """The token that was taken first comes back first."""
    pace = Pace(LIMIT)
    for second in range(100):
        pace.reserve(second / 10, most=LONG)

    assert pace.reserve(20, most=LONG) == 40


@given(st.lists(st.floats(0, 5), min_size=1, max_size=400))
def test_no_minute_has_more_than_a_hundred(gaps: list[float]) -> None:
    """Wherever one begins to count, the limit is kept."""
    pace, now, sent = Pace(LIMIT), 0.0, []
    for gap in gaps:
        now += gap
        wait = pace.reserve(now, most=LONG)
        assert wait is not None
        sent.append(now + wait)

    assert all(
        later - earlier >= 60 - 1e-6 for earlier, later in zip(sent, sent[100:], strict=False)
    )
    assert all(one <= other for one, other in pairwise(sent))


def test_a_turn_that_comes_too_late_is_not_taken() -> None:
    """Nobody waits for an hour in silence; and who gave up takes nobody's place."""
    pace = Pace(RateLimit(concurrent=1, calls=1, per=timedelta(hours=1)))
    pace.reserve(0, most=LONG)

    assert (pace.reserve(1, most=120), pace.reserve(3600, most=120)) == (None, 0.0)


def test_a_pause_that_was_asked_for_holds_everybody() -> None:
    """One call's Retry-After is the connection's."""
    pace = Pace(None)
    pace.hold(57)

    assert (pace.reserve(7, most=LONG), pace.reserve(58, most=LONG)) == (50, 0)


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("api-usage=18/5000", Usage(18, 5000)),
        ("api-usage=10018/100000; api-bursts=1/750", Usage(10018, 100_000)),
        ("per-app-api-usage=17/250(appName=cosell); api-usage=25/5000", Usage(25, 5000)),
        ("per-app-api-usage=17/250(appName=cosell)", None),
        ("", None),
    ],
)
def test_the_days_calls_are_read(header: str, expected: Usage | None) -> None:
    """The org's own number counts, in whichever form the header has."""
    pace = Pace(DAILY)

    pace.told({"sforce-limit-info": header})

    assert pace.usage == expected


@pytest.mark.parametrize(("used", "refused"), [(79, False), (80, True), (100, True)])
def test_the_last_fifth_of_a_day_is_left_to_people(used: int, refused: bool) -> None:
    """From four fifths on, no call is made."""
    pace = Pace(DAILY)
    pace.told({"sforce-limit-info": f"api-usage={used}/100"})

    assert (pace.spent(0) is not None) == refused


def test_the_reserve_is_the_connections_to_set() -> None:
    """An org that nobody else uses may be used to its end."""
    pace = Pace(DAILY, reserve=0.0)
    pace.told({"sforce-limit-info": "api-usage=99/100"})

    assert pace.spent(0) is None


def test_a_spent_budget_is_looked_at_again() -> None:
    """Five minutes later one call, and one alone, may find out that the day has moved on."""
    pace = Pace(DAILY)
    pace.told({"sforce-limit-info": "api-usage=90/100"})
    pace.spent(0)

    found = [pace.spent(now) is None for now in (299, 300, 301)]

    assert (found, pace.refused) == ([False, True, False], 3)


@pytest.mark.parametrize(
    ("text", "calls", "seconds"), [("600/60s", 600, 60), ("5 / 1 m", 5, 60), ("off", None, 60)]
)
def test_a_connection_may_set_its_own_rate(text: str, calls: int | None, seconds: int) -> None:
    """The budget of the day stays what the connector says."""
    made = rate(text, DAILY)

    assert made is not None
    assert (made.calls, made.per.total_seconds(), made.budget) == (calls, seconds, DAILY.budget)


@pytest.mark.parametrize("text", ["", "fast", "0/60s", "100/0s", "100", "100/60"])
def test_a_rate_that_says_nothing_is_refused(text: str) -> None:
    """A slip does not pass for no limit."""
    with pytest.raises(ValueError, match=text or "$"):
        rate(text, None)


def counting(answers: list[httpx.Response]) -> Callable[[httpx.Request], httpx.Response]:
    return lambda _: answers.pop(0) if len(answers) > 1 else answers[0]


async def test_calls_beyond_the_budget_are_not_made(talk: Callable[..., Any]) -> None:
    """They fail as rate_limited with a sentence, and can be counted."""
    told = {"Sforce-Limit-Info": "api-usage=80/100"}
    heard = talk("salesforce", lambda _: httpx.Response(200, json={}, headers=told))
    await heard.client.call("limits", {})

    with pytest.raises(ConnectorError, match=r"80 of the 100 calls.*20 % are left to") as caught:
        await heard.client.call("limits", {})

    refused = (caught.value.error_class, caught.value.happened, heard.client.refused)
    assert (refused, len(heard.calls)) == (("rate_limited", "no", 1), 1)


async def test_the_hundred_and_first_call_waits(talk: Callable[..., Any]) -> None:
    """Partner Center is asked a hundred times in a minute, and then at the minute's end."""
    pauses: list[float] = []

    async def sleep(seconds: float) -> None:
        pauses.append(seconds)

    heard = talk(
        "partner_center", lambda _: httpx.Response(200, json={}), clock=lambda: 0.0, sleep=sleep
    )
    for _ in range(101):
        await heard.client.call("get_referral", {"id": "1"})

    assert pauses == [60.0]


async def test_a_retry_after_holds_the_other_calls_of_a_connection(
    talk: Callable[..., Any],
) -> None:
    """Whoever comes next waits for what is left of the pause; the one that was told is told."""
    pauses: list[float] = []

    async def sleep(seconds: float) -> None:
        pauses.append(seconds)

    throttled = httpx.Response(429, headers={"Retry-After": "57"}, json={"statusCode": 429})
    answers = counting([throttled, httpx.Response(200, json={})])
    heard = talk("partner_center", answers, clock=lambda: 1000.0, sleep=sleep)

    with pytest.raises(ConnectorError) as caught:
        await heard.client.call("get_referral", {"id": "1"})
    await heard.client.call("get_referral", {"id": "1"})

    assert (caught.value.retry_after, pauses) == (timedelta(seconds=57), [57.0])


async def test_a_setting_that_says_nothing_is_told(talk: Callable[..., Any]) -> None:
    """The sentence names the setting and shows how it is written."""
    settings = {"base_url": "https://acme.my.salesforce.com", "rate_limit": "fast"}
    heard = talk("salesforce", lambda _: httpx.Response(200), settings)

    with pytest.raises(ConnectorError, match="rate_limit is 'fast', which says nothing; write"):
        await heard.client.call("limits", {})


async def test_many_at_once_keep_to_the_rate(talk: Callable[..., Any]) -> None:
    """Calls that come together take turns, too."""
    pauses: list[float] = []

    async def sleep(seconds: float) -> None:
        pauses.append(seconds)

    heard = talk(
        "partner_center", lambda _: httpx.Response(200, json={}), clock=lambda: 0.0, sleep=sleep
    )

    await asyncio.gather(*(heard.client.call("get_referral", {"id": "1"}) for _ in range(150)))

    assert pauses == [60.0] * 50
