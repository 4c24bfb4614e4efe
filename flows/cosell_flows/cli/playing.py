"""Play the cases of tests: in as many processes as there are processors, where that is worth it."""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import signal
import sys
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

from .progressing import progress

if TYPE_CHECKING:
    from cosell_definitions.model_tests import Case, FlowTests

    from ..project import Documents
    from ..running.flowtests.playing import Played

Chosen = Sequence[tuple["FlowTests", "Case"]]
_FEW = 40  # so many cases are played before a second process has begun
_PORTION = 12

_staged: tuple[Path, Documents, Chosen]
"""Of a process that was forked to play: what it plays, which it has from the one it came from."""


def play(root: Path, documents: Documents, chosen: Chosen) -> list[Played]:
    """How each case went, in the order of the cases."""
    # Only where a process can be forked: it has all documents then, and need not read them again.
    players = min(os.cpu_count() or 1, len(chosen) // _FEW + 1) if sys.platform == "linux" else 1
    with progress("tests", total=len(chosen)) as advance:
        if players > 1:
            return _play_at_once(players, root, documents, chosen, advance)
        return asyncio.run(_play(root, documents, chosen, advance))


def _play_at_once(
    players: int, root: Path, documents: Documents, chosen: Chosen, advance: Callable[[], None]
) -> list[Played]:
    played: list[Played] = []
    portions = [(at, at + _PORTION) for at in range(0, len(chosen), _PORTION)]
    pool = ProcessPoolExecutor(
        players, multiprocessing.get_context("fork"), _stage, (root, documents, chosen)
    )
    try:
        for portion in pool.map(_play_portion, portions):
            for one in portion:
                played.append(one)
                advance()
    finally:
        pool.shutdown(cancel_futures=True)
    return played


def _stage(root: Path, documents: Documents, chosen: Chosen) -> None:
    global _staged  # noqa: PLW0603 - what a process begins with has no other place
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # whoever forked it hears, and ends it
    _staged = root, documents, chosen


def _play_portion(portion: tuple[int, int]) -> list[Played]:
    root, documents, chosen = _staged
    return asyncio.run(_play(root, documents, chosen[slice(*portion)], lambda: None))


async def _play(
    root: Path, documents: Documents, chosen: Chosen, advance: Callable[[], None]
) -> list[Played]:
    from ..ledger import ledger_in_memory
    from ..running.flowtests.playing import NOON, Moving, Theatre
    from ..running.surveying import connectors_of

    clock = Moving(NOON)
    ledger = await ledger_in_memory(clock=clock.now)
    bindings = {name: one.name for name, one in connectors_of(documents).items()}
    theatre = Theatre(root=root, documents=documents, bindings=bindings, ledger=ledger, clock=clock)
    played = []
    try:
        for tests, case in chosen:
            played.append(await theatre.play(tests, case))
            advance()
    finally:
        await ledger.aclose()
    return played
