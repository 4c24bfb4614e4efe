"""Open a project's engine: its files, its environment, its ledger."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path

from cosell_definitions.problems import Severity, Unsound
from cosell_env.connections import Block
from cosell_env.resolving import Environment, resolve, resolve_what_can
from cosell_env.rotating import RefreshTokens

from ..ledger import Ledger, open_ledger
from ..project import Project
from .engine import Engine

Clock = Callable[[], datetime]


def utc_now() -> datetime:
    """The time, UTC."""
    return datetime.now(UTC)


def refuse_faulty_environment(project: Project) -> None:
    """Raise Unsound with every problem of the files that say what the environment is."""
    faults = [
        one
        for one in project.documents.problems
        if one.severity is Severity.ERROR and one.place.file.startswith("env/")
        and (one.place.file.endswith("variables.yaml")
             or one.place.file == f"env/{project.environment_name}.yaml")
    ]  # fmt: skip
    if faults:
        raise Unsound(faults)


def environment_of(project: Project, process: Mapping[str, str] | None = None) -> Environment:
    """The environment of a project; raises Unsound with every problem of its files and values."""
    refuse_faulty_environment(project)
    return resolve(
        project.documents.declarations,
        project.environment_file,
        os.environ if process is None else process,
        environment=project.environment_name,
        folder=project.root,
        block=project.block,
        rotated=_kept(project),
    )


def environment_for_runs(project: Project) -> Environment:
    """The environment, with the faults of its variables: a run refuses only those that it uses."""
    return resolve_what_can(
        project.documents.declarations,
        project.environment_file,
        os.environ,
        environment=project.environment_name,
        folder=project.root,
        block=project.block,
        rotated=_kept(project),
    )


def _kept(project: Project) -> RefreshTokens:
    """Refresh tokens that took the place of configured ones, kept in the project's own state."""
    return RefreshTokens(project.state / "refresh-tokens")


def ledger_url(project: Project) -> str:
    """Where the ledger is: COSELL_LEDGER_URL, or SQLite in the project's own state."""
    return os.environ.get("COSELL_LEDGER_URL") or f"sqlite:///{project.ledger_file}"


async def ledger_of(project: Project, *, clock: Clock = utc_now) -> Ledger:
    """The project's ledger, brought to the newest revision."""
    return await open_ledger(ledger_url(project), clock=clock)


async def open_engine(
    project_dir: Path, environment: str, *, clock: Clock = utc_now, block: Block | None = None
) -> Engine:
    """The engine of the project at *project_dir* in one of its environments.

    *block* reads secrets that Prefect keeps.
    """
    project = Project(root=project_dir, environment_name=environment, block=block)
    known = environment_for_runs(project)
    return Engine(
        project=project,
        environment=known,
        ledger=await ledger_of(project, clock=clock),
        clock=clock,
    )
