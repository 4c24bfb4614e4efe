"""Open the files of a project: their bytes, or the problem that keeps them away."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from pathlib import Path

from .decoding import MAX_BYTES
from .problems import Place, Problem, Severity

READ_AT_MOST = MAX_BYTES + 1  # a larger file is refused for its size, and need not be held whole
_NAMED = (".flow.yaml", ".map.yaml", ".test.yaml")


def found_in(folder: Path, pattern: str) -> list[Path]:
    """The files below *folder* that are definitions by their name; Python packages hold none."""
    if not folder.is_dir():
        return []
    paths = sorted(folder.rglob(pattern))
    return [path for path in paths if not (path.parent / "__init__.py").exists()]


def content_of(path: Path, file: str) -> bytes | Problem:
    """The bytes of a file, up to more than any may have."""
    try:
        if path.exists() and not path.is_file() and not path.is_dir():
            return _unreadable(file, "it is no ordinary file", "delete it, or give it another name")
        if path.is_dir():
            return _unreadable(file, "it is a folder", "rename the folder: this name is for a file")
        with path.open("rb") as source:
            return source.read(READ_AT_MOST)
    except OSError as error:
        if error.errno == errno.ELOOP:
            return _unreadable(file, "it is a link that leads back to itself", "delete the link")
        if path.is_symlink():
            return _unreadable(file, "it is a link that leads nowhere", "delete or mend the link")
        why = (error.strerror or str(error)).lower()
        return _unreadable(file, why, "give yourself the right to read it")


def _unreadable(file: str, why: str, hint: str) -> Problem:
    return Problem(
        code="Y017",
        place=Place(file=file),
        message=f"this file cannot be read: {why}",
        hint=hint,
    )


def never_read(root: Path) -> Iterator[Problem]:
    """Files that are meant to be read, by their place, but never are, by their name."""
    definitions = root / "definitions"
    strays = [
        (path, f"{path.name.split('.')[0]}.flow.yaml")
        for ending in ("*.yaml", "*.yml")
        for path in found_in(definitions, ending)
        if not path.name.endswith(_NAMED) and "fixtures" not in path.parts
    ]
    strays += [(path, f"{path.stem}.yaml") for path in sorted((root / "env").glob("*.yml"))]
    strays += [(path, "connector.yaml") for path in found_in(root / "connectors", "connector.yml")]
    for path, name in strays:
        yield Problem(
            code="Y018",
            place=Place(file=path.relative_to(root).as_posix()),
            message="nothing reads this file: its name does not say what it is",
            hint=f"rename it, for example to {name}",
            severity=Severity.WARNING,
        )
