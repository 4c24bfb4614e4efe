"""Cut a query into tokens, each with its place."""

import re
from dataclasses import dataclass
from typing import Final

from cosell_emulators.salesforce.problems import Refusal, refusal

_TOKEN = re.compile(
    r"""
    (?P<space>\s+)
  | (?P<datetime>\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:?\d\d))
  | (?P<date>\d{4}-\d\d-\d\d(?![\dT]))
  | (?P<number>[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?)
  | (?P<text>'(?:[^'\\]|\\.)*')
  | (?P<name>[A-Za-z_][A-Za-z0-9_]*(?:\.[A-Za-z_][A-Za-z0-9_]*)*)
  | (?P<sign><=|>=|!=|<>|[=<>(),:])
    """,
    re.VERBOSE | re.DOTALL,
)
_ESCAPES: Final = {"n": "\n", "r": "\r", "t": "\t", "b": "\b", "f": "\f"}


@dataclass(frozen=True, slots=True)
class Token:
    """A piece of a query; `kind` is empty at its end."""

    kind: str
    text: str
    at: int

    @property
    def word(self) -> str:
        """Give a keyword in one case."""
        return self.text.upper() if self.kind == "name" else ""


def tokens(query: str) -> list[Token]:
    """Cut a query."""
    found: list[Token] = []
    at = 0
    while at < len(query):
        match = _TOKEN.match(query, at)
        if match is None or match.lastgroup is None:
            raise complaint(query, at, "MALFORMED_QUERY", f"unexpected token: '{query[at]}'")
        if match.lastgroup != "space":
            found.append(Token(match.lastgroup, match[0], at))
        at = match.end()
    return [*found, Token("", "<EOF>", at)]


def literal(text: str, *, pattern: bool = False) -> str:
    r"""Read a quoted text; a LIKE pattern keeps `\%` and `\_` for later."""

    def unescaped(match: re.Match[str]) -> str:
        sign = match[1]
        if pattern and sign in "%_\\":
            return match[0]
        return _ESCAPES.get(sign.lower(), sign)

    return re.sub(r"\\(.)", unescaped, text[1:-1], flags=re.DOTALL)


def complaint(query: str, at: int, code: str, message: str) -> Refusal:
    """Refuse a query the way the parser does: an excerpt, a caret, a place."""
    row = query.count("\n", 0, at) + 1
    start = query.rfind("\n", 0, at) + 1
    column = at - start + 1
    left = max(start, at - 40)
    excerpt = query[left : at + 40].partition("\n")[0]
    caret = " " * (at - left) + "^"
    place = f"ERROR at Row:{row}:Column:{column}"
    return refusal(code, f"\n{excerpt}\n{caret}\n{place}\n{message}", bare=True)
