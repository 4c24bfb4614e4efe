"""Deploy a package of setup files over REST: all of it, or nothing.

https://developer.salesforce.com/docs/atlas.en-us.api_meta.meta/api_meta/meta_rest_deploy.htm
"""

import io
import re
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from email.message import Message
from email.parser import BytesParser
from typing import Any
from xml.etree import ElementTree

from cosell_emulators import exact_json
from cosell_emulators.salesforce import envelopes
from cosell_emulators.salesforce.calls import Call, Reply
from cosell_emulators.salesforce.configuring import TYPES
from cosell_emulators.salesforce.documents import document_of
from cosell_emulators.salesforce.org import Org
from cosell_emulators.salesforce.problems import Refusal, not_found, refusal

_DANGEROUS = re.compile(rb"<!(?:DOCTYPE|ENTITY)")
_LARGEST = 39 * 1024 * 1024  # of the zip file, as the Metadata API's limits say
_SUFFIX = re.compile(r"\.(object|layout|permissionset|profile|settings|tab)(-meta\.xml)?$")
# What leans on something else is made after it.
_ORDER = (
    "StandardValueSet",
    "CustomObject",
    "CustomTab",
    "settings",
    "Layout",
    "PermissionSet",
    "Profile",
    "SharingRules",
)


@dataclass(frozen=True, slots=True)
class _Component:
    """One file of a package."""

    file: str
    kind: str
    name: str
    said: dict[str, Any]


def deploy(org: Org, call: Call) -> Reply:
    """POST /metadata/deployRequest."""
    _may(org, call)
    options, package = _parts(call)
    number = len(org.deployments) + 1
    key = f"0Af{number:012d}AAA"
    org.deployments[key] = _deployed(org, call, options, package, key)
    body = {
        "id": key,
        "validatedDeployRequestId": None,
        "deployOptions": options,
        "deployResult": None,
    }
    return Reply(201, body)


def status(org: Org, call: Call, key: str) -> Reply:
    """GET /metadata/deployRequest/{id}."""
    _may(org, call)
    found = org.deployments.get(key) or org.deployments.get(f"{key}AAA")
    if found is None:
        raise not_found()
    result, options = found
    shown = {**result, "details": result["details"]}
    if call.query.get("includeDetails", "false").lower() != "true":
        shown["details"] = None
    return Reply(200, {"id": key, "deployOptions": options, "deployResult": shown})


def _may(org: Org, call: Call) -> None:
    if call.session.user_id != org.admin_id and not org.permissions.may_customize(
        call.session.user_id
    ):
        raise refusal("INSUFFICIENT_ACCESS", "insufficient access rights on cross-reference id")


def _parts(call: Call) -> tuple[dict[str, Any], bytes]:
    kind = call.headers.get("content-type", "")
    message = BytesParser().parsebytes(
        b"Content-Type: " + kind.encode() + b"\r\n\r\n" + call.content
    )
    options: dict[str, Any] | None = None
    package: bytes | None = None
    for part in message.get_payload() if message.is_multipart() else ():
        if not isinstance(part, Message):
            continue
        content = part.get_payload(decode=True)
        name = part.get_param("name", header="content-disposition")
        if name == "json" and isinstance(content, bytes):
            try:
                options = exact_json.loads(content).get("deployOptions")
            except (ValueError, AttributeError):
                options = None
        elif name == "file" and isinstance(content, bytes):
            package = content
    if options is None:
        raise refusal("INVALID_MULTIPART_REQUEST", "Part json with deployOptions is missing")
    if package is None:
        raise refusal("INVALID_MULTIPART_REQUEST", "Part file with the zip file is missing")
    if len(package) > _LARGEST:
        raise refusal("LIMIT_EXCEEDED", "Maximum size of request reached")
    return options, package


