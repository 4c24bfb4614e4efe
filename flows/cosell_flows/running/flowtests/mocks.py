"""Stand where the other systems would: choose the answer to each call, and keep what was asked."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any

from cosell_connectors import imitating
from cosell_connectors.client import Client, Page
from cosell_connectors.errors import ConnectorError
from cosell_connectors.imitating import Answered, Failure, NotLikeIt
from cosell_connectors.model import Connector, Operation
from cosell_connectors.scripted import Late, Lost, Sent, Time, scripted_client
from cosell_definitions.model_tests import Failing, Fixture, Mock, Raw, Reply, Returned
from cosell_definitions.problems import Place

from ..outcomes import StepFailed
from .comparing import fits, shown
from .fixtures import Fixtures, NoFixture


@dataclass(slots=True, kw_only=True)
class Call:
    """One call of an operation, and the requests it made."""

    name: str
    arguments: Mapping[str, Any]
    requests: list[Sent] = field(default_factory=list)
    whole: bool = False  # its answer was all there is: no page follows


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """Why a call could not be answered as the test says."""

    message: str
    hint: str
    place: Place | None = None


class Stage:
    """All mocks of one case, and all calls that were made."""

    def __init__(
        self,
        mocks: Mapping[str, Mock],
        *,
        fixtures: Fixtures,
        connector: Callable[[str], Connector],
        time: Time,
    ) -> None:
        self.time = time
        self._mocks = mocks
        self._fixtures = fixtures
        self._connector = connector
        self._used: dict[int, int] = {}  # id of a reply -> how often it was given
        self._standing: dict[str, StandIn] = {}
        self.calls: list[Call] = []
        self.faults: list[Fault] = []

    def caller(self, connection: str) -> StandIn:
        """Who answers for a connection."""
        if connection not in self._standing:
            self._standing[connection] = StandIn(self, connection, self._connector(connection))
        return self._standing[connection]

    def mocks(self, name: str) -> bool:
        """Whether there is an answer to *name* at all."""
        return name in self._mocks

    def unused(self) -> Iterator[tuple[str, Place]]:
        """Mocks that no call asked for: the operation, and where the answer stands."""
        for mock in self._mocks.values():
            for reply in mock.replies:
                if not self._used.get(id(reply)):
                    yield mock.name, reply.place

    def answer(self, connector: Connector, operation: Operation, call: Call) -> Answered:
        """The answer to a request; raises what the wire would, or the fault of the test."""
        mock = self._mocks.get(call.name)
        if call.whole and operation.paging is not None:
            return imitating.answered(operation, imitating.built([(operation.paging.items, [])]))
        reply = self._choose(mock, call.arguments)
        if reply is None:
            raise self._fault(*_no_answer(call, mock))
        self._used[id(reply)] = self._used.get(id(reply), 0) + 1
        try:
            call.whole = isinstance(reply.answer, Returned)
            return self._made(connector, operation, call, reply)
        except (NotLikeIt, NoFixture) as wrong:
            raise self._fault(
                f"{call.name}: {wrong}", wrong.hint or "mend the mock", reply.place
            ) from None

    def _choose(self, mock: Mock | None, arguments: Mapping[str, Any]) -> Reply | None:
        for reply in mock.replies if mock is not None else ():
            used_up = reply.times is not None and self._used.get(id(reply), 0) >= reply.times
            if not used_up and (reply.when is None or fits(reply.when, arguments)):
                return reply
        return None

    def _made(
        self, connector: Connector, operation: Operation, call: Call, reply: Reply
    ) -> Answered:
        system = call.name.partition(".")[0]
        match reply.answer:
            case Returned(value=value):
                body = imitating.body_of(operation, self._fixtures.resolved(value, system))
                return imitating.answered(operation, body)
            case Fixture(file=file, merge=merge, without=without):
                named = {"fixture": file, "merge": merge, "without": without}
                body = self._fixtures.resolved(named, system)
                imitating.check_body(operation, body)
                return imitating.answered(operation, body)
            case Raw(status=status, headers=headers, body=body):
                body = self._fixtures.resolved(body, system)
                return imitating.answer(body, status=status, headers=headers)
            case Failing() as failing:
                return _failed(connector, failing)

    def _fault(self, message: str, hint: str, place: Place | None) -> StepFailed:
        """Keep a fault of the test itself; the run ends, whatever the flow makes of the failure."""
        self.faults.append(Fault(message=message, hint=hint, place=place))
        return StepFailed("invalid", message, hint=hint, final=True)


_CALL: ContextVar[Call] = ContextVar("call")


class StandIn:
    """The client of one connection, answered by a stage."""

    def __init__(self, stage: Stage, connection: str, connector: Connector) -> None:
        self.connector = connector
        self._stage = stage
        self._connection = connection
        self._listing: dict[str, Call] = {}  # the lists that are read page by page
        self._client: Client = scripted_client(
            connector, connection=connection, script=self._answered, time=stage.time
        )

    def answers(self, operation: str) -> bool:
        """Whether the test says what comes of *operation*; what the engine only asks for itself."""
        return self._stage.mocks(f"{self._connection}.{operation}")

    async def ask_time(self) -> None:
        """Nobody is asked."""

    def time_there(self) -> None:
        """Nobody answers from anywhere."""

    async def collect(self, operation: str, arguments: Mapping[str, Any]) -> Any:
        """Call an operation: the request is built, the stage's answer is read, pages followed."""
        call = Call(name=f"{self._connection}.{operation}", arguments=dict(arguments))
        self._stage.calls.append(call)
        token = _CALL.set(call)
        try:
            return await self._client.collect(operation, arguments)
        finally:
            _CALL.reset(token)

    async def page(
        self, operation: str, arguments: Mapping[str, Any], *, at: str | None = None
    ) -> Page:
        """One page of a list; however many there are, they are one call."""
        name = f"{self._connection}.{operation}"
        call = Call(name=name, arguments=dict(arguments))
        if at is None:
            self._stage.calls.append(call)
            self._listing[name] = call
        token = _CALL.set(self._listing.get(name, call))
        try:
            return await self._client.page(operation, arguments, at=at)
        finally:
            _CALL.reset(token)

    def _answered(self, sent: Sent) -> Answered:
        call = _CALL.get()
        call.requests.append(sent)
        operation = self.connector.operations[call.name.partition(".")[2]]
        return self._stage.answer(self.connector, operation, call)


