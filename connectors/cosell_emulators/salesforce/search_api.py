"""Search: rows of several objects in which words occur.

https://developer.salesforce.com/docs/platform/api-rest/guide/resources_search.html
"""

import re
from collections.abc import Iterator
from typing import Any

from cosell_emulators.salesforce.calls import Call, Reply
from cosell_emulators.salesforce.org import Org
from cosell_emulators.salesforce.problems import refusal
from cosell_emulators.salesforce.query_api import answer
from cosell_emulators.salesforce.store import Row

_FIND = re.compile(
    r"\s*FIND\s*\{(?P<words>(?:[^{}\\]|\\.)*)\}"
    r"(?:\s+IN\s+(?P<scope>ALL|NAME|EMAIL|PHONE)\s+FIELDS)?"
    r"(?:\s+RETURNING\s+(?P<returning>.*?))?(?:\s+LIMIT\s+(?P<limit>\d+))?\s*",
    re.IGNORECASE | re.DOTALL,
)
_OBJECT = re.compile(r"\s*(\w+)\s*(?:\(((?:[^()]|\([^()]*\))*)\))?\s*(?:,|$)")
_CLAUSE = re.compile(r"\s(?=(?:WHERE|ORDER\s+BY|LIMIT)\s)", re.IGNORECASE)
_LIMIT = re.compile(r"\sLIMIT\s+(\d+)\s*$", re.IGNORECASE)
_SEARCHED = ("Account", "Contact", "Lead", "Opportunity", "User")
_TYPES = {"NAME": (), "EMAIL": ("email",), "PHONE": ("phone",)}
_MOST = 2000


def search(org: Org, call: Call) -> Reply:
    """GET /search?q=FIND…"""
    text = call.query.get("q", "")
    found = _FIND.fullmatch(text)
    if found is None or not found["words"].strip():
        message = "No search term found. The search term must be enclosed in braces."
        raise refusal("MALFORMED_SEARCH", message, bare=True)
    words = [_pattern(word) for word in found["words"].replace('"', " ").split()]
    scope = (found["scope"] or "ALL").upper()
    records: list[dict[str, Any]] = []
    for name, selected in _returning(found["returning"]):
        records += _found(org, call, name, selected, words, scope)
    most = min(int(found["limit"] or _MOST), _MOST)
    return Reply(200, {"searchRecords": records[:most]})


def _returning(text: str | None) -> Iterator[tuple[str, str]]:
    if text is None:
        yield from ((name, "Id") for name in _SEARCHED)
        return
    place = 0
    while place < len(text.rstrip()):
        found = _OBJECT.match(text, place)
        if found is None:
            message = f"unexpected token: '{text[place:].strip()}'"
            raise refusal("MALFORMED_SEARCH", message, bare=True)
        yield found[1], (found[2] or "Id").strip() or "Id"
        place = found.end()


def _found(
    org: Org, call: Call, name: str, selected: str, words: list[re.Pattern[str]], scope: str
) -> list[dict[str, Any]]:
    limit = _LIMIT.search(f" {selected}")
    plain = _LIMIT.sub("", f" {selected}").strip()
    fields, *rest = _CLAUSE.split(plain, maxsplit=1)
    if "(" in fields:
        message = f"unexpected token: '{fields}'"
        raise refusal("MALFORMED_SEARCH", message, bare=True)
    query = " ".join(["SELECT", fields, "FROM", name, *rest])
    rows = answer(org, query, user_id=call.session.user_id, version=call.version)
    fits = [row for row in rows.rows if all(_holds(row, word, scope) for word in words)]
    return [rows.show(row) for row in fits[: int(limit[1]) if limit is not None else _MOST]]


def _holds(row: Row, word: re.Pattern[str], scope: str) -> bool:
    texts = (
        value
        for name, value in row.values.items()
        if isinstance(value, str)
        and (field := row.type.fields.get(name)) is not None
        and (
            scope == "ALL"
            or field.type in _TYPES[scope]
            or (scope == "NAME" and (field.compound == "Name" or "M" in field.flags))
        )
    )
    return any(word.search(text) for text in texts)


def _pattern(word: str) -> re.Pattern[str]:
    """Read a word: it begins where a word begins, and * and ? stand for other signs."""
    plain = re.escape(re.sub(r"\\(.)", r"\1", word)).replace(r"\*", r"\S*").replace(r"\?", r"\S")
    return re.compile(rf"(?<!\w){plain}(?!\w)", re.IGNORECASE)
