"""From a typed tree to the steps of a flow."""

from __future__ import annotations

import itertools
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from .meaning import repaired
from .model import (
    Action,
    Approve,
    CallFlow,
    Case,
    Doing,
    ForEach,
    If,
    OnError,
    Parallel,
    Retry,
    Scope,
    SetValues,
    Step,
    Stop,
    Switch,
    Until,
    Value,
    Wait,
)
from .nodes import MappingNode, ScalarNode
from .parsing_inputs import inputs_of
from .parsing_values import DURATION, Hand, duration_of
from .problems import Place
from .shaped import Shaped

KEYWORDS = (
    "action",
    "call",
    "set",
    "if",
    "switch",
    "foreach",
    "until",
    "parallel",
    "wait",
    "approve",
    "stop",
    "steps",
)


UNNAMED = "?"  # begins what a draft calls a step or an item that has no name


def steps_of(hand: Hand, entry: Shaped | None, default: Retry | None) -> tuple[Step, ...]:
    """The steps of a list; one that cannot be understood is left out, and was complained about."""
    items = entry.items if entry is not None else ()
    return tuple(_step(hand, item, default) for item in items if item.entries)


def _step(hand: Hand, shaped: Shaped, default: Retry | None) -> Step:
    step_id = hand.text(shaped, "id") or _id_of_draft(shaped)
    keyword = next((name for name in KEYWORDS if name in shaped.entries), None)
    doing = _doing(hand, shaped, keyword, default) if keyword is not None else None
    if doing is None:
        # Its shape is wrong, and was complained about. What is inside can still be referred to.
        doing = Scope(steps=_all_inside(hand, shaped, default), guessed=True)
    main = shaped.entries[keyword] if keyword is not None else shaped
    own_retry = shaped.get("retry")
    return Step(
        id=step_id,
        do=doing,
        place=main.key or shaped.place,
        name=hand.text(shaped, "name"),
        when=hand.bare(shaped, "when"),
        retry=retry_of(hand, own_retry, default or Retry()) if own_retry is not None else None,
        timeout=hand.duration(shaped, "timeout"),
        on_error=_on_error(hand, shaped.get("on_error"), default),
        finally_=steps_of(hand, shaped.get("finally"), default),
        id_place=shaped.entries["id"].place if "id" in shaped.entries else None,
    )


def _id_of_draft(shaped: Shaped) -> str:
    """What a step without a right id is called, so that all else in it can be checked."""
    entry = shaped.get("id")
    given = entry.node.text if entry is not None and isinstance(entry.node, ScalarNode) else ""
    place = entry.place if entry is not None else shaped.place
    return given or f"{UNNAMED}{place.line}:{place.column}"


def _on_error(hand: Hand, shaped: Shaped | None, default: Retry | None) -> OnError | None:
    if shaped is None:
        return None
    steps = steps_of(hand, shaped.get("steps"), default)
    then = hand.text(shaped, "then")
    return OnError(steps=steps, then="continue" if then == "continue" else "fail")


def retry_of(hand: Hand, shaped: Shaped, default: Retry) -> Retry:
    """A retry; what it does not say is as in *default*."""
    given: dict[str, Any] = {
        "attempts": hand.integer(shaped, "attempts"),
        "delay": hand.duration(shaped, "delay"),
        "backoff": hand.text(shaped, "backoff"),
        "max_delay": hand.duration(shaped, "max_delay"),
    }
    if shaped.get("on") is not None:
        given["on"] = hand.texts(shaped, "on")
    return replace(default, **{name: value for name, value in given.items() if value is not None})


def _all_inside(hand: Hand, shaped: Shaped, default: Retry | None) -> tuple[Step, ...]:
    lists = [shaped.get(name) for name in ("then", "else", "steps", "default")]
    cases, branches = shaped.get("cases"), shaped.get("parallel")
    lists += [case.get("steps") for case in (cases.items if cases is not None else ())]
    lists += list(branches.entries.values()) if branches is not None else []
    return tuple(itertools.chain.from_iterable(steps_of(hand, one, default) for one in lists))


def _doing(hand: Hand, shaped: Shaped, keyword: str, default: Retry | None) -> Doing | None:
    """What the step does; None where something that it needs is missing or wrong."""
    match keyword:
        case "action":
            return _action(hand, shaped)
        case "call":
            return _call(hand, shaped)
        case "set":
            given = shaped.get("set")
            return SetValues(values=hand.values(given), nodes=tuple(hand.nodes(given).values()))
        case "if":
            return _if(hand, shaped, default)
        case "switch":
            return _switch(hand, shaped, default)
        case "foreach":
            return _foreach(hand, shaped, default)
        case "until":
            return _until(hand, shaped, default)
        case "parallel":
            return _parallel(hand, shaped, default)
        case "wait":
            return _wait(hand, shaped)
        case "approve":
            return _approve(hand, shaped)
        case "stop":
            return _stop(hand, shaped)
    steps = steps_of(hand, shaped.get("steps"), default)
    return Scope(steps=steps, key=hand.value(shaped.get("key")))


def _action(hand: Hand, shaped: Shaped) -> Action | None:
    name = hand.text(shaped, "action")
    if name is None:
        return None
    system, _, operation = name.partition(".")
    given = shaped.get("with")
    return Action(
        system=system,
        operation=operation,
        arguments=hand.values(given),
        place=shaped.entries["action"].place,
        argument_places=hand.places(given),
        argument_nodes=hand.nodes(given),
        unread=_is_unread(shaped, given),
    )


def _is_unread(shaped: Shaped, given: Shaped | None) -> bool:
    """Whether arguments may be there that could not be read, or stand beside `with`."""
    beside = isinstance(shaped.node, MappingNode) and set(shaped.node.entries) - set(shaped.entries)
    return bool(beside) or (given is not None and not given.sound)


