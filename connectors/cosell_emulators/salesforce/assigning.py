"""The lead assignment rule: the first entry that fits says who owns the lead."""

from collections.abc import Mapping
from typing import Any

from cosell_emulators.salesforce.identifiers import is_id, long_id
from cosell_emulators.salesforce.problems import refusal
from cosell_emulators.salesforce.schema import ObjectType
from cosell_emulators.salesforce.settings import Settings
from cosell_emulators.salesforce.store import Store, indexed


def owner(
    store: Store,
    settings: Settings,
    kind: ObjectType,
    values: Mapping[str, Any],
    *,
    asked: str,
) -> str | None:
    """Find the owner a rule gives a lead; nothing when no rule runs or none of it fits."""
    if kind.name != "Lead" or asked.upper() == "FALSE":
        return None
    if asked.upper() != "TRUE":
        rule = store.living(long_id(asked)) if is_id(asked) else None
        if rule is None or rule.type.name != "AssignmentRule":
            message = f"assignment rule not found: {asked}"
            raise refusal("INVALID_CROSS_REFERENCE_KEY", message)
    elif not any(rule.get("Active") for rule in store["AssignmentRule"].alive()):
        return None
    for entry in settings.assignment_entries:
        if all(indexed(values.get(name)) == indexed(value) for name, value in entry.fits.items()):
            return entry.owner
    return None
