"""Bulk jobs at work: read CSV, write rows, and write CSV again."""

import csv
import io
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any

from cosell_emulators.salesforce.coercing import Unfit, coerced
from cosell_emulators.salesforce.identifiers import is_id, long_id, malformed
from cosell_emulators.salesforce.problems import Refusal, refusal
from cosell_emulators.salesforce.schema import Field, ObjectType
from cosell_emulators.salesforce.soql.parsing import parsed
from cosell_emulators.salesforce.soql.tree import Call, Column, Path
from cosell_emulators.salesforce.store import Row, Store
from cosell_emulators.salesforce.writing import Doing, Writer

DELIMITERS = {
    "COMMA": ",",
    "SEMICOLON": ";",
    "TAB": "\t",
    "PIPE": "|",
    "CARET": "^",
    "BACKQUOTE": "`",
}
# An empty cell leaves a field alone; this empties it.
# https://developer.salesforce.com/docs/platform/api-asynch/guide/datafiles-csv-valid-record-rows.html
EMPTY = "#N/A"


@dataclass(slots=True, kw_only=True)
class Job(ABC):
    """A job, and how far it has come."""

    id: str
    operation: str
    delimiter: str
    line_ending: str
    created: str
    version: str
    doing: Doing
    state: str = "Open"
    error: str = ""

    @property
    @abstractmethod
    def object(self) -> str:
        """Say which object the job is about."""

    @property
    def line_end(self) -> str:
        """Give what ends a line."""
        return "\r\n" if self.line_ending == "CRLF" else "\n"


@dataclass(slots=True, kw_only=True)
class IngestJob(Job):
    """A job that writes."""

    kind: ObjectType
    key: Field | None = None
    rule_id: str | None = None
    content: bytes | None = None
    heading: list[str] = field(default_factory=list)
    done: list[tuple[str, bool, list[str]]] = field(default_factory=list)
    failed: list[tuple[str, str, list[str]]] = field(default_factory=list)

    @property
    def object(self) -> str:
        """Say which object the job writes."""
        return self.kind.name


@dataclass(slots=True, kw_only=True)
class QueryJob(Job):
    """A job that reads."""

    query: str
    columns: list[str]
    records: list[dict[str, Any]]

    @property
    def object(self) -> str:
        """Say which object the job reads."""
        return parsed(self.query).source


def load(writer: Writer, job: IngestJob) -> None:
    """Do what an uploaded job asks for, row by row."""
    text = (job.content or b"").decode("utf-8-sig", "replace")
    delimiter = DELIMITERS.get(job.delimiter, ",")
    try:
        lines = list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter))
    except csv.Error as error:
        job.state, job.error = "Failed", f"InvalidBatch : {error}"
        return
    job.state = "JobComplete"
    if not lines:
        return
    job.heading = [name.strip() for name in lines[0]]
    unknown = [name for name in job.heading if not _known(job.kind, name)]
    if unknown:
        job.state = "Failed"
        job.error = f"InvalidBatch : Field name not found : {unknown[0]}"
        return
    doing = job.doing
    if job.rule_id:
        doing = replace(doing, auto_assign=job.rule_id)
    for cells in lines[1:]:
        if not cells:
            continue
        try:
            row, created = _write(writer, job, cells, doing)
            job.done.append((row.id, created, cells))
        except Refusal as error:
            told = "; ".join(
                f"{problem.code}:{problem.message}:{' '.join(problem.fields or ())} --"
                for problem in error.problems
            )
            job.failed.append(("", told, cells))


def _known(kind: ObjectType, name: str) -> bool:
    first = name.split(".", maxsplit=1)[0].rsplit(":", maxsplit=1)[-1].lower()
    return kind.field(first) is not None or first in kind.by_relationship


def _write(writer: Writer, job: IngestJob, cells: list[str], doing: Doing) -> tuple[Row, bool]:
    body: dict[str, Any] = {}
    for name, cell in zip(job.heading, cells, strict=False):
        if cell != "":
            _put(body, name, None if cell == EMPTY else _boolean(job.kind, name, cell))
    return written(writer, job, body, doing)


def written(writer: Writer, job: IngestJob, body: dict[str, Any], doing: Doing) -> tuple[Row, bool]:
    """Do to one row what a job does; say which row it was, and whether it is new."""
    row_id = next((body.pop(name) for name in list(body) if name.lower() == "id"), None)
    if job.operation == "insert":
        return writer.create(job.kind, body, doing), True
    if job.operation == "upsert" and job.key is not None and job.key.name != "Id":
        return _upsert(writer, job, job.key, body, doing)
    if job.operation == "upsert" and row_id is None:
        return writer.create(job.kind, body, doing), True
    row = _living(writer.store, job.kind, str(row_id or ""))
    if job.operation in ("delete", "hardDelete"):
        writer.delete(row, doing)
        return row, False
    return writer.update(row, body, doing), False


