"""Find braces outside quotes, the commonest slip of all, and show the line as it should be."""

from __future__ import annotations

import re

BARE_KEYS = ("when", "if", "until", "foreach", "switch")
"""Keys that take an expression without braces and quotes."""

MAX_LINE = 5_000  # nobody mends a longer line by hand

_BARE_LINE = re.compile(
    r"^(?P<head>\s*(?:-\s+)?(?:"
    + "|".join(BARE_KEYS)
    + r")\s*:\s+)\{\{(?P<body>.*)\}\}\s*(?P<tail>#.*)?$"
)


def looks_bare(line: str) -> bool:
    """Whether the braces of *line* stand after a key that takes a bare expression."""
    return len(line) <= MAX_LINE and _BARE_LINE.match(line.rstrip()) is not None


def quoted_line(line: str) -> str | None:
    """*line* with its first unquoted value with braces in quotes; None where there is none."""
    body = line.rstrip("\r\n")
    ending = line[len(body) :]
    if "{{" not in body or len(body) > MAX_LINE:
        return None
    bare = _BARE_LINE.match(body)
    if bare:
        tail = f"  {bare['tail']}" if bare["tail"] else ""
        return f"{bare['head']}{bare['body'].strip()}{tail}{ending}"
    span = _unquoted_span(body)
    if span is None:
        return None
    start, _, end = span
    return body[:start] + quoted(body[start:end]) + body[end:] + ending


def typed_at(line: str, mended: str) -> tuple[int, ...]:
    """For each letter of a mended line, and its end, where it stands in the line as it was typed."""
    found, at = [], 0
    adds = len(mended) > len(line)  # quotes; else braces were taken away
    for letter in mended:
        while not adds and at < len(line) and line[at] != letter:
            at += 1
        found.append(min(at, len(line)))
        if at < len(line) and line[at] == letter:
            at += 1
    return (*found, len(line))


def first_unquoted(line: str) -> int:
    """Where the first braces outside quotes stand; 0 where there are none."""
    span = _unquoted_span(line) if len(line) <= MAX_LINE else None
    return span[1] if span else max(0, line.find("{{"))


def quoted(text: str) -> str:
    """*text* in YAML quotes."""
    if '"' not in text and "\\" not in text:
        return f'"{text}"'
    return "'" + text.replace("'", "''") + "'"


def bare_of(text: str) -> str:
    """The expression inside braces that should not be there."""
    stripped = re.sub(r"^[$@#%=](?=\{\{)", "", text.strip())  # as other tools begin theirs
    if stripped.startswith("{{") and stripped.endswith("}}") and stripped.count("{{") == 1:
        return stripped[2:-2].strip()
    return re.sub(r"\{\{\s*(.*?)\s*\}\}", r"\1", stripped)


def _unquoted_span(line: str) -> tuple[int, int, int] | None:
    """Where the first plain value with braces begins, its braces, and its end."""
    start = 0  # of the value that the scan is in
    depth = 0  # of flow brackets
    at = 0
    while at < len(line):
        if line.startswith("{{", at):
            start = _first_letter(line, start)
            return start, at, _end_of_value(line, at, inside_flow=depth > 0)
        letter = line[at]
        if letter in "\"'" and not line[start:at].strip():
            at = _end_of_quotes(line, at)
            if line[at : at + 1].strip(" \t,]}:"):
                return None  # the quotes are what is wrong here: "a, b: "{{ c }}"
            continue
        if letter == "#" and (at == 0 or line[at - 1] == " "):
            return None
        if letter in "{[" and not line[start:at].strip():
            depth += 1
            start = at + 1
        elif letter in "}]" and depth:
            depth -= 1
            start = at + 1
        elif (letter == "," and depth) or (letter in ":-?" and _ends_word(line, at, start)):
            start = at + 1
        at += 1
    return None


def _ends_word(line: str, at: int, start: int) -> bool:
    """Whether this colon ends a key, or this dash begins an item."""
    if at + 1 < len(line) and line[at + 1] != " ":
        return False
    return line[at] == ":" or not line[start:at].strip()


def _first_letter(line: str, start: int) -> int:
    while start < len(line) and line[start] == " ":
        start += 1
    return start


def _end_of_quotes(line: str, at: int) -> int:
    quote = line[at]
    at += 1
    while at < len(line):
        if quote == '"' and line[at] == "\\":
            at += 2
        elif line[at] == quote:
            if quote == "'" and line[at : at + 2] == "''":
                at += 2
                continue
            return at + 1
        else:
            at += 1
    return len(line)


def _end_of_value(line: str, at: int, *, inside_flow: bool) -> int:
    """The end of the value whose first braces open at *at*."""
    while True:
        close = end_of_braces(line, at)
        if close < 0:
            return len(line.rstrip())
        at = close
        following = line.find("{{", at)
        stop = _value_stop(line, at, inside_flow=inside_flow)
        if following < 0 or following > stop:
            return stop
        at = following


def _value_stop(line: str, at: int, *, inside_flow: bool) -> int:
    pattern = r"\s*(?:[,}\]]|\s#|$)" if inside_flow else r"\s*(?:\s#|$)"
    found = re.compile(pattern).search(line, at)
    return found.start() if found else len(line)


def end_of_braces(text: str, at: int) -> int:
    """The index after the `}}` that closes the `{{` at *at*; -1 where nothing does."""
    depth = 0
    index = at + 2
    while index < len(text):
        letter = text[index]
        if letter in "\"'":
            index = _end_of_text(text, index)
            continue
        if letter == "{":
            depth += 1
        elif letter == "}":
            if depth == 0 and text.startswith("}}", index):
                return index + 2
            depth = max(0, depth - 1)
        index += 1
    return -1


def _end_of_text(text: str, at: int) -> int:
    """The index after a quoted text inside an expression."""
    quote = text[at]
    index = at + 1
    while index < len(text):
        if text[index] == "\\":
            index += 2
        elif text[index] == quote:
            return index + 1
        else:
            index += 1
    return len(text)
