"""Bulk API 2.0: jobs that write or read many rows as CSV.

https://developer.salesforce.com/docs/platform/api-asynch/guide/bulk-api-2-overview.html
"""

from typing import Any

from cosell_emulators.salesforce import loading
from cosell_emulators.salesforce.calls import Call, Reply
from cosell_emulators.salesforce.identifiers import is_id, long_id
from cosell_emulators.salesforce.loading import IngestJob, Job, QueryJob
from cosell_emulators.salesforce.org import Org
from cosell_emulators.salesforce.problems import not_found, refusal
from cosell_emulators.salesforce.query_api import answer
from cosell_emulators.salesforce.rendering import stamp
from cosell_emulators.salesforce.soql.aggregating import is_aggregate
from cosell_emulators.salesforce.soql.parsing import parsed
from cosell_emulators.salesforce.soql.tree import TypeOf

_OPERATIONS = ("insert", "update", "upsert", "delete", "hardDelete")
# 150 MB after base64, which adds a third.
_MOST_BYTES = 100_000_000
_ENDED = ("JobComplete", "Failed", "Aborted")
_CSV = "text/csv"


def create_ingest(org: Org, call: Call) -> Reply:
    """POST /jobs/ingest."""
    body = call.object()
    _table_only(body)
    kind = org.store.schema.find(str(body.get("object", "")))
    if kind is None:
        message = f"InvalidBatch : Unable to find object: {body.get('object')}"
        raise refusal("INVALIDENTITY", message, bare=True)
    operation = str(body.get("operation", ""))
    if operation not in _OPERATIONS:
        raise refusal("INVALIDJOB", f"Unknown operation: {operation}", bare=True)
    key = body.get("externalIdFieldName")
    found = kind.field(str(key)) if key else None
    if operation == "upsert" and (found is None or not (found.keyed or found.name == "Id")):
        message = f"InvalidJob : Field name provided, {key} does not match an External ID, "
        raise refusal("INVALIDJOB", f"{message}Salesforce Id, or indexed field", bare=True)
    doing = org.doing(call)
    job = IngestJob(
        id=org.store.numbered("750"),
        operation=operation,
        delimiter=str(body.get("columnDelimiter", "COMMA")).upper(),
        line_ending=str(body.get("lineEnding", "LF")).upper(),
        created=stamp(org.now()),
        version=call.version,
        doing=doing,
        kind=kind,
        key=found,
        rule_id=body.get("assignmentRuleId"),
    )
    org.jobs[job.id] = job
    return Reply(200, _shown(job))


def create_query(org: Org, call: Call) -> Reply:
    """POST /jobs/query."""
    body = call.object()
    _table_only(body)
    operation = str(body.get("operation", ""))
    if operation not in ("query", "queryAll"):
        raise refusal("INVALIDJOB", f"Unknown operation: {operation}", bare=True)
    text = str(body.get("query", ""))
    _plain_only(text)
    found = answer(
        org,
        text,
        user_id=call.session.user_id,
        version=call.version,
        deleted=operation == "queryAll",
    )
    job = QueryJob(
        id=org.store.numbered("750"),
        operation=operation,
        delimiter=str(body.get("columnDelimiter", "COMMA")).upper(),
        line_ending=str(body.get("lineEnding", "LF")).upper(),
        created=stamp(org.now()),
        version=call.version,
        doing=org.doing(call),
        state="UploadComplete",
        query=text,
        columns=loading.columns(org.store, text),
        records=[found.show(row) for row in found.rows],
    )
    org.jobs[job.id] = job
    return Reply(200, _shown(job))


def _table_only(body: dict[str, Any]) -> None:
    """Refuse any form of content but tables, and tables that nobody can write."""
    for name, known in (
        ("contentType", ("CSV",)),
        ("columnDelimiter", tuple(loading.DELIMITERS)),
        ("lineEnding", ("LF", "CRLF")),
    ):
        value = str(body.get(name) or known[0])
        if value.upper() not in known:
            raise refusal("INVALIDJOB", f"InvalidJob : {name} cannot be {value}", bare=True)


def _plain_only(text: str) -> None:
    """Refuse what a job of a query cannot do.

    https://developer.salesforce.com/docs/platform/api-asynch/guide/query-create-job.html
    """
    query = parsed(text)
    if is_aggregate(query) or query.counts or query.offset or query.group_by:
        message = "GROUP BY, OFFSET and aggregate functions are not supported in bulk queries"
        raise refusal("API_ERROR", message, bare=True)
    if any(isinstance(column, TypeOf) for column in query.columns):
        raise refusal("API_ERROR", "TYPEOF is not supported in bulk queries", bare=True)


def job(org: Org, call: Call, key: str) -> Reply:
    """GET /jobs/…/{id}: work done since the last look shows now."""
    found = _job(org, key)
    if found.state == "UploadComplete":
        if isinstance(found, IngestJob):
            loading.load(org.writer, found)
        else:
            found.state = "JobComplete"
    return Reply(200, _shown(found))


