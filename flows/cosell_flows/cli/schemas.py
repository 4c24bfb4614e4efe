"""`cosell schema`: the JSON Schemas of the file kinds, with the names of this project in them."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from cosell_definitions.problems import did_you_mean
from cosell_definitions.shaping import LETTERS, load_schema

from . import console
from .console import Context, Failure, say
from .main import project_folder

if TYPE_CHECKING:
    from ..compiling.completing import Known

FOLDER = "schemas"
"""Where a project keeps them: the first line of every file points there."""


@click.command()
@click.argument("kind", required=False)
@click.option("--out", type=click.Path(file_okay=False, path_type=Path), metavar="DIR",
              help=f"Write them into DIR; {FOLDER} is where the files of a project look.")  # fmt: skip
@click.option("--against", metavar="ENV",
              help="Also ask the live Salesforce of ENV for the fields of its objects.")  # fmt: skip
@click.pass_obj
def schema(context: Context, kind: str | None, out: Path | None, against: str | None) -> None:
    """The JSON Schemas of the file kinds; editors complete and check with them.

    They know this project: its operations with their parameters, its variables, flows, mappings and
    fields. Write them anew when those change. Without KIND, and without --out, the kinds are listed.

    \b
    cosell schema flow
    cosell schema --out schemas
    cosell schema --out schemas --against staging
    """
    if kind is not None and kind not in LETTERS:
        near = did_you_mean(kind, LETTERS)
        hint = f"did you mean {near!r}?" if near else f"there are: {', '.join(LETTERS)}"
        raise Failure(f"there is no kind of file {kind!r}", hint=hint, code=console.USAGE)
    if kind is None and out is None:
        _list(context)
        return
    made = schemas_of(project_folder(context), [kind] if kind else LETTERS, against=against)
    if out is not None:
        files = write(made, out)
        console.show_json({"files": files}) if context.as_json else _told(files)
    elif kind is not None:
        print(_text(made[kind]), end="")


def _list(context: Context) -> None:
    if context.as_json:
        console.show_json({
            "kinds": [
                {"kind": kind, "file": f"{kind}.v1.json", "describes": load_schema(kind)["title"]}
                for kind in LETTERS
            ]
        })  # fmt: skip
        return
    rows = ((kind, f"{kind}.v1.json", load_schema(kind)["title"]) for kind in LETTERS)
    console.table(rows, ("kind", "file", "describes"))
    say()
    say(f"cosell schema --out {FOLDER} writes them all, with the names of this project")


def _told(files: list[str]) -> None:
    for file in files:
        say(f"wrote {file}")


def schemas_of(
    root: Path, kinds: Iterable[str] = LETTERS, *, against: str | None = None
) -> dict[str, dict[str, Any]]:
    """The schemas of a project, by kind."""
    from ..compiling.completing import completed

    known = _known(root, against)
    return {kind: completed(kind, load_schema(kind), known) for kind in kinds}


def write(schemas: Mapping[str, Mapping[str, Any]], folder: Path) -> list[str]:
    """Write schemas into a folder; gives the files."""
    folder.mkdir(parents=True, exist_ok=True)
    for kind, one in schemas.items():
        (folder / f"{kind}.v1.json").write_text(_text(one), encoding="utf-8")
    return [(folder / f"{kind}.v1.json").as_posix() for kind in schemas]


def _text(schema: Mapping[str, Any]) -> str:
    return json.dumps(schema, indent=1, ensure_ascii=False, default=str) + "\n"


def _known(root: Path, against: str | None) -> Known:
    from ..compiling.completing import Known
    from ..project import read_documents
    from ..running.surveying import connectors_of

    documents = read_documents(root)
    return Known(
        flows=documents.flows,
        mappings=documents.mappings,
        declarations=documents.declarations,
        connectors=connectors_of(documents),
        fields=asyncio.run(_live(root, against)) if against is not None else {},
    )


async def _live(root: Path, environment_name: str) -> dict[tuple[str, str], dict[str, str]]:
    """The fields that the org of an environment has, of every object that a mapping names."""
    from cosell_connectors.client import Client
    from cosell_connectors.errors import ConnectorError

    from ..on_prefect.blocks import blocks_of
    from ..project import Project
    from ..running.opening import environment_of
    from .reaching import failure_of

    project = Project(root=root, environment_name=environment_name, block=blocks_of(root))
    environment = environment_of(project)
    found: dict[tuple[str, str], dict[str, str]] = {}
    sides = {
        (side.connection, side.object)
        for one in project.mappings.values()
        for side in (one.left, one.right)
    }
    for connection, kind in sorted(sides):
        connector = project.connector_of(connection)
        if "describe" not in connector.operations:
            continue
        async with Client(connector, environment.connection(connection)) as client:
            try:
                described = (await client.call("describe", {"object": kind})).body
            except ConnectorError as error:
                if error.error_class == "not_found":
                    continue
                raise failure_of(error) from error
        found[connection, kind] = {one["name"]: one["label"] for one in described["fields"]}
    return found
