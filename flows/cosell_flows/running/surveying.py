"""Find every problem of a project: in each file, between the files, and in each environment."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from functools import cache, partial
from pathlib import Path, PurePosixPath
from typing import Any

from cosell_connectors.model import Connector
from cosell_definitions import parsing
from cosell_definitions.model import Flow
from cosell_definitions.model_mappings import MappingFile
from cosell_definitions.model_tests import FlowTests
from cosell_definitions.opening import content_of
from cosell_definitions.problems import Place, Problem, Severity, Unsound, did_you_mean
from cosell_definitions.settings import Declaration, EnvironmentFile
from cosell_env.resolving import resolve

from ..compiling.operations import ENGINE, OPEN, Anything, operations_of, records_of
from ..compiling.planning import (
    View,
    check_flow,
    check_mapping,
    check_project,
    circles_among,
)  # fmt: skip
from ..compiling.viewing import OperationView
from ..compiling.witnessing import Sights, Witness
from ..project import Documents, read_documents
from .flowtests.fixtures import Fixtures
from .keeping import Shelf
from .surveys import Survey
from .verdicts import Verdicts


def survey(root: Path, shelf: Shelf | None = None) -> Survey:
    """Every problem of the project at *root*. No network, no secrets, no ledger.

    With a *shelf*, documents are not judged again that were, by what is as it was then.
    """
    documents = read_documents(root)
    view = view_of(root, documents)
    problems = [*documents.problems, *_environments(root, documents)]
    if shelf is None:
        problems += [*check_project(view), *of_tests(root, documents, view)]
    else:
        verdicts = _verdicts(root, documents, view, shelf)
        problems += [*_between(view, verdicts), *_of_tests(root, documents, verdicts)]
    for environment in documents.overlays.by_environment:
        laid = read_documents(root, environment)
        view = view_of(root, laid)
        problems += laid.problems
        if shelf is None:
            problems += check_project(view)
        else:
            problems += _between(view, _verdicts(root, laid, view, shelf, environment))
    return Survey(problems=in_order(problems), files=documents.files)


def _verdicts(
    root: Path, documents: Documents, view: View, shelf: Shelf, environment: str = ""
) -> Verdicts:
    connectors = connectors_of(documents)

    def stamp(folder: str, system: str, file: str) -> str:
        return _fixtures(root, folder, connectors).stamp(file, system or None)

    return Verdicts(Sights(view, connectors, stamp), shelf, environment=environment)


def _between(view: View, verdicts: Verdicts) -> Iterator[Problem]:
    """What `check_project` finds, as far as it is not known."""
    for flow in view.flows.values():
        yield from verdicts.on(flow, partial(check_flow, flow))
    for mapping in view.mappings.values():
        yield from verdicts.on(mapping, partial(check_mapping, mapping))
    yield from circles_among(view.flows)


def _of_tests(root: Path, documents: Documents, verdicts: Verdicts) -> Iterator[Problem]:
    """What `of_tests` finds, as far as it is not known."""
    for tests in (*documents.tests, *_draft_tests(root, documents)):
        yield from verdicts.on(tests, partial(_judged, root, tests))


def _judged(root: Path, tests: FlowTests, seen: Witness) -> list[Problem]:
    from ..compiling.planning_tests import check_tests  # noqa: PLC0415 - most checks judge no tests

    folder = PurePosixPath(tests.place.file).parent.as_posix()
    fixtures = _fixtures(root, folder, seen.connectors)

    def look(file: str, system: str | None) -> Any:
        seen.note("fixture", folder, system or "", file)
        return fixtures.read(file, system)

    return check_tests(tests, seen, connectors=seen.connectors, look=cache(look))


def _fixtures(root: Path, folder: str, connectors: Mapping[str, Connector]) -> Fixtures:
    names = {connection: connector.name for connection, connector in connectors.items()}
    return Fixtures(root=root, folder=root / folder, connectors=names)


def in_order(problems: Iterable[Problem]) -> tuple[Problem, ...]:
    """Each problem once, file by file, from the top of a file to its end."""
    once = {(it.place, it.code, it.message): it for it in problems}
    return tuple(
        sorted(
            _joined(once.values()),
            key=lambda it: (it.place.file, it.place.line, it.place.column, it.code, it.message),
        )
    )


def _unbound(environment: EnvironmentFile, documents: Documents) -> Iterator[Problem]:
    """Connections that look like a slip: of nearly the name of a connector, and of none."""
    for name, settings in environment.connections.items():
        connector = settings.get("connector", name)
        known = documents.connectors
        near = did_you_mean(connector, known) if isinstance(connector, str) else None
        if near is None or connector in known or f"connectors/{connector}" in _folders(documents):
            continue
        key = "connector" if "connector" in settings else next(iter(settings), "")
        yield Problem(
            code="V026",
            place=environment.key_places.get((name, key), environment.place),
            message=f"connection {name} is of the connector {connector!r}, and there is none",
            hint=f"did you mean {near!r}? For another name, say `connector: {near}` in it",
            severity=Severity.WARNING,
        )


def _folders(documents: Documents) -> set[str]:
    return {PurePosixPath(file).parent.as_posix() for file in documents.files}


def _joined(problems: Iterable[Problem]) -> Iterator[Problem]:
    """Braces around an expression of the wrong type are one slip, with one line to write instead."""
    found = list(problems)
    braced = [it for it in found if it.code == "X001"]
    untrue = [it for it in found if it.code in ("X008", "X009")]
    inside = {
        id(around): one for around in braced for one in untrue if _spans(around.place, one.place)
    }
    gone = {id(one) for one in inside.values()}
    for one in found:
        if id(one) in inside:
            other = inside[id(one)]
            hint = f"take the braces and the quotes away; then {other.hint}"
            yield replace(one, message=f"{one.message}; and {other.message}", hint=hint)
        elif id(one) not in gone:
            yield one


def _spans(around: Place, place: Place) -> bool:
    same = (around.file, around.line) == (place.file, place.line)
    return same and around.column <= place.column < (around.end_column or around.column + 1)


def view_of(root: Path, documents: Documents) -> View:
    """The project as checks see it; of a file with problems, what could be understood of it."""
    broken: set[str] = set()
    flows: dict[str, Flow] = dict(documents.flows)
    mappings: dict[str, MappingFile] = dict(documents.mappings)
    read = {one.place.file for one in flows.values()}
    read |= {one.place.file for one in mappings.values()}
    for file in documents.files:
        name = PurePosixPath(file).name
        if file in read or not name.endswith((".flow.yaml", ".map.yaml")):
            continue
        text, stem = content_of(root / file, file), name.split(".")[0]
        if isinstance(text, Problem):
            broken.add(stem)
        elif name.endswith(".flow.yaml"):
            flow, _ = parsing.load_flow(text, file=file, draft=True)
            if flow is not None:
                flows.setdefault(flow.id, flow)
        else:
            mapping, _ = parsing.load_mapping(text, file=file, draft=True)
            if mapping is not None:
                mappings.setdefault(mapping.id, mapping)
        if stem not in flows and stem not in mappings:
            broken.add(stem)
    systems = dict(_systems(documents))
    return View(
        flows=flows,
        mappings=mappings,
        declarations=_declarations(root, documents),
        connections=[name for name in systems if name not in ENGINE],
        operations={name: operations for name, (operations, _) in systems.items()},
        origins={name: origin for name, (_, origin) in systems.items()},
        broken=broken,
        records={name: records_of(one) for name, one in connectors_of(documents).items()},
        events={
            name: one.webhook.events if one.webhook is not None else ()
            for name, one in connectors_of(documents).items()
        },
        vague=_vague(root, documents),
    )


_System = tuple[Mapping[str, OperationView], str]


def _systems(documents: Documents) -> Iterator[tuple[str, _System]]:
    """What each system can do, and what that was made of; of an unread connector, anything."""
    known: dict[str, _System] = {
        name: (operations_of(connector), f"{name} {connector.content_hash}")
        for name, connector in documents.connectors.items()
    }
    for file in documents.files:
        path = PurePosixPath(file)
        if path.name == "connector.yaml" and path.parts[-2] not in known:
            known[path.parts[-2]] = Anything(OPEN), "anything"
    for name, operations in ENGINE.items():
        yield name, (operations, "the engine")
    yield from known.items()
    for environment in documents.environments.values():
        for connection, settings in environment.connections.items():
            connector = settings.get("connector")
            if connection not in known and isinstance(connector, str) and connector in known:
                yield connection, known[connector]


def connectors_of(documents: Documents) -> dict[str, Connector]:
    """The connector behind each name that a flow may give a connection."""
    known = dict(documents.connectors)
    for environment in documents.environments.values():
        for connection, settings in environment.connections.items():
            connector = settings.get("connector")
            if isinstance(connector, str) and connector in documents.connectors:
                known.setdefault(connection, documents.connectors[connector])
    return known


def of_tests(root: Path, documents: Documents, view: View | None = None) -> Iterator[Problem]:
    """What does not fit between the tests and what they test."""
    from ..compiling.planning_tests import check_tests  # noqa: PLC0415 - as above

    view = view or view_of(root, documents)
    connectors = connectors_of(documents)
    for tests in (*documents.tests, *_draft_tests(root, documents)):
        folder = PurePosixPath(tests.place.file).parent.as_posix()
        fixtures = _fixtures(root, folder, connectors)
        yield from check_tests(tests, view, connectors=connectors, look=cache(fixtures.read))


def _draft_tests(root: Path, documents: Documents) -> Iterator[FlowTests]:
    """Of test files with problems, what could be understood: the rest of their slips is told, too."""
    read = {one.place.file for one in documents.tests}
    for file in documents.files:
        if file in read or not file.endswith(".test.yaml"):
            continue
        text = content_of(root / file, file)
        if not isinstance(text, Problem):
            draft, _ = parsing.load_tests(text, file=file, draft=True)
            if draft is not None:
                yield draft


def _declarations(root: Path, documents: Documents) -> Mapping[str, Declaration]:
    declared = {one.name: one for one in documents.declarations}
    for file in _faulty_declarations(documents):
        text = content_of(root / file, file)
        if isinstance(text, Problem):
            draft = None
        else:
            draft, _ = parsing.load_variables(text, file=file, draft=True)
        if draft is None:
            return Anything(
                Declaration(name="", display_name="", type="text", place=Place(file=file))
            )
        declared |= {one.name: one for one in draft}
    return declared


def _vague(root: Path, documents: Documents) -> frozenset[str]:
    """Names whose declaration stands in a file with problems: of those no type is known."""
    drafts = (
        parsing.load_variables((root / file).read_bytes(), file=file, draft=True)[0] or ()
        for file in _faulty_declarations(documents)
    )
    return frozenset(one.name for draft in drafts for one in draft)


def _faulty_declarations(documents: Documents) -> list[str]:
    faulty = {one.place.file for one in documents.problems if one.severity is Severity.ERROR}
    return sorted(file for file in faulty if PurePosixPath(file).name == "variables.yaml")


def _environments(root: Path, documents: Documents) -> Iterator[Problem]:
    """What does not fit between declarations and current values, as the files say it."""
    if _faulty_declarations(documents):
        return  # every current value would be a value of nothing
    for name, environment in documents.environments.items():
        yield from _unbound(environment, documents)
        try:
            resolved = resolve(
                documents.declarations, environment, {}, environment=name, folder=root
            )
        except Unsound as unsound:
            yield from unsound.problems
        else:
            yield from resolved.warnings