def _call(hand: Hand, shaped: Shaped) -> CallFlow | None:
    flow = hand.text(shaped, "call")
    if flow is None:
        return None
    given = shaped.get("with")
    return CallFlow(
        flow=flow,
        arguments=hand.values(given),
        place=shaped.entries["call"].place,
        argument_places=hand.places(given),
        argument_nodes=hand.nodes(given),
        unread=_is_unread(shaped, given),
    )


def _if(hand: Hand, shaped: Shaped, default: Retry | None) -> If | None:
    condition = hand.bare(shaped, "if")
    if condition is None or "then" not in shaped.entries:
        return None
    return If(
        condition=condition,
        then=steps_of(hand, shaped.get("then"), default),
        otherwise=steps_of(hand, shaped.get("else"), default),
    )


def _switch(hand: Hand, shaped: Shaped, default: Retry | None) -> Switch | None:
    subject, cases = hand.bare(shaped, "switch"), shaped.get("cases")
    if subject is None or cases is None:
        return None
    last = shaped.get("default")
    return Switch(
        subject=subject,
        cases=tuple(_case(hand, case, default) for case in cases.items),
        default=steps_of(hand, last, default) if last is not None else None,
    )


def _case(hand: Hand, shaped: Shaped, default: Retry | None) -> Case:
    value = hand.value(shaped.get("is"))
    values: tuple[Value, ...] = value if isinstance(value, tuple) else (value,)
    entry = shaped.get("is")
    places = tuple(it.place for it in entry.items) if entry is not None and entry.items else ()
    return Case(
        values=values,
        steps=steps_of(hand, shaped.get("steps"), default),
        places=places or ((entry.place,) if entry is not None else ()),
    )


def _foreach(hand: Hand, shaped: Shaped, default: Retry | None) -> ForEach | None:
    items, name = hand.bare(shaped, "foreach"), hand.text(shaped, "as")
    if items is None or "steps" not in shaped.entries:
        return None
    then = hand.text(shaped, "on_item_error")
    return ForEach(
        items=items,
        name=name or UNNAMED,
        steps=steps_of(hand, shaped.get("steps"), default),
        concurrency=hand.integer(shaped, "concurrency") or 1,
        key=hand.value(shaped.get("key")),
        on_item_error="continue" if then == "continue" else "fail",
        result=hand.value(shaped.get("result")),
        name_place=_place_of(shaped, "as"),
        key_place=_place_of(shaped, "key"),
        result_place=_place_of(shaped, "result"),
    )


def _place_of(shaped: Shaped, name: str) -> Place | None:
    entry = shaped.get(name)
    return entry.place if entry is not None else None


def _until(hand: Hand, shaped: Shaped, default: Retry | None) -> Until | None:
    condition, every = hand.bare(shaped, "until"), hand.duration(shaped, "every")
    most = hand.integer(shaped, "max")
    if condition is None or every is None or most is None or "steps" not in shaped.entries:
        return None
    steps = steps_of(hand, shaped.get("steps"), default)
    return Until(condition=condition, every=every, max=most, steps=steps)


def _parallel(hand: Hand, shaped: Shaped, default: Retry | None) -> Parallel:
    entries = shaped.entries["parallel"].entries
    return Parallel(
        branches={name: steps_of(hand, entry, default) for name, entry in entries.items()},
        wait_for="any" if hand.text(shaped, "wait_for") == "any" else "all",
    )


def _wait(hand: Hand, shaped: Shaped) -> Wait | None:
    text = hand.text(shaped, "wait")
    if text is None:
        return None
    node = shaped.entries["wait"].node
    if "{{" in text:
        return Wait(until=hand.template(text, node))
    duration: timedelta | None = duration_of(text)
    if duration is not None:
        return Wait(duration=duration)
    if not _is_moment(text):
        hand.say(
            "F016",
            node.place,
            f"{text!r} is neither a duration nor a moment",
            _wait_meant(text),
        )
        return None
    return Wait(until=text)


def _wait_meant(text: str) -> str:
    fixed = repaired(text, DURATION)
    if fixed is not None:
        return f"write {fixed}"
    if text.isdigit():
        return f"say the unit: {text}s, {text}m or {text}h"
    return "write 5m, or 2026-01-31T08:00:00Z, or a value with {{ }}"


def _approve(hand: Hand, shaped: Shaped) -> Approve | None:
    entry = shaped.entries["approve"]
    if "message" not in entry.entries:
        return None
    message = hand.value(entry.get("message"))
    return Approve(message=message, answer=inputs_of(hand, entry.get("answer")))


def _is_moment(text: str) -> bool:
    try:
        datetime.fromisoformat(text)
    except ValueError:
        return False
    return True


def _stop(hand: Hand, shaped: Shaped) -> Stop | None:
    entry = shaped.entries["stop"]
    if not isinstance(entry.node, MappingNode):
        return None
    both = [name for name in ("status", "item") if name in entry.entries]
    if len(both) != 1:
        hand.say(
            "F017",
            entry.key or entry.place,
            "`stop` says `status`, to end the flow, or `item`, to end the item of a loop; this one "
            + ("says both" if both else "says neither"),
            "write stop: { status: succeeded } or stop: { item: skipped }",
        )
        return None
    status: Any = hand.text(entry, both[0])
    if status is None:
        return None
    reason = entry.get("reason")
    assert reason is None or isinstance(reason.node, ScalarNode) or not reason.sound
    return Stop(
        scope="item" if both[0] == "item" else "flow",
        status=status,
        reason=hand.value(reason) if reason is not None else "",
        error_class=hand.text(entry, "class") or "invalid",
    )
