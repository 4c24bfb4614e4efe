"""From declarations and an environment to values with types, or to every problem."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import field
from decimal import Decimal
from pathlib import Path

from cosell_definitions.freezing import dataclass
from cosell_definitions.parsing_settings import misfit
from cosell_definitions.problems import Place, Problem, Severity, Unsound, did_you_mean
from cosell_definitions.scalars import boolean_of, number_of
from cosell_definitions.settings import Declaration, EnvironmentFile, VariableType

from .connections import KNOWN_KEYS, Block, Connection, Sources
from .rotating import RefreshTokens

Value = str | bool | int | Decimal
"""What a variable may hold."""

_CONNECTION = "COSELL_CONNECTION_"


@dataclass(frozen=True, slots=True, kw_only=True)
class Variable:
    """One environment variable, with the value it has here and where that comes from."""

    name: str
    display_name: str
    type: VariableType
    default: str | None
    current: str | None  # as written; None where the default counts
    value: Value
    source: str  # `default`, a file, or a variable of the process environment
    description: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Environment:
    """Everything that is so here and may be otherwise elsewhere."""

    name: str
    variables: tuple[Variable, ...] = ()
    connections: Mapping[str, Connection] = field(default_factory=dict)
    warnings: tuple[Problem, ...] = ()
    faults: tuple[tuple[str, Problem], ...] = ()  # each with the variable that it is about
    sources: Sources = field(default_factory=Sources)

    @property
    def values(self) -> Mapping[str, Value]:
        """What expressions see as `env`."""
        return {variable.name: variable.value for variable in self.variables}

    def connection(self, name: str) -> Connection:
        """The connection called *name*; one that is bound nowhere has no settings."""
        return self.connections.get(name) or Connection(
            name=name, connector=name, environment=self.name, sources=self.sources
        )


def resolve(
    declarations: Iterable[Declaration],
    environment_file: EnvironmentFile | None,
    process_env: Mapping[str, str],
    *,
    environment: str,
    folder: Path = Path(),
    block: Block | None = None,
    rotated: RefreshTokens | None = None,
) -> Environment:
    """The environment; raises Unsound with every problem. Secrets are looked up later, when used."""
    found = resolve_what_can(
        declarations,
        environment_file,
        process_env,
        environment=environment,
        folder=folder,
        block=block,
        rotated=rotated,
    )
    if found.faults:
        raise Unsound([*(fault for _, fault in found.faults), *found.warnings])
    return found


def resolve_what_can(
    declarations: Iterable[Declaration],
    environment_file: EnvironmentFile | None,
    process_env: Mapping[str, str],
    *,
    environment: str,
    folder: Path = Path(),
    block: Block | None = None,
    rotated: RefreshTokens | None = None,
) -> Environment:
    """The environment with the variables that have a fitting value, and the faults of the others.

    The process environment wins over the file, and the file over the defaults. *folder* is where
    relative paths of `from_file` begin, *block* reads a Prefect Secret block, *rotated* keeps
    refresh tokens that took the place of configured ones.
    """
    declared = tuple(declarations)
    file = environment_file or EnvironmentFile(
        name=environment, place=Place(file=f"env/{environment}.yaml")
    )
    variables: list[Variable] = []
    faults: list[tuple[str, Problem]] = [*_twice(declared), *_unknown(declared, file)]
    warnings = [*_odd_settings(file)]
    for declaration in declared:
        found = _variable(declaration, file, process_env)
        if isinstance(found, Problem):
            faults.append((declaration.name, found))
        else:
            variables.append(found)
            warnings += _odd_names(declaration, found, file)
    sources = Sources(process=process_env, folder=folder, block=block, rotated=rotated)
    names = [*file.connections, *_named_by_process(process_env)]
    return Environment(
        name=environment,
        variables=tuple(variables),
        connections={
            name: _connection(name, file, environment=environment, sources=sources)
            for name in dict.fromkeys(names)
        },
        warnings=tuple(warnings),
        faults=tuple(faults),
        sources=sources,
    )


def typed(declaration: Declaration, text: str) -> Value:
    """*text* as a value of the variable's type; raises ValueError where it does not fit."""
    wrong = misfit(declaration, text)
    if wrong is not None:
        raise ValueError(f"{declaration.name} is {text!r}; {wrong} is needed")
    if declaration.type == "boolean":
        return bool(boolean_of(text))
    number = number_of(text) if declaration.type == "number" else None
    return text if number is None else number


