"""Print, and turn what went wrong into a sentence and an exit code. The one place that does either."""

from __future__ import annotations

import contextlib
import functools
import json
import logging
import os
import sys
import traceback
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from cosell_definitions.decoding import BREAKS
from cosell_definitions.opening import content_of
from cosell_definitions.problems import Place, Problem, Severity, Unsound

from .excerpts import excerpt

DONE, NO, USAGE, UNREACHABLE, INTERRUPTED = 0, 1, 2, 3, 130


class Failure(Exception):
    """A command cannot do what was asked; carries the sentence, the cure and the exit code."""

    def __init__(self, message: str, *, hint: str | None = None, code: int = NO) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.code = code


@dataclass(frozen=True, slots=True)
class Context:
    """What stands before the command: which project, which environment, how to answer."""

    folder: Path
    environment: str
    as_json: bool
    debug: bool


def say(text: str = "") -> None:
    """A line for people; on standard error where standard output is for a JSON document."""
    print(text, file=sys.stderr if _quiet_stdout else sys.stdout, flush=True)


def warn(text: str) -> None:
    """A line for people about something that is not as it should be."""
    print(text, file=sys.stderr, flush=True)


_quiet_stdout = False


def json_only(wanted: bool = True) -> None:
    """From here on standard output holds one JSON document and nothing else, where that is wanted."""
    global _quiet_stdout, _answered
    _quiet_stdout, _answered = wanted, False


_answered = False


def show_json(document: Any) -> None:
    """The one JSON document of a command."""
    global _answered  # noqa: PLW0603 - a process has one standard output
    _answered = True
    print(to_json(document), flush=True)


def refuse(message: str, *, hint: str | None = None, problems: Iterable[Problem] = ()) -> None:
    """A failure as the one JSON document, where one is wanted and none was given."""
    if _quiet_stdout and not _answered:
        found = [problem_json(one) for one in problems]
        show_json({"error": {"message": message, "hint": hint}, "problems": found})


def to_json(document: Any) -> str:
    """A document as JSON; decimals are numbers with exactly their digits, moments ISO 8601."""
    return _Exact(ensure_ascii=False, default=_plain).encode(_exact(document))


class _Digits(float):
    """A decimal that prints with its own digits."""

    def __new__(cls, value: Decimal) -> _Digits:
        made = super().__new__(cls, value)
        # Written out, the zeros of 1e999999999 would fill the memory.
        made.text = format(value, "f") if abs(value.adjusted()) < 1_000 else str(value)
        return made

    text: str

    def __repr__(self) -> str:
        return self.text


class _Exact(json.JSONEncoder):
    def iterencode(self, o: Any, _one_shot: bool = False) -> Any:
        # The C encoder writes floats itself; the Python one asks float.__repr__, which we are not.
        return json.encoder._make_iterencode(  # type: ignore[attr-defined]
            {}, self.default, json.encoder.encode_basestring, None, lambda f: getattr(f, "text", repr(f)),
            ": ", ", ", False, False, _one_shot,
        )(o, 0)  # fmt: skip


