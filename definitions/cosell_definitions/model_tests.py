"""What a file of tests says, as frozen values: what is given, what is answered, what is expected."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from datetime import datetime, timedelta
from typing import Any, Literal

from .freezing import dataclass
from .nodes import Node
from .problems import Place

Data = Any
"""Plain data as it was written: what is compared with what a run gave."""

FIXTURE_KEYS = frozenset({"fixture", "merge", "without"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """A piece of data, and where it stands."""

    value: Data
    place: Place


@dataclass(frozen=True, slots=True, kw_only=True)
class Failing:
    """How an operation fails. `lost`: the request arrived, and its answer did not."""

    error_class: str
    code: str | None = None
    message: str | None = None
    retry_after: timedelta | None = None
    lost: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Raw:
    """An answer as it comes over the wire."""

    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    body: Data = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Fixture:
    """The body of an answer, as a file, and what differs from it."""

    file: str
    merge: Data = None
    without: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Returned:
    """What the operation gives out."""

    value: Data


Answer = Returned | Fixture | Failing | Raw


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """One answer. `times` None: as many calls as there are."""

    answer: Answer
    place: Place
    when: Mapping[str, Data] | None = None
    times: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Mock:
    """What one operation answers."""

    system: str
    operation: str
    replies: tuple[Reply, ...]
    place: Place

    @property
    def name(self) -> str:
        """`system.operation`."""
        return f"{self.system}.{self.operation}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Triggered:
    """The trigger that starts the run, and what came with it."""

    id: str
    place: Place
    fixtures: tuple[tuple[str, Place], ...] = ()
    events: tuple[Mapping[str, Data], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownLink:
    """Two records that are twins before the run. `left`, `right`: what they agreed on."""

    mapping: str | None
    left_id: str | None
    right_id: str | None
    left: Data
    right: Data
    state: Literal["active", "closed", "deleted"]
    notes: Mapping[str, Data]
    place: Place


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownLetter:
    """A record that failed before the run. `left`, `right`: as they were then."""

    mapping: str | None
    opportunity_id: str | None
    referral_id: str | None
    error_class: str
    message: str
    at: datetime | None
    left: Data
    right: Data
    place: Place


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """What the ledger knows before the run."""

    links: tuple[KnownLink, ...] = ()
    cursors: Mapping[str, datetime] = field(default_factory=dict)
    values: Mapping[str, Data] = field(default_factory=dict)
    letters: tuple[KnownLetter, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ExpectedCalls:
    """How often an operation is called, and with what. `each`: the arguments of every call."""

    name: str
    place: Place
    times: int | None = None
    some: Mapping[str, Data] | None = None
    each: tuple[Told, ...] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Expect:
    """What is expected of a run; None and empty: not looked at."""

    status: Told
    ran: tuple[Told, ...] = ()
    not_ran: tuple[Told, ...] = ()
    skipped: tuple[Told, ...] = ()
    calls: tuple[ExpectedCalls, ...] = ()
    outputs: Mapping[str, Told] = field(default_factory=dict)
    counts: Mapping[str, Told] = field(default_factory=dict)
    records: Mapping[str, Told] = field(default_factory=dict)
    writes: tuple[Told, ...] | None = None
    writes_place: Place | None = None
    error: Told | None = None
    letters: tuple[Told, ...] | None = None
    letters_place: Place | None = None
    audit: tuple[Told, ...] = ()
    cursors: Mapping[str, Told] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Around:
    """What surrounds a run: variables, the time, what is known, what is answered."""

    env: Mapping[str, tuple[str, Place]] = field(default_factory=dict)
    env_places: Mapping[str, Place] = field(default_factory=dict)  # of the names
    now: datetime | None = None
    state: State = State()
    mocks: Mapping[str, Mock] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One run, and what is expected of it."""

    name: str
    place: Place
    around: Around
    expect: Expect
    trigger: Triggered | None = None
    inputs: Mapping[str, Data] = field(default_factory=dict)
    input_places: Mapping[str, Place] = field(default_factory=dict)
    input_nodes: Mapping[str, Node] = field(default_factory=dict, repr=False, compare=False)
    answers: Mapping[str, Told] = field(default_factory=dict)  # of people, by the step that asks
    release_brake: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class FlowTests:
    """One file of tests. `common` holds for every case that does not say otherwise."""

    flow: str
    flow_place: Place
    cases: tuple[Case, ...]
    common: Around
    place: Place
    content_hash: str = ""


def is_fixture(value: Data) -> bool:
    """Whether a piece of data stands for a file: `{ fixture: … }`, perhaps with what differs."""
    return isinstance(value, Mapping) and "fixture" in value and set(value) <= FIXTURE_KEYS
