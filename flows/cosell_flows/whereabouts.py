"""Where a project is. Apart from what reads one, which takes longer to load than to look here."""

from __future__ import annotations

from pathlib import Path

DEFAULT_ENVIRONMENT = "sandbox"


class NoProject(Exception):
    """There is no project here."""


def find_project(start: Path) -> Path:
    """The folder at or above *start* that holds the rooms; raises NoProject."""
    for folder in (start, *start.parents):
        if (folder / "definitions").is_dir() and (folder / "env").is_dir():
            return folder
    raise NoProject(
        f"there is no cosell project at {start}: a project has the folders definitions/ and env/"
    )
