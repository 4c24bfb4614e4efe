"""Flows written in the test, run in this process on a ledger of their own: no Prefect, no socket."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from cosell_flows.ledger import Ledger, open_ledger
from cosell_flows.running.conducting import Ask
from cosell_flows.running.engine import Engine
from cosell_flows.running.opening import open_engine
from cosell_flows.running.outcomes import RunResult


@dataclass
class Stage:
    """A project with nothing in it but the flows of a test. Time passes when somebody sleeps."""

    root: Path
    now: datetime = datetime(2026, 3, 1, 12, tzinfo=UTC)
    slept: list[float] = field(default_factory=list)
    real_time: bool = False
    _engines: list[Engine] = field(default_factory=list)

    def write(self, name: str, text: str) -> None:
        """Put a flow into the project."""
        folder = self.root / "definitions" / "tests"
        folder.mkdir(parents=True, exist_ok=True)
        head = f"flow: v1\nid: {name}\nname: {name}\n"
        (folder / f"{name}.flow.yaml").write_text(head + text, encoding="utf-8")

    async def engine(self) -> Engine:
        """An engine that sees the flows as they are now, as a process that begins would."""
        engine = await open_engine(self.root, "sandbox", clock=lambda: self.now)
        if not self.real_time:
            engine.sleep = self._sleep
        self._engines.append(engine)
        return engine

    async def run(
        self,
        text: str,
        *,
        run_id: str | None = None,
        ask: Ask | None = None,
        others: Mapping[str, str] | None = None,
        **inputs: Any,
    ) -> RunResult:
        """Run the flow that *text* is, `steps:` and what else there is of it."""
        self.write("flow", text)
        for name, other in (others or {}).items():
            self.write(name, other)
        engine = await self.engine()
        return await engine.run("flow", inputs, run_id=run_id, ask=ask)

    async def plan(self, text: str, **inputs: Any) -> RunResult:
        """Plan the flow that *text* is."""
        self.write("flow", text)
        return await (await self.engine()).plan("flow", inputs)

    def ledger(self) -> Ledger:
        """The project's ledger, as the last engine sees it."""
        return self._engines[-1].ledger

    async def _sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += timedelta(seconds=seconds)
        await asyncio.sleep(0)

    async def aclose(self) -> None:
        """Close every engine."""
        for engine in self._engines:
            await engine.aclose()


@pytest.fixture(scope="session")
def empty_ledger(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A ledger with its tables and nothing in it, to be copied: making one takes its time."""
    path = tmp_path_factory.mktemp("ledger") / "ledger.db"

    async def make() -> None:
        ledger = await open_ledger(f"sqlite:///{path}", clock=lambda: datetime.now(UTC))
        await ledger.aclose()

    asyncio.run(make())
    return path


@pytest.fixture
async def stage(
    tmp_path: Path, empty_ledger: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Stage]:
    """An empty project."""
    monkeypatch.delenv("COSELL_LEDGER_URL", raising=False)
    for room in ("connectors", "env", ".cosell"):
        (tmp_path / room).mkdir()
    (tmp_path / "env" / "sandbox.yaml").write_text("environment: v1\n", encoding="utf-8")
    for file in empty_ledger.parent.iterdir():
        shutil.copy(file, tmp_path / ".cosell" / file.name)
    made = Stage(tmp_path)
    yield made
    await made.aclose()


def ways(result: RunResult) -> dict[str, str]:
    """How each step went, in order of their start."""
    return {step["id"]: step["status"] for step in result.steps}
