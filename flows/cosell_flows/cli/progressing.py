"""Show on a terminal how far long work is; say nothing in a pipe."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from . import console


@contextmanager
def progress(word: str, *, total: int) -> Iterator[Callable[[], None]]:
    """A line that counts up each time what is given here is called, and is gone at the end."""
    done = 0
    shown = console.on_terminal()

    def advance() -> None:
        nonlocal done
        done += 1
        if shown:
            print(f"\r{done} of {total} {word} …", end="", file=sys.stderr, flush=True)

    try:
        yield advance
    finally:
        if shown:
            print("\r\x1b[K", end="", file=sys.stderr, flush=True)