def _upsert(
    writer: Writer, job: IngestJob, key: Field, body: dict[str, Any], doing: Doing
) -> tuple[Row, bool]:
    given = next((name for name in body if name.lower() == key.name.lower()), None)
    value = body.pop(given) if given is not None else None
    if value is None:
        raise refusal("MISSING_ARGUMENT", f"{key.name} not specified")
    try:
        rows = writer.store[job.kind.name].having(key.name, coerced(key, value))
    except Unfit as unfit:
        raise Refusal(unfit.problem) from None
    if len(rows) > 1:
        message = f"{key.name}: more than one record found for external id field"
        raise refusal("DUPLICATE_EXTERNAL_ID", message)
    if rows:
        return writer.update(rows[0], body, doing), False
    return writer.create(job.kind, {**body, key.name: value}, doing), True


def _living(store: Store, kind: ObjectType, key: str) -> Row:
    if not key:
        raise refusal("MISSING_ARGUMENT", "Id not specified in an update call")
    if not is_id(key):
        raise malformed(key)
    row = store.row(long_id(key))
    if row is None or row.type.name != kind.name:
        raise refusal("INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id")
    if row.deleted_at is not None:
        raise refusal("ENTITY_IS_DELETED", "entity is deleted")
    return row


def _put(body: dict[str, Any], name: str, value: Any) -> None:
    """Put a cell where its heading says: a parent's key is nested."""
    relation, dot, key = name.partition(".")
    if dot:
        kind, colon, rest = relation.partition(":")
        parent: dict[str, Any] = {key: value}
        if colon:
            parent["attributes"] = {"type": kind}
        body[rest or kind] = parent
    else:
        body[name] = value


def _boolean(kind: ObjectType, name: str, cell: str) -> str:
    found = kind.field(name)
    if found is not None and found.type == "boolean":
        return {"1": "true", "0": "false"}.get(cell, cell)
    return cell


def results(job: IngestJob, which: str) -> bytes | None:
    """Write one of the three results of a job; nothing when there is no such result."""
    extra: list[str]
    lines: list[list[str]]
    match which:
        case "successfulresults":
            extra = ["sf__Id", "sf__Created"]
            lines = [[key, str(new).lower(), *cells] for key, new, cells in job.done]
        case "failedresults":
            extra = ["sf__Id", "sf__Error"]
            lines = [[key, told, *cells] for key, told, cells in job.failed]
        case "unprocessedrecords":
            if job.content and not (job.done or job.failed):
                return job.content  # an aborted job, or one that failed before its first row
            extra, lines = [], []
        case _:
            return None
    return _csv(job, [[*extra, *job.heading], *lines])


def columns(store: Store, text: str) -> list[str]:
    """List the columns of a bulk query; it reads no children."""
    query = parsed(text)
    names: list[str] = []
    for column in query.columns:
        if not isinstance(column, Column):
            message = "Nested queries are not supported in Bulk API queries"
            raise refusal("API_ERROR", message, bare=True)
        if isinstance(column.what, Call) and column.what.name == "FIELDS":
            which = str(column.what.argument).upper()
            kind = store.schema.find(query.source)
            names += [
                found.name
                for found in (kind.fields.values() if kind is not None else ())
                if which == "ALL" or found.custom == (which == "CUSTOM")
            ]
        else:
            shown = str(column.what) if isinstance(column.what, Path) else column.what.name
            names.append(column.alias or shown)
    return names


def table(job: QueryJob, records: Sequence[dict[str, Any]]) -> bytes:
    """Write records as CSV."""
    lines = [[cell(record, name) for name in job.columns] for record in records]
    return _csv(job, [job.columns, *lines])


def cell(record: dict[str, Any], path: str) -> str:
    """Write one value of a record for a table."""
    value: Any = record
    for name in path.split("."):
        if not isinstance(value, dict):
            return ""
        lower = {key.lower(): inner for key, inner in value.items()}
        value = lower.get(name.lower())
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    return f"{value:f}" if isinstance(value, Decimal) else str(value)


def _csv(job: Job, lines: Sequence[Sequence[str]]) -> bytes:
    out = io.StringIO(newline="")
    delimiter = DELIMITERS.get(job.delimiter, ",")
    writer = csv.writer(
        out, delimiter=delimiter, quoting=csv.QUOTE_ALL, lineterminator=job.line_end
    )
    writer.writerows(lines)
    return out.getvalue().encode()
