"""What a test may switch in the org: POST /__sandbox__/org."""

from collections.abc import Callable
from typing import Any

from cosell_emulators.salesforce import countries
from cosell_emulators.salesforce.org import Org
from cosell_emulators.salesforce.settings import DuplicateRule, RuleEntry, ValidationRule
from cosell_emulators.salesforce.tokens import Tokens
from cosell_emulators.stage import BadControl


def changed(org: Org, tokens: Tokens, body: dict[str, Any]) -> dict[str, Any]:
    """Switch what the body names, and answer all switches."""
    # What the countries are called must be settled before there are any.
    for name, value in sorted(body.items(), key=lambda item: item[0] != "country_values"):
        try:
            _switch(org, tokens, name, value)
        except (TypeError, ValueError, KeyError, AttributeError) as error:
            if isinstance(error, BadControl):
                raise
            raise BadControl(f"{name!r} cannot be {value!r}.") from error
    settings = org.settings
    return {
        "account_teams": settings.account_teams,
        "assignment_entries": len(settings.assignment_entries),
        "calls_today": org.calls_today,
        "country_picklists": settings.country_picklists,
        "country_values": settings.country_values,
        "customized": any(kind.custom for kind in org.store.whole),
        "daily_calls": settings.daily_calls,
        "duplicate_rules": len(settings.duplicate_rules),
        "enhanced_notes": settings.enhanced_notes,
        "language": settings.language,
        "multi_currency": settings.multi_currency,
        "opportunity_teams": settings.opportunity_teams,
        "partner_management": settings.partner_management,
        "page_size": settings.page_size,
        "rotating_refresh_tokens": tokens.rotating,
        "validation_rules": len(settings.validation_rules),
    }


_FLAGS = (
    "account_teams",
    "enhanced_notes",
    "multi_currency",
    "opportunity_teams",
    "partner_management",
)


def _switch(org: Org, tokens: Tokens, name: str, value: Any) -> None:
    settings = org.settings
    match name:
        case "rotating_refresh_tokens":
            tokens.rotating = bool(value)
        case "daily_calls" | "page_size":
            setattr(settings, name, int(value))
        case "calls_today":
            org.calls_today = int(value)
        case "language":
            settings.language = str(value) if value else None
        case "customized":
            _customize(org, value)
        case "country_picklists" | "country_values":
            _countries(org, name, value)
        case "default_access" | "organization":
            _organization(org, name, value)
        case "end_sessions":
            if value:
                tokens.expire()
        case _ if name in _RULES:
            getattr(settings, name)[:] = [_RULES[name](org, rule) for rule in value]
        case _ if name in _FLAGS:
            setattr(settings, name, bool(value))
        case _:
            raise BadControl(f"The org has no switch {name!r}.")


def _organization(org: Org, name: str, value: dict[str, Any]) -> None:
    """Say what kind of org this is, or what everybody may do with rows that are not their own."""
    row = next(iter(org.store["Organization"].alive()))
    if name == "organization":
        org.store.merge(row, **value)
        return
    for kind, level in value.items():
        field = row.type.fields[f"Default{kind}Access"]
        if level not in [choice.value for choice in field.choices]:
            raise BadControl(f"Nobody can have the access {level!r} to {kind}.")
        org.store.merge(row, **{field.name: level})


def _countries(org: Org, name: str, value: Any) -> None:
    """Turn country picklists on or off, or say what the text field holds while they are on."""
    settings = org.settings
    values = str(value) if name == "country_values" else settings.country_values
    if values not in ("names", "codes"):
        raise BadControl('"country_values" is "names" or "codes".')
    on = bool(value) if name == "country_picklists" else settings.country_picklists
    countries.switch(org.store, settings, on=on, values=values)


def _validation_rule(org: Org, rule: dict[str, Any]) -> ValidationRule:
    kind = org.store.whole.find(rule.get("object", ""))
    if kind is None or not rule.get("fits") or not rule.get("message"):
        raise BadControl("A validation rule names an object, what rows it fits, and a message.")
    return ValidationRule(kind.name, dict(rule["fits"]), rule["message"], rule.get("field"))


def _customize(org: Org, value: Any) -> None:
    """Take everything custom out of the org; putting it in again is what setup is for."""
    if value is not False:
        raise BadControl('"customized" can only be false; a reset makes it true again.')
    org.setup.strip()


def _duplicate_rule(org: Org, rule: dict[str, Any]) -> DuplicateRule:
    kind = org.store.schema.find(rule.get("object", ""))
    if kind is None or not all(kind.has(name) for name in rule.get("fields", [""])):
        raise BadControl("A duplicate rule names an object and fields of it.")
    more = {key: rule[key] for key in ("name", "allow_save", "message", "spelling") if key in rule}
    return DuplicateRule(kind.name, tuple(rule["fields"]), **more)


def _entry(org: Org, entry: dict[str, Any]) -> RuleEntry:
    if org.store.living(entry.get("owner")) is None:
        raise BadControl("An assignment entry names an owner by its id of 18 characters.")
    return RuleEntry(dict(entry.get("fits", {})), entry["owner"])


_RULES: dict[str, Callable[[Org, dict[str, Any]], Any]] = {
    "assignment_entries": _entry,
    "duplicate_rules": _duplicate_rule,
    "validation_rules": _validation_rule,
}
