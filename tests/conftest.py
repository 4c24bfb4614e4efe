"""How every test runs: property tests try the same examples each time, and what takes minutes waits."""

from __future__ import annotations

import os

import pytest
from hypothesis import HealthCheck, settings

LONG = bool(os.environ.get("COSELL_TEST_MINUTES"))

# A suite that lands work must not fail by chance; `make test-long` looks for what is new.
_BUSY = {"deadline": None, "suppress_health_check": [HealthCheck.too_slow]}
settings.register_profile("steady", derandomize=True, **_BUSY)
settings.register_profile("long", **_BUSY)
settings.load_profile("long" if LONG else "steady")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Leave tests that take minutes to `make test-long`."""
    waits = pytest.mark.skip(reason="takes minutes: make test-long")
    for item in items:
        if not LONG and item.get_closest_marker("long"):
            item.add_marker(waits)
