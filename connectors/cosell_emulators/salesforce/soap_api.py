"""The SOAP calls REST has no match for: convert a lead, merge records, and write with mails.

https://developer.salesforce.com/docs/platform/api/guide/sforce-api-calls-list.html
"""

from collections.abc import Mapping
from typing import Any
from xml.etree.ElementTree import Element

from cosell_emulators.salesforce import envelopes, mailing, merging, metadata_api
from cosell_emulators.salesforce.calls import Reply, Session
from cosell_emulators.salesforce.collections_api import living
from cosell_emulators.salesforce.converting import Wish, convert
from cosell_emulators.salesforce.envelopes import Asked, Unreadable
from cosell_emulators.salesforce.org import ORG_ID, Org
from cosell_emulators.salesforce.problems import Refusal, refusal
from cosell_emulators.salesforce.rendering import stamp
from cosell_emulators.salesforce.schema import ObjectType
from cosell_emulators.salesforce.tokens import Tokens
from cosell_emulators.salesforce.writing import Doing

_XML = "text/xml;charset=UTF-8"
_MOST = 200
_MOST_LEADS = 100
_OLDEST = 31
_NAMESPACES = {
    "c": "urn:enterprise.soap.sforce.com",
    "m": metadata_api.NAMESPACE,
    "u": "urn:partner.soap.sforce.com",
}
_FAULTS = {
    "c": "urn:fault.enterprise.soap.sforce.com",
    "m": metadata_api.NAMESPACE,
    "u": "urn:fault.partner.soap.sforce.com",
}

Result = dict[str, Any]


def answered(org: Org, tokens: Tokens, path: str, content: bytes) -> Reply:
    """Answer POST /services/Soap/u/NN.N, or m for the Metadata API."""
    kind, _, version = path.removeprefix("/services/Soap/").partition("/")
    try:
        return Reply(200, _answer(org, tokens, kind, version.split("/")[0], content), kind=_XML)
    except Unreadable as error:
        code, message = "SOAP_PARSE_ERROR", str(error)
    except Refusal as error:
        code, message = error.problems[0].code, error.problems[0].message
    return Reply(500, envelopes.fault(code, message, about=_FAULTS[kind]), kind=_XML)


def _answer(org: Org, tokens: Tokens, kind: str, version: str, content: bytes) -> bytes:
    if version and float(version) < _OLDEST:
        raise refusal("UNSUPPORTED_API_VERSION", f"API version {version} is retired")
    asked = envelopes.read(content)
    if asked.operation == "login":
        # Orgs made since Winter '26 have it off, and version 65 has it no more.
        # https://developer.salesforce.com/docs/platform/api/guide/sforce-api-calls-login.html
        raise refusal("INVALID_OPERATION", "SOAP API login() is disabled by default in this org.")
    session = tokens.session(asked.header("SessionHeader", "sessionId"))
    if session is None:
        message = "Invalid Session ID found in SessionHeader: Illegal Session"
        raise refusal("INVALID_SESSION_ID", message)
    org.count()
    with org.as_seen_by(session.user_id):
        do = metadata_api.results if kind == "m" else _results
        results = do(org, session, asked)
    return envelopes.answer(asked.operation, results, namespace=_NAMESPACES[kind])


def _results(org: Org, session: Session, asked: Asked) -> list[Result]:
    match asked.operation:
        case "convertLead":
            return _convert(org, session, asked)
        case "create" | "update":
            return _write(org, session, asked)
        case "delete":
            return _delete(org, session, asked)
        case "getServerTimestamp":
            return [{"timestamp": stamp(org.now()).replace("+0000", "Z")}]
        case "getUserInfo":
            return [_user_info(org, session)]
        case "merge":
            return _merge(org, session, asked)
        case "logout":
            return []
    message = f"No operation available for request {asked.operation}"
    raise refusal("INVALID_OPERATION", message)


def _doing(org: Org, session: Session, asked: Asked) -> Doing:
    rule = asked.header("AssignmentRuleHeader", "assignmentRuleId")
    default = asked.header("AssignmentRuleHeader", "useDefaultRule").lower() == "true"
    # SOAP runs no rule unless asked to, unlike REST.
    return Doing(
        user_id=session.user_id,
        now=org.now(),
        client=asked.header("CallOptions", "client"),
        auto_assign=rule or ("TRUE" if default else "FALSE"),
        allow_duplicates=asked.header("DuplicateRuleHeader", "allowSave").lower() == "true",
    )


def _convert(org: Org, session: Session, asked: Asked) -> list[Result]:
    wishes = asked.parts("leadConverts")
    if len(wishes) > _MOST_LEADS:
        raise refusal("EXCEEDED_ID_LIMIT", f"at most {_MOST_LEADS} leads can be converted at once")
    results: list[Result] = []
    for part in wishes:
        given = {name: value for name, value in envelopes.values(part).items() if value}
        try:
            outcome = convert(org, _wish(given), _doing(org, session, asked))
        except Refusal as error:
            results.append(
                {
                    "accountId": None,
                    "contactId": None,
                    "errors": _errors(error),
                    "leadId": given.get("leadId"),
                    "opportunityId": None,
                    "success": False,
                }
            )
            continue
        results.append(
            {
                "accountId": outcome.account.id,
                "contactId": outcome.contact.id,
                "leadId": outcome.lead.id,
                "opportunityId": outcome.opportunity.id if outcome.opportunity else None,
                "success": True,
            }
        )
    return results


