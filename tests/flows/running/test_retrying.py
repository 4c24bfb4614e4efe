"""When a failed step is tried again, and after how long."""

from __future__ import annotations

from datetime import timedelta

import pytest

from cosell_definitions.model import Retry
from cosell_flows.running.outcomes import StepFailed
from cosell_flows.running.retrying import pause_before_retry

POLICY = Retry(attempts=5, delay=timedelta(seconds=2), max_delay=timedelta(seconds=10))


def pause(attempt: int, failure: StepFailed | None = None, policy: Retry = POLICY) -> float | None:
    """Seconds until the next try, without chance."""
    failed = failure or StepFailed("unavailable", "away")
    found = pause_before_retry(failed, attempt, policy, jitter=0)
    return found.total_seconds() if found is not None else None


def test_attempts_count_all_tries() -> None:
    """After the fifth there is no sixth."""
    assert [pause(attempt) for attempt in range(1, 6)] == [2, 4, 8, 10, None]


@pytest.mark.parametrize(
    ("backoff", "pauses"),
    [("constant", [2, 2, 2]), ("linear", [2, 4, 6]), ("exponential", [2, 4, 8])],
)
def test_pauses_grow_as_the_policy_says(backoff: str, pauses: list[float]) -> None:
    """Up to `max_delay`."""
    policy = Retry(attempts=9, delay=timedelta(seconds=2), backoff=backoff)  # type: ignore[arg-type]

    assert [pause(attempt, policy=policy) for attempt in (1, 2, 3)] == pauses


def test_retry_after_is_obeyed_beyond_max_delay() -> None:
    """Asking earlier is an offence there; asking later than our own pause is no harm."""
    told = StepFailed("rate_limited", "slow down", retry_after=timedelta(seconds=90))
    short = StepFailed("rate_limited", "slow down", retry_after=timedelta(seconds=1))

    assert (pause(1, told), pause(3, short)) == (90, 8)


@pytest.mark.parametrize("error_class", ["invalid", "timeout", "conflict"])
def test_other_classes_are_not_tried_again(error_class: str) -> None:
    """Unless `on` names them."""
    assert pause(1, StepFailed(error_class, "no")) is None


def test_what_may_have_happened_is_not_tried_again() -> None:
    """A write whose answer was lost, and that nobody can be asked about."""
    assert pause(1, StepFailed("unavailable", "lost", final=True)) is None
