"""Put what a YAML parser complains about into words that say what to do."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Protocol

from .braces import quoted
from .problems import Place, Problem
from .slips import tab_problem


class _Mark(Protocol):
    line: int
    column: int


def fault_of(error: Exception, lines: list[str], file: str) -> Problem:
    """The problem that a parser's error stands for. *error* is any `yaml.YAMLError`."""
    context: str = getattr(error, "context", None) or ""
    problem: str = getattr(error, "problem", None) or ""
    mark: _Mark | None = getattr(error, "problem_mark", None)
    opening: _Mark | None = getattr(error, "context_mark", None)
    if mark is None:
        return _unreadable(error, lines, file)
    if "token" in problem and lines[mark.line][mark.column : mark.column + 1] == "\t":
        return tab_problem(Place(file=file, line=mark.line + 1, column=mark.column + 1))
    if "<document start>" in problem and any(it.startswith("...") for it in lines[: mark.line]):
        place = Place(file=file, line=mark.line + 1, column=mark.column + 1)
        return Problem(
            code="Y006",
            place=place,
            message="the document ended at the line ... above; a file holds one",
            hint="delete the line ..., or move what follows into a file of its own",
        )
    dash = _other_dash(mark, lines)
    if dash is not None:
        sign, hint = (
            lines[dash.line][dash.column],
            "type a plain - instead; it came from a text program",
        )
        return _problem(dash, lines, file, f"{sign} does not begin an item of a list", hint)
    above = _blank_forgotten(problem, mark, lines)
    if above is not None:
        return _stuck(above, lines, file)
    seen = _at_sight(problem, mark, opening, lines) or _after_a_value(problem, context, mark, lines)
    if seen is not None:
        column, message, hint = seen
        return _problem(_At(mark.line, column), lines, file, message, hint)
    for where, said, at_opening, message, hint in _WORDS:
        if re.search(where, context) and re.search(said, problem):
            spot = opening if at_opening and opening is not None else mark
            return _problem(spot, lines, file, message, hint)
    return _problem(
        mark,
        lines,
        file,
        f"YAML cannot read this: {problem or context or 'unknown syntax'}",
        "compare the line with its neighbours: same indentation, `key: value`, quotes that close",
    )


@dataclass(slots=True)
class _At:
    """A spot, as the parsers count."""

    line: int
    column: int


def _at_sight(
    problem: str, mark: _Mark, opening: _Mark | None, lines: list[str]
) -> tuple[int, str, str] | None:
    """What the line itself tells better than the parser: column, message, hint."""
    line = lines[mark.line] if mark.line < len(lines) else ""
    before, at = line[: mark.column], line[mark.column : mark.column + 1]
    if "mapping values are not allowed" in problem:
        return _colon(line, before)
    if ("escape" in problem or "hexdecimal" in problem) and "\\" in before:
        if "invalid Unicode" in problem:
            return (
                before.rindex("\\"),
                "this escape stands for half a letter",
                "type the letter itself, emoji included, or write it as \\U and eight digits",
            )
        return (
            before.rindex("\\"),
            "a backslash in double quotes begins an escape that YAML does not know",
            "write the text in 'single quotes', or double the backslash",
        )
    if at == "@" and re.match(r"@(\w+\(|\{)", line[mark.column :]):
        hint = (
            "names stand alone; in a value: \"{{ inputs.name }}\", after when: inputs.name == 'x'"
        )
        return mark.column, "expressions do not begin with @ here, nor can a value", hint
    if at and at in "]}" and "expected" in problem:
        return mark.column, f"this {at} closes nothing", "delete it, or open its partner before"
    if "did not find expected ',' or" not in problem or not at or opening is None:
        return None
    if at == ":" and opening.line == mark.line:
        word = re.search(r"[^\s,\[{:]+\s*$", before)
        start = word.start() if word else mark.column
        return start, "a comma is missing before this key", "put a comma between two entries"
    if before.rstrip()[-1:] in ("'", '"') and opening.line == mark.line:
        quote = before.rstrip()[-1]
        other = '"double quotes"' if quote == "'" else "'single quotes'"
        return (
            len(before.rstrip()) - 1,
            f"this {quote} ends the text, and more follows",
            f"a text with {quote} inside goes in {other}; between two entries stands a comma",
        )
    return None


