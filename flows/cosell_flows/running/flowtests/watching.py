"""Keep which way every step went, for what a test expects and for coverage."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field


@dataclass(slots=True)
class Trace:
    """Which way the steps went: (flow, step, way) and how often."""

    ways: Counter[tuple[str, str, str]] = field(default_factory=Counter)

    def saw(self, flow: str, step: str, way: str) -> None:
        """Count a way."""
        self.ways[flow, step, way] += 1

    def went(self, flow: str, step: str, way: str) -> bool:
        """Whether a step ever went that way."""
        return (flow, step, way) in self.ways

    def ran(self, flow: str, name: str) -> bool:
        """Whether a step ran; *name* is a step of *flow*, or flow/step."""
        return self.went(*_named(flow, name), "ran")

    def skipped(self, flow: str, name: str) -> bool:
        """Whether a step was reached, and always skipped."""
        found, step = _named(flow, name)
        return self.went(found, step, "skipped") and not self.went(found, step, "ran")


def _named(flow: str, name: str) -> tuple[str, str]:
    child, slash, step = name.partition("/")
    return (child, step) if slash else (flow, name)
