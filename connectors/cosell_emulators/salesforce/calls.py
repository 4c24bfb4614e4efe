"""A call as the emulator's own code sees it, and the reply it gives."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from cosell_emulators import exact_json
from cosell_emulators.salesforce.problems import Refusal, refusal

_JSON_KINDS = ("application/json", "text/json", "application/vnd.salesforce")


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """Who calls."""

    user_id: str
    token: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One call; `path` is what comes after the version."""

    method: str
    path: str
    version: str
    session: Session
    query: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    content: bytes = b""
    # Answers a call; a composite hands its parts back through it.
    again: Callable[[Any, "Call"], "Reply"]

    @property
    def number(self) -> float:
        """Give the version as a number, to compare it."""
        return float(self.version)

    def json(self) -> Any:
        """Read the body."""
        kind = self.headers.get("content-type", "application/json").split(";")[0].strip().lower()
        if kind and not kind.startswith(_JSON_KINDS):
            message = f"Content type of request does not match any known types: {kind}"
            raise refusal("UNSUPPORTED_MEDIA_TYPE", message, bare=True)
        try:
            return exact_json.loads(self.content)
        except (ValueError, RecursionError):
            raise _unreadable(self.content) from None

    def object(self) -> dict[str, Any]:
        """Read the body as a JSON object."""
        body = self.json()
        if not isinstance(body, dict):
            raise _unreadable(self.content)
        return body

    def option(self, header: str, name: str) -> str | None:
        """Read one option of a header like `client=x; defaultNamespace=y`."""
        # Older pages of the documentation separate options with a comma.
        for part in self.headers.get(header, "").replace(",", ";").split(";"):
            key, _, value = part.partition("=")
            if key.strip().lower() == name.lower():
                return value.strip()
        return None


@dataclass(frozen=True, slots=True)
class Reply:
    """What a call is answered; a body that is not bytes goes out as JSON."""

    status: int = 200
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)
    kind: str = "application/json;charset=UTF-8"

    def content(self) -> bytes:
        """Write the body."""
        if self.body is None and self.status in (201, 204, 304):
            return b""
        if isinstance(self.body, bytes):
            return self.body
        return exact_json.dumps(self.body).encode()


def refused(error: Refusal) -> Reply:
    """Answer a refusal."""
    return Reply(error.status, [problem.as_rest() for problem in error.problems])


def _unreadable(content: bytes) -> Refusal:
    start = content[:1].decode("utf-8", errors="replace")
    message = f"Unexpected character ('{start}') at [line:1, column:1]"
    if not content:
        message = "The HTTP entity body is required, but this request has no entity body."
    return refusal("JSON_PARSER_ERROR", message, bare=True)
