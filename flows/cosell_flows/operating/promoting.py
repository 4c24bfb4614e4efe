"""Bring what was tried in one environment into another: what differs, and then the same values.

Connections are never promoted: each environment has accounts of its own. What is bound in the one
and not in the other is told, so that a person binds it.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from cosell_definitions.settings import Declaration, EnvironmentFile
from cosell_env.editing import set_variable, unset_variable

OVERLAYS = "overlays"


@dataclass(frozen=True, slots=True, kw_only=True)
class Promotion:
    """One variable whose value would change. `new` is None where the default shall count again."""

    declaration: Declaration
    old: str | None
    new: str | None

    @property
    def shown_old(self) -> str | None:
        """What counts there now."""
        return self.declaration.default if self.old is None else self.old

    @property
    def shown_new(self) -> str | None:
        """What will count there."""
        return self.declaration.default if self.new is None else self.new


@dataclass(frozen=True, slots=True, kw_only=True)
class Unbound:
    """A setting of a connection that the one environment has and the other lacks."""

    connection: str
    key: str


def promotions(
    declarations: Sequence[Declaration], source: EnvironmentFile, target: EnvironmentFile
) -> Iterator[Promotion]:
    """The variables that do not say the same in both, as their files have them."""
    for declaration in declarations:
        new = source.variables.get(declaration.name, (None,))[0]
        old = target.variables.get(declaration.name, (None,))[0]
        promotion = Promotion(declaration=declaration, old=old, new=new)
        if promotion.shown_old != promotion.shown_new:
            yield promotion


def unbound(source: EnvironmentFile, target: EnvironmentFile) -> Iterator[Unbound]:
    """What must be bound by hand before the other environment can work as this one does."""
    for connection, settings in source.connections.items():
        there: Mapping[str, object] = target.connections.get(connection, {})
        for key in settings:
            if key not in there:
                yield Unbound(connection=connection, key=key)


def overlay_differences(root: Path, source: str, target: str) -> list[str]:
    """The overlays of *source* that *target* lacks or has otherwise, and those it has alone."""
    here, there = _overlays(root, source), _overlays(root, target)
    return sorted(name for name in {*here, *there} if here.get(name) != there.get(name))


def promote(
    root: Path, target: EnvironmentFile, changes: Sequence[Promotion], overlays: Sequence[str],
    *, source: str,
) -> None:  # fmt: skip
    """Write the values into the environment's file, comments kept, and copy the overlays.

    Raises Unsound where a value does not fit or the file has problems; nothing is half written
    within a file.
    """
    path = root / "env" / f"{target.name}.yaml"
    for change in changes:
        name = change.declaration.name
        if change.new is None:
            unset_variable(path, name)
        else:
            set_variable(path, name, change.new, change.declaration)
    for name in overlays:
        made, old = root / OVERLAYS / source / name, root / OVERLAYS / target.name / name
        if made.is_file():
            old.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(made, old)
        else:
            old.unlink()


def _overlays(root: Path, environment: str) -> dict[str, bytes]:
    folder = root / OVERLAYS / environment
    if not folder.is_dir():
        return {}
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*.yaml"))
        if path.is_file()
    }
