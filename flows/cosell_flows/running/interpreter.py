"""Walk through a flow: which step comes next, what it sees, what a failure does. No effects of its own.

Theory of operation. A step runs in a *frame* of names. Rule 1: a step whose `when` is false leaves
a skipped entry without an output. Rule 2: a failure is tried again as `retry` says, then `on_error`
sees it, then it goes up. Rule 3: `finally` runs in every case, cancellation included, and is never
cut short. Rule 4: `stop` is no error; it ends the item or the flow. Rule 5: the turns of a loop
share nothing but what was there before it. Rule 6: a run that waits for a person unwinds without
ending anything, and walks the same way again once there is an answer: what was over is passed by.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial
from typing import Any, Protocol, assert_never

from cosell_connectors.errors import ConnectorError
from cosell_definitions.model import (
    Action,
    Approve,
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

from ..compiling.arithmetic import equal
from ..compiling.expressions import ExpressionFailed, evaluate, evaluate_bare, truth
from ..compiling.limits import Meter
from ..syncing.errors import SyncError
from .asking import question_of
from .branching import race
from .lasting import WITHDRAWN, to_its_end
from .loops import Loops
from .nesting import ids_inside
from .outcomes import Fleeting, Question, StepFailed, StepRecord, Stopped, Waiting
from .retrying import pause_before_retry
from .scope import Frame, Told
from .waiting import seconds_of
from .watching import Watch
from .wording import as_failure, took_longer

Run = Callable[[], Awaitable[StepRecord | None]]
StepWrapper = Callable[[Step, Run], Awaitable[None]]
_BREATH_S = 0.02  # how long steps that wait for nothing may keep everybody else from the turn


class Effects(Protocol):
    """What a flow does to the world."""

    loops: Loops
    planning: bool
    keeps: bool  # whether the run may have to wait for a person, and be taken up again later

    async def act(self, action: Action, arguments: Mapping[str, Any]) -> Any:
        """Do an operation of a connector or of the engine."""

    def bound(self, call: CallFlow) -> Mapping[str, Value]:
        """The arguments of a call, its literals typed by what the called flow takes."""

    async def child(self, flow: str, arguments: Mapping[str, Any], walk: Walk, place: Frame) -> Any:
        """Run another flow at a place of this one, and give its outputs."""

    async def ask(self, question: Question) -> Mapping[str, Any]:
        """What a person answers; raises Waiting where nobody has yet."""

    async def sleep(self, seconds: float) -> None:
        """Let time pass."""

    def now(self) -> datetime:
        """The engine's time, UTC."""


