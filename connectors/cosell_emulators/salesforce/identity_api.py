"""Who somebody is: tokens, userinfo and the identity document.

https://help.salesforce.com/s/articleView?id=sf.remoteaccess_using_openid.htm
"""

from typing import Any
from urllib.parse import parse_qs

from starlette.requests import Request

from cosell_emulators.salesforce.calls import Reply
from cosell_emulators.salesforce.identifiers import is_id, long_id
from cosell_emulators.salesforce.org import ORG_ID, Org
from cosell_emulators.salesforce.problems import not_found, refusal
from cosell_emulators.salesforce.rendering import stamp
from cosell_emulators.salesforce.store import Row
from cosell_emulators.salesforce.tokens import Tokens


def answered(tokens: Tokens, org: Org, request: Request, content: bytes) -> Reply:
    """Answer a call of the token service."""
    path = "/" + request.url.path.strip("/")
    match path.removeprefix("/services/oauth2/"):
        case "token":
            if request.method != "POST":
                return Reply(
                    400, {"error": "invalid_request", "error_description": "must use HTTP POST"}
                )
            return tokens.answer(content, request.headers)
        case "userinfo":
            return Reply(200, _userinfo(org, _caller(tokens, org, request)))
        case "revoke":
            form = parse_qs(content.decode("utf-8", "replace")) | parse_qs(request.url.query)
            ended = tokens.end(form.get("token", [""])[0])
            error = {"error": "unsupported_token_type", "error_description": "invalid token"}
            return Reply(200, {}) if ended else Reply(400, error)
    if path.startswith("/id/"):
        return _identity(tokens, org, request, path)
    raise not_found()


def _caller(tokens: Tokens, org: Org, request: Request) -> Row:
    _, _, token = request.headers.get("authorization", "").partition(" ")
    token = token or request.query_params.get("access_token", "")
    session = tokens.session(token.strip())
    row = org.store.living(session.user_id) if session is not None else None
    if row is None:
        raise refusal("INVALID_SESSION_ID", "Session expired or invalid", bare=True)
    return row


def _identity(tokens: Tokens, org: Org, request: Request, path: str) -> Reply:
    """GET /id/<org>/<user>."""
    _caller(tokens, org, request)
    _, _, _, user_id = (*path.split("/"), "", "", "")[:4]
    row = org.store.living(long_id(user_id)) if is_id(user_id) else None
    if row is None or row.type.name != "User":
        raise not_found()
    info = _userinfo(org, row)
    base = tokens.url()
    return Reply(
        200,
        {
            "id": f"{base}/id/{ORG_ID}/{row.id}",
            "asserted_user": True,
            "user_id": row.id,
            "organization_id": ORG_ID,
            "username": row.get("Username"),
            "nick_name": row.get("CommunityNickname"),
            "display_name": row.get("Name"),
            "email": row.get("Email"),
            "email_verified": True,
            "first_name": row.get("FirstName"),
            "last_name": row.get("LastName"),
            "timezone": row.get("TimeZoneSidKey"),
            "active": row.get("IsActive"),
            "user_type": info["user_type"],
            "language": row.get("LanguageLocaleKey"),
            "locale": row.get("LocaleSidKey"),
            "utcOffset": 0,
            "last_modified_date": stamp(row.get("LastModifiedDate")),
            "urls": {
                "rest": f"{base}/services/data/v{{version}}/",
                "sobjects": f"{base}/services/data/v{{version}}/sobjects/",
                "query": f"{base}/services/data/v{{version}}/query/",
                "partner": f"{base}/services/Soap/u/{{version}}/{ORG_ID[:15]}",
            },
        },
    )


def _userinfo(org: Org, row: Row) -> dict[str, Any]:
    # Salesforce says STANDARD and POWER_PARTNER here.
    kind = "POWER_PARTNER" if row.get("UserType") == "PowerPartner" else "STANDARD"
    return {
        "sub": row.id,
        "user_id": row.id,
        "organization_id": ORG_ID,
        "preferred_username": row.get("Username"),
        "nickname": row.get("CommunityNickname"),
        "name": row.get("Name"),
        "email": row.get("Email"),
        "email_verified": True,
        "given_name": row.get("FirstName"),
        "family_name": row.get("LastName"),
        "zoneinfo": row.get("TimeZoneSidKey"),
        "active": row.get("IsActive"),
        "user_type": kind,
        "language": row.get("LanguageLocaleKey"),
        "locale": row.get("LocaleSidKey"),
        "utcOffset": 0,
        "updated_at": stamp(row.get("LastModifiedDate")),
        "is_app_installed": True,
    }
