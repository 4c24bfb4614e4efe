"""`cosell connector import`: the first draft of a connector from an OpenAPI file."""

from __future__ import annotations

import re
from pathlib import Path

import click

from . import console
from .console import Context, Failure, say
from .main import project_folder

_NAME = re.compile(r"[a-z][a-z0-9_]*")


@click.group()
def connector() -> None:
    """Connectors: one file for each system with a REST API.

    \b
    cosell connector import openapi.json
    """


@connector.command("import")
@click.argument("file", metavar="OPENAPI", type=click.Path(path_type=Path))
@click.option("--name", metavar="NAME",
              help="What the connector is called; default: made from the file's title.")  # fmt: skip
@click.pass_obj
def import_(context: Context, file: Path, name: str | None) -> None:
    """A first draft from an OpenAPI file of version 2 or 3, in JSON or YAML.

    What the file cannot tell is guessed, and every guess says so in a comment. A connector that is
    there already is never written over.

    \b
    cosell connector import openapi.json
    cosell connector import vendor/swagger.yaml --name tickets
    """
    from cosell_connectors.importing import imported
    from cosell_connectors.parsing import parse
    from cosell_definitions.problems import Unsound

    root = project_folder(context)
    if name is not None and not _NAME.fullmatch(name):
        raise Failure(
            f"{name!r} is no name for a connector",
            hint="write small letters, digits and underscores, such as tickets",
            code=console.USAGE,
        )
    try:
        content = file.read_bytes()
    except OSError as error:
        raise Failure(f"{file} cannot be read: {error.strerror}", code=console.USAGE) from error
    made, problems = imported(content, file=str(file), name=name)
    if made is None:
        raise Unsound(problems)
    shown = f"connectors/{made.name}/connector.yaml"
    target = root / shown
    if target.exists():
        raise Failure(
            f"there is a connector {made.name!r} already: {shown}",
            hint=f"choose another name: cosell connector import {file} --name {made.name}_2",
        )
    faults = parse(made.text, file=shown)[1]
    if faults:  # a slip of ours, and better told than written
        raise Unsound(faults)
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(made.text, encoding="utf-8")
    if context.as_json:
        told = {"file": shown, "id": made.name, "operations": made.operations}
        console.show_json({**told, "left_out": list(made.left_out)})
        return
    say(f"made {shown}: {made.operations} operations")
    for one in made.left_out:
        say(f"  left out: {one}")
    say()
    say("Next: read it through, what is guessed says so. Then:")
    say(f"  cosell check {shown}")
    say(f"  bind a connection in env/{context.environment}.yaml: connections: {made.name}: {{ … }}")
