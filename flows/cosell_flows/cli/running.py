"""`cosell run`: run a flow now, and say record by record what came of it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from . import console
from .console import Context, Failure, say
from .main import project_folder

if TYPE_CHECKING:
    from ..running.engine import Engine
    from ..running.outcomes import RunResult

_LARGEST = 16 * 1024 * 1024
_MOST_ITEMS = 50
EXIT = {"succeeded": 0, "skipped": 0, "partial": 1, "failed": 1, "cancelled": 130}


@click.command()
@click.argument("flow")
@click.option(
    "-i",
    "--input",
    "pairs",
    multiple=True,
    metavar="NAME=VALUE",
    help="An input; arrays and objects as JSON.",
)
@click.option("--inputs", "file", type=click.Path(dir_okay=False), help="Inputs as a JSON file.")
@click.option("--local", is_flag=True, help="In this process, without Prefect.")
@click.option("--release-brake", is_flag=True, help="Let a run through that changes a lot at once.")
@click.pass_obj
def run(
    context: Context, flow: str, pairs: tuple[str, ...], file: str | None, local: bool,
    release_brake: bool,
) -> None:  # fmt: skip
    """Run FLOW now, on Prefect, and say record by record what came of it.

    \b
    cosell run webhook-registration -i http_trigger_endpoint=http://127.0.0.1:8810/webhooks/partner-center
    cosell run opportunity-to-partner-center -i 'opportunity_ids=["006…"]' --local
    """
    given = read_inputs(pairs, file)

    async def work(engine: Engine) -> RunResult:
        typed = typed_by_hand(engine, flow, given)
        if local:
            from .answering import on_the_terminal

            ask = on_the_terminal()
            return await engine.run(flow, typed, release_brake=release_brake, ask=ask)
        from ..on_prefect.commanding import run_from_command

        return await run_from_command(
            engine,
            flow,
            typed,
            release_brake=release_brake,
            waits=lambda where: console.warn(f"waits for an answer: {where}"),
        )

    result = with_engine(context, work)
    if context.as_json:
        console.show_json(result.as_json())
    else:
        tell(result)
    raise SystemExit(EXIT[result.status])


def with_engine(context: Context, work: Callable[[Engine], Awaitable[Any]]) -> Any:
    """Open the project's engine, let *work* use it, and close it."""
    folder = project_folder(context)

    async def whole() -> Any:
        from ..on_prefect.blocks import blocks_of
        from ..running.opening import open_engine

        engine = await open_engine(folder, context.environment, block=blocks_of(folder))
        try:
            with console.counting("records") as engine.progress:
                return await work(engine)
        finally:
            await engine.aclose()

    return asyncio.run(whole())


def read_inputs(pairs: tuple[str, ...], file: str | None) -> dict[str, Any]:
    """Inputs as they were typed: NAME=VALUE pairs over those of a file."""
    given: dict[str, Any] = {}
    if file is not None:
        given |= _from_file(Path(file))
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if not equals or not name.strip():
            raise Failure(
                f"{pair!r} is not NAME=VALUE", hint="write -i name=value", code=console.USAGE
            )
        given[name.strip()] = value
    return given


def _from_file(path: Path) -> Mapping[str, Any]:
    from ..running.inputs import from_json

    try:
        if path.stat().st_size > _LARGEST:
            raise Failure(f"{path} is larger than 16 MiB", code=console.USAGE)
        document = from_json(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise Failure(f"{path} cannot be read: {error.strerror}", code=console.USAGE) from None
    except ValueError as error:
        raise Failure(f"{path} is not JSON: {error}", code=console.USAGE) from None
    if not isinstance(document, Mapping):
        raise Failure(f"{path} must hold a JSON object of inputs", code=console.USAGE)
    return document


def typed_by_hand(engine: Engine, flow: str, given: Mapping[str, Any]) -> dict[str, Any]:
    """Inputs as they were typed, by the flow's own types; raises BadInputs."""
    from ..running.inputs import checked

    env = engine.environment.values
    return checked(engine.flow(flow), given, env=env, typed_by_hand=True)


def tell(result: RunResult) -> None:
    """A run, record by record, for people."""
    for record in result.records:
        say(f"{_sign(record['status'])} {record['key']}: {record['status']}{_because(record)}")
        for write in record["writes"]:
            _tell_write(write)
    if not result.records:
        for write in result.writes:
            _tell_write(write)
    counts = ", ".join(f"{count} {name}" for name, count in result.counts.items() if count)
    say(f"{result.flow}: {result.status}" + (f" ({counts})" if counts else ""))
    if result.status == "skipped" and result.steps and result.steps[-1]["reason"]:
        say(f"  {result.steps[-1]['reason']}")  # of the `stop` that ended it
    _tell_outputs(result.outputs)
    if result.error:
        place = f"{result.error['file']}:{result.error['line']}: " if result.error["file"] else ""
        console.warn(f"  {place}{result.error['class']}: {result.error['message']}")
        if result.error["hint"]:
            console.warn(f"  hint: {result.error['hint']}")


def _tell_outputs(outputs: Mapping[str, Any]) -> None:
    """What a run gave out; of a list, the first of its items, each on a line."""
    for name, value in outputs.items():
        if not isinstance(value, list | tuple) or not value:
            say(f"  {name}: {_whole(value)}")
            continue
        say(f"  {name}:")
        for one in value[:_MOST_ITEMS]:
            say(f"    - {_whole(one)}")
        if len(value) > _MOST_ITEMS:
            say(f"    … and {len(value) - _MOST_ITEMS} more; --json tells all")


def _whole(value: Any) -> str:
    return value if isinstance(value, str) else " ".join(console.to_json(value).split())


def _tell_write(write: Mapping[str, Any]) -> None:
    say(f"    {write['operation']} {write['system']} {write['object']} {write['id'] or ''}")
    for one in write["fields"]:
        if not one["own"]:
            say(f"        {one['field']}: {short(one['old'])} → {short(one['new'])}")


def _sign(status: str) -> str:
    return {"failed": "✘", "skipped": "–", "unchanged": "="}.get(status, "✔")


def _because(record: Mapping[str, Any]) -> str:
    return f" - {record['reason']}" if record["reason"] else ""


def short(value: Any) -> str:
    """A value in a line of text."""
    text = " ".join(console.to_json(value).split()) if not isinstance(value, str) else value
    text = " ".join(text.split())
    longest = 70
    return text if len(text) <= longest else text[: longest - 1] + "…"
