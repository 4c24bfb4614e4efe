"""What users at partners get at: their own rows, their queues', and what is shared with them.

Users of the company itself see every row. A partner's see, beside what the org's defaults give to
everybody: what they or those below them own, what a queue they are in owns, their own account, what
they are in the team of, and what sharing rules say.
https://help.salesforce.com/s/articleView?id=platform.security_sharing_owd_external_about.htm
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from cosell_emulators.salesforce.defining import Document, described, listed
from cosell_emulators.salesforce.problems import refusal
from cosell_emulators.salesforce.settings import Settings
from cosell_emulators.salesforce.store import Row, Store, indexed

_NOTHING, _READ, _EDIT = 0, 1, 2
_LEVELS = {"Read": _READ, "Edit": _EDIT, "All": _EDIT, "ReadEdit": _EDIT, "ReadEditTransfer": _EDIT}
_DEFAULTS = {
    "Account": "DefaultAccountAccess",
    "Lead": "DefaultLeadAccess",
    "Opportunity": "DefaultOpportunityAccess",
}
_BELOW = {
    "AccountTeamMember": "AccountId",
    "OpportunityContactRole": "OpportunityId",
    "OpportunityTeamMember": "OpportunityId",
}
_ROLES = {"Worker": 1, "Manager": 2, "Executive": 3}
_RULES = ("sharingOwnerRules", "sharingCriteriaRules")
_GROUPS = ("group", "queue")
_BY_ROLE = ("role", "roleAndSubordinates", "roleAndSubordinatesInternal")
_FITS: Mapping[str, Callable[[Any, Any], bool]] = {
    "equals": lambda a, b: bool(a == b),
    "notEqual": lambda a, b: bool(a != b),
}


def seen(store: Store, settings: Settings, user_id: str) -> Callable[[Row], bool] | None:
    """Give the test of what a user sees; nothing for those who see everything."""
    person = _partner(store, user_id)
    if person is None:
        return None
    reach = _Reach(store, settings, person)
    return lambda row: reach.level(row) >= _READ


def guard(store: Store, settings: Settings, user_id: str, row: Row) -> None:
    """Refuse somebody who may not change a row."""
    person = _partner(store, user_id)
    level = _EDIT if person is None else _Reach(store, settings, person).level(row)
    if level == _NOTHING:
        message = "insufficient access rights on cross-reference id"
        raise refusal("INSUFFICIENT_ACCESS_ON_CROSS_REFERENCE_ENTITY", message)
    if level == _READ:
        message = "insufficient access rights on object id"
        raise refusal("INSUFFICIENT_ACCESS_OR_READONLY", message)


def _partner(store: Store, user_id: str) -> Row | None:
    person = store.living(user_id)
    return person if person is not None and person.get("UserType") == "PowerPartner" else None


class _Reach:
    """How far one partner user reaches."""

    def __init__(self, store: Store, settings: Settings, person: Row) -> None:
        self._store = store
        self._settings = settings
        self._person = person
        self._org = next(iter(store["Organization"].alive()))

    def level(self, row: Row) -> int:
        """Say whether they may do nothing with a row, read it, or change it."""
        name = row.type.name
        if name in _DEFAULTS:
            return max(self._levels(row))
        if name == "Contact":
            account = self._store.row(row.get("AccountId"))
            own = _EDIT if row.get("OwnerId") == self._person.id else _NOTHING
            return own if account is None else max(own, self.level(account))
        masters = (found.name for found in row.type.fields.values() if found.master)
        key = _BELOW.get(name) or (next(masters, None) if row.type.custom else None)
        above = self._store.row(row.get(key)) if key is not None else None
        return _EDIT if above is None else self.level(above)

    def _levels(self, row: Row) -> Iterator[int]:
        yield _LEVELS.get(str(self._org.get(_DEFAULTS[row.type.name])), _NOTHING)
        yield self._by_owner(row)
        yield from self._by_team(row)
        if row.type.name == "Account":
            yield self._by_business(row)
        for rule in _rules(self._settings, row.type.name):
            if self._is_meant(rule.get("sharedTo")) and self._fits(rule, row):
                yield _LEVELS.get(str(rule.get("accessLevel")), _READ)

    def _by_owner(self, row: Row) -> int:
        owner = self._store.row(row.get("OwnerId"))
        if owner is None:
            return _NOTHING
        if owner.type.name == "Group":
            return _EDIT if self._is_in(owner, self._person.id) else _NOTHING
        colleague = owner.get("AccountId") == self._person.get("AccountId")
        above = _ROLES.get(str(self._person.get("PortalRole")), 0)
        higher = colleague and above > _ROLES.get(str(owner.get("PortalRole")), 0)
        return _EDIT if owner.id == self._person.id or higher else _NOTHING

    def _by_team(self, row: Row) -> Iterator[int]:
        deal = row.type.name == "Opportunity"
        if deal:
            for member in self._store["OpportunityTeamMember"].having("OpportunityId", row.id):
                if member.get("UserId") == self._person.id:
                    yield _LEVELS.get(str(member.get("OpportunityAccessLevel")), _READ)
        account = row.get("AccountId") if deal else row.id
        name = "OpportunityAccessLevel" if deal else "AccountAccessLevel"
        for member in self._store["AccountTeamMember"].having("AccountId", account):
            if member.get("UserId") == self._person.id:
                yield _LEVELS.get(str(member.get(name)), _NOTHING)

    def _by_business(self, account: Row) -> int:
        """Let them read their own account, and those of their deals."""
        if account.id == self._person.get("AccountId"):
            return _READ
        deals = self._store["Opportunity"].having("AccountId", account.id)
        mine = any(deal.get("OwnerId") == self._person.id for deal in deals)
        return _READ if mine else _NOTHING

    def _is_in(self, group: Row, member_id: str) -> bool:
        for member in self._store["GroupMember"].having("GroupId", group.id):
            inner = self._store.living(member.get("UserOrGroupId"))
            if inner is None:
                continue
            if inner.id == member_id or (
                inner.type.name == "Group" and self._is_in(inner, member_id)
            ):
                return True
        return False

    def _is_meant(self, target: Any) -> bool:
        """Tell whether a rule shares with them: a role's subordinates are its partners, too."""
        if not isinstance(target, Mapping):
            return False
        if "allPartnerUsers" in target:
            return True
        account = self._store.living(self._person.get("AccountId"))
        keeper = self._store.living(account.get("OwnerId")) if account is not None else None
        roles = set() if keeper is None else set(_chain(self._store, keeper))
        if roles & set(listed(target.get("roleAndSubordinates"))):
            return True
        groups = (_group(self._store, name) for name in listed(target.get("group")))
        return any(group is not None and self._is_in(group, self._person.id) for group in groups)

    def _fits(self, rule: Document, row: Row) -> bool:
        items = [one for one in listed(rule.get("criteriaItems")) if isinstance(one, Mapping)]
        if items:
            return all(
                _FITS[str(one.get("operation", "equals"))](
                    indexed(str(row.get(str(one.get("field"))))), indexed(str(one.get("value")))
                )
                for one in items
            )
        owner, source = self._store.row(row.get("OwnerId")), rule.get("sharedFrom")
        if owner is None or not isinstance(source, Mapping):
            return False
        if owner.type.name == "Group":
            return owner.get("DeveloperName") in listed(source.get("queue"))
        if "allInternalUsers" in source:
            return bool(owner.get("UserType") == "Standard")
        chain = list(_chain(self._store, owner))
        below = {*listed(source.get("roleAndSubordinates")), *listed(source.get(_BY_ROLE[2]))}
        return chain[:1] != [] and (
            chain[0] in listed(source.get("role")) or bool(below & {*chain})
        )


