"""Reach the ledger from a command: as it is, without making one where there is none."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, TypeVar

from .console import Context

if TYPE_CHECKING:
    from ..ledger import Ledger
    from ..project import Project

T = TypeVar("T")


def has_ledger(project: Project) -> bool:
    """Whether there is a ledger; answers without loading what opens one."""
    return bool(os.environ.get("COSELL_LEDGER_URL")) or project.ledger_file.is_file()


def with_ledger(project: Project, work: Callable[[Ledger], Awaitable[T]]) -> T:
    """Open the project's ledger, let *work* use it, and close it."""

    async def whole() -> T:
        from ..running.opening import ledger_of

        ledger = await ledger_of(project)
        try:
            return await work(ledger)
        finally:
            await ledger.aclose()

    return asyncio.run(whole())


def ask_ledger(project: Project, work: Callable[[Ledger], Awaitable[T]], *, empty: T) -> T:
    """What *work* finds in the ledger; *empty* where nothing has run yet."""
    return with_ledger(project, work) if has_ledger(project) else empty


def flows_on(project: Project) -> frozenset[str]:
    """The ids of the flows that are on."""
    return ask_ledger(project, lambda ledger: ledger.switches.on(), empty=frozenset())


def project_of(context: Context, *, new_environment: bool = False) -> Project:
    """The project of the command, seen through its environment."""
    from ..on_prefect.blocks import blocks_of
    from ..project import Project
    from .main import project_folder

    root = project_folder(context, new_environment=new_environment)
    return Project(root=root, environment_name=context.environment, block=blocks_of(root))


def serving(project: Project) -> bool:
    """Whether a `cosell serve` runs for this project on this machine."""
    try:
        told = json.loads((project.state / "serve.json").read_text(encoding="utf-8"))
        os.kill(int(told["pid"]), 0)
    except (OSError, ValueError, KeyError, TypeError):
        return False
    return True


def shown(value: Any, *, longest: int = 70) -> str:
    """A value in a line of text."""
    from . import console

    text = value if isinstance(value, str) else console.to_json(value)
    text = " ".join(text.split())
    return text if len(text) <= longest else text[: longest - 1] + "…"
