"""Walk through a flow: which step comes next, what it sees, what a failure does. No effects of its own.

Theory of operation. A step runs in a *frame* of names. Rule 1: a step whose `when` is false leaves
a skipped entry without an output. Rule 2: a failure is tried again as `retry` says, then `on_error`
sees it, then it goes up. Rule 3: `finally` runs in every case, cancellation included. Rule 4: `stop`
is no error; it ends the item or the flow. Rule 5: the turns of a loop share nothing but what was
there before it. Effects are two callables, `act` and `child`; where the seconds go is the caller's.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Protocol, assert_never

from cosell_connectors.errors import ConnectorError
from cosell_definitions.model import (
    Action,
    Bare,
    CallFlow,
    Flow,
    ForEach,
    If,
    Parallel,
    Scope,
    SetValues,
    Step,
    Stop,
    Switch,
    Until,
    Value,
    Wait,
)

from ..compiling.expressions import ExpressionFailed, evaluate, evaluate_bare, truth
from ..syncing.errors import SyncError
from .loops import Loops
from .outcomes import StepFailed, StepRecord, Stopped
from .retrying import pause_before_retry
from .scope import Frame
from .watching import Watch

Run = Callable[[], Awaitable[None]]
StepWrapper = Callable[[Step, Run], Awaitable[None]]


class Effects(Protocol):
    """What a flow does to the world."""

    loops: Loops

    async def act(self, action: Action, arguments: Mapping[str, Any]) -> Any:
        """Do an operation of a connector or of the engine."""

    def bound(self, call: CallFlow) -> Mapping[str, Value]:
        """The arguments of a call, its literals typed by what the called flow takes."""

    async def child(self, flow: str, arguments: Mapping[str, Any], depth: int) -> Any:
        """Run another flow, and give its outputs."""

    async def sleep(self, seconds: float) -> None:
        """Let time pass."""


@dataclass(slots=True, kw_only=True)
class Walk:
    """One run of one flow."""

    flow: Flow
    effects: Effects
    records: list[StepRecord] = field(default_factory=list)
    depth: int = 0
    wrap: StepWrapper | None = None
    watch: Watch | None = None

    def saw(self, step: str, way: str) -> None:
        """Tell whoever watches which way a step went."""
        if self.watch is not None:
            self.watch.saw(self.flow.id, step, way)

    async def steps(self, steps: tuple[Step, ...], frame: Frame, *, top: bool = False) -> None:
        """Run *steps* one after the other."""
        for step in steps:
            if top and self.wrap is not None:
                await self._wrapped(step, frame, self.wrap)
            else:
                await self.step(step, frame)

    async def _wrapped(self, step: Step, frame: Frame, wrap: StepWrapper) -> None:
        stopped: list[Stopped] = []

        async def run() -> None:
            try:
                await self.step(step, frame)
            except Stopped as reached:  # no failure, so the wrapper need not know
                stopped.append(reached)

        await wrap(step, run)
        if stopped:
            raise stopped[0]

    async def step(self, step: Step, frame: Frame) -> None:
        """Run one step, with all that stands around it."""
        record = StepRecord(id=step.id)
        if not frame.names.get("_in_item"):
            self.records.append(record)
        began = time.monotonic()
        try:
            holds = step.when is None or self._holds(step, step.when, frame)
            if step.when is not None:
                self.saw(step.id, "when yes" if holds else "when no")
            self.saw(step.id, "ran" if holds else "skipped")
            if step.when is not None and not holds:
                record.status, record.reason = "skipped", f"when: {step.when.text}"
                frame.tell(step.id, {"status": "skipped"})
                return
            await self._guarded(step, frame, record)
        finally:
            record.seconds = time.monotonic() - began

    async def _guarded(self, step: Step, frame: Frame, record: StepRecord) -> None:
        """`on_error` and `finally` around the tries."""
        try:
            try:
                await self._tries(step, frame, record)
            except StepFailed as failure:
                record.status, record.reason = "failed", failure.message
                frame.tell(step.id, {"status": "failed", "error": failure.as_json()})
                if step.on_error is None:
                    raise
                self.saw(step.id, f"caught {failure.error_class}")
                caught = frame.with_names(error=failure.as_json())
                await self.steps(step.on_error.steps, caught)
                if step.on_error.then == "fail":
                    raise
        except (Stopped, asyncio.CancelledError) as ended:
            if record.status == "running":
                record.status = "succeeded" if isinstance(ended, Stopped) else "cancelled"
                record.reason = str(ended) or None
            raise
        finally:
            if step.finally_:
                await asyncio.shield(self.steps(step.finally_, frame))

    async def _tries(self, step: Step, frame: Frame, record: StepRecord) -> None:
        policy = step.retry or (self.flow.default_retry if isinstance(step.do, Action) else None)
        while True:
            try:
                output = await self._once(step, frame, record)
                break
            except StepFailed as failure:
                pause = pause_before_retry(failure, record.attempts, policy)
                if pause is None:
                    failure.final = (
                        False  # the step is not repeated; a scope around it may begin anew
                    )
                    raise
                self.saw(step.id, f"retried {failure.error_class}")
                await self.effects.sleep(pause.total_seconds())
                record.attempts += 1
        if record.status == "running":
            record.status = "succeeded"
            frame.tell(step.id, {"status": "succeeded", "output": output})

    async def _once(self, step: Step, frame: Frame, record: StepRecord) -> Any:
        """One try, within its time, with every failure in our own words."""
        try:
            async with asyncio.timeout(step.timeout.total_seconds() if step.timeout else None):
                return await self._do(step, frame, record)
        except StepFailed as failure:
            raise failure.located(step.id, step.place) from failure.__cause__
        except TimeoutError as error:
            raise StepFailed(
                "timeout", f"took longer than {step.timeout}", step=step.id, place=step.place
            ) from error
        except (ExpressionFailed, ConnectorError, SyncError) as error:
            raise as_failure(error).located(step.id, step.place) from error

    def _holds(self, step: Step, condition: Bare, frame: Frame) -> bool:
        try:
            return truth(condition, frame.scope())
        except ExpressionFailed as error:
            raise as_failure(error).located(step.id, step.place) from error

    async def _do(self, step: Step, frame: Frame, record: StepRecord) -> Any:
        """The one thing a step does."""
        match step.do:
            case Action() as action:
                return await self.effects.act(action, evaluate(action.arguments, frame.scope()))
            case CallFlow() as call:
                arguments = evaluate(self.effects.bound(call), frame.scope())
                return await self.effects.child(call.flow, arguments, self.depth + 1)
            case SetValues() as naming:
                return evaluate(naming.values, frame.scope())
            case If() as branch:
                chosen = truth(branch.condition, frame.scope())
                self.saw(step.id, "then" if chosen else "else")
                await self.steps(branch.then if chosen else branch.otherwise, frame)
            case Switch() as switch:
                await self._switch(step, switch, frame, record)
            case ForEach() as loop:
                return await self.effects.loops.run(self, loop, frame, record)
            case Until() as poll:
                await self._until(poll, frame)
            case Parallel() as parallel:
                await self._parallel(parallel, frame)
            case Wait() as wait:
                await self.effects.sleep(_seconds(wait, frame))
            case Stop() as stop:
                raise Stopped(
                    stop.scope,
                    stop.status,
                    str(evaluate(stop.reason, frame.scope()) or ""),
                    stop.error_class,
                    step.id,
                    step.place,
                )
            case Scope() as inner:
                await self.steps(inner.steps, frame)
            case unknown:
                assert_never(unknown)
        return None

    async def _switch(self, step: Step, switch: Switch, frame: Frame, record: StepRecord) -> None:
        subject = evaluate_bare(switch.subject, frame.scope())
        for number, case in enumerate(switch.cases, start=1):
            if any(subject == evaluate(value, frame.scope()) for value in case.values):
                self.saw(step.id, f"case {number}")
                await self.steps(case.steps, frame)
                return
        self.saw(step.id, "no case" if switch.default is None else "default")
        if switch.default is not None:
            await self.steps(switch.default, frame)
            return
        record.status, record.reason = "skipped", f"no case for {subject!r}"
        frame.tell(step.id, {"status": "skipped"})

    async def _until(self, poll: Until, frame: Frame) -> None:
        for turn in range(poll.max):
            await self.steps(poll.steps, frame)
            if truth(poll.condition, frame.scope()):
                return
            if turn + 1 < poll.max:
                await self.effects.sleep(poll.every.total_seconds())
        raise StepFailed(
            "exhausted", f"{poll.condition.text!r} did not hold after {poll.max} turns"
        )

    async def _parallel(self, parallel: Parallel, frame: Frame) -> None:
        tasks = [
            asyncio.ensure_future(self.steps(steps, frame)) for steps in parallel.branches.values()
        ]
        wait_for = (
            asyncio.FIRST_COMPLETED if parallel.wait_for == "any" else asyncio.FIRST_EXCEPTION
        )
        try:
            done, _ = await asyncio.wait(tasks, return_when=wait_for)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        for task in done:
            task.result()


def as_failure(error: Exception) -> StepFailed:
    """A failure of another room in the words of this one."""
    match error:
        case StepFailed():
            return error
        case ConnectorError():
            return StepFailed(
                error.error_class,
                str(error),
                code=error.code or None,
                retry_after=error.retry_after,
            )
        case ExpressionFailed():
            return StepFailed("expression", error.message, hint=error.hint, place=error.place)
        case SyncError():
            place = error.field.place if error.field else None
            return StepFailed("invalid", error.message, hint=error.hint, place=place)
        case _:
            raise error


def _seconds(wait: Wait, frame: Frame) -> float:
    if wait.duration is not None:
        return wait.duration.total_seconds()
    moment = evaluate(wait.until, frame.scope())
    if isinstance(moment, str):
        moment = datetime.fromisoformat(moment)
    if not isinstance(moment, datetime):
        raise StepFailed("invalid", f"`wait` needs a moment, and got {moment!r}")
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return max(0.0, (moment - datetime.now(UTC)).total_seconds())