def _chain(store: Store, user: Row) -> Iterator[str]:
    """Go up the roles of a user, theirs first."""
    role = store.living(user.get("UserRoleId"))
    while role is not None:
        yield str(role.get("DeveloperName"))
        role = store.living(role.get("ParentRoleId"))


def _group(store: Store, name: str) -> Row | None:
    return next(iter(store["Group"].having("DeveloperName", name)), None)


def _rules(settings: Settings, name: str) -> Iterator[Document]:
    said = settings.sharing_rules.get(name, {})
    return (dict(rule) for kind in _RULES for rule in described(said.get(kind)))


def names(store: Store, kind: str, settings: Settings) -> list[str]:
    """List the objects that can have rules, or the rules of one sort as `Lead.Name_of_rule`."""
    if kind == "SharingRules":
        return [*_DEFAULTS, *(one.name for one in store.whole if one.custom and one.has("OwnerId"))]
    sort = f"s{kind[1:]}s"
    return [
        f"{name}.{rule.get('fullName')}"
        for name, said in settings.sharing_rules.items()
        for rule in described(said.get(sort))
    ]


def read(store: Store, kind: str, name: str, settings: Settings) -> Document | None:
    """Describe the rules of an object, or one rule."""
    if kind == "SharingRules":
        known = name in names(store, kind, settings)
        return {"fullName": name, **settings.sharing_rules.get(name, {})} if known else None
    owner, _, rule_name = name.partition(".")
    found = described(settings.sharing_rules.get(owner, {}).get(f"s{kind[1:]}s"))
    return next((dict(one) for one in found if one.get("fullName") == rule_name), None)


def save(store: Store, name: str, said: Mapping[str, Any], settings: Settings) -> None:
    """Put an object's rules in the place of those it had; what is not named goes on."""
    if name not in names(store, "SharingRules", settings):
        raise refusal("INVALID_CROSS_REFERENCE_KEY", f"no CustomObject named {name} found")
    for sort in _RULES:
        for rule in described(said.get(sort)):
            _check(store, sort, rule)
    kept = {key: listed(said[key]) for key in _RULES if key in said}
    settings.sharing_rules[name] = {**settings.sharing_rules.get(name, {}), **kept}


def _check(store: Store, sort: str, rule: Mapping[str, Any]) -> None:
    for one in described(rule.get("criteriaItems")):
        if str(one.get("operation")) not in _FITS:
            message = (
                f"'{one.get('operation')}' is not a valid value for the enum 'FilterOperation'"
            )
            raise refusal("INVALID_TYPE", message)
    needed = ("fullName", "accessLevel", "sharedTo", "label")
    more = ("sharedFrom",) if sort == _RULES[0] else ("criteriaItems",)
    for key in (*needed, *more):
        if rule.get(key) in (None, ""):
            raise refusal("REQUIRED_FIELD_MISSING", f"Required field is missing: {key}", key)
    for key in ("sharedTo", "sharedFrom"):
        target = rule.get(key)
        if not isinstance(target, Mapping):
            continue
        for place, role in ((p, r) for p in _BY_ROLE for r in listed(target.get(p))):
            if not store["UserRole"].having("DeveloperName", role):
                message = f"In field: {place} - no Role named {role} found"
                raise refusal("INVALID_CROSS_REFERENCE_KEY", message)
        for place, name in ((p, n) for p in _GROUPS for n in listed(target.get(p))):
            if _group(store, name) is None:
                message = f"In field: {place} - no Group named {name} found"
                raise refusal("INVALID_CROSS_REFERENCE_KEY", message)
