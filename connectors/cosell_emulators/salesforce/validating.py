"""Validation rules: a row that looks as a rule says is not saved, and the rule's words say why."""

from collections.abc import Mapping
from typing import Any

from cosell_emulators.salesforce.problems import Problem, Refusal
from cosell_emulators.salesforce.schema import ObjectType
from cosell_emulators.salesforce.settings import Settings
from cosell_emulators.salesforce.store import indexed

_CODE = "FIELD_CUSTOM_VALIDATION_EXCEPTION"


def guard(settings: Settings, kind: ObjectType, values: Mapping[str, Any]) -> None:
    """Refuse a row for every rule it breaks."""
    problems = [
        Problem(_CODE, rule.message, (rule.field,) if rule.field else ())
        for rule in settings.validation_rules
        if rule.object == kind.name
        and all(indexed(values.get(name)) == indexed(value) for name, value in rule.fits.items())
    ]
    if problems:
        raise Refusal(*problems)
