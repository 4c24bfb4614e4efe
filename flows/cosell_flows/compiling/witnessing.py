"""Note what a check asks of a project, so that its verdict holds until one of the answers changes."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import replace
from typing import TypeVar

from cosell_connectors.model import Connector
from cosell_definitions.model import Flow
from cosell_definitions.model_mappings import MappingFile
from cosell_definitions.problems import Place
from cosell_definitions.settings import Declaration

from .types import Type
from .viewing import Called, Mapped, Operated, Steps, View

V = TypeVar("V")
Question = tuple[str, ...]
"""What kind of answer is wanted, and of what."""


class Sights:
    """One state of a project, of which any question can be answered with a digest of the answer."""

    def __init__(
        self,
        view: View,
        connectors: Mapping[str, Connector],
        fixture: Callable[[str, str, str], str],
    ) -> None:
        """*connectors*: by the name of the connection. *fixture*: what stands for the content of
        one, by its folder, system and file."""
        self.view = view
        self.connectors = connectors
        self.declarations = _without_words(view.declarations)
        self._fixture = fixture
        self._told: dict[Question, bytes] = {}

    def digest(self, question: Question) -> bytes:
        """What stands for the answer."""
        if question not in self._told:
            self._told[question] = self._digest(question)
        return self._told[question]

    def moved(self, asked: Mapping[Question, bytes]) -> bool:
        """Whether a file that is read in the course of a check was edited meanwhile."""
        return any(
            self._digest(question) != digest
            for question, digest in asked.items()
            if question[0] == "fixture"
        )

    def _digest(self, question: Question) -> bytes:
        answer = repr(self._answer(*question)).encode("utf-8", "surrogatepass")
        return hashlib.sha256(answer).digest()

    def _answer(self, kind: str, *about: str) -> object:
        match kind, about:
            case "is there", (room, name):
                return name in self._names(room)
            case "names", (room,):
                return list(self._names(room))
            case "events", ():
                return [(name, list(events)) for name, events in self.view.events.items()]
            case "declarations", ():
                return type(self.view.declarations).__name__, list(self.declarations.values())
            case "fixture", (folder, system, file):
                return self._fixture(folder, system, file)
            case _, (name,):
                return self._answer_of(kind, name)
        raise LookupError(kind)

    def _answer_of(self, kind: str, name: str) -> object:
        view = self.view
        match kind:
            case "flow":
                return _identity(view.flows.get(name))
            case "called":
                called = view.called.get(name)
                return called and (called.id, called.inputs, called.outputs)
            case "steps":
                steps = view.steps_of(name)
                return steps and (sorted(steps.ids), steps.calls)
            case "mapping":
                return _identity(view.mappings.get(name))
            case "mapped":
                mapped = view.mapped(name)
                return mapped and (sorted(mapped.connections), sorted(mapped.variables))
            case "system":
                return view.origins.get(name)
            case "connector":
                connector = self.connectors.get(name)
                return connector and (connector.name, connector.content_hash)
        raise LookupError(kind)

    def _names(self, room: str) -> Collection[str]:
        rooms: Mapping[str, Collection[str]] = {
            "flows": self.view.flows,
            "mappings": self.view.mappings,
            "connections": self.view.connections,
            "operations": self.view.operations,
            "records": self.view.records,
            "connectors": self.connectors,
            "broken": sorted(self.view.broken),
            "vague": sorted(self.view.vague),
        }
        return rooms[room]


def _identity(one: Flow | MappingFile | None) -> object:
    return one and (one.place.file, one.content_hash)


def _without_words(declared: Mapping[str, Declaration]) -> Mapping[str, Declaration]:
    """Declarations as far as checks look at them: what people read of them may change."""
    if not isinstance(declared, dict):
        return declared
    nowhere = Place(file="")
    return {
        name: replace(
            one, display_name="", description="", default=None, made_as=None, place=nowhere
        )
        for name, one in declared.items()
    }


class Witness:
    """A view of a project, and of its connectors, that notes every question it is asked."""

    def __init__(self, sights: Sights) -> None:
        self._sights = sights
        self._view = sights.view
        self.asked: dict[Question, bytes] = {}

    def note(self, *question: str) -> None:
        """Keep a question, and what stands for its answer."""
        if question not in self.asked:
            self.asked[question] = self._sights.digest(question)

    @property
    def flows(self) -> Mapping[str, Flow]:
        """The flows, by id; drafts too."""
        return _Noted(self._view.flows, "flows", "flow", self.note)

    @property
    def called(self) -> Mapping[str, Called]:
        """The same, for whoever calls them."""
        return _Noted(self._view.called, "flows", "called", self.note)

    def steps_of(self, name: str) -> Steps | None:
        """The steps of a flow, for whoever reaches it."""
        self.note("steps", name)
        return self._view.steps_of(name)

    @property
    def mappings(self) -> Mapping[str, MappingFile]:
        """The mappings, by id; drafts too."""
        return _Noted(self._view.mappings, "mappings", "mapping", self.note)

    def mapped(self, name: str) -> Mapped | None:
        """A mapping, for whoever uses it."""
        self.note("mapped", name)
        return self._view.mapped(name)

    @property
    def declarations(self) -> Mapping[str, Declaration]:
        """The environment variables, by name."""
        self.note("declarations")
        return self._sights.declarations

    @property
    def connections(self) -> Collection[str]:
        """The names of connections."""
        self.note("names", "connections")
        return self._view.connections

    @property
    def operations(self) -> Mapping[str, Mapping[str, Operated]]:
        """What each system can do."""
        return _Noted(self._view.operations, "operations", "system", self.note)

    @property
    def records(self) -> Mapping[str, Mapping[str, Type]]:
        """What the records of each system hold."""
        return _Noted(self._view.records, "records", "system", self.note)

    @property
    def connectors(self) -> Mapping[str, Connector]:
        """The connectors, by the name of the connection."""
        return _Noted(self._sights.connectors, "connectors", "connector", self.note)

    @property
    def events(self) -> Mapping[str, Collection[str]]:
        """What each connection can be told by webhook."""
        self.note("events")
        return self._view.events

    @property
    def broken(self) -> Collection[str]:
        """Ids of documents that are there, but cannot be read."""
        self.note("names", "broken")
        return self._view.broken

    @property
    def vague(self) -> Collection[str]:
        """Names of variables whose declaration is faulty."""
        self.note("names", "vague")
        return self._view.vague


class _Noted(Mapping[str, V]):
    """A mapping that notes what it is asked."""

    def __init__(
        self, inner: Mapping[str, V], room: str, kind: str, note: Callable[..., None]
    ) -> None:
        self._inner, self._room, self._kind, self._note = inner, room, kind, note

    def __getitem__(self, key: str) -> V:
        self._note(self._kind, key)
        return self._inner[key]

    def __contains__(self, key: object) -> bool:
        self._note("is there", self._room, str(key))
        return key in self._inner

    def __iter__(self) -> Iterator[str]:
        self._note("names", self._room)
        return iter(self._inner)

    def __len__(self) -> int:
        self._note("names", self._room)
        return len(self._inner)
