"""Send requests and take the answers: the one client of all connectors.

It never tries again, but for one new token after a 401: whether to try again is the step's to
decide. What it raises says whether the write may have happened. It waits before a call where the
connection's pace asks for it.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import aclosing, contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import httpx

from cosell_env.connections import Connection, MissingSetting

from . import incoming, outgoing, paging, recovering
from .breaking import begin, happened, transport_error, unreachable, wire_errors
from .errors import ConnectorError
from .hearing import Hearing
from .incoming import Reply
from .model import Connector, Operation
from .pacing import Pace, Usage, rate
from .parsing import share
from .signing import sign_in, signature
from .tokens import signed_inside, silenced

USER_AGENT = "cosell"
LONGEST_HOLD = 120.0  # seconds that one call's `Retry-After` holds the others back


@dataclass(frozen=True, slots=True, kw_only=True)
class _Bound:
    """What a connection comes to, once its settings are read."""

    http: httpx.AsyncClient
    base_url: str
    settings: Mapping[str, str]
    total: float  # seconds a call may take
    pace: Pace


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """A part of a list. `output`: the operation's output, of this page alone."""

    items: list[Any]
    output: Any
    following: str | None  # where the next page is, for `Client.page`


class Client:
    """Calls the operations of one connector, over one connection."""

    def __init__(
        self,
        connector: Connector,
        connection: Connection,
        *,
        transport: httpx.AsyncBaseTransport | None = None,
        clock: Callable[[], float] = time.time,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self.connector = connector
        self.connection = connection
        self._transport = transport
        self._clock = clock
        self._sleep = sleep
        self._opened: _Bound | None = None
        self._hearing = Hearing(clock)

    async def __aenter__(self) -> Client:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    async def call(self, operation: str, arguments: Mapping[str, Any]) -> Reply:
        """Do *operation* once and hand over the answer; of a list, its first page."""
        with self._naming(operation, arguments) as described:
            return await self._send(described, self._request(described, arguments), arguments)

    async def pages(self, operation: str, arguments: Mapping[str, Any]) -> AsyncIterator[Reply]:
        """The pages of a list, one after the other, until its end or its `stop`."""
        async for reply, _, _ in self._walk(operation, arguments):
            yield reply

    async def page(
        self, operation: str, arguments: Mapping[str, Any], *, at: str | None = None
    ) -> Page:
        """One page of a list: the first, or the one that is *at* where the last page said."""
        async with aclosing(self._walk(operation, arguments, at=at)) as walk:
            reply, kept, following = await anext(walk)
        with self._naming(operation) as described:
            output = paging.output(described, reply.body, kept, arguments)
        return Page(items=kept, output=output, following=following)

    async def collect(self, operation: str, arguments: Mapping[str, Any]) -> Any:
        """The operation's output, as its connector file declares it; a list with all its pages."""
        first: Reply | None = None
        collected: list[Any] = []
        async for reply, kept, _ in self._walk(operation, arguments):
            first = first or reply
            collected += kept
        with self._naming(operation) as described:
            return paging.output(described, first.body if first else None, collected, arguments)

    async def recover(
        self, operation: str, arguments: Mapping[str, Any], *, intended_at: datetime
    ) -> tuple[bool, Mapping[str, Any] | None]:
        """Ask whether a write happened whose answer was lost: could it be asked, and its record."""
        with self._naming(operation) as described:
            asked = recovering.question(described, arguments, intended_at=intended_at)
        if asked is None:
            return False, None
        try:
            output = await self.collect(asked.operation, asked.arguments)
        except ConnectorError as error:
            if error.error_class == "not_found":
                return True, None
            raise
        return True, recovering.found(asked, output, arguments)

    def answers(self, operation: str) -> bool:
        """Whether the other system can be asked to do *operation*."""
        return operation in self.connector.operations

    def time_there(self) -> datetime | None:
        """What time it is there at least, by its last answer; None where it never told."""
        return self._hearing.now()

    async def ask_time(self) -> None:
        """Learn what time it is there, where it never told: any call needs us signed in."""
        if self.time_there() is None:
            with suppress(ConnectorError, MissingSetting, *wire_errors()):  # the next call tells
                await sign_in(self._bound().http, self._bound().base_url)

    async def _hear(self, answer: httpx.Response) -> None:
        self._hearing.hear(dict(answer.headers))

    @property
    def usage(self) -> Usage | None:
        """What the other system last said about the day's calls, where it says."""
        return self._opened.pace.usage if self._opened else None

    @property
    def refused(self) -> int:
        """How many calls were not made, to leave a day's last ones to people."""
        return self._opened.pace.refused if self._opened else 0

    async def aclose(self) -> None:
        """Close the connections that are kept open."""
        opened, self._opened = self._opened, None
        if opened is not None:
            await opened.http.aclose()

    @contextmanager
    def _naming(self, name: str, arguments: Mapping[str, Any] | None = None) -> Iterator[Operation]:
        """The operation called *name*; whatever goes wrong carries its name, and the record's."""
        operation = self.connector.operations.get(name)
        try:
            if operation is None:
                known = ", ".join(sorted(self.connector.operations))
                text = f"{self.connector.name} has no operation {name!r}; it has {known}"
                raise ConnectorError("invalid", text, code="no_such_operation")
            yield operation
        except MissingSetting as missing:
            raise ConnectorError(
                "unauthorized",
                str(missing),
                code="missing_setting",
                connection=self.connection.name,
                operation=name,
                field=missing.key,
            ) from missing
        except ConnectorError as error:
            error.connection = error.connection or self.connection.name
            error.operation = error.operation or name
            if operation is not None:
                error.record = error.record or outgoing.record_named(operation, arguments or {})
            if operation is not None and operation.effect == "read":
                error.happened = "no"
            raise

    async def _walk(
        self, name: str, arguments: Mapping[str, Any], *, at: str | None = None
    ) -> AsyncGenerator[tuple[Reply, list[Any], str | None]]:
        """Each page of a list with the items that are asked for and where the next one is.

        Of anything else, its answer. *at*: where it goes on that was begun before.
        """
        with self._naming(name, arguments) as operation:
            first = self._request(operation, arguments)
            if at is not None:
                first = replace(first, url=paging.again(at, base_url=self._bound().base_url))
            request: outgoing.Outgoing | None = first
            given = outgoing.fill(operation, arguments)
        while request is not None:
            with self._naming(name, arguments):
                reply = await self._send(operation, request, given)
                kept, following = self._turn(operation, given, reply, current=request.url)
            yield reply, kept, following
            request = replace(request, url=following) if following else None

    def _turn(
        self, operation: Operation, given: Mapping[str, Any], reply: Reply, *, current: str
    ) -> tuple[list[Any], str | None]:
        if operation.paging is None:
            return [], None
        page = paging.items(operation.paging, reply.body)
        kept, ended = paging.until(operation.paging, page, given)
        if ended:
            return kept, None
        base_url = self._bound().base_url
        return kept, paging.next_url(
            operation.paging,
            reply.body,
            current=current,
            base_url=base_url,
            headers=reply.headers,
            had=len(page),
        )

    def _request(self, operation: Operation, arguments: Mapping[str, Any]) -> outgoing.Outgoing:
        bound = self._bound()
        return outgoing.build(
            self.connector,
            operation,
            arguments,
            base_url=bound.base_url,
            settings=bound.settings,
        )

    async def _send(
        self, operation: Operation, request: outgoing.Outgoing, arguments: Mapping[str, Any]
    ) -> Reply:
        bound = self._bound()
        headers = dict(request.headers)
        headers |= {name: str(uuid4()) for name in self.connector.unique_headers}
        sent = bound.http.build_request(
            request.method,
            request.url,
            headers=headers,
            content=request.content,
            extensions=signed_inside(operation, self.connector.errors),
        )
        await self._wait_for_turn(bound)
        try:
            async with asyncio.timeout(bound.total):
                response = await bound.http.send(sent)
        except TimeoutError as error:
            text = f"there was no whole answer within {bound.total:g} seconds"
            raise unreachable(text, code="timeout", happened=happened(sent)) from error
        except wire_errors() as error:
            raise transport_error(sent, error) from error
        try:
            return self._read(operation, bound.pace, response, arguments)
        except ConnectorError as error:
            silenced(error, sent)
            raise

    async def _wait_for_turn(self, bound: _Bound) -> None:
        """Keep to the pace of the connection; raises where the turn would come too late."""
        now = self._clock()
        spent = bound.pace.spent(now)
        if spent is not None:
            raise ConnectorError("rate_limited", spent, code="budget_reserved")
        pause = bound.pace.reserve(now, most=bound.total)
        if pause is None:
            text = f"too many calls are waiting: there is no room within {bound.total:g} seconds"
            raise ConnectorError("rate_limited", text, code="too_many_waiting")
        if pause > 0:
            await self._sleep(pause)

    def _read(
        self,
        operation: Operation,
        pace: Pace,
        response: httpx.Response,
        arguments: Mapping[str, Any],
    ) -> Reply:
        headers = {name.lower(): value for name, value in response.headers.items()}
        pace.told(headers)
        now = self._clock()
        try:
            reply = incoming.read(
                self.connector.errors,
                status=response.status_code,
                headers=headers,
                content=response.content,
                now=datetime.fromtimestamp(now, UTC),
                answer=operation.answer,
            )
        except ConnectorError as error:
            pause = error.retry_after.total_seconds() if error.retry_after else 0.0
            if error.error_class == "rate_limited" and 0 < pause <= LONGEST_HOLD:
                pace.hold(now + pause)  # calls that are refused count, too
            raise
        if operation.rows is None:
            return reply
        return incoming.with_row_errors(reply, operation.rows, self.connector.errors, arguments)

    def _bound(self) -> _Bound:
        if self._opened is None:
            base_url = _base_url(self.connector, self.connection)
            settings = self._settings()
            auth = signature(
                self.connector,
                self.connection,
                base_url=base_url,
                settings=settings,
                clock=self._clock,
            )
            self._opened = _Bound(
                http=self._http(auth),
                base_url=base_url,
                settings=settings,
                total=self.connection.seconds("total_timeout", 120),
                pace=_pace(self.connector, self.connection),
            )
        return self._opened

    def _settings(self) -> dict[str, str]:
        """The connector's settings; one without a default that a path names must be set."""
        operations = self.connector.operations.values()
        paths = [one.path + (one.base_path or "") for one in operations]
        used = "".join((self.connector.base_path, *paths))
        found: dict[str, str] = {}
        for name, default in self.connector.settings.items():
            value = self.connection.text(name) or default
            if not value and f"{{{name}}}" in used:
                value = str(self.connection.require(name))
            found[name] = value
        return found

    def _http(self, auth: httpx.Auth | None) -> httpx.AsyncClient:
        limit = self.connector.rate_limit
        total = self.connection.seconds("total_timeout", 120)
        read = self.connection.seconds("read_timeout", 60)
        connect = self.connection.seconds("connect_timeout", 10)
        return httpx.AsyncClient(
            auth=auth,
            transport=self._transport or _wire(most=limit.concurrent if limit else 20),
            timeout=httpx.Timeout(connect=connect, read=read, write=read, pool=total),
            headers={"Accept": "application/json", "User-Agent": USER_AGENT},
            event_hooks={"request": [begin], "response": [self._hear]},
            follow_redirects=False,
            cookies=CookieJar(DefaultCookiePolicy(allowed_domains=())),  # none is kept
            trust_env=False,  # our transport asks the environment itself, but for .netrc
        )


def _wire(*, most: int) -> httpx.AsyncBaseTransport:
    # Whoever plays the other side, as the tests of flows do, needs no wire; it takes long to load.
    from .transport import Transport  # noqa: PLC0415

    return Transport(most=most)


def _pace(connector: Connector, connection: Connection) -> Pace:
    """The pace the connector's file sets, or the connection."""
    limit, reserve = connector.rate_limit, None
    written, left = connection.text("rate_limit"), connection.text("reserve")
    if written is not None:
        try:
            limit = rate(written, limit)
        except ValueError:
            raise _odd(connection, "rate_limit", written, "write 100/60s, or off") from None
    if left is not None:
        reserve = share(left)
        if reserve is None:
            raise _odd(connection, "reserve", left, "write a share, such as 20%")
    return Pace(limit, reserve=reserve)


def _odd(connection: Connection, key: str, written: str, cure: str) -> MissingSetting:
    text = f"connection {connection.name}: {key} is {written!r}, which says nothing; {cure}"
    return MissingSetting(text, connection=connection.name, key=key)


def _base_url(connector: Connector, connection: Connection) -> str:
    found = connection.text("base_url") or connector.base_url
    url = (found or str(connection.require("base_url"))).rstrip("/")
    parts = urlsplit(url)
    plain = not (parts.username or parts.query or parts.fragment)
    if parts.scheme in {"http", "https"} and parts.hostname and plain:
        return url
    raise ConnectorError(
        "invalid",
        f"the base_url {url!r} is not a plain web address, like https://example.com/v1",
        code="bad_base_url",
    )
