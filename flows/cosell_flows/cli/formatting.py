"""`cosell fmt`: one canonical form for every file, and the commonest slips mended on request."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import click

from cosell_definitions.problems import Problem

from . import console
from .console import Context, Failure, say, warn
from .main import project_folder


@dataclass(frozen=True, slots=True, kw_only=True)
class _Laid:
    """What became of one file: its new text, or the problems that keep it from having one."""

    path: Path
    file: str
    text: str | None = None
    problems: tuple[Problem, ...] = ()


@click.command()
@click.argument("paths", nargs=-1, metavar="[PATH]…", type=click.Path(path_type=Path))
@click.option("--check", "only_check", is_flag=True,
              help="Change nothing; list the files that would change, and end with 1.")  # fmt: skip
@click.option("--fix", is_flag=True,
              help="Also mend the commonest slips: braces without quotes, needless braces, tabs.")  # fmt: skip
@click.pass_obj
def fmt(context: Context, paths: tuple[Path, ...], only_check: bool, fix: bool) -> None:
    """Lay out every file in one canonical form; comments and meaning stay.

    Two spaces for a level, one blank around what is in brackets, no blanks at the end of a line.
    Without PATH, all files of the project. A file that cannot be read is told of, and left as it is.

    \b
    cosell fmt
    cosell fmt --check
    cosell fmt --fix definitions/cosell/create-referral.flow.yaml
    """
    root = _root_of(context, paths)
    laid = [_laid(path, root, fix=fix) for path in _chosen(root, paths)]
    changed = [one for one in laid if one.text is not None]
    refused = [one for one in laid if one.problems]
    if not only_check:
        _save(changed)
    if context.as_json:
        problems = [console.problem_json(it) for one in refused for it in one.problems]
        files = [one.file for one in changed]
        console.show_json({"changed": files, "problems": problems, "files": len(laid)})
    for one in changed:
        say(f"{one.file}: {'would change' if only_check else 'laid out'}")
    for one in refused:
        for problem in one.problems:
            warn(console.problem_text(problem, root))
    counts = f"{len(changed)} of {_files(len(laid))} {'would change' if only_check else 'changed'}"
    say(f"{counts}, {len(refused)} cannot be read" if refused else counts)
    if refused or (only_check and changed):
        raise SystemExit(console.NO)


def _files(count: int) -> str:
    return "1 file" if count == 1 else f"{count} files"


def _laid(path: Path, root: Path | None, *, fix: bool) -> _Laid:
    from cosell_definitions.formatting import formatted
    from cosell_definitions.mending import mended
    from cosell_definitions.opening import content_of
    from cosell_definitions.reading import read

    inside = root is not None and path.resolve().is_relative_to(root)
    file = path.resolve().relative_to(root).as_posix() if root and inside else path.as_posix()
    raw = content_of(path, file)
    if isinstance(raw, Problem):
        return _Laid(path=path, file=file, problems=(raw,))
    text = mended(raw, file=file) if fix else None
    problems = read(raw if text is None else text, file=file).problems
    if problems:
        # What could be mended is mended, also where more is left to do.
        helped = (
            text is not None and text.encode("utf-8") != raw and not _worse(problems, raw, file)
        )
        return _Laid(path=path, file=file, text=text if helped else None, problems=problems)
    after = formatted(raw.decode("utf-8-sig") if text is None else text)
    return _Laid(path=path, file=file, text=after if after.encode("utf-8") != raw else None)


def _worse(problems: tuple[Problem, ...], raw: bytes, file: str) -> bool:
    """Whether a mended file reads worse than before; then it was not what was meant."""
    from cosell_definitions.reading import read

    return len(problems) > len(read(raw, file=file).problems)


def _save(changed: list[_Laid]) -> None:
    from cosell_definitions.saving import save

    for one in changed:
        assert one.text is not None
        try:
            save(one.path, one.text)
        except OSError as error:
            raise Failure(
                f"{one.file} cannot be written: {(error.strerror or str(error)).lower()}",
                hint="the files before it in the list are laid out, this and the rest are not",
                code=console.NO,
            ) from error


def _root_of(context: Context, paths: tuple[Path, ...]) -> Path | None:
    """The project; files named one by one need none."""
    from ..whereabouts import NoProject

    try:
        return project_folder(context)
    except NoProject:
        if paths and all(path.is_file() for path in paths):
            return None
        raise


def _chosen(root: Path | None, paths: tuple[Path, ...]) -> list[Path]:
    """The files to lay out: those of the project, or those that *paths* name or hold."""
    if not paths:
        assert root is not None
        rooms = ("definitions", "connectors", "env", "overlays")
        return [path for room in rooms for path in _definitions(root / room)]
    chosen: dict[Path, None] = {}
    for path in paths:
        spot = path if path.exists() or path.is_symlink() or root is None else root / path
        if spot.is_dir():
            chosen.update(dict.fromkeys(_definitions(spot)))
        elif spot.exists() or spot.is_symlink():
            chosen[spot] = None
        else:
            raise Failure(f"there is no file or folder {path}", code=console.USAGE)
    return list(chosen)


def _definitions(folder: Path) -> Iterator[Path]:
    """Every YAML file below a folder that is one of a project's."""
    from cosell_definitions.opening import found_in

    skipped = {".shipped", ".cosell", ".venv", "node_modules", "fixtures"}
    for path in found_in(folder, "*.yaml"):
        within = path.relative_to(folder).parts
        if not skipped & set(within) and not any(part.startswith(".") for part in within):
            yield path
