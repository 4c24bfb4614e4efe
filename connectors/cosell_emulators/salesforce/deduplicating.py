"""Duplicate rules: a row that agrees with another in the rule's fields is not saved unasked."""

from collections.abc import Mapping
from typing import Any

from cosell_emulators.salesforce.problems import Problem, Refusal
from cosell_emulators.salesforce.rendering import attributes
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
            raise Refusal(Problem(_CODE, rule.message, (), _found(kind, rule, doubles)))


def _found(kind: ObjectType, rule: DuplicateRule, doubles: list[Row]) -> dict[str, Any]:
    matches = [
        {
            "additionalInformation": [],
            "fieldDiffs": [],
            "matchConfidence": 100.0,
            "record": {"attributes": attributes(double, version="68.0"), "Id": double.id},
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
    # Real answers spell the key in this odd way; clients look for both.
    return {"duplicateResut": result}
