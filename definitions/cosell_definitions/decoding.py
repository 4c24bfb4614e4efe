"""From bytes to text, and from text to lines: what makes a file unreadable before it is parsed."""

from __future__ import annotations

import re
import unicodedata

from .problems import Place, Problem

MAX_BYTES = 1024 * 1024
BREAKS = re.compile("\r\n|[\n\r]")  # what editors, and YAML 1.2, take for the end of a line


def lines_with_ends(source: str) -> list[str]:
    """The lines as YAML counts them, each with its line end."""
    ends = [*(found.end() for found in BREAKS.finditer(source)), len(source)]
    return [source[start:end] for start, end in zip([0, *ends], ends, strict=False)]


def refused(raw: bytes, file: str, *, most: int = MAX_BYTES) -> Problem | None:
    """What makes a file unreadable before a single line of it is parsed."""
    start = Place(file=file)
    if len(raw) > most:
        what = "a definition" if most == MAX_BYTES else "it"
        return Problem(
            code="Y011",
            place=start,
            message=f"this file is larger than {most >> 20} MiB, the most that {what} may have",
            hint="split it into several files",
        )
    encoding = _foreign_encoding(raw)
    if encoding is not None:
        return Problem(
            code="Y012",
            place=start,
            message=f"this file is saved as {encoding}",
            hint="save it again as UTF-8 (in Notepad: Save as, Encoding: UTF-8)",
        )
    if (at := raw.find(b"\0")) >= 0:
        return Problem(
            code="Y013",
            place=_place_of_byte(raw, at, file),
            message="there is a NUL byte here; this is not a text file",
            hint="delete the byte, or restore the file from a copy",
        )
    try:
        raw.decode("utf-8")
    except UnicodeDecodeError as error:
        return _not_utf8(raw, error.start, file)
    return None


def _not_utf8(raw: bytes, at: int, file: str) -> Problem:
    byte = raw[at : at + 1]
    meant = byte.decode("cp1252", "ignore")
    return Problem(
        code="Y014",
        place=_place_of_byte(raw, at, file),
        message=f"the byte 0x{byte.hex()} is not UTF-8"
        + (f"; it was probably meant as {meant}" if meant.isprintable() and meant else ""),
        hint="save the file again as UTF-8 (in Notepad: Save as, Encoding: UTF-8), and look at this letter",
    )


def _foreign_encoding(raw: bytes) -> str | None:
    """UTF-16 or UTF-32, with a mark or without: then most bytes of plain Latin text are zero."""
    if raw.startswith((b"\xff\xfe\0\0", b"\0\0\xfe\xff")):
        return "UTF-32"
    if raw.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "UTF-16"
    head = raw[:400]
    if len(head) < 4:
        return None
    zeros = [head[phase::4].count(0) * 2 > len(head[phase::4]) for phase in range(4)]
    if zeros in ([False, True, True, True], [True, True, True, False]):
        return "UTF-32"
    return "UTF-16" if zeros in ([False, True] * 2, [True, False] * 2) else None


_BREAKING = re.compile("[\x85\u2028\u2029\ufeff]")
BLANK_LOOKING = "\u00a0\u2007\u202f\u3000\u200b\u2060\u00ad"
_LAYOUT = re.compile(
    # where a line is laid out: before its first word, and behind the colon of its key
    rf"^[ \t]*(?:- )*([{BLANK_LOOKING}])|^[ \t]*(?:- )*[\w.-]+:([{BLANK_LOOKING}])"
)


def unseen(source: str, file: str) -> Problem | None:
    """A character that breaks lines where no editor does, or that stands in for a blank."""
    if source.isascii():
        return None
    for number, line in enumerate(re.split("\r\n|[\n\r]", source), start=1):
        broken = _BREAKING.search(line)
        if broken is not None:
            return _invisible(
                file,
                number,
                broken.start(),
                broken.group(),
                "cannot be seen, and does not belong in a text file",
                "delete it; it often comes along when text is copied from a web page or a mail",
            )
        shaped = _LAYOUT.match(line)
        if shaped is not None:
            letter = shaped.group(shaped.lastindex or 0)
            return _invisible(
                file,
                number,
                shaped.start(shaped.lastindex or 0),
                letter,
                "stands where YAML wants a plain space",
                "delete it, and type a space",
            )
    return None


def _invisible(file: str, line: int, at: int, letter: str, message: str, hint: str) -> Problem:
    name = unicodedata.name(letter, "").lower()
    return Problem(
        code="Y013",
        place=Place(file=file, line=line, column=at + 1, end_column=at + 2),
        message=f"the character U+{ord(letter):04X}{f' ({name})' if name else ''} {message}",
        hint=hint,
    )


def decoded(raw: bytes) -> str | None:
    """The text of a file in UTF-8, or in UTF-16 or 32 with a mark; None where it is none of them."""
    marked = {b"\xff\xfe\0\0": "utf-32", b"\0\0\xfe\xff": "utf-32", b"\xff\xfe": "utf-16"}
    marked |= {b"\xfe\xff": "utf-16"}
    encoding = next((name for mark, name in marked.items() if raw.startswith(mark)), "utf-8-sig")
    try:
        return raw.decode(encoding)
    except UnicodeDecodeError:
        return None


def _place_of_byte(raw: bytes, at: int, file: str) -> Place:
    before = raw[:at].decode("utf-8", "replace")
    lines = BREAKS.split(before)
    return Place(file=file, line=len(lines), column=len(lines[-1]) + 1)
