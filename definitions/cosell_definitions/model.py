"""What the documents say, as frozen values. Dicts end here: nobody downstream reads YAML keys."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from datetime import timedelta
from decimal import Decimal
from typing import Literal

from .freezing import dataclass
from .nodes import Node
from .problems import Place
from .tracing import Turn


@dataclass(frozen=True, slots=True)
class Bare:
    """A bare expression, as in `when: env.X == 'y'`. `turns`: as those of its scalar node."""

    text: str
    place: Place
    turns: tuple[Turn, ...] = field(default=(), compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Template:
    """Text with at least one `{{ … }}` in it. `turns`: as those of its scalar node."""

    text: str
    place: Place
    turns: tuple[Turn, ...] = field(default=(), compare=False, repr=False)


Value = None | bool | int | Decimal | str | Template | tuple["Value", ...] | Mapping[str, "Value"]
"""A literal as written, with templates where braces stand."""

ErrorClass = str  # one of ERROR_CLASSES
ERROR_CLASSES = (
    "rate_limited", "unavailable", "locked", "conflict", "unauthorized", "forbidden",
    "not_found", "deleted", "invalid", "too_large", "expression", "timeout", "exhausted",
    "brake", "cancelled",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Retry:
    """When and how often a step is tried again. `attempts` counts all tries."""

    attempts: int = 1
    delay: timedelta = timedelta(seconds=1)
    backoff: Literal["constant", "linear", "exponential"] = "exponential"
    max_delay: timedelta = timedelta(minutes=2)
    on: tuple[ErrorClass, ...] = ("rate_limited", "unavailable")


@dataclass(frozen=True, slots=True, kw_only=True)
class Schema:
    """The type of an input or output: JSON Schema keywords, types of the language."""

    type: str
    items: Schema | None = None
    properties: Mapping[str, Schema] = field(default_factory=dict)
    enum: tuple[Value, ...] = ()
    format: str | None = None
    title: str | None = None
    description: str | None = None
    keywords: Mapping[str, Value] = field(default_factory=dict)  # minimum, maxLength, pattern…


@dataclass(frozen=True, slots=True, kw_only=True)
class Input:
    """One input of a flow. Required unless it has a default or says `required: false`."""

    name: str
    schema: Schema
    required: bool
    default: Value = None
    place: Place


@dataclass(frozen=True, slots=True, kw_only=True)
class Output:
    """One output of a flow."""

    name: str
    schema: Schema | None
    value: Value
    place: Place


@dataclass(frozen=True, slots=True, kw_only=True)
class Trigger:
    """What starts a flow: a person, a clock, or a webhook."""

    id: str
    type: Literal["manual", "schedule", "webhook"]
    every: timedelta | None = None
    cron: str | None = None
    timezone: str | None = None
    connection: str | None = None
    connection_place: Place | None = None
    events: tuple[str, ...] = ()
    event_places: tuple[Place, ...] = ()
    batch_max: int = 1
    batch_wait: timedelta = timedelta()
    inputs: Mapping[str, Value] = field(default_factory=dict)
    place: Place
    input_places: Mapping[str, Place] = field(default_factory=dict)
    input_nodes: Mapping[str, Node] = field(default_factory=dict, repr=False, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Action:
    """Call an operation of a connector (`salesforce.query`) or of the engine (`sync.plan`)."""

    system: str
    operation: str
    arguments: Mapping[str, Value]
    place: Place
    argument_places: Mapping[str, Place] = field(default_factory=dict)
    argument_nodes: Mapping[str, Node] = field(default_factory=dict, repr=False, compare=False)
    unread: bool = False  # what it is given has problems of its own


@dataclass(frozen=True, slots=True, kw_only=True)
class CallFlow:
    """Run another flow as a child."""

    flow: str
    arguments: Mapping[str, Value]
    place: Place
    argument_places: Mapping[str, Place] = field(default_factory=dict)
    argument_nodes: Mapping[str, Node] = field(default_factory=dict, repr=False, compare=False)
    unread: bool = False  # as above


@dataclass(frozen=True, slots=True, kw_only=True)
class SetValues:
    """Name values."""

    values: Mapping[str, Value]
    nodes: tuple[Node, ...] = field(default=(), repr=False, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class If:
    """Two branches."""

    condition: Bare
    then: tuple[Step, ...]
    otherwise: tuple[Step, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One case of a switch: taken when the subject equals one of `values`."""

    values: tuple[Value, ...]
    steps: tuple[Step, ...]
    places: tuple[Place, ...] = ()  # of the values


@dataclass(frozen=True, slots=True, kw_only=True)
class Switch:
    """Many branches. No case and no default: the step is skipped."""

    subject: Bare
    cases: tuple[Case, ...]
    default: tuple[Step, ...] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ForEach:
    """Steps over a list."""

    items: Bare
    name: str
    steps: tuple[Step, ...]
    concurrency: int = 1
    key: Value = None
    on_item_error: Literal["fail", "continue"] = "fail"
    result: Value = None
    name_place: Place | None = None
    key_place: Place | None = None
    result_place: Place | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Until:
    """Steps repeated until a condition holds; tested after each turn."""

    condition: Bare
    every: timedelta
    max: int
    steps: tuple[Step, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Parallel:
    """Named branches at once."""

    branches: Mapping[str, tuple[Step, ...]]
    wait_for: Literal["all", "any"] = "all"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wait:
    """A pause: a duration, or until a moment."""

    duration: timedelta | None = None
    until: Value = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Approve:
    """A pause until a person answers. `answer`: what the form asks for, as inputs are."""

    message: Value
    answer: tuple[Input, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Stop:
    """End the flow, or the item of a loop."""

    scope: Literal["flow", "item"]
    status: Literal["succeeded", "skipped", "failed"]
    reason: Value
    error_class: ErrorClass = "invalid"


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """Steps that belong together; with a key, one at a time for each key, over all runs."""

    steps: tuple[Step, ...]
    key: Value = None
    guessed: bool = False  # of a draft: what stands inside a step that cannot be understood


Doing = (
    Action | CallFlow | SetValues | If | Switch | ForEach | Until | Parallel | Wait | Approve
    | Stop | Scope
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class OnError:
    """What happens after a step failed for good."""

    steps: tuple[Step, ...] = ()
    then: Literal["fail", "continue"] = "fail"


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One step of a flow. `place` is its keyword (`action:`, `foreach:` …)."""

    id: str
    do: Doing
    place: Place
    name: str | None = None
    when: Bare | None = None
    retry: Retry | None = None
    timeout: timedelta | None = None
    on_error: OnError | None = None
    finally_: tuple[Step, ...] = ()
    id_place: Place | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Flow:
    """One flow file. `content_hash` is sha256 of its text, hex."""

    id: str
    name: str
    description: str = ""
    needs: tuple[str, ...] = ()
    triggers: tuple[Trigger, ...] = ()
    inputs: tuple[Input, ...] = ()
    uses_connections: tuple[str, ...] = ()
    uses_env: tuple[str, ...] = ()
    uses_mappings: tuple[str, ...] = ()
    timeout: timedelta | None = None
    default_retry: Retry | None = None
    steps: tuple[Step, ...] = ()
    outputs: tuple[Output, ...] = ()
    content_hash: str = ""
    place: Place
    places: Mapping[tuple[str, str], Place] = field(default_factory=dict)  # ("env", "X") …
