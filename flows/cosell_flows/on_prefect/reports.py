"""Tell people what a run did, record by record, as Markdown and as one sentence. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import date, datetime
from typing import Any

from cosell_flows.running.outcomes import RunResult

_MOST_RECORDS = 200
_MOST_LINES = 500
_LONGEST_VALUE = 160
_COUNTED = ("created", "updated", "unchanged", "skipped", "failed")
_SIGNS = {
    "succeeded": "✔",
    "partial": "✘",
    "failed": "✘",
    "skipped": "–",
    "cancelled": "–",
    "created": "✔",
    "updated": "✔",
    "unchanged": "·",
}


def sentence_of(result: RunResult) -> str:
    """One sentence for the state of a run."""
    if result.error is not None:
        return str(result.error.get("message") or result.status)
    reason = next((step["reason"] for step in reversed(result.steps) if step.get("reason")), None)
    if result.status == "skipped" and reason:
        return str(reason)
    told = counts_of(result.counts)
    if result.status == "partial":
        return f"{told}; each failed record has a letter: cosell letters list"
    return told


def counts_of(counts: Mapping[str, int]) -> str:
    """How many records, and what became of them."""
    read = counts.get("read", 0)
    parts = [f"{counts[name]} {name}" for name in _COUNTED if counts.get(name)]
    records = "no records" if not read else f"{read} record{'' if read == 1 else 's'}"
    return f"{records}: {', '.join(parts)}" if parts else records


def lines_of(result: RunResult) -> Iterator[str]:
    """A line for each record something happened to, for the log."""
    told = 0
    for record in result.records:
        if record.get("status") == "unchanged" and not record.get("reason"):
            continue
        told += 1
        if told > _MOST_LINES:
            yield f"… and {len(result.records) - _MOST_LINES} more records; see the report"
            return
        yield _line(record)


def report_of(result: RunResult, *, name: str, trigger: str, flow_hash: str = "") -> str:
    """The whole story of a run, as Markdown."""
    return "\n".join(_report(result, name=name, trigger=trigger, flow_hash=flow_hash)) + "\n"


def _report(result: RunResult, *, name: str, trigger: str, flow_hash: str) -> Iterator[str]:
    yield f"# {_SIGNS.get(result.status, '')} {_cell(name)}: {result.status}"
    yield ""
    yield _cell(sentence_of(result))
    yield ""
    yield f"Started by {_cell(trigger)}. Definition `{flow_hash[:12]}`. Run `{result.run_id}`."
    if result.error is not None:
        yield from _error(result.error)
    if any(result.counts.values()):
        yield from _table(
            ("read", *_COUNTED),
            [[str(result.counts.get(one, 0)) for one in ("read", *_COUNTED)]],
        )
    yield from _records(result)
    if result.steps:
        yield from ("", "## Steps")
        yield from _table(
            ("step", "status", "attempts", "seconds", "reason"),
            [[str(_some(step.get(key))) for key in _STEP_KEYS] for step in result.steps],
        )


_STEP_KEYS = ("id", "status", "attempts", "seconds", "reason")


def _error(error: Mapping[str, Any]) -> Iterator[str]:
    place = ":".join(str(error[key]) for key in ("file", "line", "column") if error.get(key))
    yield from ("", "## What went wrong", "")
    yield f"**{_cell(error.get('message'))}** ({_cell(error.get('class'))})"
    yield ""
    if place:
        step = f", step `{_code(error['step'])}`" if error.get("step") else ""
        yield f"at `{_code(place)}`{step}"
    if error.get("hint"):
        yield f"\nWhat to do: {_cell(error['hint'])}"


def _records(result: RunResult) -> Iterator[str]:
    # What nothing happened to is in the counts; a thousand such lines would hide the rest.
    worth = [one for one in result.records if one.get("status") != "unchanged"]
    if worth:
        yield from ("", "## Records")
    for record in worth[:_MOST_RECORDS]:
        yield from ("", f"### {_line(record, mark=_cell)}")
        writes = record.get("writes") or []
        if writes:
            yield from _table(("", "field", "old", "new"), _fields(writes))
    if len(worth) > _MOST_RECORDS:
        yield f"\n… and {len(worth) - _MOST_RECORDS} more records: `cosell records list`"
    if not worth and result.writes:
        yield from ("", "## Writes")
        yield from _table(("", "field", "old", "new"), _fields(result.writes))


def _fields(writes: Iterable[Mapping[str, Any]]) -> list[list[str]]:
    return [
        [
            _cell(f"{write.get('system')} {write.get('object')} {write.get('operation')}"),
            f"{_cell(one.get('field'))}{' (ours)' if one.get('own') else ''}",
            _cell(one.get("old")),
            _cell(one.get("new")),
        ]
        for write in writes
        for one in write.get("fields", ())
    ]


def _line(record: Mapping[str, Any], *, mark: Any = str) -> str:
    status = str(record.get("status"))
    reason = f": {mark(record['reason'])}" if record.get("reason") else ""
    key = record.get("key") or "a record without a key"
    return f"{_SIGNS.get(status, '')} {mark(key)} {status}{reason}"


def _table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> Iterator[str]:
    columns = list(head)
    yield ""
    yield f"| {' | '.join(columns)} |"
    yield f"| {' | '.join('---' for _ in columns)} |"
    for row in rows:
        yield f"| {' | '.join(row)} |"


def _cell(value: Any) -> str:
    """*value* as one line that Markdown leaves alone; it came from a record and may be anything."""
    if isinstance(value, datetime | date):
        value = value.isoformat()
    text = " ".join(str(_some(value)).split())
    if len(text) > _LONGEST_VALUE:
        text = f"{text[: _LONGEST_VALUE - 1]}…"
    for sign in "\\`*_[]<>|#!":
        text = text.replace(sign, f"\\{sign}") if sign != "<" else text.replace("<", "&lt;")
    return text


def _code(value: Any) -> str:
    return str(value).replace("`", "'").replace("|", "/")


def _some(value: Any) -> Any:
    return "" if value is None else value
