"""What this wing needs of an engine."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

from cosell_definitions.model import Flow
from cosell_flows.ledger import Ledger
from cosell_flows.running.conducting import Ask
from cosell_flows.running.interpreter import StepWrapper
from cosell_flows.running.outcomes import RunResult


class Flows(Protocol):
    """The flows of a project."""

    @property
    def root(self) -> Path:
        """The project's folder."""

    @property
    def environment_name(self) -> str:
        """The environment the project is seen through."""

    @property
    def flows(self) -> Mapping[str, Flow]:
        """Flows by id."""

    def flow(self, flow_id: str) -> Flow:
        """The flow called *flow_id*; raises where there is none, or it is faulty."""


class RunsFlows(Protocol):
    """Runs the flows of a project."""

    @property
    def project(self) -> Flows:
        """Whose flows."""

    @property
    def ledger(self) -> Ledger:
        """Where it is remembered."""

    async def run(
        self,
        flow_id: str,
        inputs: Mapping[str, Any],
        *,
        run_id: str | None = None,
        trigger: str = "manual",
        wrap: StepWrapper | None = None,
        release_brake: bool = False,
        ask: Ask | None = None,
    ) -> RunResult:
        """Run a flow to its end, or until it has to wait for a person."""