@dataclass(slots=True, kw_only=True)
class Walk:
    """One run of one flow. `records`: the entries of its steps, in order of their first start."""

    flow: Flow
    effects: Effects
    records: dict[str, StepRecord] = field(default_factory=dict)
    depth: int = 0
    wrap: StepWrapper | None = None
    watch: Watch | None = None
    _breathed: float = 0.0

    def saw(self, step: str, way: str) -> None:
        """Tell whoever watches which way a step went."""
        if self.watch is not None:
            self.watch.saw(self.flow.id, step, way)

    async def steps(self, steps: tuple[Step, ...], frame: Frame, *, top: bool = False) -> None:
        """Run *steps* one after the other."""
        for step in steps:
            if step.id in frame.told.ended:
                _passed_by(step, frame)
                continue
            if WITHDRAWN.get() and step.id not in frame.told.marks:
                raise asyncio.CancelledError("nobody waits for it any more")
            if top and self.wrap is not None:
                await self._wrapped(step, frame, self.wrap)
            else:
                await self.step(step, frame)
            if time.monotonic() - self._breathed > _BREATH_S:
                await asyncio.sleep(0)
                self._breathed = time.monotonic()

    async def _wrapped(self, step: Step, frame: Frame, wrap: StepWrapper) -> None:
        ended: list[Stopped | Waiting] = []

        async def run() -> StepRecord | None:
            try:
                await self.step(step, frame)
            except (Stopped, Waiting) as reached:  # no failure, so the wrapper need not know
                ended.append(reached)
            return self.records.get(step.id)

        await wrap(step, run)
        if ended:
            raise ended[0]

    async def step(self, step: Step, frame: Frame) -> None:
        """Run one step, with all that stands around it."""
        record = StepRecord(id=step.id)
        if frame.recorded:
            self.records[step.id] = record
        began = time.monotonic()
        error: BaseException | None = None
        try:
            await self._handled(step, frame, record)
        except Waiting:
            record.status = "waiting"
            record.seconds = time.monotonic() - began
            raise
        except (Exception, Stopped, asyncio.CancelledError) as ended:  # noqa: BLE001 - raised below
            _note(record, ended)
            error = ended
        if step.finally_ and record.status != "skipped":
            error = await self._finally(step, frame, error, record)
        record.seconds = time.monotonic() - began
        if self.effects.keeps:
            frame.told.forget(step.id)
            if not _is_fleeting(step, frame):
                frame.told.ended.add(step.id)
        if error is not None:
            raise error

    async def _finally(
        self, step: Step, frame: Frame, error: BaseException | None, record: StepRecord
    ) -> BaseException | None:
        """Run `finally` to its end; the step's own error wins over one of `finally`."""
        ended = await to_its_end(partial(self.steps, step.finally_, frame))
        if isinstance(ended, asyncio.CancelledError):
            return ended
        if isinstance(ended, Waiting):  # in a flow that is called there
            told = "a `finally` cannot wait for a person"
            ended = StepFailed("invalid", told, step=step.id, place=step.place)
        if error is None and ended is not None:
            _note(record, ended)
            if isinstance(ended, StepFailed):
                frame.tell(step.id, {"status": "failed", "error": ended.as_json()})
        return error or ended

    async def _handled(self, step: Step, frame: Frame, record: StepRecord) -> None:
        """`when` and the tries, and `on_error` around them."""
        mark = frame.told.mark(step.id) if self.effects.keeps else {}
        if "failed" in mark:  # it waited in its `on_error`
            failure = StepFailed.from_json(mark["failed"])
        else:
            try:
                if step.when is not None and not self._holds(step, step.when, frame, mark):
                    self.saw(step.id, "skipped")
                    _skip(step, frame, record, f"when: {step.when.text}")
                    return
                self.saw(step.id, "ran")
                await self._tries(step, frame, record, mark)
                return
            except ExpressionFailed as error:
                failure = as_failure(error).located(step.id, step.place)
            except StepFailed as failed:
                failure = failed
        told = failure.as_json()
        record.status, record.reason = "failed", failure.message
        frame.tell(step.id, {"status": "failed", "error": told})
        if step.on_error is None:
            raise failure
        self.saw(step.id, f"caught {failure.error_class}")
        if self.effects.keeps:
            mark["failed"] = told
        await self.steps(step.on_error.steps, frame.with_names(error=told))
        record.status, record.reason = "failed", failure.message
        if step.on_error.then == "fail":
            raise failure

    def _holds(self, step: Step, when: Bare, frame: Frame, mark: dict[str, Any]) -> bool:
        holds = bool(self._once(mark, "when", lambda: truth(when, frame.scope())))
        self.saw(step.id, "when yes" if holds else "when no")
        return holds

    def _once(self, mark: dict[str, Any], name: str, decide: Callable[[], Any]) -> Any:
        """What was decided here before the run had to wait, or what is decided now."""
        if not self.effects.keeps:
            return decide()
        if name not in mark:
            mark[name] = decide()
        return mark[name]

    async def _tries(
        self, step: Step, frame: Frame, record: StepRecord, mark: dict[str, Any]
    ) -> None:
        policy = step.retry or (self.flow.default_retry if isinstance(step.do, Action) else None)
        record.attempts = mark.get("attempts", 1)
        while True:
            try:
                output = await self._try(step, frame, record, mark)
                break
            except StepFailed as failure:
                pause = pause_before_retry(failure, record.attempts, policy)
                if pause is None:
                    # The step is not repeated; a scope around it may begin anew.
                    failure.final = False
                    raise
                self.saw(step.id, f"retried {failure.error_class}")
                await self.effects.sleep(pause.total_seconds())
                record.attempts += 1
                self.anew(step, frame, mark, attempts=record.attempts)
        if record.status == "running":
            record.status = "succeeded"
            frame.tell(step.id, {"status": "succeeded", "output": output})

    def anew(self, step: Step, frame: Frame, mark: dict[str, Any], **known: int) -> None:
        """The inside of a step begins from its start again."""
        if self.effects.keeps:
            for inner in ids_inside(step):
                frame.told.forget(inner)
            frame.told.inner.pop(step.id, None)
            mark.clear()
            mark.update({"when": True}, **known)

    async def _try(self, step: Step, frame: Frame, record: StepRecord, mark: dict[str, Any]) -> Any:
        """One try, within its time, with every failure in our own words."""
        limit = step.timeout
        try:
            if limit is None:
                return await self._do(step, frame, record, mark)
            async with asyncio.timeout(limit.total_seconds()):
                return await self._do(step, frame, record, mark)
        except StepFailed as failure:
            raise failure.located(step.id, step.place) from failure.__cause__
        except TimeoutError as error:
            told = took_longer(limit) if limit else str(error) or "took too long"
            raise StepFailed("timeout", told, step=step.id, place=step.place) from error
        except (ExpressionFailed, ConnectorError, SyncError) as error:
            raise as_failure(error).located(step.id, step.place) from error

    async def _do(  # noqa: C901, PLR0912 - one line for each kind
        self, step: Step, frame: Frame, record: StepRecord, mark: dict[str, Any]
    ) -> Any:
        """The one thing a step does."""
        match step.do:
            case Action() as action:
                return await self.effects.act(action, evaluate(action.arguments, frame.scope()))
            case CallFlow() as call:
                arguments = evaluate(self.effects.bound(call), frame.scope())
                return await self.effects.child(
                    call.flow, arguments, self, self._inside(step, frame)
                )
            case SetValues() as naming:
                return evaluate(naming.values, frame.scope())
            case If(condition=condition, then=then, otherwise=otherwise):
                chosen = self._once(mark, "if", lambda: truth(condition, frame.scope()))
                self.saw(step.id, "then" if chosen else "else")
                await self.steps(then if chosen else otherwise, frame)
            case Switch() as switch:
                await self._switch(step, switch, frame, record, mark)
            case ForEach() as loop:
                return await self.effects.loops.run(self, step.id, loop, frame, record)
            case Until() as poll:
                await self._until(step, poll, frame, record, mark)
            case Parallel() as parallel:
                branches = [partial(self.steps, one, frame) for one in parallel.branches.values()]
                await race(branches, parallel.wait_for, keeps=self.effects.keeps)
            case Wait() as wait:
                await self._pause(seconds_of(wait, frame, self.effects.now()))
            case Approve() as approve:
                if WITHDRAWN.get():
                    raise asyncio.CancelledError("nobody waits for the answer any more")
                asked_at = self._once(mark, "asked_at", self.effects.now)
                return await self.effects.ask(question_of(step, approve, frame, asked_at))
            case Stop() as stop:
                reason = str(evaluate(stop.reason, frame.scope()) or "")
                raise Stopped(
                    stop.scope, stop.status, reason, stop.error_class, step.id, step.place
                )
            case Scope(steps=inner, key=key):
                async with self.effects.loops.alone(key, frame):
                    await self.steps(inner, frame)
            case unknown:
                assert_never(unknown)
        return None

    def _inside(self, step: Step, frame: Frame) -> Frame:
        """The place of a flow that is called."""
        told = frame.told.place(step.id, "") if self.effects.keeps else Told()
        return replace(frame, told=told, path=f"{frame.path}{step.id}/")

    async def _pause(self, seconds: float) -> None:
        if not self.effects.planning:  # a plan does not wait
            await self.effects.sleep(seconds)

    async def _switch(
        self, step: Step, switch: Switch, frame: Frame, record: StepRecord, mark: dict[str, Any]
    ) -> None:
        chosen = self._once(mark, "case", lambda: _case_of(switch, frame))
        no_case = "no case" if switch.default is None else "default"
        self.saw(step.id, f"case {chosen + 1}" if chosen is not None else no_case)
        if chosen is not None:
            await self.steps(switch.cases[chosen].steps, frame)
        elif switch.default is not None:
            await self.steps(switch.default, frame)
        else:
            subject = evaluate_bare(switch.subject, frame.scope())
            _skip(step, frame, record, f"no case for {subject!r}")

    async def _until(
        self, step: Step, poll: Until, frame: Frame, record: StepRecord, mark: dict[str, Any]
    ) -> None:
        turn, hidden = mark.get("turn", 1), frame.unrecorded()
        record.counts = counts = {"total": turn, "succeeded": 0, "skipped": 0, "failed": 0}
        while True:
            counts["total"] = turn
            await self.steps(poll.steps, hidden)
            counts["succeeded"] = turn
            # A plan writes nothing, so what is waited for may never come.
            if truth(poll.condition, frame.scope()) or self.effects.planning:
                return
            if turn == poll.max:
                told = f"{poll.condition.text!r} did not hold after {poll.max} turns"
                raise StepFailed("exhausted", told)
            await self.effects.sleep(poll.every.total_seconds())
            turn += 1
            self.anew(step, frame, mark, turn=turn, attempts=record.attempts)


