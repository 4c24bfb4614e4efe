"""`cosell new`: a commented first draft of a flow, a mapping or a connector, that passes `check`."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

import click

from ..project import SOLUTIONS
from . import console
from .console import Context, Failure, say
from .main import project_folder

_HYPHENS = re.compile(r"[a-z0-9][a-z0-9-]{0,79}")
_UNDERSCORES = re.compile(r"[a-z][a-z0-9_]{0,79}")


@click.group(name="new")
def new() -> None:
    """A first draft, with comments, that passes `cosell check`: a flow, a mapping or a connector.

    \b
    cosell new flow order-to-invoice
    cosell new mapping lead-contact
    cosell new connector parcel_service
    """


_solution = click.option(
    "--solution",
    metavar="NAME",
    help="The folder in definitions/; without it, your own one, or a new one called `own`.",
)


@new.command()
@click.argument("name")
@_solution
@click.pass_obj
def flow(context: Context, name: str, solution: str | None) -> None:
    """A flow that runs, and a test of it that passes.

    \b
    cosell new flow order-to-invoice
    cosell run order-to-invoice --local
    cosell test order-to-invoice
    """
    from .drafts import FLOW, TEST

    root = project_folder(context)
    _named(name, _HYPHENS, "small letters, digits and dashes, such as order-to-invoice")
    folder = _folder(root, solution)
    _write(
        context,
        root,
        {
            folder / f"{name}.flow.yaml": _filled(FLOW, name),
            folder / f"{name}.test.yaml": _filled(TEST, name),
        },
        taken=root.glob(f"definitions/**/{name}.flow.yaml"),
        then=[f"cosell run {name} --local", f"cosell test {name}"],
    )


@new.command()
@click.argument("name")
@_solution
@click.pass_obj
def mapping(context: Context, name: str, solution: str | None) -> None:
    """A table of fields between two systems, with two rows to begin with.

    \b
    cosell new mapping lead-contact
    """
    from .drafts import MAPPING

    root = project_folder(context)
    _named(name, _HYPHENS, "small letters, digits and dashes, such as lead-contact")
    folder = _folder(root, solution)
    _write(
        context,
        root,
        {folder / f"{name}.map.yaml": _filled(MAPPING, name)},
        taken=root.glob(f"definitions/**/{name}.map.yaml"),
        then=["cosell check"],
    )


@new.command()
@click.argument("name")
@click.pass_obj
def connector(context: Context, name: str) -> None:
    """A page for a REST system: one operation that reads, one that writes.

    \b
    cosell new connector parcel_service
    """
    from .drafts import CONNECTOR

    root = project_folder(context)
    _named(name, _UNDERSCORES, "small letters, digits and underscores, such as parcel_service")
    _write(
        context,
        root,
        {root / "connectors" / name / "connector.yaml": _filled(CONNECTOR, name)},
        taken=root.glob(f"connectors/{name}/connector.yaml"),
        then=["cosell check", f"cosell connections test {name}"],
    )


def _named(name: str, pattern: re.Pattern[str], wanted: str) -> None:
    if pattern.fullmatch(name):
        return
    meant = re.sub(r"[^a-z0-9]+", "-" if pattern is _HYPHENS else "_", name.lower()).strip("-_")
    raise Failure(
        f"{name!r} is no name here: it takes {wanted}",
        hint=f"perhaps {meant}" if pattern.fullmatch(meant) else None,
        code=console.USAGE,
    )


def _folder(root: Path, solution: str | None) -> Path:
    """Where a draft goes: never among the shipped files, which an upgrade looks after."""
    if solution is None:
        own = [
            one.name
            for one in sorted((root / "definitions").iterdir())
            if one.is_dir() and one.name not in SOLUTIONS and any(one.glob("*.yaml"))
        ]
        solution = own[0] if len(own) == 1 else "own"
    _named(solution, _HYPHENS, "small letters, digits and dashes, such as our-deals")
    if solution in SOLUTIONS:
        raise Failure(
            f"definitions/{solution} holds a shipped solution",
            hint="give your own files a folder of their own: --solution our-deals",
            code=console.USAGE,
        )
    return root / "definitions" / solution


def _write(
    context: Context, root: Path, files: dict[Path, str], *, taken: Iterable[Path], then: list[str]
) -> None:
    there = [*taken, *(path for path in files if path.exists())]
    if there:
        name = there[0].relative_to(root).as_posix()
        raise Failure(f"{name} is there already, and is left as it is", hint="choose another name")
    made = []
    for path, text in files.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        made.append(path.relative_to(root).as_posix())
    if context.as_json:
        console.show_json({"files": made})
        return
    for file in made:
        say(f"made {file}")
    say("Next:")
    for line in then:
        say(f"  {line}")


def _filled(draft: str, name: str) -> str:
    words = re.sub(r"[-_]+", " ", name).strip()
    return draft.replace("NAME", name).replace("WORDS", words[:1].upper() + words[1:])
