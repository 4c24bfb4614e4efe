"""From a typed tree to a flow: triggers, inputs, outputs, and what it uses."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from .model import Flow, Output, Retry, Trigger
from .parsing_inputs import inputs_of, schema_of
from .parsing_steps import retry_of, steps_of
from .parsing_values import Hand
from .problems import Place
from .shaped import Shaped

_CRON_FIELD = re.compile(r"(\*|[0-9]+(-[0-9]+)?)(/[0-9]+)?(,(\*|[0-9]+(-[0-9]+)?)(/[0-9]+)?)*")
_CRON_NAMES = re.compile(
    r"\b(jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec|sun|mon|tue|wed|thu|fri|sat)\b", re.I
)
_CRON_LIMITS = ((0, 59), (0, 23), (1, 31), (1, 12), (0, 7))


def flow_of(root: Shaped, hand: Hand, *, content_hash: str) -> Flow | None:
    """The flow; None where it has not even an id."""
    flow_id = hand.id_of_file(root, ".flow.yaml")
    if flow_id is None:
        return None
    uses = root.get("uses")
    defaults = root.get("defaults")
    default_retry = _retry(hand, defaults)
    return Flow(
        id=flow_id,
        name=hand.text(root, "name") or flow_id,
        description=hand.text(root, "description") or "",
        needs=hand.texts(root, "needs"),
        triggers=_triggers(hand, root),
        inputs=inputs_of(hand, root.get("inputs")),
        uses_connections=hand.texts(uses, "connections"),
        uses_env=hand.texts(uses, "env"),
        uses_mappings=hand.texts(uses, "mappings"),
        timeout=hand.duration(root, "timeout"),
        default_retry=default_retry,
        steps=steps_of(hand, root.get("steps"), default_retry),
        outputs=_outputs(hand, root.get("outputs")),
        content_hash=content_hash,
        place=root.entries["id"].place if "id" in root.entries else root.place,
        places=_places(root),
    )


def _retry(hand: Hand, defaults: Shaped | None) -> Retry | None:
    entry = defaults.get("retry") if defaults is not None else None
    return retry_of(hand, entry, Retry()) if entry is not None else None


def _places(root: Shaped) -> dict[tuple[str, str], Place]:
    """Where each name stands that the flow says it uses or needs."""
    found: dict[tuple[str, str], Place] = {}
    uses = root.get("uses")
    lists = [("needs", root.get("needs"))]
    lists += [
        (kind, uses.get(kind) if uses is not None else None)
        for kind in ("connections", "env", "mappings")
    ]
    for kind, entry in lists:
        for item in entry.items if entry is not None else ():
            found[kind, str(item.value)] = item.place
    if uses is not None:
        found["uses", ""] = uses.key or uses.place
    retry = root.at("defaults", "retry")
    if retry is not None:
        found["defaults", "retry"] = retry.key or retry.place
    return found


# -- triggers ---------------------------------------------------------------------------------


def _triggers(hand: Hand, root: Shaped) -> tuple[Trigger, ...]:
    entry = root.get("triggers")
    triggers: dict[str, Trigger] = {}
    for shaped in entry.items if entry is not None else ():
        trigger = _trigger(hand, shaped)
        if trigger is None:
            continue
        if trigger.id in triggers:
            hand.say(
                "F011",
                shaped.entries["id"].place,
                f"a second trigger is called {trigger.id!r}",
                "give it a name of its own",
            )
            continue
        triggers[trigger.id] = trigger
    return tuple(triggers.values())


def _trigger(hand: Hand, shaped: Shaped) -> Trigger | None:
    trigger_id, kind = hand.text(shaped, "id"), _kind(hand.text(shaped, "type"))
    if trigger_id is None or kind is None:
        return None
    batch = shaped.get("batch")
    trigger = Trigger(
        id=trigger_id,
        type=kind,
        every=hand.duration(shaped, "every"),
        cron=hand.text(shaped, "cron"),
        timezone=hand.text(shaped, "timezone"),
        connection=hand.text(shaped, "connection"),
        connection_place=shaped.entries["connection"].place if shaped.get("connection") else None,
        events=hand.texts(shaped, "events"),
        event_places=_item_places(shaped.get("events")),
        batch_max=hand.integer(batch, "max") or 1,
        batch_wait=hand.duration(batch, "wait") or timedelta(),
        inputs=hand.values(shaped.get("inputs")),
        place=shaped.entries["type"].key or shaped.place,
        input_places=hand.places(shaped.get("inputs")),
        input_nodes=hand.nodes(shaped.get("inputs")),
    )
    if kind == "schedule":
        _check_schedule(hand, shaped, trigger)
    return trigger


def _item_places(entry: Shaped | None) -> tuple[Place, ...]:
    items = entry.items if entry is not None else ()
    return tuple(item.place for item in items if item.sound and isinstance(item.value, str))


def _kind(text: str | None) -> Literal["manual", "schedule", "webhook"] | None:
    match text:
        case "manual" | "schedule" | "webhook":
            return text
    return None


def _check_schedule(hand: Hand, shaped: Shaped, trigger: Trigger) -> None:
    has_every, has_cron = "every" in shaped.entries, "cron" in shaped.entries
    if has_every == has_cron:
        place = (shaped.entries["cron"].key if has_every else None) or trigger.place
        hand.say(
            "F014",
            place,
            "a schedule says `every` or `cron`; this one says "
            + ("both" if has_every else "neither"),
            'write `every: 15m`, or `cron: "0 6 * * 1-5"` with a timezone',
        )
    if trigger.every is not None and trigger.every < timedelta(seconds=1):
        hand.say(
            "F014",
            shaped.entries["every"].place,
            "a schedule runs at most once in a second",
            "write every: 1s or more",
        )
    if trigger.cron is not None and not is_cron(trigger.cron):
        hand.say(
            "F014",
            shaped.entries["cron"].place,
            f"{trigger.cron!r} is not a cron line: minute, hour, day, month, weekday",
            'for example: cron: "0 6 * * 1-5" (06:00 from Monday to Friday)',
        )
    if trigger.timezone is not None and not _is_zone(trigger.timezone):
        hand.say(
            "F014",
            shaped.entries["timezone"].place,
            f"there is no time zone {trigger.timezone!r}",
            "write a name such as Europe/Rome, America/New_York or UTC",
        )


def is_cron(text: str) -> bool:
    """Whether *text* is a cron line of five fields."""
    fields = _CRON_NAMES.sub("1", text).split()
    if len(fields) != len(_CRON_LIMITS):
        return False
    for one, (least, most) in zip(fields, _CRON_LIMITS, strict=True):
        if not _CRON_FIELD.fullmatch(one):
            return False
        numbers = [int(number) for number in re.findall(r"(?<!/)\b[0-9]+", one)]
        if any(not least <= number <= most for number in numbers):
            return False
    return True


def _is_zone(name: str) -> bool:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return False
    return True


# -- outputs ----------------------------------------------------------------------------------


def _outputs(hand: Hand, entry: Shaped | None) -> tuple[Output, ...]:
    return tuple(
        Output(
            name=name,
            schema=schema_of(hand, shaped) if "type" in shaped.entries else None,
            value=hand.value(shaped.get("value")),
            place=shaped.key or shaped.place,
        )
        for name, shaped in (entry.entries if entry is not None else {}).items()
        if "value" in shaped.entries
    )
