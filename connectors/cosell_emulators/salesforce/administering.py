"""What a test may switch in the org: POST /__sandbox__/org."""

from typing import Any

from cosell_emulators.salesforce.org import Org
from cosell_emulators.salesforce.settings import DuplicateRule, RuleEntry
from cosell_emulators.salesforce.tokens import Tokens
from cosell_emulators.stage import BadControl


def changed(org: Org, tokens: Tokens, body: dict[str, Any]) -> dict[str, Any]:
    """Switch what the body names, and answer all switches."""
    settings = org.settings
    for name, value in body.items():
        match name:
            case "rotating_refresh_tokens":
                tokens.rotating = bool(value)
            case "daily_calls":
                settings.daily_calls = int(value)
            case "calls_today":
                org.calls_today = int(value)
            case "page_size":
                settings.page_size = int(value)
            case "customized":
                _customize(org, value)
            case "end_sessions" if value:
                tokens.expire()
            case "duplicate_rules":
                settings.duplicate_rules[:] = [_rule(org, rule) for rule in value]
            case "assignment_entries":
                settings.assignment_entries[:] = [_entry(org, entry) for entry in value]
            case _:
                raise BadControl(f"The org has no switch {name!r}.")
    return {
        "rotating_refresh_tokens": tokens.rotating,
        "daily_calls": settings.daily_calls,
        "calls_today": org.calls_today,
        "page_size": settings.page_size,
        "duplicate_rules": len(settings.duplicate_rules),
        "assignment_entries": len(settings.assignment_entries),
        "customized": any(kind.custom for kind in org.store.whole),
    }


def _customize(org: Org, value: Any) -> None:
    """Take everything custom out of the org; putting it in again is what setup is for."""
    if value is not False:
        raise BadControl('"customized" can only be false; a reset makes it true again.')
    org.setup.strip()


def _rule(org: Org, rule: dict[str, Any]) -> DuplicateRule:
    kind = org.store.schema.find(rule.get("object", ""))
    if kind is None or not all(kind.has(name) for name in rule.get("fields", [""])):
        raise BadControl("A duplicate rule names an object and fields of it.")
    more = {key: rule[key] for key in ("name", "allow_save", "message") if key in rule}
    return DuplicateRule(kind.name, tuple(rule["fields"]), **more)


def _entry(org: Org, entry: dict[str, Any]) -> RuleEntry:
    if org.store.living(entry.get("owner")) is None:
        raise BadControl("An assignment entry names an owner by its id of 18 characters.")
    return RuleEntry(dict(entry.get("fits", {})), entry["owner"])
