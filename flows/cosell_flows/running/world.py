"""The effects a run may have: read, write once, remember. In a plan, writes are only recorded."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Protocol

from cosell_connectors.client import Page
from cosell_connectors.errors import ConnectorError
from cosell_connectors.model import Connector, Operation, Resource
from cosell_connectors.recovering import Question, found, question
from cosell_definitions.problems import Place

from ..ledger import Books, Change, Ledger
from ..syncing.records import pick
from ..syncing.writes import NEW, Write, newest_line
from .announcing import intent_key, unknown, was_there
from .columns import Columns
from .digesting import digest
from .foresight import Foresight, nothing_of, question_of
from .items import DONE, ITEM, Item
from .loose_writes import loose_write
from .outcomes import StepFailed
from .permits import Permit
from .sightings import Marks, Seen
from .twins import ALONE, Twins, found_nothing, look, made_a_moment_ago


class Caller(Protocol):
    """What sends requests: the client of a connection."""

    connector: Connector

    def answers(self, operation: str) -> bool:
        """Whether it can be asked to do *operation*."""

    async def ask_time(self) -> None:
        """Learn what time it is there, where it never told."""

    def time_there(self) -> datetime | None:
        """What time it is there at least; None where that is not known."""

    async def collect(self, operation: str, arguments: Mapping[str, Any]) -> Any:
        """Call an operation, follow its pages, give its output."""

    async def page(
        self, operation: str, arguments: Mapping[str, Any], *, at: str | None = None
    ) -> Page:
        """One page of a list."""


@dataclass(slots=True, kw_only=True)
class World:
    """Everything outside that one run can touch."""

    ledger: Ledger
    client: Callable[[str], Awaitable[Caller]]
    connector: Callable[[str], Connector]
    clock: Callable[[], datetime]
    run_id: str
    flow: str
    flow_hash: str
    began: datetime = field(init=False)
    pause: Callable[[float], Awaitable[None]] = asyncio.sleep
    mapping: str | None = None  # whose deals the run holds
    planning: bool = False
    marks: Marks = field(default_factory=Marks)
    permit: Permit | None = None  # of a plan that is applied: what may be written
    writes: list[Write] = field(default_factory=list)
    seen: Seen = field(default_factory=dict)  # outside of loops
    reached: dict[str, datetime] = field(default_factory=dict)  # of a plan: cursors
    loose_intents: list[str] = field(default_factory=list)
    left_open: set[str] = field(default_factory=set)  # records of which earlier runs left intents
    released: bool = False  # a person let the run through the brakes
    lost: set[str] = field(default_factory=set)  # linked records that were not found
    empty: str | None = None  # why a whole side looks empty
    mapped: frozenset[str] = frozenset()  # objects of the mappings: what counts as a record
    twins: Twins = field(default_factory=Twins)
    columns: Columns = field(default_factory=Columns)
    foresight: Foresight = field(default_factory=Foresight)
    horizon: Callable[[], datetime | None] = lambda: None
    books: Books = field(init=False)

    def __post_init__(self) -> None:
        self.books = Books(self.ledger, mapping=self.mapping)
        self.began = self.clock()

    def now(self) -> datetime:
        """The engine's time, UTC."""
        return self.clock()

    async def ask_times(self, cursors: Iterable[str], connections: Iterable[str]) -> None:
        """Learn what time it is in systems whose lists were left somewhere: it may be earlier."""
        for system in {name.partition(".")[0] for name in cursors}.intersection(connections):
            await (await self.client(system)).ask_time()

    async def until_over(self, system: str, moment: datetime) -> bool:
        """Wait until the second of *moment* is over there; whether there was anything to wait for."""
        there = (await self.client(system)).time_there() or self.now()
        left = (moment.replace(microsecond=0) - there).total_seconds() + 1
        if left > 0:  # whatever the clocks say: a second after it was told, its second is over
            await self.pause(min(left, 1))
        return left > 0

    def resource(self, system: str, name: str) -> Resource:
        """How records of an object are read and written."""
        resource = self.connector(system).resource(name)
        if resource is None:
            raise StepFailed("invalid", f"connector {system!r} knows no object {name!r}")
        return resource

    def operation(self, system: str, name: str) -> Operation:
        """An operation of the connector that *system* is bound to."""
        operation = self.connector(system).operations.get(name)
        if operation is None:
            raise StepFailed("invalid", f"connector {system!r} has no operation {name!r}")
        return operation

    async def read(self, system: str, operation: str, arguments: Mapping[str, Any]) -> Any:
        """Call an operation that changes nothing."""
        item = ITEM.get()
        reply = await self._answer(item, system, operation, arguments)
        if item is not None:
            look(item.sought, [system, operation, arguments], reply)
        return reply

    async def _answer(
        self, item: Item | None, system: str, operation: str, arguments: Mapping[str, Any]
    ) -> Any:
        if self.planning and NEW in json.dumps(arguments, default=str, ensure_ascii=False):
            return nothing_of(self.operation(system, operation))
        believes = item is not None and not (item.wrote or item.shared)
        asked = question_of(system, operation, arguments) if believes else None
        if asked and not self.planning and (known := self.foresight.answer(asked)) is not None:
            return known
        client = await self.client(system)
        reply = await client.collect(operation, arguments)
        if self.planning:
            self.marks.note(item.seen if item else self.seen, system, reply)
            if asked and not found_nothing(reply):  # another process may make it meanwhile
                self.foresight.record(asked, reply)
        return reply

    async def page(
        self, system: str, operation: str, arguments: Mapping[str, Any], *, at: str | None = None
    ) -> Page:
        """One page of a list that is read from outside of records."""
        page = await (await self.client(system)).page(operation, arguments, at=at)
        if self.planning:
            self.marks.note(self.seen, system, page.items)
        return page

    def portion(self) -> Callable[[], None]:
        """Begin a list that comes in portions; what is given lets go of what each had at hand."""
        before = self.foresight.names()
        return lambda: self.foresight.since(before)

    def taken(self, name: str, key: str, *, leave: bool) -> Any:
        """A record that was read ahead, or None; a plan has seen it then."""
        item = ITEM.get()
        value = self.foresight.take(name, key, leave=leave)
        if item and item.shared:
            return None
        if self.planning and value is not None:
            for system in self.marks.by_system:
                self.marks.note(item.seen if item else self.seen, system, value)
        return value

    async def call(
        self, system: str, name: str, arguments: Mapping[str, Any], *, rule: Place
    ) -> Any:
        """Call an operation a flow names, whichever way it works; of a write, the step is the rule."""
        operation = self.operation(system, name)
        if operation.effect == "read":
            return await self.read(system, name, arguments)
        write = loose_write(self.connector(system), system, operation, arguments, rule=rule)
        item = ITEM.get()
        left_id, right_id = item.deal if item is not None else (None, None)
        return await self.write(replace(write, left_id=left_id, right_id=right_id))

    async def write(self, write: Write) -> Any:
        """Send a write, once, or record it where this is a plan."""
        item = ITEM.get()
        # Whoever is alone in a scope believes the look-up; a plan, which makes nothing, cannot.
        alone = ALONE.get() is not None and not self.planning
        twin = self.twins.made_by_another(item.sought, write) if item and not alone else None
        if self.planning:
            if twin is None:
                self._note(write)
            return dict(write.predicted if twin is None else twin)
        if item is not None:
            item.wrote = True
        if twin is not None:
            raise made_a_moment_ago(write)
        if self.permit is not None:
            self.permit.take(write)
        try:
            reply = await self._sent(write)
        except ConnectorError:
            self.doubt()
            raise
        if write.kind == "create" and was_there(reply):
            write = replace(write, kind="update")  # another run made it a moment ago
        await self._record(write, _id_of(reply) or write.id)
        return reply

    def doubt(self) -> None:
        """The record is not as it was read: nothing is believed but what is read from now on."""
        if (item := ITEM.get()) is not None:
            self.books.close(item.key)

    async def _sent(self, write: Write) -> Any:
        operation = self.operation(write.system, write.operation)
        if operation.idempotent or write.kind == "delete":
            return await self._repeatable(write, operation)
        return await self._once(write, operation)

    async def _repeatable(self, write: Write, operation: Operation) -> Any:
        """Send what may be sent twice; where an answer was lost, ask first if that can be asked."""
        client = await self.client(write.system)
        try:
            return await client.collect(write.operation, write.arguments)
        except ConnectorError as error:
            asked = question(operation, write.arguments, intended_at=self.now())
            known = None if error.happened == "no" else await self._ask(write, asked)
            if known is None:
                raise
            return known

    async def _once(self, write: Write, operation: Operation) -> Any:
        """Send what must not happen twice: intent first, outcome after; ask when an answer was lost."""
        asked = question(operation, write.arguments, intended_at=self.now())
        if asked is None:
            # Nobody can be asked about this one: it is never repeated here. A flow that looks for
            # the record before it makes it may begin anew, and finds what was made.
            return await self._send_unasked(write)
        key = intent_key(write, asked)
        intent = await self.ledger.intents.open(
            key,
            connection=write.system,
            operation=write.operation,
            arguments_digest=digest(write.arguments),
            run_id=self.run_id,
            item=_named(ITEM.get()),
        )
        self._remember_intent(key)
        if intent.state == "resolved":
            return intent.outcome
        if not intent.fresh:  # somebody was cut off after saying it would write this
            again = question(operation, write.arguments, intended_at=intent.opened_at)
            known = await self._ask(write, again)
            if known is not None:
                await self.ledger.intents.resolve(key, known)
                return known
        reply = await self._send(write, asked, key)
        await self.ledger.intents.resolve(key, reply)
        return reply

    async def _send_unasked(self, write: Write) -> Any:
        client = await self.client(write.system)
        try:
            return await client.collect(write.operation, write.arguments)
        except ConnectorError as error:
            if error.happened == "no":
                self.twins.unmade(write)
                raise
            raise unknown(write) from error

    async def _send(self, write: Write, asked: Question, key: str) -> Any:
        client = await self.client(write.system)
        try:
            return await client.collect(write.operation, write.arguments)
        except ConnectorError as error:
            if error.happened == "no":
                await self.ledger.intents.forget(key)
                raise
            known = await self._ask(write, asked)
            if known is None:
                raise
            return known

    async def _ask(self, write: Write, asked: Question | None) -> Mapping[str, Any] | None:
        if asked is None:
            return None
        try:
            output = await self.read(write.system, asked.operation, asked.arguments)
        except ConnectorError as error:
            if error.error_class == "not_found":
                return None
            raise
        return found(asked, output, write.arguments)

    def _remember_intent(self, key: str) -> None:
        item = ITEM.get()
        (item.intents if item else self.loose_intents).append(key)

    async def advance(self, cursor: str, to: datetime) -> None:
        """Remember how far a list was read; a plan that is applied goes as far as it was read then."""
        to = min(to, self.horizon() or to)
        if self.planning:
            self.reached[cursor] = to
            return
        if self.permit is not None:
            if cursor not in self.permit.reached:
                return
            to = min(to, self.permit.reached[cursor])
        await self.ledger.cursors.advance(cursor, to)

    async def look_back(self) -> None:
        """Find what earlier runs of the flow announced and never came back to."""
        if not self.planning:
            self.left_open = await self.ledger.intents.left_by(self.flow)

    def heed_others(self, item: Item, *, since: datetime) -> None:
        """The record is ours alone now: was another run at it since ours began?"""
        link = self.books.found(item.key)
        if link is not None and link.updated_at is not None and link.updated_at > since:
            item.shared = True
            self.books.close(item.key)  # it may be under another key, too

    async def through_with(self, item: Item) -> None:
        """A record is done: what it announced has done its work, and what a dead run had left."""
        await self.forget(item.intents)
        if item.keyed and item.key in self.left_open and item.status in DONE:
            self.left_open.discard(item.key)
            await self.ledger.intents.forget_of(item.key, flow=self.flow)

    async def forget(self, keys: list[str]) -> None:
        """The records these intents made are linked now; the intents have done their work."""
        for key in keys:
            await self.ledger.intents.forget(key)
        keys.clear()

    def foreseen(self, record_id: str) -> Mapping[str, Any]:
        """What a plan has put into a record so far; nothing in a run, which can read it."""
        item = ITEM.get()
        writes = (item.writes if item else self.writes) if self.planning else ()
        updates = (one for one in writes if one.id == record_id and one.kind == "update")
        return {field.field: field.new for one in updates for field in one.fields}

    def _note(self, write: Write) -> None:
        self.writes.append(write)
        item = ITEM.get()
        if item is not None:
            # An account or a solution that comes or goes is an update of the deal it belongs to.
            counts = not self.mapped or write.object in self.mapped
            item.kinds.add(write.kind if counts else "update")
            item.writes.append(write)

    async def _record(self, write: Write, record_id: str | None) -> None:
        self._note(write.done(record_id))
        at = self.now()  # one for all fields: it tells which were written together
        await self.ledger.history.record(
            [
                Change(
                    run_id=self.run_id,
                    flow=self.flow,
                    flow_hash=self.flow_hash,
                    mapping=write.mapping,
                    left_id=write.left_id,
                    right_id=write.right_id,
                    system=write.system,
                    object=write.object,
                    record_id=record_id,
                    operation=write.kind,
                    field=one.field,
                    old=newest_line(one.old) if one.own else one.old,
                    new=newest_line(one.new) if one.own else one.new,
                    loses=one.loses,
                    rule_file=one.rule.file if one.rule else None,
                    rule_line=one.rule.line if one.rule else None,
                    own=one.own,
                    at=at,
                )
                for one in write.fields
            ]
        )


def _named(item: Item | None) -> str | None:
    """The key that later runs will know the record by; only a loop's `key` is one."""
    return item.key if item and item.keyed else None


def _id_of(reply: Any) -> str | None:
    value = pick(reply, "id") if isinstance(reply, Mapping) else None
    return str(value) if value else None
