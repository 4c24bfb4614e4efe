"""Which mappings a run heeds: whose brakes, and which objects count as records."""

from __future__ import annotations

from cosell_definitions.model import Flow
from cosell_definitions.model_mappings import MappingFile

from ..project import Project
from .soundness import Used


def braking_mapping(project: Project, flow: Flow) -> MappingFile | None:
    """The mapping whose brakes a run of *flow* heeds: the first that the flow uses."""
    known = (project.mappings.get(name) for name in flow.uses_mappings)
    return next((mapping for mapping in known if mapping is not None), None)


def mapped_objects(project: Project, used: Used) -> frozenset[str]:
    """The objects of the mappings that a run uses: an account or a solution is none of them."""
    known = (project.mappings.get(name) for name in used.mappings)
    return frozenset(side.object for one in known if one for side in (one.left, one.right))