def _wish(given: Mapping[str, str | None]) -> Wish:
    def flag(name: str) -> bool:
        return (given.get(name) or "").lower() in ("true", "1")

    return Wish(
        lead_id=given.get("leadId") or "",
        status=given.get("convertedStatus") or "",
        account_id=given.get("accountId"),
        contact_id=given.get("contactId"),
        opportunity_id=given.get("opportunityId"),
        opportunity_name=given.get("opportunityName"),
        owner_id=given.get("ownerId"),
        without_opportunity=flag("doNotCreateOpportunity"),
        overwrite_source=flag("overwriteLeadSource"),
        notify=flag("sendNotificationEmail"),
    )


def _write(org: Org, session: Session, asked: Asked) -> list[Result]:
    parts = asked.parts("sObjects")
    if len(parts) > _MOST:
        raise refusal("EXCEEDED_ID_LIMIT", f"at most {_MOST} records can be written at once")
    doing = _doing(org, session, asked)
    notify = asked.header("EmailHeader", "triggerUserEmail").lower() == "true"
    results: list[Result] = []
    for part in parts:
        name, body = envelopes.row(part)
        try:
            row_id = _written(org, asked.operation, name, body, doing, notify=notify)
        except Refusal as error:
            results.append({"errors": _errors(error), "id": None, "success": False})
        else:
            results.append({"id": row_id, "success": True})
    return results


def _written(
    org: Org, operation: str, name: str, body: dict[str, Any], doing: Doing, *, notify: bool
) -> str:
    kind = org.store.schema.find(name)
    if kind is None:
        raise refusal("INVALID_TYPE", f"sObject type '{name}' is not supported.")
    key = next((body.pop(field) for field in list(body) if field.lower() == "id"), None)
    if operation == "create":
        row = org.writer.create(kind, body, doing)
        if notify and kind.name == "User":
            mailing.welcome(org, row)
        elif notify and row.get("OwnerId") != doing.user_id:
            mailing.new_owner(org, row)
        return row.id
    if not key:
        raise refusal("MISSING_ARGUMENT", "Id not specified in an update call")
    row = living(org, kind, str(key))
    before = row.get("OwnerId")
    org.writer.update(row, body, doing)
    if notify and row.get("OwnerId") != before:
        mailing.new_owner(org, row)
    return row.id


def _delete(org: Org, session: Session, asked: Asked) -> list[Result]:
    results: list[Result] = []
    for part in asked.parts("ids"):
        key = (part.text or "").strip()
        try:
            row = living(org, _kind_of(org, key), key)
            org.writer.delete(row, _doing(org, session, asked))
        except Refusal as error:
            results.append({"errors": _errors(error), "id": None, "success": False})
        else:
            results.append({"id": row.id, "success": True})
    return results


def _merge(org: Org, session: Session, asked: Asked) -> list[Result]:
    requests = asked.parts("request")
    if len(requests) > _MOST:
        raise refusal("EXCEEDED_ID_LIMIT", f"at most {_MOST} records can be merged at once")
    results: list[Result] = []
    for part in requests:
        try:
            outcome = _merged(org, part, _doing(org, session, asked))
        except Refusal as error:
            nothing: Result = {"mergedRecordIds": [], "success": False, "updatedRelatedIds": []}
            results.append({"errors": _errors(error), "id": None, **nothing})
            continue
        results.append(
            {
                "id": outcome.master.id,
                "mergedRecordIds": [row.id for row in outcome.merged],
                "success": True,
                "updatedRelatedIds": [row.id for row in outcome.moved],
            }
        )
    return results


def _merged(org: Org, part: Element, doing: Doing) -> merging.Outcome:
    master = next((one for one in part if envelopes.local(one) == "masterRecord"), None)
    if master is None:
        raise refusal("MISSING_ARGUMENT", "masterRecord not specified")
    name, body = envelopes.row(master)
    others = [one.text or "" for one in part if envelopes.local(one) == "recordToMergeIds"]
    return merging.merge(org, name, body, [one.strip() for one in others], doing)


def _kind_of(org: Org, key: str) -> ObjectType:
    found = org.store.schema.of_id(key)
    if found is None:
        raise refusal("MALFORMED_ID", f"malformed id {key}")
    return found


def _errors(error: Refusal) -> list[Result]:
    return [
        {"fields": list(p.fields or ()), "message": p.message, "statusCode": p.code}
        for p in error.problems
    ]


def _user_info(org: Org, session: Session) -> Result:
    user = org.store.living(session.user_id)
    names = {
        "profileId": "ProfileId",
        "roleId": "UserRoleId",
        "userDefaultCurrencyIsoCode": "DefaultCurrencyIsoCode",
        "userEmail": "Email",
        "userFullName": "Name",
        "userId": "Id",
        "userLanguage": "LanguageLocaleKey",
        "userLocale": "LocaleSidKey",
        "userName": "Username",
        "userTimeZone": "TimeZoneSidKey",
        "userType": "UserType",
    }
    shown = {
        "accessibilityMode": False,
        "chatterExternal": False,
        "currencySymbol": None,
        "orgAttachmentFileSizeLimit": 26_214_400,
        "orgDefaultCurrencyIsoCode": None if org.settings.multi_currency else "USD",
        "orgDefaultCurrencyLocale": None,
        "orgDisallowHtmlAttachments": False,
        "orgHasPersonAccounts": False,
        "organizationId": ORG_ID,
        "organizationMultiCurrency": org.settings.multi_currency,
        "organizationName": next(iter(org.store["Organization"].alive())).get("Name"),
        "sessionSecondsValid": 7200,
        "userUiSkin": "Theme3",
        **({key: user.get(name) for key, name in names.items()} if user is not None else {}),
    }
    # The schema has its elements in this order, capitals first.
    return {key: shown[key] for key in sorted(shown)}
