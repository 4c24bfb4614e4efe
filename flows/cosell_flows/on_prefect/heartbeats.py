"""Have Prefect mark runs as crashed whose process gives no sign of life any more."""

from __future__ import annotations

import contextlib
from datetime import timedelta

from prefect import get_client
from prefect.client.orchestration import PrefectClient
from prefect.client.schemas.objects import StateType
from prefect.events.actions import ChangeFlowRunState
from prefect.events.schemas.automations import AutomationCore, EventTrigger, Posture
from prefect.events.schemas.events import ResourceSpecification
from prefect.exceptions import ObjectNotFound

from .deployments import TAG

NAME = "cosell: a run without a sign of life has crashed"
_SILENCE = timedelta(seconds=90)
_HEARTBEAT = "prefect.flow-run.heartbeat"
# A run that was suspended for a person gives no sign of life until it is resumed.
_ENDS = ("Completed", "Failed", "Cancelled", "Crashed", "Skipped", "Partial", "Suspended")


async def install_heartbeat_automation() -> None:
    """Install it, or bring the one that is there up to date.

    Prefect's own page on zombie flows recommends it.
    https://docs.prefect.io/v3/advanced/detect-zombie-flows
    """
    async with get_client() as client:
        known = await client.read_automations_by_name(NAME)
        if known:
            await client.update_automation(known[0].id, _automation())
        else:
            await client.create_automation(_automation())
            await _keep_one(client)


async def _keep_one(client: PrefectClient) -> None:
    """Of several processes that began at once, each has made one; all of them keep the same."""
    _, *others = sorted(one.id for one in await client.read_automations_by_name(NAME))
    for other in others:
        with contextlib.suppress(ObjectNotFound):  # somebody was faster
            await client.delete_automation(other)


def _automation() -> AutomationCore:
    return AutomationCore(
        name=NAME,
        description="Installed by cosell. The work itself is taken up again by cosell serve.",
        enabled=True,
        trigger=EventTrigger(
            after={_HEARTBEAT},
            expect={_HEARTBEAT, *(f"prefect.flow-run.{name}" for name in _ENDS)},
            match=ResourceSpecification({"prefect.resource.id": ["prefect.flow-run.*"]}),
            # A server may run other people's flows, too.
            match_related=ResourceSpecification(
                {"prefect.resource.role": "tag", "prefect.resource.id": f"prefect.tag.{TAG}"}
            ),
            for_each={"prefect.resource.id"},
            posture=Posture.Proactive,
            threshold=1,
            within=_SILENCE,
        ),
        actions=[
            ChangeFlowRunState(
                name=None,
                state=StateType.CRASHED,
                message="No sign of life: the process that ran it is gone.",
                force=False,
            )
        ],
    )
