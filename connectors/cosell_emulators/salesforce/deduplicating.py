"""Duplicate rules: a row that agrees with another in the rule's fields is not saved unasked."""

from collections.abc import Mapping
from typing import Any

from cosell_emulators.salesforce.problems import Problem, Refusal
from cosell_emulators.salesforce.rendering import readable, record
from cosell_emulators.salesforce.schema import ObjectType
from cosell_emulators.salesforce.settings import DuplicateRule, Settings
from cosell_emulators.salesforce.store import Row, Store, indexed

_CODE = "DUPLICATES_DETECTED"


def guard(
    store: Store,
    settings: Settings,
    kind: ObjectType,
    values: Mapping[str, Any],
    row: Row | None,
    *,
    with_details: bool = False,
) -> None:
    """Refuse a row that a rule takes for a double of another."""
    for rule in settings.duplicate_rules:
        if rule.object != kind.name or any(values.get(name) is None for name in rule.fields):
            continue
        doubles = [
            other
            for other in store[kind.name].having(rule.fields[0], values[rule.fields[0]])
            if (row is None or other.id != row.id)
            and all(indexed(other.get(name)) == indexed(values[name]) for name in rule.fields)
        ]
        if doubles:
            raise Refusal(
                Problem(_CODE, rule.message, (), _found(kind, rule, doubles, with_details))
            )


def _found(
    kind: ObjectType, rule: DuplicateRule, doubles: list[Row], with_details: bool
) -> dict[str, Any]:
    # Only a caller who asks for details is shown more than where the double is.
    names = readable(kind) if with_details else ["Id"]
    matches = [
        {
            "additionalInformation": [],
            "fieldDiffs": [],
            "matchConfidence": 100.0,
            "record": record(double, names, version="68.0"),
        }
        for double in doubles
    ]
    result = {
        "allowSave": rule.allow_save,
        "duplicateRule": rule.name,
        "duplicateRuleEntityType": kind.name,
        "errorMessage": rule.message,
        "matchResults": [
            {
                "entityType": kind.name,
                "errors": [],
                "matchEngine": "ExactMatchEngine",
                "matchRecords": matches,
                "rule": rule.name,
                "size": len(matches),
                "success": True,
            }
        ],
    }
    return {rule.spelling: result}
