"""Find and read the fixtures of tests: data kept as files beside them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

from cosell_definitions.model_tests import is_fixture
from cosell_definitions.problems import did_you_mean


class NoFixture(LookupError):
    """A fixture is not there, or cannot be read; `hint` says what to do."""

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


@dataclass(frozen=True, slots=True, kw_only=True)
class Fixtures:
    """The fixtures that the tests of one folder may name."""

    root: Path  # of the project
    folder: Path  # of the file of tests
    connectors: Mapping[str, str]  # connection -> the name of its connector

    def read(self, file: str, system: str | None = None) -> Any:
        """What a fixture holds; raises NoFixture.

        It is looked up in the folder `fixtures/` beside the tests, in the connector's `samples/`,
        and beside the tests themselves.
        """
        path = self._found(file, system)
        try:
            text = path.read_text(encoding="utf-8-sig")
        except (OSError, UnicodeDecodeError) as error:
            raise NoFixture(f"{self._named(path)} cannot be read: {error}") from None
        if path.suffix != ".json":
            return text
        try:
            return json.loads(text, parse_float=Decimal)
        except (ValueError, RecursionError) as error:
            raise NoFixture(
                f"{self._named(path)} is not JSON: {error}", hint="mend the file"
            ) from None

    def stamp(self, file: str, system: str | None = None) -> str:
        """What stands for all that `read` would say: another content, or place, has another one."""
        try:
            path = self._found(file, system)
            digest = hashlib.sha256(path.read_bytes()).hexdigest()
        except NoFixture as missing:
            return f"{missing.message}: {missing.hint}"
        except OSError as error:
            return str(error)
        return f"{self._named(path)} {digest}"

    def resolved(self, value: Any, system: str | None = None) -> Any:
        """*value* with every `{ fixture: … }` in it read, and changed as its `merge` says."""
        if is_fixture(value):
            found = self.read(str(value["fixture"]), system)
            changed = merged(found, self.resolved(value.get("merge"), system))
            return without(changed, value.get("without") or ())
        if isinstance(value, Mapping):
            return {name: self.resolved(inner, system) for name, inner in value.items()}
        if isinstance(value, list | tuple):
            return [self.resolved(inner, system) for inner in value]
        return value

    def _folders(self, system: str | None) -> list[Path]:
        folders = [self.folder / "fixtures"]
        if system is not None:
            folders.append(
                self.root / "connectors" / self.connectors.get(system, system) / "samples"
            )
        return [*folders, self.folder]

    def _found(self, file: str, system: str | None) -> Path:
        folders = self._folders(system)
        for folder in folders:
            path = (folder / file).resolve()
            if path.is_file() and path.is_relative_to(self.root.resolve()):
                return path
        meant = did_you_mean(file, self._names(folders[:-1]))
        looked = ", ".join(self._named(one) for one in folders)
        raise NoFixture(
            f"there is no fixture {file!r}",
            hint=f"did you mean {meant!r}?" if meant else f"it is looked for in {looked}",
        )

    def _names(self, folders: list[Path]) -> list[str]:
        return [
            path.relative_to(folder).as_posix()
            for folder in folders
            for path in sorted(folder.rglob("*"))
            if path.is_file()
        ]

    def _named(self, path: Path) -> str:
        near = path.is_relative_to(self.root)
        return path.relative_to(self.root).as_posix() if near else str(path)


def merged(value: Any, patch: Any) -> Any:
    """*value* with *patch* laid over it: objects are merged, all else is put in its place."""
    if patch is None or not isinstance(value, Mapping) or not isinstance(patch, Mapping):
        return value if patch is None else patch
    made = dict(value)
    for name, inner in patch.items():
        made[name] = merged(made.get(name), inner) if inner is not None else None
    return made


def without(value: Any, paths: Iterable[str]) -> Any:
    """*value* without what stands at *paths*, nested ones dotted."""
    for path in paths:
        value = _without(value, path.split("."))
    return value


def _without(value: Any, parts: list[str]) -> Any:
    if not isinstance(value, Mapping) or parts[0] not in value:
        return value
    rest = {name: inner for name, inner in value.items() if name != parts[0]}
    return rest if len(parts) == 1 else {**value, parts[0]: _without(value[parts[0]], parts[1:])}
