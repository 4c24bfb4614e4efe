"""What the checks need to see of a project: parsed documents, and what systems can do."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import field
from typing import Protocol

from cosell_definitions.freezing import dataclass
from cosell_definitions.model import CallFlow, Flow, Input, Output
from cosell_definitions.model_mappings import MappingFile
from cosell_definitions.settings import Declaration

from .steps_within import steps_within
from .types import ANY, Type, record_of
from .values_of_mappings import variables_in


class Operated(Protocol):
    """An operation, as far as a check looks at it."""

    @property
    def parameters(self) -> Mapping[str, bool]:
        """Names of the parameters, and whether each is required."""

    @property
    def takes(self) -> Mapping[str, Type]:
        """The types of the parameters, as far as they are known."""

    @property
    def output(self) -> Collection[str] | None:
        """Names of the fields given back; None where they are not known."""

    @property
    def gives(self) -> Type:
        """The type of what is given back."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OperationView:
    """An operation: parameters with whether each is required; output fields, None where unknown."""

    summary: str = ""
    parameters: Mapping[str, bool] = field(default_factory=dict)
    takes: Mapping[str, Type] = field(default_factory=dict)
    output: Collection[str] | None = None
    gives: Type = ANY

    def __post_init__(self) -> None:
        if self.output is not None and not self.gives.known:
            object.__setattr__(self, "gives", record_of(dict.fromkeys(self.output, ANY)))


class Called(Protocol):
    """A flow, as far as a flow looks at it that calls it."""

    @property
    def id(self) -> str:
        """Its id."""

    @property
    def inputs(self) -> tuple[Input, ...]:
        """What it takes."""

    @property
    def outputs(self) -> tuple[Output, ...]:
        """What it gives."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mapped:
    """A mapping, as far as a flow looks at it that uses it: what it uses through it."""

    connections: frozenset[str]
    variables: frozenset[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Steps:
    """A flow, as far as tests look at it that reach it: the ids of its steps, and what they call."""

    ids: frozenset[str]
    calls: tuple[str, ...]


class ProjectView(Protocol):
    """A project's documents. `broken` holds ids of flows and mappings that could not be read."""

    @property
    def flows(self) -> Mapping[str, Flow]:
        """The flows, by id; drafts too."""

    @property
    def called(self) -> Mapping[str, Called]:
        """The same, for whoever calls them."""

    def steps_of(self, name: str) -> Steps | None:
        """The steps of a flow, for whoever reaches it."""

    @property
    def mappings(self) -> Mapping[str, MappingFile]:
        """The mappings, by id; drafts too."""

    def mapped(self, name: str) -> Mapped | None:
        """A mapping, for whoever uses it."""

    @property
    def declarations(self) -> Mapping[str, Declaration]:
        """The environment variables, by name."""

    @property
    def connections(self) -> Collection[str]:
        """The names of connections."""

    @property
    def operations(self) -> Mapping[str, Mapping[str, Operated]]:
        """What each system can do, the engine's own systems included."""

    @property
    def records(self) -> Mapping[str, Mapping[str, Type]]:
        """What records hold, by connection and by kind of record, as far as connectors say."""

    @property
    def broken(self) -> Collection[str]:
        """Ids of documents that are there, but cannot be read."""

    @property
    def events(self) -> Mapping[str, Collection[str]]:
        """What each connection can be told by webhook; of those whose connector is known."""

    @property
    def vague(self) -> Collection[str]:
        """Names of variables whose declaration is faulty, so that nothing is known of them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """A project view made of plain mappings."""

    flows: Mapping[str, Flow] = field(default_factory=dict)
    mappings: Mapping[str, MappingFile] = field(default_factory=dict)
    declarations: Mapping[str, Declaration] = field(default_factory=dict)
    connections: Collection[str] = ()
    operations: Mapping[str, Mapping[str, Operated]] = field(default_factory=dict)
    origins: Mapping[str, str] = field(default_factory=dict)
    """What stands for all that the operations of a system were made of."""
    records: Mapping[str, Mapping[str, Type]] = field(default_factory=dict)
    broken: Collection[str] = ()
    events: Mapping[str, Collection[str]] = field(default_factory=dict)
    vague: Collection[str] = ()

    @property
    def called(self) -> Mapping[str, Called]:
        """The flows, for whoever calls them."""
        return self.flows

    def mapped(self, name: str) -> Mapped | None:
        """A mapping, for whoever uses it."""
        if name not in self.mappings:
            return None
        mapping = self.mappings[name]
        return Mapped(
            connections=frozenset({mapping.left.connection, mapping.right.connection}),
            variables=frozenset(variables_in(mapping)),
        )

    def steps_of(self, name: str) -> Steps | None:
        """The steps of a flow, for whoever reaches it."""
        if name not in self.flows:
            return None
        steps = list(steps_within(self.flows[name].steps))
        return Steps(
            ids=frozenset(step.id for step in steps),
            calls=tuple(step.do.flow for step in steps if isinstance(step.do, CallFlow)),
        )
