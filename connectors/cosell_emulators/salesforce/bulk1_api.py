"""Bulk API 1.0, which many loaders still use: jobs of batches, as JSON, CSV or XML.

https://developer.salesforce.com/docs/atlas.en-us.api_asynch.meta/api_asynch/api_bulk_limits.htm
"""

import re
from dataclasses import dataclass, field
from typing import Any

from cosell_emulators import exact_json
from cosell_emulators.salesforce import bulk1_batches, envelopes
from cosell_emulators.salesforce.bulk1_batches import NAMESPACE, Batch
from cosell_emulators.salesforce.calls import Call, Reply
from cosell_emulators.salesforce.identifiers import is_id, long_id
from cosell_emulators.salesforce.loading import IngestJob
from cosell_emulators.salesforce.org import Org
from cosell_emulators.salesforce.problems import Refusal
from cosell_emulators.salesforce.rendering import stamp

_PATH = re.compile(r"/job(?:/(\w+)(?:/batch(?:/(\w+)(?:/(request|result)(?:/(\w+))?)?)?)?)?/?")
_WRITING = ("insert", "update", "upsert", "delete", "hardDelete")
_READING = ("query", "queryAll")
_CONTENT = ("CSV", "JSON", "XML")
_KINDS = {"JSON": "application/json", "CSV": "text/csv", "XML": "application/xml"}


