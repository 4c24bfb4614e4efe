"""The Metadata API: read and change the setup of the org, a few things at a time.

https://developer.salesforce.com/docs/atlas.en-us.api_meta.meta/api_meta/meta_crud_based_calls_intro.htm
"""

from collections.abc import Mapping
from typing import Any

from cosell_emulators.salesforce import envelopes
from cosell_emulators.salesforce.calls import Session
from cosell_emulators.salesforce.configuring import TYPES, described
from cosell_emulators.salesforce.documents import document_of
from cosell_emulators.salesforce.envelopes import Asked
from cosell_emulators.salesforce.org import Org
from cosell_emulators.salesforce.problems import Refusal, refusal
from cosell_emulators.salesforce.rendering import stamp
from cosell_emulators.salesforce.writing import Doing

NAMESPACE = "http://soap.sforce.com/2006/04/metadata"
# At most so many things in one call, and so many questions in one listing.
_MOST, _MOST_QUESTIONS = 10, 3
_CHANGES = ("createMetadata", "updateMetadata", "upsertMetadata")

Result = dict[str, Any]


def results(org: Org, session: Session, asked: Asked) -> list[Result]:
    """Do what an envelope asks for."""
    match asked.operation:
        case operation if operation in _CHANGES:
            return _change(org, session, asked)
        case "readMetadata":
            return [_read(org, asked)]
        case "deleteMetadata":
            return _delete(org, session, asked)
        case "listMetadata":
            return _list(org, asked)
        case "describeMetadata":
            return [_describe()]
    message = f"No operation available for request {asked.operation}"
    raise refusal("INVALID_OPERATION", message)


def _doing(org: Org, session: Session) -> Doing:
    return Doing(user_id=session.user_id, now=org.now(), auto_assign="FALSE")


def _few(found: list[Any], most: int = _MOST) -> None:
    if len(found) > most:
        raise refusal("LIMIT_EXCEEDED", f"record limit reached. cannot submit more than {most}")


def _change(org: Org, session: Session, asked: Asked) -> list[Result]:
    parts = asked.parts("metadata")
    _few(parts)
    results: list[Result] = []
    for part in parts:
        kind, said = envelopes.kind(part), document_of(part)
        name = str(said.get("fullName", ""))
        there = org.setup.read(kind, name) is not None
        new = asked.operation == "createMetadata" or (
            asked.operation == "upsertMetadata" and not there
        )
        created: Result = {"created": not there} if asked.operation == "upsertMetadata" else {}
        try:
            with org.store.atomic():
                org.setup.save(kind, said, _doing(org, session), new=new)
        except Refusal as error:
            results.append({**dict.fromkeys(created, False), **_failure(name, error)})
        else:
            results.append(created | {"fullName": name, "success": True})
    return results


def _delete(org: Org, session: Session, asked: Asked) -> list[Result]:
    kind = _text(asked, "type")
    _known(kind)
    names = [(part.text or "").strip() for part in asked.parts("fullNames")]
    _few(names)
    results = []
    for name in names:
        try:
            org.setup.delete(kind, name, _doing(org, session))
        except Refusal as error:
            results.append(_failure(name, error))
        else:
            results.append({"fullName": name, "success": True})
    return results


def _read(org: Org, asked: Asked) -> Result:
    kind = _text(asked, "type")
    _known(kind)
    names = [(part.text or "").strip() for part in asked.parts("fullNames")]
    _few(names)
    found = [org.setup.read(kind, name) for name in names]
    # What is not there is answered by an element that is nil.
    return {"records": [None if one is None else {"@type": kind, **_ordered(one)} for one in found]}


def _list(org: Org, asked: Asked) -> list[Result]:
    questions = asked.parts("queries")
    _few(questions, _MOST_QUESTIONS)
    shown = []
    for question in questions:
        kind = str(envelopes.values(question).get("type") or "")
        _known(kind)
        shown += [_properties(org, kind, name) for name in org.setup.names(kind)]
    return shown


def _properties(org: Org, kind: str, name: str) -> Result:
    moment = stamp(org.described_at).replace("+0000", "Z")
    by = {"ById": org.admin_id, "ByName": "Ida Integration"}
    folder = "objects" if kind == "CustomField" else TYPES[kind]
    shared = {"fields": "object", "objects": "object", "sharingRules": "sharingRules"}
    suffix = shared.get(TYPES[kind], TYPES[kind].rstrip("s"))
    return {
        "createdById": by["ById"],
        "createdByName": by["ByName"],
        "createdDate": moment,
        "fileName": f"{folder}/{name}.{suffix}",
        "fullName": name,
        "id": org.store.named({"CustomField": "00N", "CustomObject": "01I"}.get(kind, "00h"), name),
        "lastModifiedById": by["ById"],
        "lastModifiedByName": by["ByName"],
        "lastModifiedDate": moment,
        "manageableState": "unmanaged",
        "type": kind,
    }


def _describe() -> Result:
    objects = [
        {
            **({"childXmlNames": "CustomField"} if name == "CustomObject" else {}),
            "directoryName": folder,
            "inFolder": False,
            "metaFile": False,
            "suffix": folder.rstrip("s"),
            "xmlName": name,
        }
        for name, folder in TYPES.items()
        if name != "CustomField"
    ]
    return {
        "metadataObjects": objects,
        "organizationNamespace": "",
        "partialSaveAllowed": True,
        "testRequired": False,
    }


def _text(asked: Asked, name: str) -> str:
    return next(((part.text or "").strip() for part in asked.parts(name)), "")


def _known(kind: str) -> None:
    if kind not in TYPES:
        raise refusal("INVALID_TYPE", f"INVALID_TYPE: Unknown type:{kind}")


def _failure(name: str, error: Refusal) -> Result:
    return {"errors": described(error), "fullName": name, "success": False}


def _ordered(said: Mapping[str, Any]) -> dict[str, Any]:
    """Put the name in front and the rest in the order of the alphabet, as the schema has it."""
    rest = {key: _inner(said[key]) for key in sorted(said) if key != "fullName"}
    return {"fullName": said["fullName"], **rest} if "fullName" in said else rest


def _inner(value: Any) -> Any:
    if isinstance(value, Mapping):
        return _ordered(value)
    return [_inner(one) for one in value] if isinstance(value, list) else value
