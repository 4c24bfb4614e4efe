"""The command `cosell`: what stands before a command, and the way to each of them."""

from __future__ import annotations

import contextlib
import gc
import importlib
import os
import sys
from collections.abc import Sequence
from itertools import islice
from pathlib import Path

import click

from ..whereabouts import DEFAULT_ENVIRONMENT, find_project
from . import console
from .console import Context

# Commands are imported when they are called: `cosell check` must answer at once.
_COMMANDS = {
    "init": "projects:init",
    "new": "drafting:new",
    "check": "checking:check",
    "explain": "checking:explain",
    "fmt": "formatting:fmt",
    "flows": "looking:flows",
    "show": "looking:show",
    "run": "running:run",
    "plan": "planning:plan",
    "apply": "planning:apply",
    "test": "testing:test",
    "on": "switching:on",
    "off": "switching:off",
    "serve": "serving:serve",
    "sandbox": "serving:sandbox",
    "env": "environment:env",
    "connections": "connecting:connections",
    "connector": "importing:connector",
    "doctor": "doctoring:doctor",
    "setup": "setting_up:setup",
    "promote": "promoting:promote",
    "upgrade": "upgrading:upgrade",
    "records": "records:records",
    "letters": "letters:letters",
    "events": "events:events",
    "prune": "pruning:prune",
    "schema": "schemas:schema",
}


_FOR_ALL = ("--json", "--debug")
_FOR_ALL_WITH_VALUE = ("--project", "--env")


class _Lazy(click.Group):
    """A group whose commands are imported when they are asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in _COMMANDS:
            return None
        module, name = _COMMANDS[cmd_name].split(":")
        command = getattr(importlib.import_module(f".{module}", __package__), name)
        assert isinstance(command, click.Command)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        rows = [
            (name, command.get_short_help_str(90))
            for name in _COMMANDS
            if (command := self.get_command(ctx, name)) is not None
        ]
        with formatter.section("Commands"):
            formatter.write_dl(rows)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and not args[0].startswith("-") and args[0] not in _COMMANDS:
            from cosell_definitions.problems import did_you_mean

            meant = did_you_mean(args[0], _COMMANDS)
            hint = f"did you mean {meant!r}?" if meant else f"commands: {', '.join(_COMMANDS)}"
            raise click.UsageError(f"there is no command {args[0]!r}; {hint}", ctx)
        return super().resolve_command(ctx, args)


@click.group(
    cls=_Lazy,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Begin with: cosell init DIR, then cosell check, cosell sandbox, cosell run.",
)
@click.option(
    "--project", "folder", metavar="DIR", help="The project; default: this folder or one above."
)
@click.option("--env", "environment", default=DEFAULT_ENVIRONMENT, show_default=True, metavar="NAME",
              help="The environment: env/NAME.yaml.")  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="One JSON document on standard output.")
@click.option("--debug", is_flag=True, help="Show tracebacks.")
@click.version_option(package_name="cosell", message="cosell %(version)s")
@click.pass_context
def cosell(
    ctx: click.Context, folder: str | None, environment: str, as_json: bool, debug: bool
) -> None:
    """Keep Salesforce and Microsoft Partner Center in step, both ways, from YAML."""
    ctx.obj = Context(
        folder=Path(folder) if folder else Path(),
        environment=environment,
        as_json=as_json,
        debug=debug,
    )
    console.json_only(as_json)


def project_folder(context: Context, *, new_environment: bool = False) -> Path:
    """The project the command is about, with its environment in it; raises NoProject."""
    start = context.folder.resolve()
    if context.folder != Path() and not start.is_dir():
        raise console.Failure(f"there is no folder {context.folder}", code=console.USAGE)
    root = find_project(start)
    if not new_environment:
        _expect_environment(root, context.environment)
    return root


def _expect_environment(root: Path, name: str) -> None:
    """Refuse a name without a file: whoever mistypes `production` must not hear of the sandbox.

    The default needs no file, so that a project can do without one.
    """
    known = sorted(file.stem for file in (root / "env").glob("*.yaml"))
    if name in (DEFAULT_ENVIRONMENT, *known):
        return
    from cosell_definitions.problems import did_you_mean

    near = did_you_mean(name, known)
    raise console.Failure(
        f"there is no environment {name!r}: no env/{name}.yaml",
        hint=f"did you mean {near!r}?" if near else f"environments: {', '.join(known) or 'none'}",
        code=console.USAGE,
    )


def main(arguments: list[str] | None = None) -> None:
    """Run a command, and leave with its exit code."""
    # Reading documents makes many objects that all live on; the default looks through them for
    # garbage every 700, which takes a tenth of the time of a check and finds nothing.
    gc.set_threshold(50_000, 20, 50)
    code = answer(arguments)
    if code == console.UNREACHABLE:
        # At the end of a process Prefect waits until its server has every event and log, ten
        # attempts for each: minutes, where it is the server that is away.
        with contextlib.suppress(OSError):  # a pipe that nobody reads any more
            sys.stdout.flush()
            sys.stderr.flush()
        os._exit(code)
    sys.exit(code)


def answer(arguments: list[str] | None = None) -> int:
    """Run a command and give its exit code; every failure becomes a sentence here."""
    context: Context | None = None
    words = _in_order(sys.argv[1:] if arguments is None else arguments)
    console.json_only("--json" in words)  # also where the words themselves are what is wrong
    try:
        with cosell.make_context("cosell", words) as ctx:
            try:
                cosell.invoke(ctx)
            finally:
                context = ctx.obj
            return console.DONE
    except click.exceptions.Exit as ended:
        return ended.exit_code
    except click.exceptions.NoArgsIsHelpError as asked:
        asked.show()
        console.refuse("which command?", hint=f"{_path(asked)} --help lists them")
        return console.USAGE
    except click.UsageError as wrong:
        wrong.show()
        console.refuse(wrong.format_message(), hint=f"see {_path(wrong)} --help")
        return console.USAGE
    except (click.Abort, KeyboardInterrupt):
        console.warn("interrupted")
        console.refuse("interrupted")
        return console.INTERRUPTED
    except SystemExit as ended:
        return int(ended.code or 0)
    except BrokenPipeError:
        return console.DONE
    except Exception as error:  # noqa: BLE001 - the one place where a failure becomes a sentence
        return console.report(error, context)


def _in_order(words: Sequence[str]) -> list[str]:
    """What is for every command goes before it: people write `cosell check --json` as well."""
    first: list[str] = []
    rest: list[str] = []
    waiting = iter(words)
    for word in waiting:
        if word == "--":
            rest += [word, *waiting]
        elif word in _FOR_ALL_WITH_VALUE:
            first += [word, *islice(waiting, 1)]
        elif word in _FOR_ALL or word.startswith(tuple(f"{one}=" for one in _FOR_ALL_WITH_VALUE)):
            first.append(word)
        else:
            rest.append(word)
    return first if first[-1:] in (["--project"], ["--env"]) else first + rest


def _path(wrong: click.UsageError) -> str:
    return wrong.ctx.command_path if wrong.ctx is not None else "cosell"


if __name__ == "__main__":
    main()
