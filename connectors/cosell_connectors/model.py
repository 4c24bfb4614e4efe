"""What connector files say, as frozen values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from datetime import timedelta
from typing import Any, Literal

from cosell_definitions.freezing import dataclass

from .errors import ErrorClass

Method = Literal["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD"]
Location = Literal["path", "query", "header", "body", "body_field", "soap_header", "part", "stop"]
ParameterType = Literal[
    "text",
    "integer",
    "number",
    "boolean",
    "date",
    "datetime",
    "http_date",
    "uuid",
    "array",
    "object",
    "csv",
    "bytes",
    "any",
]
AuthType = Literal[
    "refresh_token",
    "client_credentials",
    "jwt_bearer",
    "password",
    "bearer",
    "basic",
    "api_key",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Auth:
    """One way to prove who we are; taken when the connection has the setting `when` names."""

    type: AuthType
    when: str | None = None
    token_url: str | None = None  # default of the setting `token_url`; {setting} is filled in
    token_path: str | None = None  # below the base URL's host, where no token_url is set
    token_body: Literal["form", "json"] = "form"  # noqa: S105 - a format, not a secret
    fields: Mapping[str, str] = field(default_factory=dict)  # sent besides, when asking for a token
    audience: str | None = None  # default of the setting `audience`
    audience_parameter: str | None = None  # form field that carries the audience
    scope: str | None = None  # {setting} is filled in, and {origin} with the base URL's host
    client_secret_in: Literal["body", "basic"] = "body"  # noqa: S105 - a place, not a secret
    header: str = "Authorization"  # of an API key or token; elsewhere a token stands alone
    lifetime: timedelta | None = None  # of tokens that do not say when they end


@dataclass(frozen=True, slots=True, kw_only=True)
class Elements:
    """How a value is written where the body is XML."""

    first: tuple[str, ...] = ()  # of what is in it, these come first, in this order
    nulls: str | None = None  # the element that names what is null, where `xsi:nil` is not taken
    nil: tuple[str, ...] = ()  # what must be in it: nil, where it is not given
    namespace: str | None = None  # of what is in it


@dataclass(frozen=True, slots=True, kw_only=True)
class Soap:
    """A call by SOAP 1.1: the body's fields are its elements, in an envelope."""

    call: str
    namespace: str
    token: str | None = None  # the header that carries the access token: /SessionHeader/sessionId


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What an answer is written in that is not JSON, and what its text alone does not tell."""

    kind: Literal["xml", "csv"]
    lists: tuple[str, ...] = ()  # of XML: elements that are lists, even if there is but one
    booleans: tuple[str, ...] = ()  # of XML: elements that say true or false


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameter:
    """One argument of an operation, and where in the request it goes."""

    name: str
    location: Location
    wire_name: str  # of a body field: a JSON Pointer, in which `*` stands for every element
    required: bool = True
    type: ParameterType = "text"
    default: Any = None
    format: str | None = None  # text around the value; `{}` is the value
    escape: Literal["odata", "soql"] | None = None  # so that it stays within its quotes
    max_items: int | None = None
    filename: str | None = None  # of a part that is a file
    null_as: str = ""  # of CSV: what a cell says that is to be emptied
    elements: Elements | None = None  # of a body in XML: how its elements are written
    addresses: Mapping[str, str] = field(default_factory=dict)  # pointer -> what goes before it
    also: str | None = None  # of a part of the path: where in the body the value stands as well
    description: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fixed:
    """What an operation always sends."""

    query: Mapping[str, str] = field(default_factory=dict)
    header: Mapping[str, str] = field(default_factory=dict)
    body: Mapping[str, Any] = field(default_factory=dict)
    soap_header: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Stop:
    """Where reading a list ends: at the first item whose field is older than an argument."""

    field: str
    before: str  # name of the argument


@dataclass(frozen=True, slots=True, kw_only=True)
class Only:
    """Which items of a list are asked for: those whose field an argument names, where it names any."""

    field: str
    among: str  # name of the argument


@dataclass(frozen=True, slots=True, kw_only=True)
class Cursor:
    """An answer says what to ask for next: a mark or an offset, sent as a query parameter."""

    parameter: str
    at: str | None = None  # in the body; or else
    header: str | None = None  # in lower case
    end: tuple[str, ...] = ()  # marks that stand for the end, besides null and nothing


@dataclass(frozen=True, slots=True, kw_only=True)
class Count:
    """Nothing says where a list goes on: pages or items are counted until a page is empty."""

    parameter: str
    by: Literal["page", "items"]
    first: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Paging:
    """How a list goes on: where its items are, and how the next page is asked for."""

    items: str
    next: str | Cursor | Count  # a pointer to a link, or one of the other ways
    stop: Stop | None = None
    only: Only | None = None

    def named(self, arguments: Mapping[str, Any]) -> frozenset[str]:
        """The items that *arguments* name, in small letters; none: all are asked for."""
        given = arguments.get(self.only.among) if self.only is not None else None
        return frozenset(str(one).lower() for one in given or ())


@dataclass(frozen=True, slots=True, kw_only=True)
class OutputField:
    """One name of an operation's output, and what it is made of."""

    name: str
    kind: Literal["value", "items", "newest"]
    pointer: str  # into the reply's body; of `newest`, into each item


