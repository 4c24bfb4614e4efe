"""Create, change and delete rows as the platform does: check everything, then write."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from cosell_emulators.salesforce import (
    assigning,
    calculating,
    countries,
    deduplicating,
    rules,
    sharing,
    validating,
)
from cosell_emulators.salesforce.coercing import Unfit, coerced, unlisted
from cosell_emulators.salesforce.identifiers import long_id
from cosell_emulators.salesforce.problems import Problem, Refusal, refusal
from cosell_emulators.salesforce.schema import Field, ObjectType
from cosell_emulators.salesforce.settings import Settings
from cosell_emulators.salesforce.store import Change, Row, Store, indexed

Body = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Doing:
    """Who writes, when, and what the headers of the call asked for."""

    user_id: str
    now: datetime
    client: str = ""
    # Absent means TRUE: the active rule runs on every create and update of a lead.
    # https://developer.salesforce.com/docs/platform/api-rest/guide/headers-autoassign.html
    auto_assign: str = "TRUE"
    allow_duplicates: bool = False
    duplicates_in_full: bool = False


@dataclass(frozen=True, slots=True)
class Writer:
    """Writes rows of an org."""

    store: Store
    settings: Settings = field(default_factory=Settings)

    def create(self, kind: ObjectType, body: Body, doing: Doing) -> Row:
        """Insert a row."""
        if not kind.createable:
            raise _not_for(kind, "inserted")
        with self.store.atomic():
            values = self._checked(kind, body, creating=True)
            twin = rules.twin(self.store, kind, values)
            if twin is not None:
                return self._change(twin, values, doing)
            whole = self.store.whole[kind.name]
            for name, default in whole.defaults.items():
                if values.get(name) is None:
                    values[name] = default
            values |= _stamps(kind, doing, created=True)
            rules.before(self.store, kind, values, None, user_id=doing.user_id, now=doing.now)
            countries.complete(self.settings, whole, values, None)
            self._assign(kind, values, doing, set(values) if "OwnerId" in body else set())
            self._guard(kind, values, None, doing)
            row = Row(whole, rules.new_id(self.store, kind), values)
            before = calculating.totals(self.store, whole, values)
            self.store.insert(row)
            self._touch(before, whole, values, doing=doing)
            rules.after(self.store, row, None, doing.now, self.create_silently)
            self._note(row, "create", tuple(self._names(kind, body)), doing)
            return row

    def create_silently(self, name: str, values: Mapping[str, Any], _: datetime, /) -> Row:
        """Insert a row the platform makes by itself, with the stamps of its cause."""
        kind = self.store.whole[name]
        full = {**kind.defaults, **values}
        row = Row(kind, rules.new_id(self.store, kind), full)
        self.store.insert(row)
        return row

    def update(self, row: Row, body: Body, doing: Doing) -> Row:
        """Change a row."""
        kind = self.store.kind_of(row)
        if not kind.updateable:
            raise _not_for(kind, "updated")
        if row.deleted_at is not None:
            raise refusal("ENTITY_IS_DELETED", "entity is deleted")
        sharing.guard(self.store, self.settings, doing.user_id, row)
        with self.store.atomic():
            return self._change(row, self._checked(kind, body, creating=False), doing)

    def delete(self, row: Row, doing: Doing) -> None:
        """Put a row, and what belongs to it, into the recycle bin."""
        kind = self.store.kind_of(row)
        if not kind.deletable:
            raise _not_for(kind, "deleted")
        if row.deleted_at is not None:
            raise refusal("ENTITY_IS_DELETED", "entity is deleted")
        sharing.guard(self.store, self.settings, doing.user_id, row)
        with self.store.atomic():
            self._discard(row, doing)

    def _change(self, row: Row, changed: dict[str, Any], doing: Doing) -> Row:
        before = row.values
        values = {**before, **changed, **_stamps(row.type, doing, created=False)}
        rules.before(
            self.store, row.type, values, row, user_id=doing.user_id, now=doing.now, named=changed
        )
        countries.complete(self.settings, row.type, values, row)
        self._assign(row.type, values, doing, set(changed))
        self._guard(row.type, values, row, doing)
        sums = calculating.totals(self.store, row.type, before, values)
        self.store.replace(row, values)
        self._touch(sums, row.type, before, values, doing=doing)
        rules.after(self.store, row, before, doing.now, self.create_silently)
        self._note(row, "update", tuple(changed), doing)
        return row

    def _discard(self, row: Row, doing: Doing) -> None:
        rules.before_delete(self.store, row)
        sums = calculating.totals(self.store, row.type, row.values)
        self.store.discard(row, at=doing.now.replace(microsecond=0))
        self._touch(sums, row.type, row.values, doing=doing)
        if row.type.has("SystemModstamp"):
            moment = doing.now.replace(microsecond=0)
            stamps = {"SystemModstamp": moment}
            if row.type.has("LastModifiedDate"):
                stamps |= {"LastModifiedDate": moment, "LastModifiedById": doing.user_id}  # type: ignore[dict-item]
            self.store.merge(row, **stamps)
        self._note(row, "delete", (), doing)
        for child in row.type.children:
            for belonging in self.store[child.object].having(child.field, row.id):
                if child.cascade:
                    self._discard(belonging, doing)
                elif belonging.type.fields[child.field].nillable:
                    self.store.merge(belonging, **{child.field: None})

    def _touch(
        self, sums: Mapping[str, list[Any]], kind: ObjectType, *values: Body, doing: Doing
    ) -> None:
        """Stamp the masters whose totals changed: a change below is a change of theirs."""
        after = calculating.totals(self.store, kind, *values)
        for master in calculating.moved(self.store, sums, after):
            self.store.merge(master, **_stamps(master.type, doing, created=False))

    def _checked(self, kind: ObjectType, body: Body, *, creating: bool) -> dict[str, Any]:
        """Check everything a body says, field by field, and give it the form rows keep."""
        named = self._named(kind, body)
        allowed = [f for f, _ in named if (f.createable if creating else f.updateable)]
        blocked = [f.name for f, _ in named if f not in allowed]
        if blocked:
            message = (
                f"Unable to create/update fields: {', '.join(blocked)}. Please check the security "
                "settings of this field and verify that it is read/write for your profile or "
                "permission set."
            )
            raise refusal("INVALID_FIELD_FOR_INSERT_UPDATE", message, *blocked)
        values: dict[str, Any] = {}
        problems: list[Problem] = []
        for found, value in named:
            try:
                values[found.name] = self._fit(found, coerced(found, value))
            except Unfit as unfit:
                problems.append(unfit.problem)
        missing = _missing(kind, values, problems, creating=creating)
        if missing:
            message = f"Required fields are missing: [{', '.join(missing)}]"
            problems.insert(0, Problem("REQUIRED_FIELD_MISSING", message, tuple(missing)))
        if problems:
            raise Refusal(*problems)
        return values

    def _named(self, kind: ObjectType, body: Body) -> list[tuple[Field, Any]]:
        """Find the field for every name in a body; a parent may be given by its external id."""
        named: list[tuple[Field, Any]] = []
        for name, value in body.items():
            if name.lower() == "attributes":
                continue
            if name.lower() == "id":
                message = "The Id field should not be specified in the sobject data."
                raise refusal("INVALID_FIELD", message, bare=True)
            found = kind.field(name)
            if found is not None:
                named.append((found, value))
                continue
            lookup = kind.by_relationship.get(name.lower())
            if lookup is None:
                message = f"No such column '{name}' on sobject of type {kind.name}"
                raise refusal("INVALID_FIELD", message, bare=True)
            named.append((lookup, self._parent(lookup, value)))
        return named

    def _names(self, kind: ObjectType, body: Body) -> list[str]:
        return [found.name for found, _ in self._named(kind, body)]

    def _parent(self, lookup: Field, value: Any) -> str | None:
        """Find the row a body names by an external id."""
        if value is None:
            return None
        keys = (
            {key: inner for key, inner in value.items() if key != "attributes"}
            if isinstance(value, dict)
            else {}
        )
        attributes = value.get("attributes") if isinstance(value, dict) else None
        asked = attributes.get("type") if isinstance(attributes, dict) else None
        name = str(asked or lookup.targets[0])
        target = self.store.schema.find(name)
        key = next(iter(keys), "")
        found = target.field(key) if target is not None else None
        if target is None or found is None or len(keys) != 1:
            message = f"No such column '{key}' on sobject of type {name}"
            raise refusal("INVALID_FIELD", message, bare=True)
        if found.name == "Id":
            return str(keys[key])
        try:
            wanted = coerced(found, keys[key])
        except Unfit as unfit:
            raise Refusal(unfit.problem) from None
        rows = [] if wanted is None else self.store[target.name].having(found.name, wanted)
        if len(rows) != 1:
            message = (
                f"Foreign key external ID: {str(keys[key]).lower()} not found for field "
                f"{found.name} in entity {target.name}"
            )
            raise refusal("INVALID_FIELD", message)
        return rows[0].id

    def _fit(self, found: Field, value: Any) -> Any:
        """Check a value against the rest of the org: lookups must lead somewhere."""
        if value is None:
            return None
        if found.name.endswith("CurrencyIsoCode"):
            return self._currency(found, value)
        if found.type != "reference":
            return value
        row_id = long_id(value)
        target = self.store.schema.of_id(row_id)
        if target is None or target.name not in found.targets:
            message = f"{found.label}: id value of incorrect type: {value}"
            raise Unfit("FIELD_INTEGRITY_EXCEPTION", message, found.name)
        row = self.store.row(row_id)
        if row is None:
            raise Unfit("INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id", found.name)
        if row.deleted_at is not None:
            raise Unfit("ENTITY_IS_DELETED", "entity is deleted", found.name)
        return row.id

    def _currency(self, found: Field, value: str) -> str:
        known = self.store["CurrencyType"].having("IsoCode", value)
        if not known:
            raise unlisted(found, value)
        if not known[0].get("IsActive"):
            message = f"{found.label}: the currency {value} is not active"
            raise Unfit("INVALID_CURRENCY_ISO", message, found.name)
        return str(known[0].get("IsoCode"))

    def _guard(
        self, kind: ObjectType, values: Mapping[str, Any], row: Row | None, doing: Doing
    ) -> None:
        """Refuse what a rule forbids, and what would make two rows share a key."""
        validating.guard(self.settings, kind, values)
        for found in kind.unique:
            value = values.get(found.name)
            if value is None:
                continue
            for other in self.store[kind.name].having(found.name, value):
                if row is None or other.id != row.id:
                    raise rules.shared(kind, found, other)
        if not self.settings.duplicate_rules or doing.allow_duplicates:
            return
        changed = row is None or any(
            indexed(values.get(name)) != indexed(row.values.get(name)) for name in kind.fields
        )
        if changed:
            deduplicating.guard(
                self.store,
                self.settings,
                kind,
                values,
                row,
                with_details=doing.duplicates_in_full,
            )

    def _assign(
        self, kind: ObjectType, values: dict[str, Any], doing: Doing, named: set[str]
    ) -> None:
        owner = assigning.owner(self.store, self.settings, kind, values, asked=doing.auto_assign)
        # Without entries that fit, the owner a caller names stays.
        if owner is not None:
            values["OwnerId"] = owner

    def _note(self, row: Row, operation: str, fields: tuple[str, ...], doing: Doing) -> None:
        self.store.note(
            Change(
                at=doing.now,
                object=row.type.name,
                id=row.id,
                operation=operation,
                fields=fields,
                user=doing.user_id,
                client=doing.client,
            )
        )


def _missing(
    kind: ObjectType, values: Mapping[str, Any], problems: list[Problem], *, creating: bool
) -> list[str]:
    wrong = {name for problem in problems for name in problem.fields or ()}
    if creating:
        return [n for n in kind.required if values.get(n) is None and n not in wrong]
    emptied = [name for name, value in values.items() if value is None]
    return [name for name in emptied if not kind.fields[name].nillable]


def _stamps(kind: ObjectType, doing: Doing, *, created: bool) -> dict[str, Any]:
    # Stamps have the granularity of a second.
    moment = doing.now.replace(microsecond=0)
    stamps: dict[str, Any] = {
        "LastModifiedDate": moment,
        "LastModifiedById": doing.user_id,
        "SystemModstamp": moment,
    }
    if created:
        stamps |= {"CreatedDate": moment, "CreatedById": doing.user_id}
    return {name: value for name, value in stamps.items() if kind.has(name)}


def _not_for(kind: ObjectType, what: str) -> Refusal:
    message = f"entity type cannot be {what}: {kind.label}"
    return refusal("INVALID_TYPE_FOR_OPERATION", message)
