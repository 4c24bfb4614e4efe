"""Serve a project: everything that runs until it is told to stop, started and stopped in order."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import os
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cosell_connectors.certificates import Doorkeeper
from cosell_connectors.transport import download
from cosell_definitions.model import Flow
from cosell_flows.ledger import LedgerError, this_process
from cosell_flows.on_prefect import surroundings
from cosell_flows.on_prefect.server import (
    PrefectServer,
    ServerNotStarted,
    must_answer,
    prefect_server,
)
from cosell_flows.on_prefect.surroundings import SERVING
from cosell_flows.running.engine import Engine
from cosell_flows.running.outcomes import RunResult

from .dispatcher import Dispatcher, NotNow
from .listening import Listener
from .metrics import Calls
from .receiver import CONNECTION, PATH, Admit, Receiver
from .recovery import is_alive, recover

if TYPE_CHECKING:
    from cosell_flows.on_prefect.deployments import Deployments

_LOG = logging.getLogger(__name__)
_LOOK_S = 1.0
_RECOVER_S = 20.0
_GRACE_S = 3.0  # what runs may take to end by themselves when we are told to stop


async def serve(
    open_engine: Callable[[], Awaitable[Engine]],
    *,
    host: str,
    port: int,
    all_on: bool,
    ready: Callable[[dict[str, Any]], Any],
    stop: asyncio.Event,
) -> None:
    """Serve until *stop*: receiver, runner, schedules, and a Prefect server where none is given.

    *ready* is told the addresses once everything answers. Raises OSError where the port is in
    use, and ServerNotStarted where Prefect does not come up.
    """
    listener = Listener(host, port)
    try:
        engine = await open_engine()
    except BaseException:
        listener.close()
        raise
    try:
        await _serve(engine, listener, all_on=all_on, ready=ready, stop=stop)
    finally:
        listener.close()
        await engine.aclose()


async def _serve(
    engine: Engine,
    listener: Listener,
    *,
    all_on: bool,
    ready: Callable[[dict[str, Any]], Any],
    stop: asyncio.Event,
) -> None:
    if all_on:
        for flow in engine.project.flows:
            await engine.ledger.switches.set(flow, True)
    serving = Serving(engine)
    state = engine.project.root / ".cosell"
    # Events are taken from the first moment, while Prefect still starts: they only have to wait.
    async with listener.answering(serving.receiver().app()), _prefect(state, stop) as server:
        if server is None:
            return
        surroundings.settle(state / "prefect", server.api_url)
        async with serving.working(), _announced(state, listener, server, ready):
            await _until(stop, server)


@contextlib.asynccontextmanager
async def _prefect(state: Path, stop: asyncio.Event) -> AsyncIterator[_Api | None]:
    """The user's Prefect, or one of our own; None where we are told to stop while it starts."""
    given = surroundings.api_url_given()
    if given is not None:
        await must_answer(given)
        yield _Api(api_url=given, ui_url=given.removesuffix("/api"))
        return
    async with contextlib.AsyncExitStack() as stack:
        home = state / "prefect"
        beginning = prefect_server(home, starting=partial(surroundings.warm_up, home))
        starting = asyncio.create_task(stack.enter_async_context(beginning))
        stopping = asyncio.create_task(stop.wait())
        await asyncio.wait({starting, stopping}, return_when=asyncio.FIRST_COMPLETED)
        stopping.cancel()
        if not starting.done():
            starting.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await starting
            yield None
            return
        server = await starting
        yield _Api(
            api_url=server.api_url, ui_url=server.ui_url, own=server, log=home / "server.log"
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Api:
    """The Prefect we work with; `own` where we started it."""

    api_url: str
    ui_url: str
    own: PrefectServer | None = None
    log: Path | None = None


@contextlib.asynccontextmanager
async def _announced(
    state: Path, listener: Listener, server: _Api, ready: Callable[[dict[str, Any]], Any]
) -> AsyncIterator[None]:
    """Tell everybody where we are, while we are there."""
    addresses = {
        "receiver": f"{listener.url}{PATH}",
        "prefect_ui": server.ui_url,
        "prefect_api": server.api_url,
    }
    file = state / SERVING
    file.write_text(json.dumps({"pid": os.getpid(), **addresses}) + "\n", encoding="utf-8")
    try:
        ready(addresses)
        yield
    finally:
        # Of several that serve one folder, the one that began last is the one written there.
        with contextlib.suppress(OSError, ValueError, KeyError):
            if json.loads(file.read_text(encoding="utf-8"))["pid"] == os.getpid():
                file.unlink(missing_ok=True)


async def _until(stop: asyncio.Event, server: _Api) -> None:
    stopping: asyncio.Task[Any] = asyncio.create_task(stop.wait())
    waiting = {stopping}
    if server.own is not None:
        waiting.add(asyncio.create_task(server.own.ended()))
    done, pending = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
    for task in pending:
        task.cancel()
    if stopping not in done:
        raise ServerNotStarted(
            f"the Prefect server ended by itself; start cosell serve again. Its log is {server.log}"
        )


class Serving:
    """The parts that work while a project is served."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._ledger = engine.ledger
        self._deployments: Deployments | None = None
        self._prefect_problem: str | None = "still starting"
        self._dispatcher = Dispatcher(
            engine.ledger,
            self._run_batch,
            flows=engine.project.flows.values(),
            env=engine.environment.values,
            owner=this_process(),
            clock=engine.clock,
        )

    def receiver(self) -> Receiver:
        """The receiver of this project's webhooks."""
        return Receiver(
            ledger=self._ledger,
            admit=_admit(self._engine),
            wanted=self._dispatcher.listens_to,
            stored=self._dispatcher.event_came,
            checks=self._checks,
            calls=self._calls,
        )

    def _calls(self) -> Mapping[str, Calls]:
        """What the other systems said about a day's calls, as far as anybody has called."""
        return {
            name: Calls(
                used=client.usage.used if client.usage else None,
                limit=client.usage.limit if client.usage else None,
                refused=client.refused,
            )
            for name, client in self._engine.clients.items()
        }

    @contextlib.asynccontextmanager
    async def working(self) -> AsyncIterator[None]:
        """Recover, run, dispatch and follow the switches while the block runs."""
        # Only now: Prefect reads its surroundings when it is imported.
        from cosell_flows.on_prefect.deployments import Deployments  # noqa: PLC0415
        from cosell_flows.on_prefect.heartbeats import install_heartbeat_automation  # noqa: PLC0415
        from cosell_flows.on_prefect.runner import Runner  # noqa: PLC0415
        from cosell_flows.on_prefect.sending import send_everything  # noqa: PLC0415

        engine, ledger = self._engine, self._ledger
        deployments = Deployments(engine.project, env=engine.environment.values)
        await deployments.register(await ledger.switches.on())
        await install_heartbeat_automation()
        await self._recover(deployments)
        self._deployments, self._prefect_problem = deployments, None
        runner = Runner(engine, deployments)
        working = [
            asyncio.create_task(runner.run()),
            asyncio.create_task(self._dispatcher.run(ledger.switches.on)),
        ]
        watching = [
            asyncio.create_task(self._again_and_again(_LOOK_S, partial(self._follow, deployments))),
            asyncio.create_task(
                self._again_and_again(_RECOVER_S, partial(self._recover, deployments))
            ),
        ]
        try:
            yield
        finally:
            await _all_cancelled(watching)
            runner.take_no_more()
            self._dispatcher.take_no_more()
            await _quiet(lambda: runner.is_idle and self._dispatcher.is_idle)
            await _all_cancelled(working)
            await send_everything()

    async def _run_batch(
        self, flow: Flow, inputs: Mapping[str, Any], *, key: str, name: str
    ) -> RunResult:
        from httpx import HTTPError  # noqa: PLC0415 - Prefect's, and loaded with it

        from cosell_flows.on_prefect.running import NotToBeRun, run_on_prefect  # noqa: PLC0415

        if self._deployments is None:
            raise NotNow("Prefect is still starting")
        try:
            return await run_on_prefect(
                self._engine,
                flow.id,
                inputs,
                trigger="webhook",
                deployment=self._deployments.ids.get(flow.id),
                idempotency_key=key,
                name=name,
            )
        except (HTTPError, NotToBeRun) as error:
            raise NotNow(str(error) or type(error).__name__) from error

    async def _follow(self, deployments: Deployments) -> None:
        await deployments.follow(await self._ledger.switches.on())

    async def _recover(self, deployments: Deployments) -> None:
        from cosell_flows.on_prefect.reconciling import (  # noqa: PLC0415
            mark_abandoned,
            mark_crashed,
        )

        clock = self._engine.clock
        await recover(self._ledger, clock=clock, mark_crashed=mark_crashed)
        await mark_abandoned(
            deployments.ids.values(), is_alive=partial(is_alive, self._ledger, clock=clock)
        )

    async def _again_and_again(self, every: float, work: Callable[[], Awaitable[None]]) -> None:
        while True:
            await asyncio.sleep(every)
            try:
                await work()
                self._prefect_problem = None
            except LedgerError as error:
                _LOG.warning("%s", error.message)
            except Exception as error:  # noqa: BLE001 - Prefect may be away; it is asked again
                self._prefect_problem = f"cannot be reached: {error}"
                _LOG.warning("Prefect cannot be reached: %s", error)

    async def _checks(self) -> dict[str, str | None]:
        try:
            await self._ledger.inbox.counts()
            ledger = None
        except LedgerError as error:
            ledger = error.message
        return {"ledger": ledger, "prefect": self._prefect_problem}


def _admit(engine: Engine) -> Admit:
    """The doorkeeper of the events' connection, made when the first event comes."""
    made: list[Doorkeeper] = []

    async def admit(headers: Mapping[str, str], body: bytes) -> Any:
        if not made:
            webhook = engine.connector(CONNECTION).webhook
            assert webhook is not None  # the connector file says how its events are signed
            bound = engine.environment.connections[CONNECTION]
            made.append(Doorkeeper(webhook, bound, download=download))
        return await made[0].admit(headers, body, now=engine.clock())

    return admit


async def _all_cancelled(tasks: list[asyncio.Task[None]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def _quiet(is_idle: Callable[[], bool]) -> None:
    """Give what is under way a moment to end by itself."""
    loop = asyncio.get_running_loop()
    give_up_at = loop.time() + _GRACE_S
    while not is_idle() and loop.time() < give_up_at:  # noqa: ASYNC110 - two things, no one event
        await asyncio.sleep(0.05)
