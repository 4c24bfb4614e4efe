"""`cosell env`: what may differ from place to place, what it is here, and how to change it."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from . import console
from .console import Context, Failure, say, warn
from .remembered import project_of

if TYPE_CHECKING:
    from cosell_definitions.settings import Declaration, SettingValue
    from cosell_env.resolving import Environment, Variable

    from ..project import Project
    from .variables_used import Use


@click.group()
def env() -> None:
    """Environment variables: what you may set, what each does, and what it is now.

    \b
    cosell env list
    cosell env explain ACTIVE_STAGE
    cosell --env staging env set ACTIVE_STAGE "In Progress"
    cosell env diff staging production
    """


@env.command("list")
@click.pass_obj
def list_(context: Context) -> None:
    """Every variable with its type, its default, its current value, and where that comes from."""
    project = project_of(context)
    environment = _as_far_as_it_goes(project)
    variables, faults = environment.variables, [fault for _, fault in environment.faults]
    if context.as_json:
        problems = [console.problem_json(fault) for fault in faults]
        console.show_json({**_document(project, variables), "problems": problems})
        raise SystemExit(console.NO if faults else 0)
    console.table(
        (
            (one.name, one.type, _value(one), "" if one.current is None else one.source,
             "" if one.current is None else one.default)
            for one in variables
        ),
        ("variable", "type", "value", "set in", "default"),
    )  # fmt: skip
    for fault in faults:
        warn(console.problem_text(fault, project.root))
    raise SystemExit(console.NO if faults else 0)


@env.command()
@click.argument("name")
@click.option("--as", "other", metavar="VALUE",
              help="Ask the systems how many records another value would bring into scope.")  # fmt: skip
@click.pass_obj
def explain(context: Context, name: str, other: str | None) -> None:
    """What the variable NAME does, its value here, and every line that reads it.

    With --as, the flows that read it are rehearsed with both values: how many records they would
    deal with, and how many fields they would write. Nothing is changed.

    \b
    cosell env explain DEAL_VALUE_FIELD
    cosell env explain SYNC_CO_SELL_ONLY --as No
    """
    project = project_of(context)
    declaration = _declared(project, name)
    if other is not None:
        from .previewing import tell_preview

        tell_preview(context, declaration, other)
        return
    variable = next(one for one in _resolved(project).variables if one.name == name)
    document = _document(project, [variable])
    if context.as_json:
        console.show_json(document)
        return
    say(f"{variable.name}  {variable.display_name}")
    if variable.description:
        say(variable.description)
    say()
    say(f"  type     {variable.type}")
    say(f"  default  {'none' if variable.default is None else variable.default}")
    say(f"  value    {_value(variable)}  (from {variable.source})")
    for use in document["variables"][0]["used_by"]:
        say(f"  used by  {use['kind']} {use['id']}  {use['file']}:{use['line']}")


@env.command("set")
@click.argument("name")
@click.argument("value")
@click.pass_obj
def set_(context: Context, name: str, value: str) -> None:
    """Make VALUE the current value of NAME in this environment; the default stays as it is.

    It is written into env/<environment>.yaml, comments kept, and must fit the type.

    \b
    cosell env set DISPLAY_CHECK_MARK No
    cosell --env production env set DEAL_VALUE_FIELD Deal_Value__c
    """
    from cosell_definitions.problems import Unsound
    from cosell_env.editing import set_variable
    from cosell_env.resolving import typed

    project = project_of(context, new_environment=True)
    declaration = _declared(project, name)
    file = _file_of(project)
    try:
        typed(declaration, value)
    except ValueError as error:
        raise Failure(f"{error} ({file})", hint=_hint(declaration), code=console.USAGE) from None
    is_new = not (project.root / file).exists()
    try:
        set_variable(project.root / file, name, value, declaration)
    except Unsound as unsound:
        raise _in_project(unsound, project.root) from None
    _tell_set(context, project_of(context), name, new_file=file if is_new else None)


@env.command()
@click.argument("first", metavar="A")
@click.argument("second", metavar="B")
@click.pass_obj
def diff(context: Context, first: str, second: str) -> None:
    """What differs between the environments A and B, as their files say it.

    \b
    cosell env diff staging production
    """
    both = [_as_written(context, name) for name in (first, second)]
    rows = list(_differences(*both))
    settings = list(_setting_differences(*both))
    if context.as_json:
        console.show_json({"variables": rows, "connections": settings})
        return
    if not rows and not settings:
        say(f"{first} and {second} do not differ")
        return
    table = [(one["name"], one["values"][first], one["values"][second]) for one in rows]
    table += [
        (f"{one['connection']}.{one['key']}", one["values"][first], one["values"][second])
        for one in settings
    ]
    console.table(table, ("", first, second))


def _as_far_as_it_goes(project: Project) -> Environment:
    """The environment, with the faults of the values beside those that fit."""
    from ..running.opening import environment_for_runs, refuse_faulty_environment

    refuse_faulty_environment(project)
    environment = environment_for_runs(project)
    for problem in environment.warnings:
        warn(console.problem_text(problem, project.root))
    return environment


def _resolved(project: Project) -> Environment:
    from ..running.opening import environment_of

    environment = environment_of(project)
    for problem in environment.warnings:
        warn(console.problem_text(problem, project.root))
    return environment


def _value(variable: Variable) -> str:
    return str(variable.default if variable.current is None else variable.current)


def _document(project: Project, variables: Any) -> dict[str, Any]:
    from .variables_used import uses_of

    uses = uses_of(project)
    return {"variables": [_variable_json(one, uses.get(one.name, ())) for one in variables]}


def _variable_json(variable: Variable, uses: tuple[Use, ...]) -> dict[str, Any]:
    return {
        "name": variable.name,
        "display_name": variable.display_name,
        "type": variable.type,
        "default": variable.default,
        "current": variable.current,
        "value": variable.value,
        "source": variable.source,
        "used_by": [use.as_json() for use in uses],
        "description": variable.description,
    }


def _declared(project: Project, name: str) -> Declaration:
    from cosell_definitions.problems import did_you_mean

    declared = {one.name: one for one in project.documents.declarations}
    if name in declared:
        return declared[name]
    near = did_you_mean(name, declared)
    raise Failure(
        f"there is no variable {name!r}",
        hint=f"did you mean {near}?" if near else f"variables: {', '.join(declared)}",
        code=console.USAGE,
    )


def _file_of(project: Project) -> str:
    """The file of the chosen environment; a name that is a slip of a known one is refused."""
    from cosell_definitions.problems import did_you_mean

    name, known = project.environment_name, project.documents.environments
    file = f"env/{name}.yaml"
    if not (project.root / file).exists():
        near = did_you_mean(name, known)
        if near is not None or not name.replace("-", "").replace("_", "").isalnum():
            raise Failure(
                f"there is no environment {name!r}",
                hint=f"did you mean {near!r}? To make a new one, write {file} first"
                if near
                else f"environments: {', '.join(known)}",
                code=console.USAGE,
            )
    return file


def _hint(declaration: Declaration) -> str:
    if declaration.type == "boolean":
        return "write Yes or No"
    if declaration.choices:
        return f"choose one of: {', '.join(declaration.choices)}"
    if declaration.type in ("field", "object"):
        return "write the API name, not the label: letters, digits and _, custom names end in __c"
    return declaration.description or "see `cosell env explain`"


def _in_project(unsound: Any, root: Path) -> Exception:
    """The same problems, with files named from the project's folder."""
    import dataclasses

    from cosell_definitions.problems import Unsound

    prefix = f"{root.as_posix()}/"
    return Unsound(
        dataclasses.replace(
            one,
            place=dataclasses.replace(one.place, file=one.place.file.removeprefix(prefix)),
        )
        for one in unsound.problems
    )


