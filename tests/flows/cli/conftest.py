"""A project with the shipped solution in a folder of its own, and the command line in this process."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from cosell_flows.cli.main import answer
from cosell_flows.ledger import Ledger, open_ledger
from cosell_flows.project import init_project

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


@dataclass(frozen=True)
class Said:
    """What a command answered."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """Standard output, which is one JSON document."""
        return json.loads(self.out)


Cosell = Callable[..., Said]
Remember = Callable[[Callable[[Ledger], Awaitable[object]]], None]


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A new project; nothing of the process that runs the tests is seen from it."""
    monkeypatch.delenv("COSELL_LEDGER_URL", raising=False)
    folder = tmp_path / "project"
    init_project(folder)
    return folder


@pytest.fixture
def cosell(project: Path, capsys: pytest.CaptureFixture[str]) -> Cosell:
    """Runs a command in the project; a leading `--json` or `--env` goes before the command."""

    def run(*arguments: str) -> Said:
        code = answer(["--project", str(project), *arguments])
        said = capsys.readouterr()
        return Said(code, said.out, said.err)

    return run


@pytest.fixture
def remember(project: Path) -> Remember:
    """Puts something into the project's ledger, at noon."""

    def do(work: Callable[[Ledger], Awaitable[object]]) -> None:
        async def whole() -> None:
            url = f"sqlite:///{project / '.cosell' / 'ledger.db'}"
            ledger = await open_ledger(url, clock=lambda: NOON)
            try:
                await work(ledger)
            finally:
                await ledger.aclose()

        asyncio.run(whole())

    return do


def edit(project: Path, file: str, before: str, after: str) -> int:
    """Replace text in a file of the project; gives the line it stands on."""
    path = project / file
    text = path.read_text(encoding="utf-8")
    assert before in text
    path.write_text(text.replace(before, after, 1), encoding="utf-8")
    return text[: text.index(before)].count("\n") + 1