def _exact(value: Any) -> Any:
    if isinstance(value, Decimal):
        return _Digits(value)
    if isinstance(value, Mapping):
        return {str(key): _exact(one) for key, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [_exact(one) for one in value]
    return value


def _plain(value: Any) -> Any:
    if isinstance(value, (datetime, date)):
        return value.isoformat()
    return str(value)


def problem_json(problem: Problem) -> dict[str, Any]:
    """A problem as `check --json` prints it."""
    place = problem.place
    return {
        "code": problem.code,
        "severity": problem.severity.value,
        "file": place.file,
        "line": place.line,
        "column": place.column,
        "end_column": place.end_column,
        "message": problem.message,
        "hint": problem.hint,
    }


def problem_text(problem: Problem, root: Path | None) -> str:
    """A problem with the line it is about and a caret under the fault."""
    place = problem.place
    word = "" if problem.severity is Severity.ERROR else f" {problem.severity.value}"
    lines = [f"{place}: {problem.code}{word} {problem.message}"]
    lines += lines_at(root, place)
    if problem.hint:
        lines.append(f"   hint: {problem.hint}")
    return "\n".join(lines)


def lines_at(root: Path | None, place: Place) -> list[str]:
    """The line at a place, and a caret under it; nothing where the line cannot be read."""
    source = excerpt(place, _lines(root, place.file)) if root is not None else None
    if source is None:
        return []
    return [f"{place.line:>5} | {source[0]}".rstrip(), f"      | {source[1]}"]


def _lines(root: Path, file: str) -> tuple[str, ...]:
    try:
        changed = (root / file).stat().st_mtime_ns
    except OSError:
        return ()
    return _lines_as_of(root, file, changed)


@functools.lru_cache(maxsize=4)
def _lines_as_of(root: Path, file: str, changed: int) -> tuple[str, ...]:
    content = content_of(root / file, file)
    if isinstance(content, Problem):
        return ()
    return tuple(BREAKS.split(content.decode("utf-8-sig", "replace")))


def report(error: BaseException, context: Context | None) -> int:
    """Say what went wrong, as the reader wants it, and give the exit code."""
    if context is not None and context.debug:
        traceback.print_exception(error)
    failure = _worded(error)
    if failure is None:
        failure = Failure(
            f"an error that should not have happened: {type(error).__name__}: {error}",
            hint="run it again with --debug before the command, and report what it prints",
        )
    problems = error.problems if isinstance(error, Unsound) else []
    refuse(failure.message, hint=failure.hint, problems=problems)
    if isinstance(error, Unsound):
        root = _root(context)
        for problem in error.problems:
            warn(problem_text(problem, root))
        return failure.code
    warn(f"cosell: {failure.message}")
    if failure.hint:
        warn(f"  hint: {failure.hint}")
    return failure.code


def _root(context: Context | None) -> Path | None:
    """The project's folder: problems name their files from there."""
    from ..whereabouts import NoProject, find_project

    try:
        return find_project(context.folder.resolve()) if context else None
    except NoProject:
        return None


def _worded(error: BaseException) -> Failure | None:
    """The sentence for an error of any room; None for one that nobody expected."""
    if isinstance(error, Failure):
        return error
    if isinstance(error, Unsound):
        # An environment that is not there was named on the command line.
        slips = {one.code for one in error.problems} == {"V010"}
        return Failure(str(error), code=USAGE if slips else NO)
    name = type(error).__name__
    hint = getattr(error, "hint", None)
    text = str(getattr(error, "message", None) or error)
    codes = {
        "NoProject": USAGE,
        "NoSuchFlow": USAGE,
        "BadInputs": USAGE,
        "BadPlan": NO,
        "LedgerTooNew": NO,
        "LedgerUnreachable": UNREACHABLE,
        "LedgerError": NO,
        "MissingSetting": NO,
        "LeaseBusy": NO,
        "CannotSet": NO,
        "BadValue": NO,
        "NoTranslation": NO,
        "ConnectorError": UNREACHABLE,
        "ServerNotStarted": UNREACHABLE,
        "ServerUnavailable": UNREACHABLE,
    }
    if name == "NoProject":
        hint = "go to a project, name one with --project DIR, or make one: cosell init DIR"
    if name in codes:
        return Failure(text, hint=hint, code=codes[name])
    if name == "PrefectHTTPStatusError":
        return _refused_by_prefect(error)
    if isinstance(error, OSError):
        return Failure(
            f"{error.strerror or error}: {error.filename or ''}".rstrip(": "), code=UNREACHABLE
        )
    return None


def _refused_by_prefect(error: Any) -> Failure:
    """What the Prefect server said, which may be one that asks for a password."""
    status, url = error.response.status_code, error.request.url
    return Failure(
        f"the Prefect server at {url.scheme}://{url.netloc.decode()} answered {status}",
        hint="set PREFECT_API_AUTH_STRING=user:password to what the server was started with"
        if status in (401, 403)
        else "its log says more",
        code=UNREACHABLE,
    )


def table(rows: Iterable[Iterable[Any]], heads: Iterable[str]) -> None:
    """A table for people: columns as wide as their widest cell."""
    shown = [[("" if cell is None else str(cell)) for cell in row] for row in rows]
    every = [list(heads), *shown]
    widths = [max(len(row[index]) for row in every) for index in range(len(every[0]))]
    for row in every:
        say("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())


@contextlib.contextmanager
def counting(what: str) -> Iterator[Callable[[int, int], None] | None]:
    """Show how many of how many are done while the block runs; nothing where nobody looks."""
    if not on_terminal():
        yield None
        return
    shown = 0

    def show(done: int, total: int) -> None:
        nonlocal shown
        text = f"{done} of {total} {what}"
        sys.stderr.write(f"\r{text.ljust(shown)}")
        sys.stderr.flush()
        shown = len(text)

    try:
        yield show
    finally:
        sys.stderr.write(f"\r{' ' * shown}\r")
        sys.stderr.flush()


def on_terminal() -> bool:
    """Whether a person looks at standard error right now."""
    return sys.stderr.isatty() and os.environ.get("TERM") != "dumb"


def log_to_stderr() -> None:
    """Let what the parts of a long run have to say be seen, whatever Prefect does with its own logs."""
    handler = logging.StreamHandler()
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
    for name in ("cosell", "cosell_flows", "cosell_connectors"):
        logger = logging.getLogger(name)
        logger.handlers = [handler]
        logger.setLevel(logging.WARNING)
        logger.propagate = False  # Prefect takes the root logger for itself, and silences it