def _variable(
    declaration: Declaration, file: EnvironmentFile, process_env: Mapping[str, str]
) -> Variable | Problem:
    override = f"COSELL_{declaration.name}"
    current: str | None
    if process_env.get(override, "").strip():
        current, source = process_env[override].strip(), override
        place = Place(file=override)
    elif declaration.name in file.variables:
        (current, place), source = file.variables[declaration.name], file.place.file
    else:
        current, place, source = None, declaration.place, "default"
    text = declaration.default if current is None else current
    if text is None:
        return Problem(
            code="V022",
            place=file.place,
            message=f"{declaration.name} ({declaration.display_name}) has no value, and no default",
            hint=f"run: cosell env set {declaration.name} VALUE",
        )
    try:
        value = typed(declaration, text)
    except ValueError as error:
        return Problem(code="V021", place=place, message=str(error), hint=_hint(declaration, text))
    return Variable(
        name=declaration.name,
        display_name=declaration.display_name,
        type=declaration.type,
        default=declaration.default,
        current=current,
        value=value,
        source=source,
        description=declaration.description,
    )


def _hint(declaration: Declaration, text: str) -> str:
    near = did_you_mean(text, declaration.choices)
    if near is not None:
        return f"did you mean {near!r}?"
    if declaration.type in {"field", "object"}:
        name = re.sub(r"\W+", "_", text).strip("_") or "Field"
        return f"write the API name, not the label: perhaps {name}__c; Setup > Object Manager tells"
    if declaration.default is not None:
        return f"the default is {declaration.default}"
    return "change it"


def _twice(declared: Sequence[Declaration]) -> Iterator[tuple[str, Problem]]:
    seen: dict[str, Declaration] = {}
    for declaration in declared:
        first = seen.get(declaration.name)
        if first is None:
            seen[declaration.name] = declaration
        else:
            yield (
                declaration.name,
                Problem(
                    code="V024",
                    place=declaration.place,
                    message=f"{declaration.name} is declared already, in {first.place}",
                    hint="give one of the two another name: names are unique in a project",
                ),
            )


def _unknown(
    declared: Sequence[Declaration], file: EnvironmentFile
) -> Iterator[tuple[str, Problem]]:
    names = [declaration.name for declaration in declared]
    for name, (_, place) in file.variables.items():
        if name not in names:
            near = did_you_mean(name, names)
            yield (
                name,
                Problem(
                    code="V020",
                    place=file.name_places.get(name, place),
                    message=f"no solution declares a variable {name}",
                    hint=f"did you mean {near}?" if near else "delete it, or declare it",
                ),
            )


def _odd_names(
    declaration: Declaration, found: Variable, file: EnvironmentFile
) -> Iterator[Problem]:
    """Microsoft's pages print `sync_with_partner_center_c`; Salesforce wants two underscores."""
    text = str(found.value)
    if declaration.type in {"field", "object"} and re.search(r"[^_]_c$", text):
        place = file.variables.get(declaration.name, ("", declaration.place))[1]
        yield Problem(
            code="V025",
            place=place,
            message=f"{declaration.name} is {text!r}; custom names end with two underscores and c",
            hint=f"write {text.removesuffix('_c')}__c",
            severity=Severity.WARNING,
        )


def _odd_settings(file: EnvironmentFile) -> Iterator[Problem]:
    for name, settings in file.connections.items():
        for key in settings:
            near = None if key in KNOWN_KEYS else did_you_mean(key, KNOWN_KEYS)
            if near is not None:
                yield Problem(
                    code="V023",
                    place=file.key_places.get((name, key), file.place),
                    message=f"connection {name} has a setting {key!r} that nothing asks for",
                    hint=f"did you mean {near!r}?",
                    severity=Severity.WARNING,
                )


def _connection(
    name: str, file: EnvironmentFile, *, environment: str, sources: Sources
) -> Connection:
    settings = file.connections.get(name, {})
    connector = settings.get("connector")
    return Connection(
        name=name,
        connector=connector if isinstance(connector, str) else name,
        environment=environment,
        settings={key: value for key, value in settings.items() if key != "connector"},
        sources=sources,
    )


def _named_by_process(process_env: Mapping[str, str]) -> Iterator[str]:
    """Connections that are bound by variables of the process alone."""
    endings = sorted((f"_{key.upper()}" for key in KNOWN_KEYS), key=len, reverse=True)
    for variable in process_env:
        if variable.startswith(_CONNECTION):
            rest = variable.removeprefix(_CONNECTION)
            ending = next((one for one in endings if rest.endswith(one)), None)
            if ending is not None and rest != ending:
                yield rest.removesuffix(ending).lower()
