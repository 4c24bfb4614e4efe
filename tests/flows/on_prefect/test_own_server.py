"""A Prefect server of our own never waits for SQLite on its event loop, and begins at once."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from cosell_flows.on_prefect.own_server import lay

# An object in a cycle, as a failed statement leaves its cursor; it tells who freed it.
LEFT_BEHIND = """
import threading
from cosell_flows.on_prefect.own_server import collect_on_a_thread

class Cursor:
    def __del__(self):
        freed.append(threading.current_thread().name)
        gone.set()

freed, gone = [], threading.Event()
collect_on_a_thread()
cursor = Cursor()
cursor.itself = cursor
del cursor
rubbish = [[] for _ in range(100_000)]  # would set off Python's own collector a hundred times
gone.wait(30)
print(*freed)
"""


def test_garbage_is_collected_on_a_thread_of_its_own() -> None:
    """The event loop's thread never frees what was left behind."""
    said = subprocess.run(
        [sys.executable, "-c", LEFT_BEHIND], capture_output=True, text=True, check=True, timeout=60
    )

    assert said.stdout.strip() == "garbage"


def test_a_new_database_is_a_copy_of_the_empty_one(tmp_path: Path) -> None:
    """No migration is run a second time."""
    empty, database = tmp_path / "empty.db", tmp_path / "prefect.db"
    empty.write_bytes(b"migrated")

    lay(database, empty)

    assert database.read_bytes() == b"migrated"


def test_a_database_that_is_there_is_left_alone(tmp_path: Path) -> None:
    """What Prefect keeps of earlier runs stays."""
    empty, database = tmp_path / "empty.db", tmp_path / "prefect.db"
    empty.write_bytes(b"migrated")
    database.write_bytes(b"full of runs")

    lay(database, empty)

    assert database.read_bytes() == b"full of runs"
