"""What somebody may watch of a run: which steps ran, and which way each of them went."""

from __future__ import annotations

from typing import Protocol


class Watch(Protocol):
    """Told of every step as it goes. Nothing of the run depends on it."""

    def saw(self, flow: str, step: str, way: str) -> None:
        """Step *step* of *flow* went that *way*.

        The ways: `ran`, `skipped`; `when yes`, `when no`; `then`, `else`; `case 1`, `default`,
        `no case`; `items`, `no items`; `retried CLASS`, `caught CLASS`.
        """
