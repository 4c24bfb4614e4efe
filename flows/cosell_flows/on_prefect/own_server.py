"""Run a Prefect server on SQLite in this process: quick to begin, and never standing still.

    python -m cosell_flows.on_prefect.own_server DATABASE [options of `prefect server start`]

**Standing still.** A statement that fails (a `database is locked` is enough) leaves a cursor behind
in a reference cycle. When Python's collector frees it on the event loop, SQLite wants the
connection's mutex; the thread that holds it waits, up to Prefect's 60 seconds, for the write lock;
and who has that lock waits for the event loop. So here the collector never runs by itself: a thread
of its own calls it, which may wait as long as it likes, for SQLite lets other threads run meanwhile.
https://docs.python.org/3/library/gc.html#gc.disable

**Beginning.** Prefect takes a new database through every migration it ever had, ten seconds and
more. An empty database that went through them once is kept with the installation and copied.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import os
import runpy
import shutil
import sqlite3
import sys
import threading
import time
from importlib.metadata import version
from pathlib import Path

_OFTEN_S = 1.0
_YOUNG = 1  # the two young generations, which is where a failed statement's cursor is
_WHOLE_EVERY = 30


def collect_on_a_thread() -> None:
    """Let a thread collect garbage from now on, and nobody else."""
    gc.disable()
    threading.Thread(target=_collect, name="garbage", daemon=True).start()


def _collect() -> None:
    turn = 0
    while True:
        time.sleep(_OFTEN_S)
        turn += 1
        if turn % _WHOLE_EVERY:
            gc.collect(_YOUNG)
        else:
            gc.collect()


def kept_with_the_installation() -> Path:
    """Where the empty database of this version of Prefect is kept."""
    return Path(sys.prefix) / "share" / "cosell" / f"prefect-{version('prefect')}.db"


def lay(database: Path, empty: Path) -> None:
    """Put a copy of *empty* where there is no database yet; make *empty*, too, the first time."""
    if database.exists():
        return
    if not empty.exists():
        _migrate()
        with contextlib.suppress(OSError, sqlite3.Error):  # an installation that is only to be read
            empty.parent.mkdir(parents=True, exist_ok=True)
            _keep(database, empty)
        return
    beside = _own(database)
    shutil.copyfile(empty, beside)
    beside.replace(database)


def _migrate() -> None:
    from prefect.server.database import provide_database_interface  # noqa: PLC0415 - 3 s

    asyncio.run(provide_database_interface().create_db())


def _keep(database: Path, empty: Path) -> None:
    beside = _own(empty)
    with contextlib.closing(sqlite3.connect(database)) as connection:
        connection.execute("VACUUM INTO ?", (str(beside),))
    beside.replace(empty)


def _own(file: Path) -> Path:
    """A name beside *file* that no other process uses."""
    return file.with_name(f"{file.name}.{os.getpid()}")


if __name__ == "__main__":
    collect_on_a_thread()
    lay(Path(sys.argv[1]), kept_with_the_installation())
    sys.argv = ["prefect", "server", "start", *sys.argv[2:]]
    runpy.run_module("prefect", run_name="__main__", alter_sys=True)
