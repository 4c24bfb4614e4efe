"""Show every flow of a project in Prefect: its form, its schedules, and whether it is on."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from prefect import get_client
from prefect.client.orchestration import PrefectClient
from prefect.client.schemas.actions import DeploymentScheduleCreate, DeploymentUpdate
from prefect.client.schemas.filters import DeploymentFilter, DeploymentFilterTags
from prefect.client.schemas.schedules import CronSchedule, IntervalSchedule

from cosell_definitions.model import Flow, Trigger
from cosell_flows.compiling.expressions import evaluate

from .forms import form_of, shown
from .seam import Flows

TAG = "cosell"
# Schedules count from here, so that `every: 15m` means the quarters of an hour, restart or not.
_ANCHOR = datetime(2024, 1, 1, tzinfo=UTC)


def project_tag(project: Flows) -> str:
    """The tag by which a server that serves several projects tells them apart."""
    return f"project:{project.root.resolve().name}"


class Deployments:
    """The deployments of one project, kept as its files and its ledger say."""

    def __init__(self, project: Flows, *, env: Mapping[str, Any] | None = None) -> None:
        self._project = project
        self._env = env or {}
        self._ids: dict[str, UUID] = {}
        self._shown_on: frozenset[str] = frozenset()

    @property
    def ids(self) -> Mapping[str, UUID]:
        """The deployment of each flow."""
        return self._ids

    def flow_of(self, deployment: UUID | None) -> str | None:
        """The flow whose deployment this is."""
        return next((flow for flow, one in self._ids.items() if one == deployment), None)

    async def register(self, on: frozenset[str]) -> None:
        """Enter every flow; what this project entered before and has no longer is removed."""
        async with get_client() as client:
            for flow in self._project.flows.values():
                self._ids[flow.id] = await self._enter(client, flow, is_on=flow.id in on)
            await self._remove_others(client)
        self._shown_on = on

    async def enter_one(self, flow_id: str, *, is_on: bool) -> UUID:
        """Enter one flow; its deployment."""
        async with get_client() as client:
            flow = self._project.flow(flow_id)
            self._ids[flow_id] = await self._enter(client, flow, is_on=is_on)
        return self._ids[flow_id]

    async def follow(self, on: frozenset[str]) -> None:
        """Start and stop schedules as flows were turned on and off since the last time."""
        changed = (on ^ self._shown_on) & self._ids.keys()
        if not changed:
            return
        async with get_client() as client:
            for flow in sorted(changed):
                await client.update_deployment(
                    self._ids[flow], DeploymentUpdate(paused=flow not in on)
                )
        self._shown_on = on

    async def _enter(self, client: PrefectClient, flow: Flow, *, is_on: bool) -> UUID:
        flow_id = await client.create_flow_from_name(flow.name)
        return await client.create_deployment(
            flow_id=flow_id,
            name=flow.id,
            version=flow.content_hash[:12] or None,
            description=_description(flow),
            tags=[TAG, project_tag(self._project), f"env:{self._project.environment_name}"],
            # Nothing imports it: our runner knows its flows. People see where the flow is written.
            entrypoint=f"{flow.place.file}:{flow.id}",
            schedules=[
                self._schedule(trigger) for trigger in flow.triggers if trigger.type == "schedule"
            ],
            paused=not is_on,
            parameter_openapi_schema=form_of(flow),
            enforce_parameter_schema=True,
        )

    def _schedule(self, trigger: Trigger) -> DeploymentScheduleCreate:
        given = {
            name: evaluate(value, {"env": dict(self._env)})
            for name, value in trigger.inputs.items()
        }
        zone = trigger.timezone or "UTC"
        when: CronSchedule | IntervalSchedule
        if trigger.cron:
            when = CronSchedule(cron=trigger.cron, timezone=zone)
        else:
            every = trigger.every or timedelta(hours=1)
            when = IntervalSchedule(interval=every, anchor_date=_ANCHOR, timezone=zone)
        return DeploymentScheduleCreate(schedule=when, slug=trigger.id, parameters=shown(given))

    async def _remove_others(self, client: PrefectClient) -> None:
        ours = DeploymentFilterTags(all_=[TAG, project_tag(self._project)])
        kept = set(self._ids.values())
        for deployment in await client.read_deployments(
            deployment_filter=DeploymentFilter(tags=ours)
        ):
            if deployment.id not in kept:
                await client.delete_deployment(deployment.id)


def _description(flow: Flow) -> str:
    parts = [flow.description] if flow.description else []
    for trigger in flow.triggers:
        match trigger.type:
            case "webhook":
                parts.append(f"Runs when told of {', '.join(trigger.events)}.")
            case "schedule" if trigger.cron:
                parts.append(f"Runs at `{trigger.cron}` ({trigger.timezone or 'UTC'}).")
            case "schedule":
                parts.append(f"Runs every {trigger.every}.")
            case _:
                pass
    parts.append(f"Written in `{flow.place.file}`. Turn it on with `cosell on {flow.id}`.")
    return "\n\n".join(parts)
