"""What the solution wants of the Salesforce org: custom fields, and the object of the solutions.

Names come from the environment's variables, shapes from their declarations. Pure.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from cosell_definitions.settings import Declaration, FieldShape, ObjectShape


@dataclass(frozen=True, slots=True, kw_only=True)
class WantedField:
    """One field. Without a shape it must exist already; with one it can be made."""

    object: str
    name: str
    variable: str
    shape: FieldShape | None = None

    @property
    def full_name(self) -> str:
        """`Opportunity.Audit__c`."""
        return f"{self.object}.{self.name}"


@dataclass(frozen=True, slots=True, kw_only=True)
class WantedObject:
    """One custom object with its fields."""

    name: str
    variable: str
    shape: ObjectShape

    @property
    def fields(self) -> tuple[WantedField, ...]:
        """Its fields, each wanted of this object."""
        return tuple(
            WantedField(object=self.name, name=name, variable=self.variable, shape=shape)
            for name, shape in self.shape.fields.items()
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Everything that is wanted of the org."""

    fields: tuple[WantedField, ...] = ()
    objects: tuple[WantedObject, ...] = ()

    @property
    def described(self) -> tuple[str, ...]:
        """The objects whose describes are needed to compare."""
        names = [one.object for one in self.fields] + [one.name for one in self.objects]
        return tuple(dict.fromkeys(names))

    @property
    def every_field(self) -> tuple[WantedField, ...]:
        """The fields of the objects, too."""
        return (*self.fields, *(field for one in self.objects for field in one.fields))


def wanted(declarations: Iterable[Declaration], values: Mapping[str, object]) -> Wanted:
    """What the variables name, in the shape their declarations say."""
    fields: list[WantedField] = []
    objects: list[WantedObject] = []
    for one in declarations:
        name = str(values.get(one.name, ""))
        if one.type == "field" and name and "." not in name:
            shape = one.made_as if isinstance(one.made_as, FieldShape) else None
            fields += [
                WantedField(object=owner, name=name, variable=one.name, shape=shape)
                for owner in one.objects
            ]
        if one.type == "object" and name and isinstance(one.made_as, ObjectShape):
            objects.append(WantedObject(name=name, variable=one.name, shape=one.made_as))
    return Wanted(fields=tuple(fields), objects=tuple(objects))
