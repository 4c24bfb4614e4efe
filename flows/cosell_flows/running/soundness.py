"""Refuse a run before it starts, for what is faulty in what it uses; a fault elsewhere stops nothing."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath

from cosell_definitions.model import Flow
from cosell_definitions.problems import Problem, Severity, Unsound
from cosell_env.resolving import Environment

from ..compiling.finding import Findings
from ..compiling.planning import circles_among
from ..project import NoSuchFlow, Project
from .examining import EXAMINATIONS, Examination
from .surveying import in_order


@dataclass(frozen=True, slots=True, kw_only=True)
class Used:
    """What a flow and the flows it calls make use of, by name."""

    flows: tuple[str, ...]
    mappings: tuple[str, ...]
    connections: tuple[str, ...]
    variables: tuple[str, ...]


class Soundness:
    """What is known of a project's faults, so that each flow is looked at once."""

    def __init__(self, project: Project, environment: Environment) -> None:
        self._project = project
        self._environment = environment
        self._examination: Examination | None = None
        self._sound: dict[str, Used] = {}

    def flow(self, flow_id: str) -> Flow:
        """The flow, sound with all that it uses; raises NoSuchFlow, or Unsound with every fault."""
        if flow_id in self._sound:
            return self._project.flows[flow_id]
        view = self.examination.view
        if flow_id not in view.flows and flow_id not in view.broken:
            raise NoSuchFlow(flow_id, self._project.flows)
        used, flows = Findings(), [flow_id]
        found = self._faults(used, flows)
        faults = [one for one in found if one.severity is Severity.ERROR]
        if faults:
            raise Unsound(in_order(faults))
        self._sound[flow_id] = Used(
            flows=tuple(flows),
            mappings=tuple(used.mappings),
            connections=tuple(used.connections),
            variables=tuple(used.env),
        )
        return self._project.flow(flow_id)

    def used(self, flow_id: str) -> Used:
        """All that a sound flow makes use of; raises what `flow` raises."""
        self.flow(flow_id)
        return self._sound[flow_id]

    @property
    def examination(self) -> Examination:
        """What is seen in the project's documents."""
        if self._examination is None:
            self._examination = EXAMINATIONS.of(self._project.root, self._project.documents)
        return self._examination

    def _faults(self, used: Findings, flows: list[str]) -> Iterator[Problem]:
        """What is wrong with the flows, the flows they call, and what any of them uses.

        Puts what it meets into *used* and *flows*.
        """
        seen, view = self.examination, self.examination.view
        for name in flows:  # grows while it is walked
            yield from self._in_files(f"/{name}.flow.yaml")
            yield from self._in_overlays("flow", name)
            if name in view.flows:
                found = seen.flow(name)
                yield from found.problems
                used.note(found)
                flows += [one for one in found.flows if one not in flows]
        for name in dict(used.mappings):
            yield from self._in_files(f"/{name}.map.yaml")
            yield from self._in_overlays("mapping", name)
            if name in view.mappings:
                found = seen.mapping(name)
                yield from found.problems
                used.note(found)
        yield from circles_among({name: view.flows[name] for name in flows if name in view.flows})
        yield from self._of_connections(used.connections)
        yield from self._of_variables(used.env)

    def _in_files(self, ending: str) -> Iterator[Problem]:
        return (it for it in self._project.documents.problems if it.place.file.endswith(ending))

    def _in_overlays(self, kind: str, target: str) -> Iterator[Problem]:
        project = self._project
        return (
            it
            for it in project.documents.problems
            if project.is_overlay_of(it.place.file, kind, target)
        )

    def _of_connections(self, names: Iterable[str]) -> Iterator[Problem]:
        """A connector that cannot be read, or a connection that is bound to none."""
        for name in names:
            bound = self._project.environment_file.connections.get(name, {})
            faults = list(self._in_files(f"/{bound.get('connector') or name}/connector.yaml"))
            yield from faults
            if not faults:
                try:
                    self._project.connector_of(name)
                except Unsound as unsound:
                    yield from unsound.problems

    def _of_variables(self, names: Iterable[str]) -> Iterator[Problem]:
        """A variable without a fitting value here, or one whose declaration cannot be read."""
        sound = {one.name for one in self._project.documents.declarations}
        for name in names:
            yield from (it for about, it in self._environment.faults if about == name)
            if name not in sound:
                yield from (
                    it
                    for it in self._project.documents.problems
                    if PurePosixPath(it.place.file).name == "variables.yaml"
                )
