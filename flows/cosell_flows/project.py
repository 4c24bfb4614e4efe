"""Find and load the rooms of a project: flows, mappings, connectors, variables, environments."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import field
from functools import cached_property, partial
from pathlib import Path
from typing import TypeVar

from cosell_connectors import parsing as connector_parsing
from cosell_connectors.model import Connector
from cosell_definitions import parsing
from cosell_definitions.freezing import dataclass
from cosell_definitions.model import Flow
from cosell_definitions.model_mappings import MappingFile
from cosell_definitions.model_tests import FlowTests
from cosell_definitions.opening import content_of, found_in, never_read
from cosell_definitions.problems import Place, Problem, Severity, Unsound, did_you_mean
from cosell_definitions.settings import Declaration, EnvironmentFile
from cosell_env.connections import Block

from .overlays import Overlays, misplaced, read_overlays
from .whereabouts import DEFAULT_ENVIRONMENT

T = TypeVar("T")
Named = TypeVar("Named", Flow, MappingFile)
ROOMS = ("definitions", "connectors", "env")
BASES = ".shipped"
"""Where a project keeps the shipped files as it got them."""
SOLUTIONS = ("cosell", "channel")
"""The shipped solutions, each with its folder in `definitions/` and in `env/`."""
_SHIPPED = (
    *(f"definitions/{name}" for name in SOLUTIONS),
    "connectors/salesforce",
    "connectors/partner_center",
    "connectors/partner_center_events",
    "connectors/dataverse",
    "connectors/sugarcrm",
    *(f"env/{name}" for name in SOLUTIONS),
    "env/sandbox.yaml",
)


class NoSuchFlow(LookupError):
    """No flow has this id."""

    def __init__(self, flow: str, known: Mapping[str, Flow]) -> None:
        meant = did_you_mean(flow, known)
        self.hint = f"did you mean {meant!r}?" if meant else f"flows here: {', '.join(known)}"
        super().__init__(f"there is no flow {flow!r}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Documents:
    """Every file of a project, read and parsed, with every problem found on the way."""

    flows: Mapping[str, Flow] = field(default_factory=dict)
    mappings: Mapping[str, MappingFile] = field(default_factory=dict)
    connectors: Mapping[str, Connector] = field(default_factory=dict)
    declarations: tuple[Declaration, ...] = ()
    environments: Mapping[str, EnvironmentFile] = field(default_factory=dict)
    tests: tuple[FlowTests, ...] = ()
    problems: tuple[Problem, ...] = ()
    files: tuple[str, ...] = ()
    overlays: Overlays = field(default_factory=Overlays)


@dataclass(frozen=True, kw_only=True)
class Project:
    """A project folder, seen through one environment."""

    root: Path
    environment_name: str = DEFAULT_ENVIRONMENT
    block: Block | None = None  # reads secrets that Prefect keeps

    @cached_property
    def documents(self) -> Documents:
        """Every file of the project; sound or not."""
        return read_documents(self.root, self.environment_name)

    @property
    def flows(self) -> Mapping[str, Flow]:
        """Flows by id, those that are called before those that call them."""
        return self.documents.flows

    @property
    def mappings(self) -> Mapping[str, MappingFile]:
        """Mappings by id."""
        return self.documents.mappings

    @property
    def state(self) -> Path:
        """Where the project keeps what is not written by people."""
        return self.root / ".cosell"

    @property
    def ledger_file(self) -> Path:
        """The ledger of the environment, where no other is named.

        Each has its own: staging must not move the watermarks of production, and a sandbox of
        Salesforce that is a copy of it has the same ids.
        """
        own = "" if self.environment_name == DEFAULT_ENVIRONMENT else f".{self.environment_name}"
        return self.state / f"ledger{own}.db"

    @property
    def environment_file(self) -> EnvironmentFile:
        """The chosen environment; raises Unsound where its file is missing or faulty."""
        known = self.documents.environments
        if self.environment_name in known:
            return known[self.environment_name]
        file = f"env/{self.environment_name}.yaml"
        own = [one for one in self.documents.problems if one.place.file == file]
        meant = did_you_mean(self.environment_name, known)
        raise Unsound(
            own
            or [
                Problem(
                    code="V010",
                    place=Place(file=file),
                    message=f"there is no environment {self.environment_name!r}",
                    hint=f"did you mean {meant!r}?"
                    if meant
                    else f"environments: {', '.join(known)}",
                )
            ]
        )

    def flow(self, flow_id: str) -> Flow:
        """The flow called *flow_id*; raises NoSuchFlow, or Unsound where it or what it uses is faulty."""
        faults = self.faults_of(flow_id)
        if faults:
            raise Unsound(faults)
        if flow_id not in self.flows:
            raise NoSuchFlow(flow_id, self.flows)
        return self.flows[flow_id]

    def faults_of(self, flow_id: str) -> list[Problem]:
        """What is wrong in a flow's own file, and in what is laid over it here."""
        return [
            one
            for one in self.documents.problems
            if one.severity is Severity.ERROR
            and (
                one.place.file.endswith(f"/{flow_id}.flow.yaml")
                or self.is_overlay_of(one.place.file, "flow", flow_id)
            )
        ]

    def is_overlay_of(self, file: str, kind: str, target: str) -> bool:
        """Whether an overlay file of this environment changes a flow or mapping.

        One that cannot be read may change anything.
        """
        overlays = self.documents.overlays
        if not file.startswith(f"overlays/{self.environment_name}/"):
            return False
        readable = {
            one.place.file for one in overlays.by_environment.get(self.environment_name, ())
        }
        own = {one.place.file for one in overlays.of(self.environment_name, kind, target)}
        return file in own or file not in readable

    def connector_of(self, connection: str) -> Connector:
        """The connector that a connection of this environment is bound to."""
        bound = self.environment_file.connections.get(connection, {})
        name = str(bound.get("connector") or connection)
        connectors = self.documents.connectors
        if name not in connectors:
            meant = did_you_mean(name, connectors)
            raise Unsound(
                [
                    Problem(
                        code="C001",
                        place=Place(file=f"env/{self.environment_name}.yaml"),
                        message=f"connection {connection!r} needs connector {name!r}, which is not there",
                        hint=f"did you mean {meant!r}?"
                        if meant
                        else "see the folders in connectors/",
                    )
                ]
            )
        return connectors[name]


