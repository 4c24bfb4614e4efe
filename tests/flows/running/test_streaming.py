"""A list that comes page by page is walked through page by page, and a run that is cut off goes on."""

from __future__ import annotations

import asyncio
import os
import tracemalloc
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from cosell_connectors.client import Client
from cosell_connectors.imitating import Answered, answer
from cosell_connectors.scripted import Lost, Sent, scripted_client
from cosell_flows.running.engine import Engine

from .conftest import Stage

NEWEST = datetime(2026, 2, 1, 23, 59, tzinfo=UTC)
MIB = 1024 * 1024
MANY = 20_000 if os.environ.get("COSELL_TEST_MINUTES") else 10_000
CONNECTOR = """\
connector: v1
id: tickets
title: Tickets
base_url: https://tickets.example/api
auth: [{ type: bearer }]
operations:
  list_tickets:
    summary: Tickets, newest first.
    method: GET
    path: /tickets
    effect: read
    parameters:
      since: { in: stop, type: datetime, required: false }
    paging: { items: /tickets, next: /next, stop: { field: /changed, before: since } }
    output: { tickets: items, read_until: { newest: /changed } }
  touch:
    summary: Look at a ticket.
    method: GET
    path: /tickets/{id}
    effect: read
    parameters: { id: { in: path } }
"""
ONE_BY_ONE = """\
uses: { connections: [tickets] }
defaults: { retry: { attempts: 3, delay: 1s, on: [unavailable] } }
steps:
  - { id: all, action: tickets.list_tickets, with: { since: "{{ cursor('tickets') }}" } }
  - id: each
    foreach: steps.all.output.tickets
    as: ticket
    key: "{{ ticket.id }}"
    steps: [{ id: touch, action: tickets.touch, with: { id: "{{ ticket.id }}" } }]
  - id: advance
    action: sync.advance_cursor
    with: { name: tickets, to: "{{ steps.all.output.read_until }}" }
outputs: { done: { value: "{{ steps.each.output.counts.succeeded }}" } }
"""
IN_PORTIONS = """\
uses: { connections: [tickets] }
inputs: { ids: { type: array, items: { type: string }, default: [] } }
steps:
  - id: all
    when: inputs.ids | length == 0
    action: tickets.list_tickets
  - id: portion
    foreach: (inputs.ids + steps.all.output.tickets | default([])) | batch(150)
    as: tickets
    result: "{{ steps.each.output.counts.succeeded }}"
    steps:
      - id: names
        set:
          ids: >-
            {{ tickets | select('string') | list
               + tickets | reject('string') | map(attribute='id') | list }}
      - id: each
        foreach: steps.names.output.ids
        as: ticket
        key: "{{ ticket }}"
        steps: [{ id: touch, action: tickets.touch, with: { id: "{{ ticket }}" } }]
outputs: { done: { value: "{{ steps.portion.output.results | sum }}" } }
"""


@dataclass
class Desk:
    """The other system: so many tickets, a hundred on a page, each with a long text."""

    tickets: int
    text: str = "x" * 4000
    touched: list[str] = field(default_factory=list)
    pages: list[int] = field(default_factory=list)
    fault: Callable[[str], None] = lambda _: None

    def __call__(self, sent: Sent) -> Answered:
        """The answer to a request."""
        parts = urlsplit(sent.url)
        name = parts.path.rpartition("/")[2]
        self.fault(name)
        if name != "tickets":
            self.touched.append(name)
            return answer({})
        begin = int(parse_qs(parts.query).get("from", ["0"])[0])
        self.pages.append(begin)
        end = min(begin + 100, self.tickets)
        rows = [
            {
                "id": f"t{n}",
                "changed": (NEWEST - timedelta(seconds=n)).isoformat(),
                "text": f"{self.text}{n}",  # its own: no two share it
            }
            for n in range(begin, end)
        ]
        following = f"/api/tickets?from={end}" if end < self.tickets else None
        return answer({"tickets": rows, "next": following})


@pytest.fixture
async def at_desk(stage: Stage) -> Callable[..., Any]:
    """Make engines that talk with a desk."""
    folder = stage.root / "connectors" / "tickets"
    folder.mkdir(parents=True)
    (folder / "connector.yaml").write_text(CONNECTOR)

    class Now:
        """The stage's time."""

        def now(self) -> datetime:
            return stage.now.astimezone(UTC)

        async def sleep(self, seconds: float) -> None:
            await stage._sleep(seconds)

    async def open_(desk: Desk, text: str) -> Engine:
        stage.write("flow", text)
        engine = await stage.engine()
        connector = engine.project.documents.connectors["tickets"]
        client: Client = scripted_client(connector, connection="tickets", script=desk, time=Now())
        engine.opened = lambda _: client
        return engine

    return open_


