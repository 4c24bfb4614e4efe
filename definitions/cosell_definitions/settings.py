"""What differs from place to place, as it is written: declarations, current values, connections."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from typing import Literal

from .freezing import dataclass
from .problems import Place

VariableType = Literal["text", "number", "boolean", "choice", "field", "stage", "object", "url"]


FieldKind = Literal["checkbox", "text", "long_text", "url", "picklist", "master_detail"]


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldShape:
    """How a field of the CRM is made, where it is missing."""

    kind: FieldKind
    label: str
    length: int | None = None
    values: tuple[str, ...] = ()
    external_id: bool = False
    unique: bool = False
    parent: str | None = None  # of a master_detail: the object its record belongs to
    help: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectShape:
    """How an object of the CRM is made, with its fields by API name."""

    label: str
    plural: str
    fields: Mapping[str, FieldShape] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Declaration:
    """An environment variable of a solution. `default` is the text as written; None: none."""

    name: str
    display_name: str
    type: VariableType
    default: str | None = None
    description: str = ""
    choices: tuple[str, ...] = ()
    objects: tuple[str, ...] = ()  # of a field: the objects that have it
    made_as: FieldShape | ObjectShape | None = None
    place: Place


@dataclass(frozen=True, slots=True, kw_only=True)
class SecretRef:
    """Where a secret is kept; never the secret."""

    kind: Literal["env", "file", "prefect"]
    name: str


SettingValue = str | SecretRef


@dataclass(frozen=True, slots=True, kw_only=True)
class EnvironmentFile:
    """One environment: current values of variables, and what connections are bound to."""

    name: str
    variables: Mapping[str, tuple[str, Place]] = field(default_factory=dict)
    connections: Mapping[str, Mapping[str, SettingValue]] = field(default_factory=dict)
    setting_places: Mapping[tuple[str, str], Place] = field(default_factory=dict)
    name_places: Mapping[str, Place] = field(default_factory=dict)  # of the variables
    key_places: Mapping[tuple[str, str], Place] = field(default_factory=dict)  # of the settings
    content_hash: str = ""
    place: Place
