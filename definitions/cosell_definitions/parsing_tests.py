"""From a typed tree to the tests of a flow."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from .model_tests import (
    Answer,
    Around,
    Case,
    Expect,
    ExpectedCalls,
    Failing,
    Fixture,
    FlowTests,
    KnownLetter,
    KnownLink,
    Mock,
    Raw,
    Reply,
    Returned,
    State,
    Told,
    Triggered,
)
from .parsing_values import Hand
from .problems import Place
from .shaped import Shaped

ANSWERS = ("return", "fixture", "fail", "reply")


def tests_of(root: Shaped, hand: Hand, *, content_hash: str) -> FlowTests | None:
    """The tests of a file; None where it does not say of which flow."""
    flow = hand.text(root, "flow")
    if flow is None:
        return None
    common = _around(hand, root)
    return FlowTests(
        flow=flow,
        flow_place=root.entries["flow"].place,
        cases=tuple(_cases(hand, root.get("cases"))),
        common=common,
        place=root.place,
        content_hash=content_hash,
    )


def _cases(hand: Hand, entry: Shaped | None) -> Iterator[Case]:
    seen: set[str] = set()
    for shaped in entry.items if entry is not None else ():
        name = hand.text(shaped, "name")
        if name is None:
            continue
        if name in seen:
            hand.say(
                "T008",
                shaped.entries["name"].place,
                f"another case here is called {name!r}",
                "give it a name of its own: reports tell cases apart by their names",
            )
        seen.add(name)
        inputs = shaped.get("inputs")
        yield Case(
            name=name,
            place=shaped.entries["name"].place,
            around=_around(hand, shaped),
            expect=_expect(hand, shaped.get("expect"), shaped),
            trigger=_trigger(hand, shaped.get("trigger")),
            inputs=_plain(inputs),
            input_places=hand.places(inputs),
            input_nodes=hand.nodes(inputs),
            answers=_each_told(shaped.get("answers")),
            release_brake=hand.scalar(shaped, "release_brake") is True,
        )


def _around(hand: Hand, of: Shaped) -> Around:
    env, mocks = of.get("env"), of.get("mock")
    return Around(
        env={
            name: (entry.value, entry.place)
            for name, entry in (env.entries if env is not None else {}).items()
            if entry.sound and isinstance(entry.value, str)
        },
        env_places=hand.places(env),
        now=_moment(hand, of.get("now")),
        state=_state(hand, of.get("state")),
        mocks={
            name: mock
            for name, entry in (mocks.entries if mocks is not None else {}).items()
            if (mock := _mock(hand, name, entry)) is not None
        },
    )


def _trigger(hand: Hand, entry: Shaped | None) -> Triggered | None:
    if entry is None or not entry.entries:
        return None
    names = list(entry.entries)
    for extra in names[1:]:
        hand.say(
            "T009",
            entry.entries[extra].key or entry.place,
            "a run has one trigger",
            f"make a case of its own for {extra!r}",
        )
    given = entry.entries[names[0]]
    one, several = given.get("fixture"), given.get("fixtures")
    files = ([one] if one is not None else []) + list(several.items if several is not None else ())
    events = given.get("events")
    return Triggered(
        id=names[0],
        place=given.key or given.place,
        fixtures=tuple((str(file.value), file.place) for file in files if file.sound),
        events=tuple(one.plain() for one in (events.items if events is not None else ())),
    )


# -- what is known before ---------------------------------------------------------------------


def _state(hand: Hand, entry: Shaped | None) -> State:
    if entry is None:
        return State()
    links, letters, cursors = entry.get("links"), entry.get("letters"), entry.get("cursors")
    moments = {
        name: _moment(hand, one)
        for name, one in (cursors.entries if cursors is not None else {}).items()
    }
    return State(
        links=tuple(_link(hand, one) for one in (links.items if links is not None else ())),
        cursors={name: moment for name, moment in moments.items() if moment is not None},
        values=_plain(entry.get("values")),
        letters=tuple(_letter(hand, one) for one in (letters.items if letters is not None else ())),
    )


def _link(hand: Hand, entry: Shaped) -> KnownLink:
    state: Any = hand.text(entry, "state") or "active"
    return KnownLink(
        mapping=hand.text(entry, "mapping"),
        left_id=hand.text(entry, "left_id"),
        right_id=hand.text(entry, "right_id"),
        left=_data(entry.get("left")),
        right=_data(entry.get("right")),
        state=state,
        notes=_plain(entry.get("notes")),
        place=entry.place,
    )


def _letter(hand: Hand, entry: Shaped) -> KnownLetter:
    return KnownLetter(
        mapping=hand.text(entry, "mapping"),
        opportunity_id=hand.text(entry, "opportunity_id"),
        referral_id=hand.text(entry, "referral_id"),
        error_class=hand.text(entry, "class") or "invalid",
        message=hand.text(entry, "message") or "it failed before",
        at=_moment(hand, entry.get("at")),
        left=_data(entry.get("left")),
        right=_data(entry.get("right")),
        place=entry.place,
    )


def _moment(hand: Hand, entry: Shaped | None) -> datetime | None:
    if entry is None or not entry.sound or not isinstance(entry.value, str):
        return None
    try:
        found = datetime.fromisoformat(entry.value)
    except ValueError:
        hand.say(
            "T010",
            entry.place,
            f"{entry.value!r} is no moment",
            "write 2026-03-02T09:00:00Z",
        )
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


# -- what is answered -------------------------------------------------------------------------


def _mock(hand: Hand, name: str, entry: Shaped) -> Mock | None:
    system, dot, operation = name.partition(".")
    place = entry.key or entry.place
    if not (system and dot and operation):
        hand.say(
            "T011",
            place,
            f"{name!r} names no operation",
            "write a system, a dot and an operation, such as salesforce.query",
        )
        return None
    several = bool(entry.items)
    found = [_reply(hand, one, once=several) for one in (entry.items if several else (entry,))]
    replies = tuple(reply for reply in found if reply is not None)
    return Mock(system=system, operation=operation, replies=replies, place=place)


def _reply(hand: Hand, entry: Shaped, *, once: bool) -> Reply | None:
    given = [name for name in ANSWERS if name in entry.entries]
    if len(given) != 1:
        if entry.sound:
            hand.say(
                "T012",
                entry.place,
                f"an answer says one of {', '.join(ANSWERS)}; this one says {len(given)} of them",
                "write return: { … }, fixture: file.json or fail: unavailable",
            )
        return None
    when = entry.get("when")
    times = hand.integer(entry, "times")
    return Reply(
        answer=_answer(hand, entry, given[0]),
        place=entry.entries[given[0]].key or entry.place,
        when=when.plain() if when is not None else None,
        times=times if times is not None else (1 if once and when is None else None),
    )


def _answer(hand: Hand, entry: Shaped, kind: str) -> Answer:
    value = entry.entries[kind]
    match kind:
        case "return":
            return Returned(value=value.plain())
        case "fixture":
            merge = entry.get("merge")
            without = hand.texts(entry, "without")
            return Fixture(file=str(value.value), merge=_data(merge), without=without)
        case "fail":
            return _failing(hand, value)
    headers = value.get("headers")
    body = value.get("body")
    return Raw(
        status=hand.integer(value, "status") or 200,
        headers={name: str(text) for name, text in _plain(headers).items()},
        body=body.plain() if body is not None else None,
    )


def _failing(hand: Hand, entry: Shaped) -> Failing:
    if not entry.entries:
        return Failing(error_class=str(entry.value))
    return Failing(
        error_class=hand.text(entry, "class") or "invalid",
        code=hand.text(entry, "code"),
        message=hand.text(entry, "message"),
        retry_after=hand.duration(entry, "retry_after"),
        lost=hand.scalar(entry, "lost") is True,
    )


# -- what is expected -------------------------------------------------------------------------


def _expect(hand: Hand, entry: Shaped | None, case: Shaped) -> Expect:
    if entry is None:
        return Expect(status=Told(value="succeeded", place=case.place))
    error = _told(entry.get("error"))
    ending = "failed" if error is not None else "succeeded"
    place = error.place if error is not None else entry.key or entry.place
    writes, letters, audit = entry.get("writes"), entry.get("letters"), entry.get("audit")
    calls = entry.get("calls")
    return Expect(
        status=_told(entry.get("status")) or Told(value=ending, place=place),
        ran=_all_told(entry.get("ran")),
        not_ran=_all_told(entry.get("not_ran")),
        skipped=_all_told(entry.get("skipped")),
        calls=tuple(
            _calls(hand, name, one)
            for name, one in (calls.entries if calls is not None else {}).items()
        ),
        outputs=_each_told(entry.get("outputs")),
        counts=_each_told(entry.get("counts")),
        records=_each_told(entry.get("records")),
        writes=_all_told(writes) if writes is not None else None,
        writes_place=_key(writes),
        error=error,
        letters=_all_told(letters) if letters is not None else None,
        letters_place=_key(letters),
        audit=_all_told(audit) if audit is None or audit.items else (_sure(audit),),
        cursors=_each_told(entry.get("cursors")),
    )


def _calls(hand: Hand, name: str, entry: Shaped) -> ExpectedCalls:
    place = entry.key or entry.place
    if entry.items:
        return ExpectedCalls(name=name, place=place, each=_all_told(entry))
    if entry.entries:
        some = entry.get("with")
        return ExpectedCalls(
            name=name,
            place=place,
            times=hand.integer(entry, "times"),
            some=some.plain() if some is not None else None,
        )
    times = entry.value if isinstance(entry.value, int) else None
    return ExpectedCalls(name=name, place=place, times=0 if entry.value == () else times)


def _sure(entry: Shaped) -> Told:
    return Told(value=entry.plain(), place=entry.place)


def _told(entry: Shaped | None) -> Told | None:
    return _sure(entry) if entry is not None and entry.sound else None


def _all_told(entry: Shaped | None) -> tuple[Told, ...]:
    return tuple(_sure(one) for one in (entry.items if entry is not None else ()) if one.sound)


def _each_told(entry: Shaped | None) -> dict[str, Told]:
    entries = entry.entries if entry is not None else {}
    return {
        name: Told(value=one.plain(), place=one.key or one.place) for name, one in entries.items()
    }


def _key(entry: Shaped | None) -> Place | None:
    return (entry.key or entry.place) if entry is not None else None


def _plain(entry: Shaped | None) -> Mapping[str, Any]:
    return {name: one.plain() for name, one in (entry.entries if entry is not None else {}).items()}


def _data(entry: Shaped | None) -> Any:
    return entry.plain() if entry is not None else None