@pytest.mark.parametrize("portions", ["", " | batch(150)"], ids=["one by one", "in portions"])
async def test_a_long_list_is_never_held_at_once(
    at_desk: Callable[..., Any], portions: str
) -> None:
    """Their texts alone would take twice as much as is allowed here, and four times in test-long."""
    text = f"""\
uses: {{ connections: [tickets] }}
steps:
  - {{ id: all, action: tickets.list_tickets }}
  - id: each
    foreach: steps.all.output.tickets{portions}
    as: found
    steps: [{{ id: work, set: {{ x: "{{{{ index }}}}" }} }}]
"""
    desk = Desk(tickets=MANY)
    engine = await at_desk(desk, text)
    tracemalloc.start()
    try:
        result = await engine.run("flow", {})
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert (result.error, len(desk.pages)) == (None, MANY // 100)
    assert peak < 19 * MIB < len(desk.text) * desk.tickets / 2, f"{peak / MIB:.0f} MiB"


@pytest.mark.parametrize(
    "text",
    [pytest.param(ONE_BY_ONE, marks=pytest.mark.long), IN_PORTIONS],
    ids=["one by one", "in portions"],
)
async def test_a_run_that_is_cut_off_goes_on_where_it_was(
    at_desk: Callable[..., Any], text: str
) -> None:
    """Cancelled at ticket 434 of 500: the next run has the portion of that ticket and the rest."""
    desk = Desk(tickets=500)
    engine = await at_desk(desk, text)

    def cut(name: str) -> None:
        if name == "t434":
            task.cancel()

    desk.fault = cut
    task = asyncio.ensure_future(engine.run("flow", {}))
    cut_off = await task
    desk.fault = lambda _: None
    desk.touched.clear()

    result = await engine.run("flow", {})

    assert (cut_off.status, result.status) == ("cancelled", "succeeded")
    assert result.outputs == {"done": 500}, "what the first one did counts"
    assert desk.touched[0] in ("t400", "t300")
    assert desk.touched[-1] == "t499"


async def test_a_run_that_is_through_leaves_no_bookmark(at_desk: Callable[..., Any]) -> None:
    """The next one begins at the beginning."""
    desk = Desk(tickets=300)
    engine = await at_desk(desk, IN_PORTIONS)

    for _ in range(2):
        await engine.run("flow", {})

    assert len(desk.touched) == 600


async def test_what_changed_meanwhile_is_for_the_next_run(
    at_desk: Callable[..., Any], stage: Stage
) -> None:
    """A run that goes on moves no cursor beyond the moment when the list was begun."""
    stage.now = datetime(2026, 2, 1, 12, tzinfo=UTC)  # the desk's clock is ahead: all seems new
    desk = Desk(tickets=300)
    engine = await at_desk(desk, ONE_BY_ONE)

    def lose(name: str) -> None:
        if name == "t250":
            raise Lost("the process dies here")

    desk.fault = lose
    await engine.run("flow", {})
    desk.fault = lambda _: None
    began = stage.now

    await engine.run("flow", {})

    assert await engine.ledger.cursors.get("tickets") <= began


async def test_a_page_that_is_not_had_at_once_is_asked_for_again(
    at_desk: Callable[..., Any],
) -> None:
    """As the step says that reads the list; nothing is worked on twice."""
    desk = Desk(tickets=300)
    engine = await at_desk(desk, ONE_BY_ONE)
    asked: list[str] = []

    def lose(name: str) -> None:
        asked.append(name)
        if name == "tickets" and asked.count("tickets") == 2:
            raise Lost("no answer")

    desk.fault = lose

    result = await engine.run("flow", {})

    assert (result.status, len(desk.touched)) == ("succeeded", 300)


async def test_a_list_that_is_read_elsewhere_is_read_whole(at_desk: Callable[..., Any]) -> None:
    """Whoever counts it, or looks into it, has all of it."""
    desk = Desk(tickets=300)
    text = ONE_BY_ONE.replace(
        "steps.each.output.counts.succeeded", "steps.all.output.tickets | length"
    )
    engine = await at_desk(desk, text)

    result = await engine.run("flow", {})

    assert result.outputs == {"done": 300}


async def test_a_record_that_two_portions_have_is_worked_on_once(
    at_desk: Callable[..., Any],
) -> None:
    """A portion's records are those of the loop with a key; each counts once in a run."""
    desk = Desk(tickets=0)
    engine = await at_desk(desk, IN_PORTIONS)
    ids = [f"t{n}" for n in range(200)]

    result = await engine.run("flow", {"ids": [*ids, *ids]})

    assert (len(desk.touched), result.counts["read"]) == (200, 200)
