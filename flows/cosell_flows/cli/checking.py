"""`cosell check` and `cosell explain`. Nothing here may load Prefect, SQLAlchemy or httpx."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from cosell_definitions.problems import Severity

from . import console
from .console import Context, Failure, say
from .main import project_folder

if TYPE_CHECKING:
    from ..running.surveys import Survey

FORMATS = ("text", "json", "sarif", "github")


@click.command()
@click.argument("paths", nargs=-1, metavar="[PATH]…", type=click.Path(path_type=Path))
@click.option("--format", "form", type=click.Choice(FORMATS), default="text", show_default=True,
              help="sarif: for code scanning. github: annotations in a pull request.")  # fmt: skip
@click.option("--against", metavar="ENV",
              help="Also ask the live Salesforce of ENV whether the fields exist.")  # fmt: skip
@click.pass_obj
def check(context: Context, paths: tuple[Path, ...], form: str, against: str | None) -> None:
    """Every problem in every file, at once, each with its place and a cure.

    With PATH, only the problems of those files or folders. Warnings do not make it fail.

    \b
    cosell check
    cosell check definitions/cosell/create-referral.flow.yaml
    cosell check --against staging
    """
    root = _project_of(context, paths)
    found = surveyed(root)
    if against is not None:
        found = _with(found, root, against)
    if paths:
        found = found.of(_chosen(found.files, paths, root))
    _show(context, found, "json" if context.as_json else form, root)
    if any(problem.severity is Severity.ERROR for problem in found.problems):
        raise SystemExit(console.NO)


def surveyed(root: Path, *, is_new: bool = False) -> Survey:
    """Every problem of a project; what was looked at before is not looked at again.

    *is_new*: it holds the shipped solution, and nothing else yet.
    """
    from ..running.surveys import Seal

    seal = Seal(root)
    found = seal.unbroken()
    if found is None:
        # Loading and working what reads documents takes most of a second, on a slow machine.
        from ..project import shipped
        from ..running.keeping import SHARED, with_what_was_parsed
        from ..running.surveying import survey

        own = seal.installation
        is_shipped = is_new or root == shipped()
        with with_what_was_parsed(root, own, shared=SHARED, is_shipped=is_shipped) as shelf:
            found = survey(root, shelf)
        seal.put(found)
    return found


def _with(found: Survey, root: Path, against: str) -> Survey:
    """The same, and what the live systems of an environment say."""
    from ..running.surveying import in_order
    from ..running.surveys import Survey
    from .describing import problems_against

    live = problems_against(root, against)
    return Survey(problems=in_order((*found.problems, *live)), files=found.files)


@click.command()
@click.argument("code")
@click.pass_obj
def explain(context: Context, code: str) -> None:
    """What the problem CODE means, an example, and the cure.

    \b
    cosell explain F012
    """
    from .codes import known, page_json, page_of

    wanted = code.strip().upper()
    if wanted not in known():
        near = _near(wanted, list(known()))
        raise Failure(
            f"there is no problem code {code!r}",
            hint=f"did you mean {' or '.join(near)}?" if near else "cosell check prints the codes",
            code=console.USAGE,
        )
    page = known()[wanted]
    if context.as_json:
        console.show_json(page_json(page))
        return
    say(page_of(page))


def _near(code: str, known: list[str]) -> list[str]:
    """Codes of the same letter whose digits look alike; else whatever looks alike."""
    import difflib

    own = [one for one in known if one[:1] == code[:1]]
    return difflib.get_close_matches(code, own or known, n=3, cutoff=0.5)


def _project_of(context: Context, paths: tuple[Path, ...]) -> Path:
    """The project of the command; where none is named, the one that the first path lies in."""
    from ..whereabouts import NoProject, find_project

    try:
        root = project_folder(context)
    except NoProject:
        if not paths or not paths[0].exists():
            raise
        return find_project(paths[0].resolve())
    named = context.folder != Path()
    if named or not paths or not paths[0].exists() or paths[0].resolve().is_relative_to(root):
        return root
    return find_project(paths[0].resolve())


def _chosen(files: tuple[str, ...], paths: tuple[Path, ...], root: Path) -> set[str]:
    """The project's files that *paths* name; raises Failure for a path that names none."""
    chosen: set[str] = set()
    for path in paths:
        spot = path.resolve() if path.exists() else (root / path).resolve()
        if not spot.exists():
            raise Failure(f"there is no file or folder {path}", code=console.USAGE)
        if not spot.is_relative_to(root):
            raise Failure(f"{path} is not in the project {root}", code=console.USAGE)
        name = spot.relative_to(root).as_posix()
        below = {file for file in files if name in (file, ".") or file.startswith(f"{name}/")}
        if not below:
            raise Failure(
                f"{path} is no definition, and holds none",
                hint="flows end in .flow.yaml, mappings in .map.yaml, both below definitions/; "
                "connectors are connectors/<name>/connector.yaml; environments env/<name>.yaml",
                code=console.USAGE,
            )
        chosen |= below
    return chosen


def _show(context: Context, found: Survey, form: str, root: Path) -> None:
    from . import formats

    match form:
        case "json":
            console.show_json(formats.as_json(found))
        case "sarif":
            from importlib.metadata import version

            from .codes import known

            titles = {code: page.title for code, page in known().items()}
            print(formats.as_sarif(found, root, titles=titles, version=version("cosell")))
        case "github":
            for line in formats.as_github(found, root):
                print(line)
        case _:
            for line in formats.as_text(found, root):
                say(line)
    if context.as_json:
        for line in formats.as_text(found, root):
            say(line)
    elif form in ("sarif", "github"):
        console.warn(formats.summary(found))
