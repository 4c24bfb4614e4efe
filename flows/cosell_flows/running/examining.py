"""Look at a project once for all that run it: a process that serves opens it for every run."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from threading import Lock

from cosell_definitions.problems import Place

from ..compiling.finding import Findings
from ..compiling.planning import examined
from ..compiling.planning_mappings import examined_mapping
from ..compiling.streaming import Streamed, streamed
from ..compiling.viewing import View
from ..project import Documents
from .surveying import view_of

KEPT = 4  # projects, or states of one, of which what was seen is kept


class Examination:
    """What was seen in the documents of a project, each looked at when it is first asked about."""

    def __init__(self, root: Path, documents: Documents) -> None:
        self._root = root
        self._documents = documents
        self._flows: dict[str, Findings] = {}
        self._mappings: dict[str, Findings] = {}

    @cached_property
    def view(self) -> View:
        """The project as checks see it."""
        return view_of(self._root, self._documents)

    @cached_property
    def streamed(self) -> Mapping[Place, Streamed]:
        """The actions, in all flows, whose lists are read page by page."""
        flows = self._documents.flows.values()
        return {place: one for flow in flows for place, one in streamed(flow).items()}

    def flow(self, name: str) -> Findings:
        """What is wrong with a flow, and what it uses; it must be in the view."""
        if name not in self._flows:
            self._flows[name] = examined(self.view.flows[name], self.view)
        return self._flows[name]

    def mapping(self, name: str) -> Findings:
        """The same of a mapping."""
        if name not in self._mappings:
            self._mappings[name] = examined_mapping(self.view.mappings[name], self.view)
        return self._mappings[name]


_Parts = tuple[int, ...]


class _Examinations:
    """The latest ones, by the very values that were looked at: of the same bytes, they are the same."""

    def __init__(self) -> None:
        self._kept: OrderedDict[_Parts, Examination] = OrderedDict()
        self._lock = Lock()

    def of(self, root: Path, documents: Documents) -> Examination:
        """What is known of these documents, or nothing yet."""
        if documents.problems:  # then a view looks into files, which may have changed since
            return Examination(root, documents)
        parts = tuple(map(id, _parts(documents)))
        with self._lock:
            # Who is kept keeps the values, so that no other can have their identity.
            found = self._kept.setdefault(parts, Examination(root, documents))
            self._kept.move_to_end(parts)
            while len(self._kept) > KEPT:
                self._kept.popitem(last=False)
        return found


def _parts(documents: Documents) -> list[object]:
    return [
        *documents.flows.values(),
        None,
        *documents.mappings.values(),
        None,
        *documents.connectors.values(),
        None,
        *documents.declarations,
        None,
        *documents.environments.values(),
    ]


EXAMINATIONS = _Examinations()
