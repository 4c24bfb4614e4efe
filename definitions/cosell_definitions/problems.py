"""Say what is wrong with a document, and where: places, problems, and the one exception that carries them."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable
from enum import StrEnum
from typing import NamedTuple

from .freezing import dataclass


class Severity(StrEnum):
    """How bad a problem is; only errors make a check fail."""

    ERROR = "error"
    WARNING = "warning"


class Place(NamedTuple):
    """A spot in a file. `file` is relative to the project; lines and columns count from 1.

    Every node has one, so it is a tuple: made three times as fast as a dataclass.
    """

    file: str
    line: int = 1
    column: int = 1
    end_column: int | None = None

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One thing that is wrong, with a stable code and a hint that can be done."""

    code: str
    place: Place
    message: str
    hint: str | None = None
    severity: Severity = Severity.ERROR

    def __str__(self) -> str:
        return f"{self.place}: {self.code} {self.message}"


class Unsound(Exception):
    """The documents have problems."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(str(problem) for problem in self.problems))


def did_you_mean(word: str, names: Iterable[str]) -> str | None:
    """The name that *word* was probably meant to be, or nothing."""
    known = sorted(set(names))
    lowered = {name.lower(): name for name in known}
    if word.lower() in lowered:
        return lowered[word.lower()]
    stem = re.sub(r"^.*/|\.(flow|map|test)\.ya?ml$", "", word)  # a file, where its id is meant
    if stem in known:
        return stem
    close = difflib.get_close_matches(word, known, n=1, cutoff=0.6)
    return close[0] if close else None