def _passed_by(step: Step, frame: Frame) -> None:
    """A step that was over before the run had to wait: its failure goes up again, if it did then."""
    outcome = frame.told.outcomes.get(step.id, {})
    goes_on = step.on_error is not None and step.on_error.then == "continue"
    if outcome.get("status") == "failed" and not goes_on:
        raise StepFailed.from_json(outcome["error"])


def _is_fleeting(step: Step, frame: Frame) -> bool:
    """Whether the step does nothing but compute, and gave out what does not outlast the run."""
    output = frame.told.outcomes.get(step.id, {}).get("output")
    values = output.values() if isinstance(output, dict) else ()
    return isinstance(step.do, Action | SetValues) and (
        isinstance(output, Fleeting) or any(isinstance(one, Fleeting) for one in values)
    )


def _skip(step: Step, frame: Frame, record: StepRecord, reason: str) -> None:
    record.status, record.reason = "skipped", reason
    frame.tell(step.id, {"status": "skipped"})


def _note(record: StepRecord, ended: BaseException) -> None:
    """How a step ended that did not come to its own end."""
    match ended:
        case Stopped() if record.status == "running":
            record.status = "failed" if ended.status == "failed" else "succeeded"
        case asyncio.CancelledError() if record.status == "running":
            record.status = "cancelled"
        case StepFailed():
            record.status = "failed"
        case _ if record.status == "running":
            record.status = "failed"
    record.reason = record.reason or str(ended) or None


def _case_of(switch: Switch, frame: Frame) -> int | None:
    scope = frame.scope()
    subject = evaluate_bare(switch.subject, scope)
    for number, case in enumerate(switch.cases):
        if any(equal(subject, evaluate(value, scope), Meter()) for value in case.values):
            return number
    return None