def upload(org: Org, call: Call, key: str) -> Reply:
    """PUT /jobs/ingest/{id}/batches: once for every job."""
    found = _ingest(org, key)
    if not call.headers.get("content-type", "").lower().startswith(_CSV):
        message = "Content-Type must be text/csv"
        raise refusal("UNSUPPORTED_MEDIA_TYPE", message, bare=True)
    if found.state != "Open" or found.content is not None:
        message = f"Found multiple contents for job: <{found.id}>, please 'Close' / 'Abort' / "
        message += "'Delete' the current Job then create a new Job and make sure you only do "
        raise refusal("INVALIDJOBSTATE", f"{message}'PUT' once on a given Job.", bare=True)
    if len(call.content) > _MOST_BYTES:
        raise refusal("FILE_SIZE_LIMIT_EXCEEDED", "The file is too large", bare=True)
    found.content = call.content
    return Reply(201)


def change_ingest(org: Org, call: Call, key: str) -> Reply:
    """PATCH /jobs/ingest/{id}: close it, and it runs; or abort it."""
    found = _ingest(org, key)
    state = call.object().get("state")
    if state not in ("UploadComplete", "Aborted") or found.state in _ENDED:
        message = f"Invalid job state: {state}; the job is {found.state}"
        raise refusal("INVALIDJOBSTATE", message, bare=True)
    found.state = str(state)
    return Reply(200, _shown(found))


def change_query(org: Org, call: Call, key: str) -> Reply:
    """PATCH /jobs/query/{id}: abort it."""
    found = _job(org, key)
    if call.object().get("state") != "Aborted" or found.state in _ENDED:
        raise refusal("INVALIDJOBSTATE", f"The job is {found.state}", bare=True)
    found.state = "Aborted"
    return Reply(200, _shown(found))


def remove(org: Org, call: Call, key: str) -> Reply:
    """DELETE /jobs/…/{id}: only jobs that have ended."""
    found = _job(org, key)
    if found.state not in _ENDED:
        message = f"The job is {found.state}; only ended jobs can be deleted"
        raise refusal("INVALIDJOBSTATE", message, bare=True)
    del org.jobs[found.id]
    return Reply(204)


def ingest_jobs(org: Org, call: Call) -> Reply:
    """GET /jobs/ingest."""
    return _list(org, IngestJob)


def query_jobs(org: Org, call: Call) -> Reply:
    """GET /jobs/query."""
    return _list(org, QueryJob)


def ingest_results(org: Org, call: Call, key: str, which: str) -> Reply:
    """GET /jobs/ingest/{id}/successfulResults, failedResults or unprocessedrecords."""
    found = _ingest(org, key)
    content = loading.results(found, which.lower().removesuffix("/"))
    if content is None:
        raise not_found()
    return Reply(200, content, kind=_CSV)


def query_results(org: Org, call: Call, key: str) -> Reply:
    """GET /jobs/query/{id}/results."""
    found = _job(org, key)
    if not isinstance(found, QueryJob):
        raise not_found()
    if found.state != "JobComplete":
        message = f"The job is {found.state}; results are there when it is complete"
        raise refusal("INVALIDJOBSTATE", message, bare=True)
    most, start = call.query.get("maxRecords", ""), call.query.get("locator", "0")
    if not start.isdigit():
        raise refusal("INVALID_QUERY_LOCATOR", "invalid query locator", bare=True)
    begin = int(start)
    end = begin + int(most) if most.isdigit() and int(most) else len(found.records)
    part = found.records[begin:end]
    # The last page says so with the literal text null.
    locator = str(end) if end < len(found.records) else "null"
    headers = {"Sforce-Locator": locator, "Sforce-NumberOfRecords": str(len(part))}
    return Reply(200, loading.table(found, part), headers, _CSV)


def _job(org: Org, key: str) -> Job:
    found = org.jobs.get(long_id(key) if is_id(key) else key)
    if not isinstance(found, IngestJob | QueryJob):
        raise not_found()
    return found


def _ingest(org: Org, key: str) -> IngestJob:
    found = _job(org, key)
    if not isinstance(found, IngestJob):
        raise not_found()
    return found


def _list(org: Org, which: type[IngestJob] | type[QueryJob]) -> Reply:
    records = [_shown(one) for one in org.jobs.values() if isinstance(one, which)]
    return Reply(200, {"done": True, "nextRecordsUrl": None, "records": records})


def _shown(found: Job) -> dict[str, Any]:
    body: dict[str, Any] = {
        "id": found.id,
        "operation": found.operation,
        "object": found.object,
        "createdById": found.doing.user_id,
        "createdDate": found.created,
        "systemModstamp": found.created,
        "state": found.state,
        "concurrencyMode": "Parallel",
        "contentType": "CSV",
        "apiVersion": float(found.version),
        "lineEnding": found.line_ending,
        "columnDelimiter": found.delimiter,
    }
    counts, processed = dict[str, int](), 0
    if isinstance(found, IngestJob):
        body["contentUrl"] = f"services/data/v{found.version}/jobs/ingest/{found.id}/batches"
        body["jobType"] = "V2Ingest"
        if found.key is not None:
            body["externalIdFieldName"] = found.key.name
        if found.rule_id:
            body["assignmentRuleId"] = found.rule_id
        counts["numberRecordsFailed"] = len(found.failed)
        processed = len(found.done) + len(found.failed)
    elif isinstance(found, QueryJob):
        body["jobType"] = "V2Query"
        processed = len(found.records)
    if found.state in _ENDED:
        times = {"retries": 0, "totalProcessingTime": 1, "isPkChunkingSupported": True}
        body |= {**times, "numberRecordsProcessed": processed, **counts}
    if found.error:
        body["errorMessage"] = found.error
    return body
