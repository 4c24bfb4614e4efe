"""Try expressions one by one in a process of its own: what came of each, what it cost, what it touched.

python attempting.py < one JSON text in each line
"""

from __future__ import annotations

import json
import resource
import sys
import time
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

from cosell_definitions.model import Template
from cosell_definitions.problems import Place
from cosell_flows.compiling.expressions import (
    ExpressionFailed,
    ScopeFunction,
    compiled,
    evaluate,
)
from cosell_flows.compiling.referring import usage
from cosell_flows.compiling.values import Faulty

TOUCHY = ("os.", "subprocess.", "socket.", "ctypes.", "shutil.", "pty.", "code.", "open")
PLAIN = (type(None), bool, int, str, Decimal)


class PlanLike(dict[str, Any]):
    """A record that carries something which is not for expressions, as the output of `sync.plan`."""

    plan = object()


def scope() -> dict[str, Any]:
    """What a run offers, with big values and a function."""
    return {
        "inputs": {
            "name": "Contoso",
            "rows": [{"id": "a", "n": 1}, {"id": "b", "n": 2}],
            "big": "a" * 900_000,
            "wide": "€" * 900_000,
            "blanks": "a " * 450_000,
            "many": list(range(99_000)),
            "texts": [f"text {number}" for number in range(99_000)],
            "deep": _deep(5_000),
            "bush": _bush(),
            "other_bush": _bush(),
            "huge": Decimal("1E+999999999"),
            "small": Decimal("1E-999999999"),
        },
        "env": {"ON": True},
        "steps": {"plan": {"output": PlanLike(is_empty=True)}},
        "run": {"id": "r"},
        "double": ScopeFunction(lambda value: [value, value]),
    }


def _deep(depth: int) -> Any:
    value: Any = "leaf"
    for _ in range(depth):
        value = [value]
    return value


def _bush() -> Any:
    """Ten times the same list in a list, twelve times over: a thousand billion leaves."""
    value: Any = ["leaf"]
    for _ in range(12):
        value = [value] * 10
    return value


def is_plain(value: Any, depth: int = 0) -> bool:
    """Whether a value is data and nothing else."""
    if depth > 20:
        return True
    if isinstance(value, list):
        return all(is_plain(inner, depth + 1) for inner in value[:20])
    if isinstance(value, dict):
        return all(is_plain(inner, depth + 1) for inner in list(value.values())[:20])
    return type(value) in PLAIN


def attempt(text: str, names: dict[str, Any]) -> tuple[str, str]:
    """How a text ends: `refused` at load, `failed` or `yields` at run time; or what is not to be."""
    place = Place(file="it.yaml", line=1, column=1, end_column=1 + len(text))
    try:
        compiled(text)
        usage(text)
    except Faulty as fault:
        return "refused", fault.message
    try:
        value = evaluate(Template(text, place), names)
    except ExpressionFailed as failure:
        return "failed", failure.message
    said = repr(value)[:200] if len(text) < 100 and "deep" not in text else ""
    return ("yields" if is_plain(value) else "escapes"), said


def watched(touched: list[str]) -> None:
    """Note what reaches for the system."""

    def hook(event: str, given: Any) -> None:
        loading = event == "open" and str(given[0]).endswith((".py", ".pyc", ".so"))
        if event.startswith(TOUCHY) and event != "os.listdir" and not loading:
            touched.append(event)

    sys.addaudithook(hook)


def most_memory() -> int:
    """The most memory that this process ever held, in bytes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def verdicts(texts: Iterator[str]) -> Iterator[dict[str, Any]]:
    """What came of each text. `peak`: what this one or one before it took at most."""
    names = scope()
    attempt("{{ 1 }}", names)  # what is loaded once is no one's cost
    touched: list[str] = []
    watched(touched)
    before = most_memory()
    for text in texts:
        touched.clear()
        began = time.process_time()
        try:
            ended, said = attempt(text, names)
        except BaseException as error:  # noqa: BLE001 - the very thing to be found out
            ended, said = "raises", f"{type(error).__name__}: {error}"[:300]
        seconds = time.process_time() - began
        yield {
            "text": text,
            "ended": ended,
            "said": said,
            "seconds": seconds,
            "peak": most_memory() - before,
            "touched": sorted(set(touched)),
        }


if __name__ == "__main__":
    limit = 2 * 1024**3  # a bomb ends this process, not the machine
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    given = iter([json.loads(line) for line in Path("/dev/stdin").read_text("utf-8").splitlines()])
    for verdict in verdicts(given):
        sys.stdout.write(json.dumps(verdict) + "\n")
        sys.stdout.flush()