def _tell_set(context: Context, project: Project, name: str, *, new_file: str | None) -> None:
    variable = next(one for one in _resolved(project).variables if one.name == name)
    if context.as_json:
        console.show_json(_document(project, [variable]))
    else:
        made = f"; made {new_file}" if new_file else ""
        say(f"{name} is now {_value(variable)!r} in {project.environment_name}{made}")
    if variable.source == f"COSELL_{name}" and os.environ.get(variable.source):
        warn(f"the process sets {variable.source}, and that wins over the file")


def _as_written(context: Context, name: str) -> tuple[str, Environment]:
    """An environment as its file says it, whatever the process has set."""
    from ..running.opening import environment_of

    chosen = Context(
        folder=context.folder, environment=name, as_json=context.as_json, debug=context.debug
    )
    return name, environment_of(project_of(chosen), process={})


def _differences(
    first: tuple[str, Environment], second: tuple[str, Environment]
) -> Iterator[dict[str, Any]]:
    for one, other in zip(first[1].variables, second[1].variables, strict=True):
        if one.value != other.value:
            yield {
                "name": one.name,
                "display_name": one.display_name,
                "type": one.type,
                "default": one.default,
                "values": {first[0]: _value(one), second[0]: _value(other)},
            }


def _setting_differences(
    first: tuple[str, Environment], second: tuple[str, Environment]
) -> Iterator[dict[str, Any]]:
    here, there = first[1].connections, second[1].connections
    for name in sorted({*here, *there}):
        mine = here[name].settings if name in here else {}
        theirs = there[name].settings if name in there else {}
        for key in sorted({*mine, *theirs}):
            values = {first[0]: _shown(mine, key), second[0]: _shown(theirs, key)}
            if values[first[0]] != values[second[0]]:
                yield {"connection": name, "key": key, "values": values}


def _shown(settings: Mapping[str, SettingValue], key: str) -> str | None:
    """A setting as it is written; of a secret, where it is kept."""
    from cosell_definitions.settings import SecretRef

    value = settings.get(key)
    if isinstance(value, SecretRef):
        return f"{{from_{value.kind}: {value.name}}}"
    return value
