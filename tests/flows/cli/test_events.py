"""`cosell events`: the inbox, and working on an event again."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from cosell_flows.ledger import Ledger

from .conftest import Cosell, Remember


@pytest.fixture
def three(remember: Remember) -> None:
    """Events 1 done, 2 failed, 3 waiting."""

    async def work(ledger: Ledger) -> None:
        for number, name in enumerate(("referral-created", "referral-updated", "referral-updated")):
            await ledger.inbox.store(
                name, connection="partner_center_events", resource_id=f"r{number}", resource_uri="",
                changed_at=None, dedupe_key=str(number), body="{}",
            )  # fmt: skip
        await ledger.inbox.finish(["1"], "done")
        await ledger.inbox.finish(["2"], "failed", "no such deal")

    remember(work)


def _statuses(cosell: Cosell) -> dict[str, str]:
    return {one["id"]: one["status"] for one in cosell("--json", "events", "list").json["events"]}


@pytest.mark.parametrize(
    ("filters", "ids"),
    [
        ((), ["3", "2", "1"]),
        (("--status", "failed"), ["2"]),
        (("--name", "referral-updated"), ["3", "2"]),
        (("--since", "2026-03-01T11:00"), ["3", "2", "1"]),
        (("--since", "2026-03-01T14:00+01:00"), []),
        (("--limit", "1"), ["3"]),
    ],
)
def test_filters(cosell: Cosell, three: None, filters: tuple[str, ...], ids: list[str]) -> None:
    """By status, by name, by the moment of their arrival; newest first."""
    found = cosell("--json", "events", "list", *filters).json["events"]

    assert [one["id"] for one in found] == ids


def test_all_that_failed_are_replayed(cosell: Cosell, three: None) -> None:
    """They wait again; what is done stays done."""
    cosell("events", "replay", "--all-failed")

    assert _statuses(cosell) == {"1": "done", "2": "waiting", "3": "waiting"}


def test_all_since_a_moment_are_replayed(cosell: Cosell, three: None) -> None:
    """Those that are done too."""
    cosell("events", "replay", "--since", "2026-03-01")

    assert _statuses(cosell) == {"1": "waiting", "2": "waiting", "3": "waiting"}


def test_a_replay_without_serve_says_that_they_wait(cosell: Cosell, three: None) -> None:
    """Nobody works on them until somebody serves."""
    said = cosell("events", "replay", "1")

    assert (said.code, "no cosell serve is running" in said.out) == (0, True)


def test_a_replay_with_serve_says_that_they_run(cosell: Cosell, three: None, project: Path) -> None:
    """The process that serves takes them."""
    told = json.dumps({"pid": os.getpid(), "prefect_api": "http://127.0.0.1:1/api"})
    (project / ".cosell" / "serve.json").write_text(told, encoding="utf-8")

    said = cosell("events", "replay", "1")

    assert "works on them now" in said.out


@pytest.mark.parametrize(
    ("arguments", "code", "told"),
    [
        (("replay",), 2, "which events?"),
        (("replay", "99"), 1, "there is no event '99'"),
        (("replay", "3"), 1, "waits already"),
        (("replay", "--since", "yesterday"), 2, "neither a moment nor an age"),
        (("list", "--status", "lost"), 2, "lost"),
        (("list", "--name", "referral-update"), 0, "did you mean 'referral-updated'?"),
    ],
)
def test_wrong_usage(
    cosell: Cosell, three: None, arguments: tuple[str, ...], code: int, told: str
) -> None:
    """A sentence, and the exit code of a question asked wrongly or of a no."""
    said = cosell("events", *arguments)

    assert (said.code, told in said.err) == (code, True), said.err
