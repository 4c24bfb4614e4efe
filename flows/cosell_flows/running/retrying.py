"""Decide whether a failed step is tried again, and after how long. Pure."""

from __future__ import annotations

import random
from datetime import timedelta

from cosell_definitions.model import Retry

from .outcomes import StepFailed


def pause_before_retry(
    failure: StepFailed, attempt: int, policy: Retry | None, *, jitter: float | None = None
) -> timedelta | None:
    """How long to wait after *attempt* (1 is the first) failed, or None to give up.

    The other system's `Retry-After` is obeyed, even past `max_delay`: asking earlier is an offence
    there. `jitter`: 0 to 1; a tenth of the delay is added by chance, so that workers do not
    come back in step.
    """
    if policy is None or failure.final or attempt >= policy.attempts:
        return None
    if failure.error_class not in policy.on:
        return None
    delay = policy.delay
    if policy.backoff == "exponential":
        delay = policy.delay * 2 ** min(attempt - 1, 30)
    elif policy.backoff == "linear":
        delay = policy.delay * attempt
    delay = min(delay, policy.max_delay)
    chance = random.random() if jitter is None else jitter  # noqa: S311 - no secret depends on it
    delay += delay * 0.1 * chance
    return max(delay, failure.retry_after) if failure.retry_after else delay