def read_documents(root: Path, environment_name: str = "") -> Documents:
    """Read every file of the project at *root*; problems are collected, never raised.

    Flows and mappings are as they are in that environment: with its overlays laid over them.
    """
    overlays = read_overlays(root)
    reading = _Reading(root, [*overlays.problems])
    flow_files = found_in(root / "definitions", "*.flow.yaml")
    mapping_files = found_in(root / "definitions", "*.map.yaml")
    laid = partial(overlays.of, environment_name)

    def flow_of(path: Path, text: bytes, file: str) -> parsing.Loaded[Flow]:
        return parsing.load_flow(text, file=file, overlays=laid("flow", _id_in(path)))

    def mapping_of(path: Path, text: bytes, file: str) -> parsing.Loaded[MappingFile]:
        return parsing.load_mapping(text, file=file, overlays=laid("mapping", _id_in(path)))

    flows = reading.by_id("flow", reading.each(flow_files, flow_of))
    mappings = reading.by_id("mapping", reading.each(mapping_files, mapping_of))
    tests = reading.each(
        found_in(root / "definitions", "*.test.yaml"),
        lambda _, text, file: parsing.load_tests(text, file=file),
    )
    connectors = reading.each(
        found_in(root / "connectors", "connector.yaml"),
        lambda _, text, file: connector_parsing.parse(text, file=file),
    )
    declared = reading.each(
        found_in(root / "env", "variables.yaml"),
        lambda _, text, file: parsing.load_variables(text, file=file),
    )
    environments = reading.each(
        sorted((root / "env").glob("*.yaml")),
        lambda _, text, file: parsing.load_environment(text, file=file),
    )
    known = {"flow": [*map(_id_in, flow_files)], "mapping": [*map(_id_in, mapping_files)]}
    names = [environment.name for environment in environments]
    return Documents(
        flows={one.id: one for one in children_first(flows)},
        mappings=mappings,
        connectors={connector.name: connector for connector in connectors},
        declarations=tuple(one for ones in declared for one in ones),
        environments={environment.name: environment for environment in environments},
        tests=tuple(tests),
        problems=(
            *reading.problems,
            *misplaced(overlays, environments=names, known=known),
            *never_read(root),
        ),
        files=(*reading.files, *overlays.files),
        overlays=overlays,
    )