def _failed(connector: Connector, failing: Failing) -> Answered:
    if failing.lost:
        raise Lost(failing.message or "")
    if failing.error_class == "timeout":
        raise Late
    failure = Failure(
        error_class=failing.error_class,
        code=failing.code,
        message=failing.message,
        retry_after=failing.retry_after,
    )
    made = imitating.failing(connector, failure)
    if made is None:  # the system has no words for it; the class is what counts
        raise ConnectorError(
            failing.error_class,  # type: ignore[arg-type]
            failing.message or f"this call fails in the test: {failing.error_class}",
            code=failing.code or "",
            retry_after=failing.retry_after,
        )
    return made


def _no_answer(call: Call, mock: Mock | None) -> tuple[str, str, Place | None]:
    given = "; ".join(f"{name}: {shown(value)}" for name, value in call.arguments.items())
    said = f"{call.name} was called with {given or 'no arguments'}"
    if mock is None:
        return (
            f"{said}, and no mock answers it",
            f"add mock: {{ {call.name}: {{ return: … }} }}",
            None,
        )
    if len(call.requests) > 1:
        return (
            f"{said}; its answer names a further page, and no mock answers for it",
            ("add one more answer, or take the link to the next page out of the fixture"),
            mock.place,
        )
    return (
        f"{said}, and every answer of its mock is used up or meant for other arguments",
        ("add one more answer, or say `times`"),
        mock.place,
    )
