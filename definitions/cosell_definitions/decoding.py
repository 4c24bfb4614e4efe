"""From bytes to text, and from text to lines: what makes a file unreadable before it is parsed."""

from __future__ import annotations

import re

from .problems import Place, Problem

MAX_BYTES = 1024 * 1024
BREAKS = re.compile("\r\n|[\n\r\x85\u2028\u2029]")  # what YAML takes for the end of a line


def lines_with_ends(source: str) -> list[str]:
    """The lines as YAML counts them, each with its line end."""
    ends = [*(found.end() for found in BREAKS.finditer(source)), len(source)]
    return [source[start:end] for start, end in zip([0, *ends], ends, strict=False)]


def refused(raw: bytes, file: str) -> Problem | None:
    """What makes a file unreadable before a single line of it is parsed."""
    start = Place(file=file)
    if len(raw) > MAX_BYTES:
        return Problem(
            code="Y011",
            place=start,
            message=f"this file has {len(raw):,} bytes; a definition has at most {MAX_BYTES:,}",
            hint="split it into several files",
        )
    if raw.startswith((b"\xff\xfe", b"\xfe\xff")) or _is_utf16(raw):
        return Problem(
            code="Y012",
            place=start,
            message="this file is saved as UTF-16",
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
        raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        return Problem(
            code="Y014",
            place=_place_of_byte(raw, error.start, file),
            message=f"the byte 0x{raw[error.start]:02x} is not UTF-8",
            hint="save the file as UTF-8; in the editor this letter shows as it was meant",
        )
    return None


def _is_utf16(raw: bytes) -> bool:
    """UTF-16 without a mark: every second byte of plain Latin text is zero."""
    head = raw[:400]
    return len(head) >= 4 and (
        head[0::2].count(0) * 2 > len(head[0::2]) or head[1::2].count(0) * 2 > len(head[1::2])
    )


def _place_of_byte(raw: bytes, at: int, file: str) -> Place:
    before = raw[:at].decode("utf-8", "replace")
    lines = BREAKS.split(before)
    return Place(file=file, line=len(lines), column=len(lines[-1]) + 1)