@dataclass(slots=True)
class _Reading:
    """Reads files, and keeps what is wrong with them."""

    root: Path
    problems: list[Problem]
    files: list[str] = field(default_factory=list)

    def each(
        self, paths: Iterable[Path], load: Callable[[Path, bytes, str], parsing.Loaded[T]]
    ) -> list[T]:
        """What could be made of each file."""
        made: list[T] = []
        for path in paths:
            file = path.relative_to(self.root).as_posix()
            self.files.append(file)
            content = content_of(path, file)
            if isinstance(content, Problem):
                self.problems.append(content)
                continue
            one, found = load(path, content, file)
            self.problems += found
            if one is not None:
                made.append(one)
        return made

    def by_id(self, word: str, ones: Iterable[Named]) -> dict[str, Named]:
        """Flows or mappings by their ids; a second one of the same id is a problem."""
        kept: dict[str, Named] = {}
        for one in ones:
            first = kept.setdefault(one.id, one)
            if first is not one:
                message = f"a second {word} is called {one.id!r}; the first is {first.place.file}"
                hint = (
                    f"rename one of the two files, and its id: a {word} is called by its id alone"
                )
                code = "F008" if word == "flow" else "M008"
                self.problems.append(
                    Problem(code=code, place=one.place, message=message, hint=hint)
                )
        return kept


def _id_in(path: Path) -> str:
    """The id that a file's name says: what stands before the first dot."""
    return path.name.split(".", 1)[0]


def children_first(flows: Mapping[str, Flow]) -> Iterator[Flow]:
    """Flows in the order in which they are turned on: what a flow needs comes before it."""
    done: set[str] = set()
    seniority = {name: place for place, name in enumerate(_ORDER)}

    def visit(name: str, path: tuple[str, ...]) -> Iterator[Flow]:
        if name in done or name in path or name not in flows:
            return
        for needed in flows[name].needs:
            yield from visit(needed, (*path, name))
        if name not in done:
            done.add(name)
            yield flows[name]

    for name in sorted(flows, key=lambda one: (seniority.get(one, len(seniority)), one)):
        yield from visit(name, ())


# The order in which Microsoft's page turns the flows on, and then docs/channel.md; others follow by name.
_ORDER = (
    "webhook-registration",
    "customize-salesforce",
    "create-referral",
    "referral-updates-to-salesforce",
    "partner-center-to-salesforce",
    "salesforce-to-partner-center",
    "opportunity-to-partner-center",
    "solutions-to-partner-center",
    "leads-to-partner-center",
    "people-of-a-deal",
    "nightly-reconciliation",
    "enable-partner-relationship-management",
    "partner-account",
    "partner-user",
    "lead-owner",
    "assign-leads",
    "lead-rules",
    "route-leads",
    "my-leads",
    "claim-lead",
    "update-lead",
    "convert-lead",
    "my-opportunities",
    "update-opportunity",
    "enable-account-teams",
    "account-team",
)


def shipped() -> Path:
    """The folder that holds the shipped solution: the checkout, or the copy inside the package."""
    checkout = Path(__file__).resolve().parents[2]
    if (checkout / "definitions" / "cosell").is_dir():
        return checkout
    return Path(__file__).resolve().parent / "shipped"


def shipped_files() -> list[str]:
    """Every file of the shipped solution, named from its folder."""
    found: list[Path] = []
    for name in _SHIPPED:
        source = shipped() / name
        found += [source] if source.is_file() else sorted(source.rglob("*"))
    return [
        path.relative_to(shipped()).as_posix()
        for path in found
        if path.is_file() and "__pycache__" not in path.parts
    ]


def init_project(folder: Path) -> list[str]:
    """Copy the shipped solution into *folder*; gives the files that were made.

    A second copy goes below `.shipped/`: an upgrade tells by it what the customer changed.
    """
    made = shipped_files()
    for file in made:
        for target in (folder / file, folder / BASES / file):
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(shipped() / file, target)
    (folder / ".gitignore").write_text("/.cosell/\n/env/**/*.local.yaml\n", encoding="utf-8")
    return [*made, ".gitignore"]