@dataclass(frozen=True, slots=True, kw_only=True)
class Recover:
    """How to ask whether a write happened whose answer was lost."""

    operation: str
    match: Mapping[str, str]  # pointer into a candidate -> pointer into the call's arguments
    holds: Mapping[str, tuple[Any, ...]] = field(default_factory=dict)  # one of these is there
    candidates: str | None = None  # the name in its output that lists them; None: its answer is one
    arguments: Mapping[str, str] = field(default_factory=dict)  # name -> pointer into arguments
    if_argument: str | None = None  # this rule counts where the pointer finds something
    since_parameter: str | None = None  # takes the moment of the intent, less the window
    window: timedelta = timedelta(minutes=5)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rows:
    """Where an answer that went well tells of each row, and which of them did not go well."""

    at: str  # in which `*` is every element
    errors: str  # in a row: read by the rules for errors
    succeeded: str | None = None  # in a row: true or false; or else
    status: str | None = None  # in a row: a status as of HTTP; or else a row with errors failed
    record: str | None = None  # into the arguments, `*` is the row's number: what the row is about
    says: str | None = None  # of errors that are one text: "{code}: {message}"
    alone: bool = False  # the call is about one row, whose failure is the call's


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """What a record, a list or a value of an answer is. Any of it may be null."""

    kind: Literal["record", "list", "text", "number", "integer", "boolean", "any"]
    fields: Mapping[str, Shape] = field(default_factory=dict)  # of a record
    item: Shape | None = None  # of a list


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """One thing a connector can do."""

    name: str
    summary: str
    method: Method
    path: str
    effect: Literal["read", "write"]
    idempotent: bool
    base_path: str | None = None  # instead of the connector's; from the host's root
    parameters: tuple[Parameter, ...] = ()
    fixed: Fixed = Fixed()
    output: tuple[OutputField, ...] = ()  # empty: the body as it is
    record: str | Shape | None = None  # what the answer is, or each item; text: the resource's
    paging: Paging | None = None
    recover: tuple[Recover, ...] = ()
    rows: Rows | None = None
    soap: Soap | None = None
    answer: Answer | None = None  # None: JSON

    def parameter(self, name: str) -> Parameter | None:
        """The parameter called *name*, or nothing."""
        return next((one for one in self.parameters if one.name == name), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class ResourceCall:
    """Which operation reads, makes or changes a record, and which arguments carry what."""

    operation: str
    object_parameter: str | None = None
    id_parameter: str | None = None
    key_field_parameter: str | None = None  # of an upsert: takes the name of the key's field
    body_parameter: str | None = None
    version_parameter: str | None = None
    fields_parameter: str | None = None
    style: Literal["object", "fields", "json_patch"] = "object"
    new_id: str | None = None  # pointer into the reply of a create: the key of the new record
    gives: Mapping[str, object] = field(default_factory=dict)  # what the answer will say of itself
    makes: tuple[str, ...] = ()  # further ids that the system gives a new record


@dataclass(frozen=True, slots=True, kw_only=True)
class Resource:
    """A kind of record. The name `*` stands for every kind the system has."""

    name: str
    key: str
    get: ResourceCall | None = None
    create: ResourceCall | None = None
    update: ResourceCall | None = None
    upsert: ResourceCall | None = None  # makes a record once, by a key of the other system
    updatable: tuple[str, ...] | None = None  # None: every field
    record: Shape | None = None  # None: nothing is known


@dataclass(frozen=True, slots=True, kw_only=True)
class ErrorRule:
    """Which class an answer has. Every condition that is given must hold."""

    error_class: ErrorClass
    statuses: tuple[int, ...] = ()
    codes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ErrorRules:
    """Where an error answer keeps its parts, and which class it has."""

    code: tuple[str, ...] = ()  # pointers; the first that finds something counts
    message: tuple[str, ...] = ()
    field: tuple[str, ...] = ()
    record: tuple[str, ...] = ()  # where an answer about several records names the one it is about
    request_id: tuple[str, ...] = ()  # headers
    rules: tuple[ErrorRule, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """A day's calls, shared with people: answers tell how many are used, and some are left alone."""

    header: str
    name: str  # in the header: name=used/limit
    reserve: float  # the share that is left to others


@dataclass(frozen=True, slots=True, kw_only=True)
class RateLimit:
    """How many calls the other system bears: at once, within a while, and of a day's budget."""

    concurrent: int
    calls: int | None = None
    per: timedelta = timedelta(minutes=1)
    budget: Budget | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Webhook:
    """How events arrive, and how their sender is known: a signature checked with a certificate."""

    signature_headers: tuple[str, ...]
    scheme: str
    certificate_url_header: str
    algorithm_header: str
    issuer: str
    certificate_hosts: tuple[str, ...]
    issuer_hosts: tuple[str, ...] = ()  # where certificates of issuers are published
    events: tuple[str, ...]
    name: str  # pointers into the body
    resource_uri: str  # its last path segment is the record's identifier
    changed_at: str
    dedupe: tuple[str, ...]  # what tells two events apart


@dataclass(frozen=True, slots=True, kw_only=True)
class Connector:
    """One connector file. `content_hash` is sha256 of its text, hex."""

    name: str
    title: str
    description: str = ""
    base_url: str | None = None  # default of the setting `base_url`
    base_path: str = ""
    settings: Mapping[str, str] = field(default_factory=dict)  # defaults of settings used in paths
    auth: tuple[Auth, ...] = ()
    headers: Mapping[str, str] = field(default_factory=dict)
    unique_headers: tuple[str, ...] = ()  # a new UUID in each, every call
    max_url: int | None = None
    operations: Mapping[str, Operation] = field(default_factory=dict)
    resources: Mapping[str, Resource] = field(default_factory=dict)
    errors: ErrorRules = ErrorRules()
    rate_limit: RateLimit | None = None
    webhook: Webhook | None = None
    content_hash: str = ""

    def resource(self, name: str) -> Resource | None:
        """The resource called *name*, or the one that stands for every kind."""
        return self.resources.get(name) or self.resources.get("*")

    def record_of(self, operation: Operation) -> Shape | None:
        """What the answer of an operation is, or each of its items, as far as that is known."""
        if not isinstance(operation.record, str):
            return operation.record
        resource = self.resources.get(operation.record)
        return resource.record if resource is not None else None
