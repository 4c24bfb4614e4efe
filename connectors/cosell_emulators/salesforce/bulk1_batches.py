"""Batches of Bulk API 1.0: read what was handed in, do it, and write what came of it."""

import csv
import io
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from cosell_emulators import exact_json
from cosell_emulators.salesforce import envelopes, loading
from cosell_emulators.salesforce.calls import Call
from cosell_emulators.salesforce.loading import IngestJob
from cosell_emulators.salesforce.org import Org
from cosell_emulators.salesforce.problems import Problem, Refusal
from cosell_emulators.salesforce.query_api import answer

NAMESPACE = "http://www.force.com/2009/06/asyncapi/dataload"
_MOST = 10_000
_STAMP = "%Y-%m-%dT%H:%M:%S.%f%z"
_XML = "application/xml"


@dataclass(slots=True, kw_only=True)
class Batch:
    """A batch, and what came of it: results of rows written, or records read."""

    id: str
    created: str
    content: bytes
    state: str = "Completed"
    message: str | None = None
    results: list[dict[str, Any]] = field(default_factory=list)
    columns: list[str] = field(default_factory=list)
    records: list[dict[str, Any]] = field(default_factory=list)


def run(org: Org, call: Call, job: IngestJob, batch: Batch, content_type: str) -> None:
    """Do a batch; one that cannot be read fails as a whole."""
    try:
        if job.operation in ("query", "queryAll"):
            _read(org, call, job, batch)
            return
        bodies = _bodies(batch.content, content_type)
    except (ValueError, RecursionError, csv.Error) as error:
        batch.state, batch.message = "Failed", f"InvalidBatch : {error}"
        return
    except Refusal as refusal:
        problem = refusal.problems[0]
        batch.state, batch.message = "Failed", f"InvalidBatch : {problem.code}: {problem.message}"
        return
    if len(bodies) > _MOST:
        batch.state, batch.message = "Failed", f"InvalidBatch : more than {_MOST} records"
        return
    for body in bodies:
        plain = {name: value for name, value in body.items() if name != "attributes"}
        try:
            row, new = loading.written(org.writer, job, plain, job.doing)
            batch.results.append({"success": True, "created": new, "id": row.id, "errors": []})
        except Refusal as refusal:
            errors = [_error(problem) for problem in refusal.problems]
            failed = {"success": False, "created": False, "id": None, "errors": errors}
            batch.results.append(failed)


def _error(problem: Problem) -> dict[str, Any]:
    said = {"message": problem.message, "fields": list(problem.fields or ())}
    return {**said, "statusCode": problem.code, "extendedErrorDetails": None}


def _read(org: Org, call: Call, job: IngestJob, batch: Batch) -> None:
    text = batch.content.decode("utf-8", "replace")
    deleted = job.operation == "queryAll"
    user_id = call.session.user_id
    found = answer(org, text, user_id=user_id, version=call.version, deleted=deleted)
    batch.columns = loading.columns(org.store, text)
    batch.records = [found.show(row) for row in found.rows]


def _bodies(content: bytes, content_type: str) -> list[dict[str, Any]]:
    if content_type == "JSON":
        bodies = exact_json.loads(content)
        if not isinstance(bodies, list) or not all(isinstance(one, dict) for one in bodies):
            raise ValueError("Records not found")
        return bodies
    if content_type == "XML":
        return [
            {name: value or None for name, value in envelopes.values(part).items()}
            for part in envelopes.parsed(content)
        ]
    lines = csv.DictReader(io.StringIO(content.decode("utf-8-sig", "replace"), newline=""))
    return [
        {
            name: None if cell == loading.EMPTY else cell
            for name, cell in line.items()
            if name is not None and cell not in (None, "")
        }
        for line in lines
    ]


def result(batch: Batch, content_type: str, key: str | None) -> tuple[bytes, str]:
    """Write what came of a batch: results row by row, the list of results, or records."""
    if not batch.columns:
        return _results(batch, content_type)
    # The records of a query lie in one result of their own.
    if key is None:
        own = batch.id.replace("751", "752", 1)
        if content_type == "JSON":
            return exact_json.dumps([own]).encode(), "application/json"
        return _xml("result-list", envelopes.elements({"result": own}))
    if content_type == "JSON":
        return exact_json.dumps([_in_ms(one) for one in batch.records]).encode(), "application/json"
    if content_type == "XML":
        records = [{n: v for n, v in one.items() if n != "attributes"} for one in batch.records]
        return _xml("queryResult", envelopes.elements({"records": records}))
    lines = [[loading.cell(one, name) for name in batch.columns] for one in batch.records]
    return _csv([batch.columns, *lines])


def _results(batch: Batch, content_type: str) -> tuple[bytes, str]:
    if content_type == "JSON":
        return exact_json.dumps(batch.results).encode(), "application/json"
    if content_type == "XML":
        return _xml("results", envelopes.elements({"result": batch.results}))
    lines = [
        [one["id"] or "", str(one["success"]).lower(), str(one["created"]).lower(), _told(one)]
        for one in batch.results
    ]
    return _csv([["Id", "Success", "Created", "Error"], *lines])


def _told(one: dict[str, Any]) -> str:
    return "; ".join(
        f"{error['statusCode']}:{error['message']}:{' '.join(error['fields'])} --"
        for error in one["errors"]
    )


def _in_ms(record: dict[str, Any]) -> dict[str, Any]:
    """Give moments as milliseconds, as this API does in JSON and nowhere else."""
    return {name: _moment(value) for name, value in record.items()}


def _moment(value: Any) -> Any:
    if isinstance(value, dict):
        return _in_ms(value)
    if isinstance(value, str) and value.endswith(".000+0000"):
        return int(datetime.strptime(value, _STAMP).timestamp() * 1000)
    return value


def _xml(name: str, inner: str) -> tuple[bytes, str]:
    head = '<?xml version="1.0" encoding="UTF-8"?>'
    return f'{head}<{name} xmlns="{NAMESPACE}">{inner}</{name}>'.encode(), _XML


def _csv(lines: list[list[str]]) -> tuple[bytes, str]:
    out = io.StringIO(newline="")
    csv.writer(out, quoting=csv.QUOTE_ALL, lineterminator="\n").writerows(lines)
    return out.getvalue().encode(), "text/csv"
