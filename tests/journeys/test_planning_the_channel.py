"""Plans of the partner channel: nothing is written, and what is applied is what was said."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from cosell_flows.cli.main import answer

from .conftest import Stage
from .test_partner_channel import MANAGER, QUEUES, Channel, channel

pytestmark = pytest.mark.journey
__all__ = ["channel"]


async def cosell(stage: Stage, capsys: pytest.CaptureFixture[str], *words: str) -> Any:
    """What a command says, as another process would run it."""
    await asyncio.to_thread(answer, ["--project", str(stage.project), "--json", *words])
    return json.loads(capsys.readouterr().out)


async def test_leads_are_shared_out_as_the_plan_said(
    channel: Channel, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
) -> None:  # fmt: skip
    """Planned twice it is the same, no turn is taken, and applied each lead goes where it said."""
    stage, file = channel.stage, str(tmp_path / "plan.json")
    intake, queues = channel.queue("Intake"), [channel.queue(name) for name in QUEUES]
    await channel.setting(
        monkeypatch, LEAD_INTAKE_QUEUE="Intake", LEADS_SHARED_AMONG="North, South, East"
    )
    leads = channel.leads(7, OwnerId=intake)
    stage.forget()
    plans = [await cosell(stage, capsys, "plan", "route-leads", "--out", file) for _ in range(2)]
    wrote = stage.writes("salesforce")

    told = await cosell(stage, capsys, "apply", file)

    said = [{one["key"]: one["fields"][0]["new"] for one in plan["changes"]} for plan in plans]
    assert (wrote, said[0] == said[1]) == ([], True)
    assert (told["status"], {lead: channel.owner(lead) for lead in leads}) == ("succeeded", said[0])
    assert sorted(Counter(said[0][lead] for lead in leads).values()) == [2, 2, 3]
    assert set(said[0].values()) == set(queues)


async def test_a_plan_of_a_whole_partner_writes_nothing(channel: Channel) -> None:
    """Account, user, team, lead: all of it is said, none of it done."""
    user = await channel.partner()
    account = channel.user(user)["AccountId"]
    lead = channel.leads(1, OwnerId=channel.queue("Partners", user))[0]
    channel.stage.later()
    channel.stage.forget()

    plans = [
        await channel.stage.engine.plan(flow, inputs)
        for flow, inputs in (
            ("partner-account", {"name": "Sakura", "owner": MANAGER}),
            ("partner-user", {"account_id": account, "email": "a@b.example", "last_name": "A"}),
            ("account-team", {"account_id": account, "members": [{"user": MANAGER, "account": "Edit"}]}),
            ("claim-lead", {"lead_id": lead, "user": user}),
            ("assign-leads", {"lead_ids": [lead], "owner": user, "notify": True}),
            ("update-lead", {"lead_id": lead, "fields": {"City": "Oslo"}}),
            ("convert-lead", {"lead_id": lead, "owner_id": channel.user(user)["Id"]}),
        )
    ]  # fmt: skip

    assert [(one.flow, one.status, len(one.writes)) for one in plans] == [
        ("partner-account", "succeeded", 2),
        ("partner-user", "succeeded", 2),
        ("account-team", "succeeded", 1),
        ("claim-lead", "succeeded", 1),
        ("assign-leads", "succeeded", 1),
        ("update-lead", "succeeded", 1),
        ("convert-lead", "succeeded", 1),
    ]
    # Many leads are read by a POST, for their ids would make an address too long.
    read = "/composite/sobjects/Lead"
    wrote = channel.stage.writes("salesforce")
    assert [one["path"] for one in wrote if not one["path"].endswith(read)] == []