def _deployed(
    org: Org, call: Call, options: dict[str, Any], package: bytes, key: str
) -> tuple[dict[str, Any], dict[str, Any]]:
    failures: list[dict[str, Any]] = []
    done: list[tuple[_Component, Any]] = []
    try:
        components = sorted(_components(package), key=_rank)
    except (zipfile.BadZipFile, ElementTree.ParseError, ValueError) as error:
        components = []
        failures.append(_failure("", "package.xml", str(error)))
    for one in components:
        before = org.setup.read(one.kind, one.name)
        try:
            with org.store.atomic():
                said = {**one.said, "fullName": one.name}
                org.setup.save(one.kind, said, org.doing(call), new=before is None)
        except Refusal as error:
            problem = error.problems[0]
            failures.append(_failure(one.file, one.name, problem.message, kind=one.kind))
        else:
            done.append((one, before))
        org.refresh(call.session.user_id)
    check_only = bool(options.get("checkOnly"))
    if check_only or (failures and options.get("rollbackOnError", True)):
        _undo(org, call, done)
    result = {
        "id": key,
        "checkOnly": check_only,
        "done": True,
        "success": not failures,
        "status": "Failed" if failures else "Succeeded",
        "rollbackOnError": bool(options.get("rollbackOnError", True)),
        "numberComponentsTotal": len(components),
        "numberComponentsDeployed": 0 if failures else len(done),
        "numberComponentErrors": len(failures),
        "details": {
            "componentFailures": failures,
            "componentSuccesses": [_success(one, before) for one, before in done],
        },
    }
    return result, options


def _undo(org: Org, call: Call, done: list[tuple[_Component, Any]]) -> None:
    for one, before in reversed(done):
        if before is None:
            org.setup.delete(one.kind, one.name, org.doing(call))
            continue
        if one.kind == "CustomObject":
            known = {field["fullName"] for field in before.get("fields", [])}
            for name in _fields_in(one.said):
                if name not in known:
                    org.setup.delete("CustomField", f"{one.name}.{name}", org.doing(call))
        org.setup.save(one.kind, before, org.doing(call), new=False)


def _fields_in(said: dict[str, Any]) -> list[str]:
    fields = said.get("fields") or []
    return [one["fullName"] for one in (fields if isinstance(fields, list) else [fields])]


def _components(package: bytes) -> Iterator[_Component]:
    folders = {folder: kind for kind, folder in TYPES.items() if folder != "settings"}
    with zipfile.ZipFile(io.BytesIO(package)) as archive:
        names = [one for one in archive.namelist() if not one.endswith("/")]
        top = next(
            (n.removesuffix("package.xml") for n in names if n.endswith("package.xml")), None
        )
        if top is None:
            raise ValueError("No package.xml found")
        for file in names:
            inner = file.removeprefix(top)
            folder, _, last = inner.partition("/")
            if not last:
                continue
            content = archive.read(file)
            if _DANGEROUS.search(content):
                raise ValueError("DOCTYPE is not allowed")
            root = ElementTree.fromstring(content)  # noqa: S314 - entities are refused above
            kind = envelopes.local(root) if folder == "settings" else folders.get(folder)
            if kind is None or not _SUFFIX.search(last):
                raise ValueError(f"Unknown file in package: {inner}")
            yield _Component(inner, kind, _SUFFIX.sub("", last), document_of(root))


def _rank(one: _Component) -> int:
    kind = "settings" if TYPES[one.kind] == "settings" else one.kind
    return _ORDER.index(kind)


def _failure(file: str, name: str, problem: str, *, kind: str = "") -> dict[str, Any]:
    return {
        "changed": False,
        "componentType": kind,
        "created": False,
        "deleted": False,
        "fileName": file,
        "fullName": name,
        "problem": problem,
        "problemType": "Error",
        "success": False,
    }


def _success(one: _Component, before: Any) -> dict[str, Any]:
    return {
        "changed": True,
        "componentType": one.kind,
        "created": before is None,
        "deleted": False,
        "fileName": one.file,
        "fullName": one.name,
        "success": True,
    }
