"""Write the pages of docs/ that are made from the program itself, so that they cannot rot.

python -m cosell_flows.cli.pages docs
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import click

from cosell_connectors.parsing import load
from cosell_definitions.codes import Code
from cosell_definitions.parsing import load_variables
from cosell_definitions.settings import Declaration

from ..compiling.filters import FILTERS, FUNCTIONS, TESTS
from ..compiling.tables import Entry
from ..project import SOLUTIONS, shipped
from .codes import known
from .main import cosell

_MADE = "<!-- Made by `make docs`; edit what it is made from. -->"

_FAMILIES = {
    "Y": "YAML",
    "F": "Flows",
    "M": "Mappings",
    "C": "Connectors",
    "V": "Variables and environments",
    "X": "Expressions",
    "T": "Tests",
}


def problems() -> str:
    """Every problem code, with an example and the cure."""
    lines = [
        _MADE,
        "",
        "# Problems",
        "",
        "What `cosell check` can say, by code; `cosell explain CODE` shows the same page.",
        "A code never changes its meaning. Only errors make a check fail; warnings are hints.",
    ]
    family = ""
    for code, page in known().items():
        if code[0] != family:
            family = code[0]
            lines += ["", f"## {_FAMILIES.get(family, family)}"]
        lines += ["", f"### {code}: {page.title}", "", page.why.strip(), *_examples(page)]
    return _page(lines)


def _examples(page: Code) -> Iterator[str]:
    for word, example in (("Wrong", page.wrong), ("Right", page.right)):
        if example:
            yield from ("", f"{word}:", "", "```text", *example.rstrip().splitlines(), "```")


def expressions() -> str:
    """The allow-list of expressions."""
    lines = [
        _MADE,
        "",
        "# Expressions",
        "",
        "What can be called between `{{` and `}}`, and in `when`, `if`, `until`, `foreach` and",
        "`switch`. There is nothing else: methods cannot be called. Every example holds; a test",
        "evaluates each of them.",
        "",
        "The types are what `cosell check` holds you to: what stands in front, then the arguments,",
        "then what comes out. Brackets stand around what may be left out, `…` behind what may come",
        "several times; `same` is what was put in, `item` one item of it. A *moment* is a date with",
        "a time and a zone, a *record* has fields, and *missing* is not *null*: a missing value may be",
        "chained and defaulted, a null may be carried on.",
    ]
    for head, says, table, form in (
        ("Filters", "A filter takes the value on its left: `value | upper`.", FILTERS, "| {}"),
        ("Tests", "A test asks something of a value: `value is defined`.", TESTS, "is {}"),
        ("Functions", "A function makes a value: `range(3)`.", FUNCTIONS, "{}()"),
    ):
        lines += [
            "",
            f"## {head}",
            "",
            says,
            "",
            "| | types | does | example |",
            "|---|---|---|---|",
        ]
        lines += [_entry(one, form) for one in table.values()]
    return _page(lines)


def _entry(entry: Entry, form: str) -> str:
    example = entry.example + (f"  →  {entry.result}" if entry.result else "")
    cells = (f"`{form.format(entry.name)}`", entry.types, entry.help, f"`{example}`")
    return "| " + " | ".join(_cell(cell) for cell in cells) + " |"


def variables() -> str:
    """The environment variables of the shipped solutions."""
    lines = [
        _MADE,
        "",
        "# Environment variables",
        "",
        "What you may set for the shipped solutions. The default ships and never changes; the",
        "current value is yours: `cosell env set NAME VALUE` writes it into",
        "`env/<environment>.yaml`, and `cosell env explain NAME` shows every line that reads it.",
        "A variable `COSELL_<NAME>` of the process wins over both.",
    ]
    for solution in SOLUTIONS:
        file = f"env/{solution}/variables.yaml"
        declared, found = load_variables((shipped() / file).read_bytes(), file=file)
        assert declared is not None, found
        for one in declared:
            lines += ["", f"## {one.name}", "", *_declared(one)]
    return _page(lines)


def _declared(one: Declaration) -> Iterator[str]:
    default = f"default `{one.default}`" if one.default is not None else "no default"
    choices = f", one of {', '.join(one.choices)}" if one.choices else ""
    yield f"*{one.display_name}* · {one.type}{choices} · {default}"
    if one.description:
        yield ""
        yield one.description


def commands() -> str:
    """The command line."""
    lines = [
        _MADE,
        "",
        "# Commands",
        "",
        "```text",
        "cosell [--project DIR] [--env NAME] [--json] COMMAND",
        "```",
        "",
        "| option | does |",
        "|---|---|",
        *_options(cosell),
        "",
        "The first four may also follow the command: `cosell check --json`.",
        "",
        "Exit codes: 0 done; 1 the answer is no (problems, a failed run); 2 wrong usage;",
        "3 something outside could not be reached; 130 interrupted.",
    ]
    for path, command in _walk(cosell, ("cosell",)):
        lines += ["", f"{'#' * len(path)} {' '.join(path)}", "", *_command(path, command)]
    return _page(lines)


def _walk(
    group: click.Group, path: tuple[str, ...]
) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    with click.Context(group, info_name=path[-1]) as context:
        for name in group.list_commands(context):
            command = group.get_command(context, name)
            assert command is not None
            yield (*path, name), command
            if isinstance(command, click.Group):
                yield from _walk(command, (*path, name))


def _command(path: tuple[str, ...], command: click.Command) -> Iterator[str]:
    with click.Context(command, info_name=path[-1]) as context:
        pieces = command.collect_usage_pieces(context)
    yield from ("```text", " ".join([*path, *pieces]), "```", "")
    yield from _help(inspect.cleandoc(command.help or ""))
    options = list(_options(command))
    if options:
        yield from ("", "| option | does |", "|---|---|", *options)


def _help(text: str) -> Iterator[str]:
    """The help of a command; what click must not rewrap is an example."""
    for index, block in enumerate(text.split("\n\n")):
        if index:
            yield ""
        lines = block.splitlines()
        if lines and lines[0].strip() == "\b":
            yield from ("```text", *lines[1:], "```")
        else:
            yield " ".join(line.strip() for line in lines)


def _options(command: click.Command) -> Iterator[str]:
    for one in command.params:
        if not isinstance(one, click.Option) or one.hidden:
            continue
        names = ", ".join(f"`{name}`" for name in one.opts)
        if isinstance(one.type, click.Choice):
            names += f" {' · '.join(map(str, one.type.choices))}"
        elif not one.is_flag:
            names += f" {one.metavar or (one.name or '').upper()}"
        says = one.help or ""
        if one.show_default and one.default is not None and not one.is_flag:
            says = f"{says} Default: {one.default}.".strip()
        yield f"| {_cell(names)} | {_cell(says)} |"


def operations() -> str:
    """What each shipped connector can be asked."""
    lines = [
        _MADE,
        "",
        "# Operations",
        "",
        "What each connector that comes with cosell can be asked. A flow calls one as",
        "`action: <connection>.<operation>`; its arguments stand in the connector's file.",
    ]
    for file in sorted((shipped() / "connectors").glob("*/connector.yaml")):
        connector = load(file)
        lines += ["", f"## {connector.name}", "", connector.description, ""]
        lines += ["| operation | does | asks |", "|---|---|---|"]
        for one in connector.operations.values():
            asks = f"`{one.method} {one.path}`"
            lines.append(f"| `{one.name}` | {_cell(one.summary)} | {_cell(asks)} |")
    return _page(lines)


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def _page(lines: list[str]) -> str:
    return "\n".join(lines) + "\n"


PAGES: Mapping[str, Callable[[], str]] = {
    "problems.md": problems,
    "expressions.md": expressions,
    "commands.md": commands,
    "variables.md": variables,
    "operations.md": operations,
}


def main(folder: Path) -> None:
    """Write every page into *folder*."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, page in PAGES.items():
        (folder / name).write_text(page(), encoding="utf-8")
        print(folder / name)


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "docs"))
