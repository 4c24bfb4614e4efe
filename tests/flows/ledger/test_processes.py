"""Several processes on one SQLite file: everybody has a turn, and nobody reads of a lock."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

WRITER = """
import asyncio, sys
from datetime import UTC, datetime
from cosell_flows.ledger import Change, Link, open_ledger

async def main(url, name):
    ledger = await open_ledger(url, clock=lambda: datetime.now(UTC))
    for number in range(25):
        await ledger.links.save(Link(mapping="m", left_id=f"{name}-{number}", right_id=f"o-{name}-{number}"))
        await ledger.history.record([Change(
            run_id=name, flow="f", flow_hash="h", system="s", object="o", operation="update",
            field="a", at=datetime.now(UTC))])
    print(await ledger.links.count("m"))
    await ledger.aclose()

asyncio.run(main(*sys.argv[1:]))
"""


def test_processes_take_turns(tmp_path: Path) -> None:
    """Four begin at once on a ledger that is not there yet; all their writes are kept."""
    url = f"sqlite:///{tmp_path}/ledger.db"

    running = [
        subprocess.Popen([sys.executable, "-c", WRITER, url, f"p{number}"],
                         stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        for number in range(4)
    ]  # fmt: skip
    said = [process.communicate(timeout=120) for process in running]

    assert [
        (process.returncode, errors) for process, (_, errors) in zip(running, said, strict=True)
    ] == [(0, "")] * 4
    assert max(int(output) for output, _ in said) == 100