def _other_dash(mark: _Mark, lines: list[str]) -> _At | None:
    """A dash or dot of a text program that stands where an item of a list begins."""
    for number in (mark.line, mark.line - 1):
        found = re.match(r"\s*([–—−•]) ", lines[number]) if 0 <= number < len(lines) else None
        if found is not None:
            return _At(number, found.start(1))
    return None


def _blank_forgotten(problem: str, mark: _Mark, lines: list[str]) -> _At | None:
    """Where a blank is missing in the line above, which makes one text of a key and its value."""
    if "mapping values are not allowed" not in problem or mark.line == 0:
        return None
    before = lines[mark.line][: mark.column]
    found = _STUCK.match(lines[mark.line - 1])
    if found is None or ": " in before:
        return None
    return _At(mark.line - 1, found.end("stuck"))


def _stuck(at: _At, lines: list[str], file: str) -> Problem:
    """The blank that is missing between a dash or a colon and what follows."""
    sign = "dash" if lines[at.line][at.column - 1] == "-" else "colon"
    message = f"a blank is missing after this {sign}"
    return _problem(
        _At(at.line, at.column - 1), lines, file, message, f"put a blank behind the {sign}"
    )


def _after_a_value(
    problem: str, context: str, mark: _Mark, lines: list[str]
) -> tuple[int, str, str] | None:
    """A value in quotes or brackets has ended, and more follows on its line."""
    line = lines[mark.line] if mark.line < len(lines) else ""
    found = _STARTS.match(line)
    if found is None or mark.column <= found.start("value"):
        return None
    key, value = found["key"], found["value"].rstrip()
    sign = value[0]
    if "block scalar" in context:
        if sign in "|>":
            hint = f"text goes on the next lines, indented; for this very text, write: {key}{quoted(value)}"
            return (
                found.start("value"),
                f"a value that begins with {sign} begins a text block",
                hint,
            )
        if sign in "[{":
            return (
                mark.column - 1,
                "the list ends here, and more follows",
                f"write: {key}{quoted(value)}",
            )
    if sign not in "'\"" or "did not find expected key" not in problem:
        return None
    before = line[: mark.column].rstrip()
    if not before.endswith(sign):
        return None
    other = "'" if sign == '"' else '"'
    ends = value.endswith(sign) and len(value) > 1
    inner = value[1:-1] if ends else value
    if ends and other in inner:
        hint = f"inside of {sign}…{sign} no other {sign} may stand"
    else:
        hint = f"write: {key}{other + inner + other if ends else quoted(value)}"
    return len(before) - 1, f"this {sign} ends the text, and more follows", hint


_STUCK = re.compile(r"\s*(?:- +)?(?P<stuck>-(?=[A-Za-z_])|[A-Za-z_][\w-]*:(?=[^\s:/]))")
_STARTS = re.compile(r"\s*(?:- +)*(?P<key>[\w.-]+: +)(?P<value>[\"'\[{|>].*)$")


def _colon(line: str, before: str) -> tuple[int, str, str]:
    key, colon, _ = before.partition(": ")
    if not colon:
        return (
            len(before) - len(before.lstrip(" -")),
            "this key is indented further than the line above it allows",
            "begin it in the column of its neighbours, or give the key above no value",
        )
    rest = line[len(key) + 2 :].strip()
    shown = (
        f"write: {key.strip()}: {quoted(rest)}" if len(rest) < 200 else "put the value in quotes"
    )
    return len(before), "there is a colon in the middle of a value", shown