class Unfit(Exception):
    """A call the jobs do not understand."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(code, message)
        self.code, self.message = code, message


@dataclass(slots=True, kw_only=True)
class BatchJob:
    """A job and its batches; `load` is what it does to a row."""

    id: str
    operation: str
    object: str
    content_type: str
    created: str
    version: str
    load: IngestJob
    state: str = "Open"
    batches: dict[str, Batch] = field(default_factory=dict)


def answered(org: Org, call: Call) -> Reply:
    """Answer a call below /services/async/NN.N."""
    as_json = "json" in call.headers.get("content-type", "") or "json" in call.headers.get(
        "accept", ""
    )
    try:
        return _answer(org, call, as_json=as_json)
    except Unfit as unfit:
        code, message = unfit.code, unfit.message
    except Refusal as refusal:
        code, message = refusal.problems[0].code, refusal.problems[0].message
    return error(code, message, as_json=as_json)


def error(code: str, message: str, *, as_json: bool, status: int = 400) -> Reply:
    """Refuse in the words of this API."""
    told = {"exceptionCode": code, "exceptionMessage": message}
    return _reply("error", told, as_json=as_json, status=status)


def _answer(org: Org, call: Call, *, as_json: bool) -> Reply:
    found = _PATH.fullmatch(call.path)
    if found is None:
        raise Unfit("InvalidUrl", f"Unsupported URL: {call.path}")
    key, batch_key, which, result_key = found.groups()
    if key is None:
        return _shown(_create(org, call, as_json=as_json), as_json=as_json, status=201)
    job = org.jobs.get(long_id(key) if is_id(key) else key)
    if not isinstance(job, BatchJob):
        raise Unfit("InvalidJob", f"Unable to find job: {key}")
    if "/batch" not in call.path:
        if call.method == "POST":
            _change(job, _said(call, as_json=as_json))
        return _shown(job, as_json=as_json)
    if batch_key is None:
        return _batches(org, call, job)
    batch = job.batches.get(long_id(batch_key) if is_id(batch_key) else batch_key)
    if batch is None:
        raise Unfit("InvalidBatch", f"Unable to find batch: {batch_key}")
    as_json = job.content_type == "JSON"
    if which is None:
        return _reply("batchInfo", _info(job, batch), as_json=as_json)
    if which == "request":
        return Reply(200, batch.content, kind=_KINDS[job.content_type])
    content, kind = bulk1_batches.result(batch, job.content_type, result_key)
    return Reply(200, content, kind=kind)


def _create(org: Org, call: Call, *, as_json: bool) -> BatchJob:
    said = _said(call, as_json=as_json)
    operation, content = str(said.get("operation")), str(said.get("contentType") or "XML").upper()
    kind = org.store.schema.find(str(said.get("object", "")))
    if operation not in (*_WRITING, *_READING):
        raise Unfit("InvalidJob", f"Unknown operation: {operation}")
    if content not in _CONTENT:
        raise Unfit("InvalidJob", f"Unsupported content type: {content}")
    if kind is None:
        raise Unfit(
            "InvalidEntity", f"Entity '{said.get('object')}' is not supported by the Bulk API."
        )
    key = kind.field(str(said.get("externalIdFieldName", "")))
    if operation == "upsert" and key is None:
        raise Unfit("InvalidJob", "External ID was blank for " + kind.name)
    job_id, created = org.store.numbered("750"), stamp(org.now()).replace("+0000", "Z")
    load = IngestJob(
        id=job_id,
        operation=operation,
        delimiter="COMMA",
        line_ending="LF",
        created=created,
        version=call.version,
        doing=org.doing(call),
        kind=kind,
        key=key,
        rule_id=said.get("assignmentRuleId"),
    )
    job = BatchJob(
        id=job_id,
        operation=operation,
        object=kind.name,
        content_type=content,
        created=created,
        version=call.version,
        load=load,
    )
    org.jobs[job.id] = job
    return job


def _change(job: BatchJob, said: dict[str, Any]) -> None:
    state = str(said.get("state"))
    if state not in ("Closed", "Aborted"):
        raise Unfit("InvalidJobState", f"Invalid job state: {state}")
    if job.state != "Open":
        raise Unfit("InvalidJobState", f"Closing {job.state} job is not allowed")
    job.state = state


def _batches(org: Org, call: Call, job: BatchJob) -> Reply:
    as_json = job.content_type == "JSON"
    if call.method == "GET":
        infos = {"batchInfo": [_info(job, batch) for batch in job.batches.values()]}
        return _reply("batchInfoList", infos, as_json=as_json)
    if job.state != "Open":
        raise Unfit("InvalidJobState", f"{job.state} jobs take no more batches")
    created = stamp(org.now()).replace("+0000", "Z")
    batch = Batch(id=org.store.numbered("751"), created=created, content=call.content)
    job.batches[batch.id] = batch
    bulk1_batches.run(org, call, job.load, batch, job.content_type)
    # What was just handed in is not done yet; the next look shows it done.
    return _reply("batchInfo", _info(job, batch) | {"state": "Queued"}, as_json=as_json, status=201)


def _said(call: Call, *, as_json: bool) -> dict[str, Any]:
    read = exact_json.loads if as_json else _from_xml
    try:
        body = read(call.content)
    except (ValueError, RecursionError):
        raise Unfit("InvalidJob", "The body could not be read") from None
    if not isinstance(body, dict):
        raise Unfit("InvalidJob", "The body must describe a job")
    return body


def _from_xml(content: bytes) -> dict[str, Any]:
    return dict(envelopes.values(envelopes.parsed(content)))


def _info(job: BatchJob, batch: Batch) -> dict[str, Any]:
    info: dict[str, Any] = {
        "id": batch.id,
        "jobId": job.id,
        "state": batch.state,
        "stateMessage": batch.message,
        "createdDate": batch.created,
        "systemModstamp": batch.created,
        "numberRecordsProcessed": len(batch.results) + len(batch.records),
        "numberRecordsFailed": sum(1 for one in batch.results if not one["success"]),
        "totalProcessingTime": 1,
        "apiActiveProcessingTime": 1,
        "apexProcessingTime": 0,
    }
    return {name: value for name, value in info.items() if value is not None}


def _shown(job: BatchJob, *, as_json: bool, status: int = 200) -> Reply:
    failed = sum(1 for batch in job.batches.values() if batch.state == "Failed")
    infos = [_info(job, batch) for batch in job.batches.values()]
    info: dict[str, Any] = {
        "id": job.id,
        "operation": job.operation,
        "object": job.object,
        "createdById": job.load.doing.user_id,
        "createdDate": job.created,
        "systemModstamp": job.created,
        "state": job.state,
        "externalIdFieldName": job.load.key.name if job.load.key is not None else None,
        "concurrencyMode": "Parallel",
        "contentType": job.content_type,
        "numberBatchesQueued": 0,
        "numberBatchesInProgress": 0,
        "numberBatchesCompleted": len(job.batches) - failed,
        "numberBatchesFailed": failed,
        "numberBatchesTotal": len(job.batches),
        "numberRecordsProcessed": sum(one["numberRecordsProcessed"] for one in infos),
        "numberRetries": 0,
        "apiVersion": float(job.version),
        "numberRecordsFailed": sum(one["numberRecordsFailed"] for one in infos),
        "totalProcessingTime": len(job.batches),
        "apiActiveProcessingTime": len(job.batches),
        "apexProcessingTime": 0,
    }
    return _reply("jobInfo", info, as_json=as_json, status=status)


def _reply(name: str, body: dict[str, Any], *, as_json: bool, status: int = 200) -> Reply:
    if as_json:
        return Reply(status, body)
    plain = {key: value for key, value in body.items() if value is not None}
    text = f'<{name} xmlns="{NAMESPACE}">{envelopes.elements(plain)}</{name}>'
    return Reply(
        status, f'<?xml version="1.0" encoding="UTF-8"?>{text}'.encode(), kind=_KINDS["XML"]
    )
