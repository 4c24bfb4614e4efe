"""`cosell init`: a new project with the same rooms, and the shipped solution in it."""

from __future__ import annotations

from pathlib import Path

import click

from . import console
from .console import Context, Failure, say


@click.command()
@click.argument("folder", metavar="DIR", type=click.Path(file_okay=False, path_type=Path))
@click.option("--overwrite", is_flag=True,
              help="Write the shipped files over those there are; your own stay.")  # fmt: skip
@click.pass_obj
def init(context: Context, folder: Path, overwrite: bool) -> None:
    """Make a project in DIR: definitions/, connectors/, env/, with the shipped solution.

    \b
    cosell init my-sync
    cd my-sync && cosell check
    """
    from ..project import init_project
    from . import schemas
    from .checking import surveyed

    if (folder / "definitions").exists() and not overwrite:
        raise Failure(
            f"{folder} holds a project already: it has a folder definitions/",
            hint="choose another folder, or write the shipped files over it with --overwrite",
        )
    is_new = not folder.exists() or not any(folder.iterdir())
    ignored = folder / ".gitignore"
    own = ignored.read_text(encoding="utf-8") if ignored.is_file() else None
    folder.mkdir(parents=True, exist_ok=True)
    files = init_project(folder)
    files += [f"{schemas.FOLDER}/{Path(one).name}" for one in schemas.write(
        schemas.schemas_of(folder), folder / schemas.FOLDER)]  # fmt: skip
    if own is not None:
        _join(ignored, own)
    # So that the first `cosell check` answers as fast as all others.
    surveyed(folder.resolve(), is_new=is_new)
    if context.as_json:
        console.show_json({"files": files})
        return
    say(f"made {folder}: {len(files)} files")
    say()
    say("Next:")
    if folder.resolve() != Path.cwd():
        say(f"  cd {folder}")
    say("  cosell check      # every problem in every file; there is none yet")
    say("  cosell flows      # what can run")
    say("  cosell sandbox    # stand-ins for Salesforce and Partner Center, to try it on")
    say("  cosell env list   # what you may set, and what it does")


def _join(ignored: Path, own: str) -> None:
    """Put back the lines that were in the file before, and ours below them."""
    lines = own.splitlines()
    lines += [
        line for line in ignored.read_text(encoding="utf-8").splitlines() if line not in lines
    ]
    ignored.write_text("\n".join(lines) + "\n", encoding="utf-8")
