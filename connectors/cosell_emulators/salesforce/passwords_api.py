"""Passwords of users: is it expired, set one, have one made and mailed.

https://developer.salesforce.com/docs/platform/api-rest/guide/resources_sobject_user_password.html
"""

import secrets

from cosell_emulators.salesforce import mailing
from cosell_emulators.salesforce.calls import Call, Reply
from cosell_emulators.salesforce.collections_api import living
from cosell_emulators.salesforce.org import Org
from cosell_emulators.salesforce.problems import refusal
from cosell_emulators.salesforce.store import Row

_SHORTEST = 8


def expired(org: Org, call: Call, key: str) -> Reply:
    """GET /sobjects/User/{id}/password."""
    _user(org, key)
    return Reply(200, {"isExpired": False})


def change(org: Org, call: Call, key: str) -> Reply:
    """POST /sobjects/User/{id}/password."""
    user = _user(org, key)
    wanted = call.object().get("NewPassword")
    if not isinstance(wanted, str) or not wanted:
        raise refusal("INVALID_NEW_PASSWORD", "Your password cannot be blank", bare=True)
    letters, digits = any(map(str.isalpha, wanted)), any(map(str.isdigit, wanted))
    if len(wanted) < _SHORTEST or not (letters and digits):
        message = f"Your password must be at least {_SHORTEST} characters long and have a mix of "
        raise refusal("INVALID_NEW_PASSWORD", f"{message}letters and numbers", bare=True)
    _changed(org, user, wanted)
    return Reply(204)


def reset(org: Org, call: Call, key: str) -> Reply:
    """DELETE /sobjects/User/{id}/password: the user is told by mail."""
    user = _user(org, key)
    made = secrets.token_urlsafe(9)
    _changed(org, user, made)
    mailing.password_reset(org, user)
    return Reply(200, {"NewPassword": made})


def _changed(org: Org, user: Row, password: str) -> None:
    org.passwords[user.id] = password
    org.store.merge(user, LastPasswordChangeDate=org.now().replace(microsecond=0))


def _user(org: Org, key: str) -> Row:
    user = living(org, org.kind("User"), key)
    if not user.get("IsActive"):
        raise refusal("INVALID_OPERATION", "The user is not active", bare=True)
    return user