# context, problem, report where the construct began, message, hint
_WORDS: tuple[tuple[str, str, bool, str, str], ...] = (
    (
        "quoted scalar",
        "unexpected (end of stream|document)",
        True,
        "the quote that opens here is never closed",
        "close it with the same quote on the same line",
    ),
    (
        "scanning an? (alias|anchor)",
        "",
        False,
        "a value that begins with * or & has a meaning of its own in YAML",
        'write it in quotes: "*"',
    ),
    (
        "",
        "cannot start any token",
        False,
        "this character cannot begin a value",
        "put the whole value in quotes",
    ),
    (
        "flow (mapping|sequence)",
        "did not find expected|expected ',' or",
        True,
        "the bracket that opens here is not closed, or a comma is missing after it",
        "every { needs its }, every [ its ], with commas between the entries",
    ),
    (
        "block mapping",
        "did not find expected key|expected <block end>",
        False,
        "this line does not fit the ones above it: its indentation, or a quote within a value",
        "begin it in the column of its neighbours; a value with quotes inside goes in other quotes",
    ),
    (
        "block (collection|sequence)",
        "did not find expected|expected <block end>",
        False,
        "this line does not fit the list above it",
        "begin it with a dash in the same column as the other items, or indent it under its item",
    ),
    (
        "simple key",
        "could not find expected ':'",
        True,
        "a key without a colon, or a colon without a blank behind it",
        "write `key: value`; a long text goes after `key: >-` on indented lines",
    ),
    (
        "",
        "incompatible YAML document",
        False,
        "this asks for another version of YAML",
        "delete the line that begins with %",
    ),
    (
        "",
        "unexpected ':'|expected node content",
        False,
        "a colon without a blank around it, inside of brackets",
        "write `key: value`; a value that holds a colon goes in quotes",
    ),
    (
        "",
        "could not find expected ':'|did not find expected key",
        False,
        "a key without a colon",
        "write `key: value`, with a blank after the colon",
    ),
    (
        "",
        "block sequence entries are not allowed|sequence entries are not allowed",
        False,
        "a list cannot begin here",
        "begin the list on the next line, indented under its key",
    ),
    (
        "block scalar",
        "",
        False,
        "this text block is not laid out as YAML wants",
        "indent all its lines by the same number of spaces, at least one more than the key",
    ),
    (
        "",
        "did not find expected <document start>|expected '<document start>'",
        False,
        "this does not belong to what stands above it",
        "a file holds one mapping; begin every top-level key in the first column",
    ),
    (
        "directive|tag",
        "",
        False,
        "directives (%) and tags (!) are not read",
        "delete it; a value that begins with % or ! goes in quotes",
    ),
)


def _problem(mark: _Mark, lines: list[str], file: str, message: str, hint: str) -> Problem:
    line = min(mark.line + 1, max(1, len(lines)))
    column = mark.column + 1 if mark.line + 1 == line else 1
    while line > 1 and not lines[line - 1].strip():
        line -= 1  # the parser noticed at the end of the file; the reader looks at the last words
        column = len(lines[line - 1].rstrip()) or 1
    place = Place(file=file, line=line, column=column, end_column=column + 1)
    return Problem(code="Y010", place=place, message=message, hint=hint)


def _unreadable(error: Exception, lines: list[str], file: str) -> Problem:
    """A reader's error has a position but no mark: a letter that YAML does not allow at all."""
    position: int | None = getattr(error, "position", None)
    character: int | str | None = getattr(error, "character", None)
    code = character if isinstance(character, int) else ord(character[0]) if character else 0
    line, column = _spot_of(code, lines, position)
    return Problem(
        code="Y013",
        place=Place(file=file, line=line, column=column, end_column=column + 1),
        message=f"the control character U+{code:04X} does not belong in a text file",
        hint="delete it; it often comes along when text is copied from a web page or a mail",
    )


def _spot_of(code: int, lines: list[str], position: int | None) -> tuple[int, int]:
    """The parsers count bytes or letters; the letter itself is easier to find."""
    for number, line in enumerate(lines, start=1):
        column = line.find(chr(code)) if code else -1
        if column >= 0:
            return number, column + 1
    return 1, (position or 0) + 1
