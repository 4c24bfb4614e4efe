"""What the ledger knows of one deal, and why one of its fields has its value, in a sentence."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..ledger import Change, Ledger, Letter, Link
from ..syncing.mending import NoSuchField, names_of, row_of
from ..syncing.mirror import Mirror, Row, mirror_of
from ..syncing.records import same_id
from .console import Failure
from .documents import change_json, when
from .remembered import shown

if TYPE_CHECKING:
    from ..project import Project


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """Why a field has its value."""

    row: Row
    link: Link | None
    sentence: str
    changes: Sequence[Change]  # newest first

    def as_json(self) -> dict[str, Any]:
        """The explanation as `records explain --json` prints it."""
        link = self.link
        return {
            "label": self.row.label,
            "fields": {"partner_center": list(self.row.left), "salesforce": list(self.row.right)},
            "record": {
                "opportunity_id": link.right_id if link else None,
                "referral_id": link.left_id if link else None,
            },
            "agreed": {
                "referral": link.base_left.get(self.row.field.id) if link else None,
                "opportunity": link.base_right.get(self.row.field.id) if link else None,
            },
            "rule": {"file": self.row.field.place.file, "line": self.row.field.place.line},
            "why": self.sentence,
            "changes": [
                {"number": number, **change_json(change)}
                for number, change in enumerate(self.changes, start=1)
            ],
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Unmapped:
    """Why a field has its value that a flow writes by itself: people, solutions."""

    field: str
    sentence: str
    changes: Sequence[Change]  # newest first

    def as_json(self) -> dict[str, Any]:
        """The explanation as `records explain --json` prints it."""
        last = self.changes[0]
        return {
            "label": self.field,
            "rule": {"file": last.rule_file, "line": last.rule_line},
            "why": self.sentence,
            "changes": [
                {"number": number, **change_json(change)}
                for number, change in enumerate(self.changes, start=1)
            ],
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """The links, letters and changes of a deal."""

    links: Sequence[Link] = ()
    letters: Sequence[Letter] = ()
    changes: Sequence[Change] = ()  # oldest first

    @classmethod
    async def of(cls, ledger: Ledger, key: str) -> Story:
        """What is known of the deal that *key* names by either of its ids."""
        links = [
            one
            for one in await ledger.links.list()
            if same_id(key, one.left_id) or same_id(key, one.right_id)
        ]
        ids = {key, *(one.left_id for one in links), *(one.right_id for one in links)} - {None}
        letters = [
            one
            for one in await ledger.letters.list(all=True)
            if ids & {one.opportunity_id, one.referral_id}
        ]
        changes = await ledger.history.of_record(*(one for one in ids if one))
        return cls(links=links, letters=letters, changes=changes)

    @property
    def is_empty(self) -> bool:
        """Whether the ledger knows nothing of it."""
        return not (self.links or self.letters or self.changes)

    @property
    def newest_first(self) -> list[Change]:
        """The changes from the last one on."""
        return list(reversed(self.changes))

    def mirrors(self, project: Project) -> list[Mirror]:
        """The mappings that keep this deal in step, or all where none is known to."""
        from ..running.opening import environment_of

        values = environment_of(project).values
        mine = {one.mapping for one in self.links} | {one.mapping for one in self.changes}
        known = project.mappings
        return [mirror_of(known[name], values) for name in known if not mine or name in mine]

    def row(self, project: Project, field: str) -> Row:
        """The row of the deal's mapping that *field* names; raises NoSuchField."""
        mirrors = self.mirrors(project)
        if not mirrors:
            raise NoSuchField("the mapping of this record is no longer in the project")
        for mirror in mirrors[:-1]:
            try:
                return row_of(mirror, field)
            except NoSuchField:
                continue
        return row_of(mirrors[-1], field)

    def of_row(self, row: Row) -> list[Change]:
        """What the sync wrote into the fields of *row*, in both systems, newest first."""
        names = {name.lower() for name in names_of(row)}
        return [one for one in self.newest_first if one.field.lower() in names]

    def link_of(self, row: Row) -> Link:
        """The link through which *row* can be written; raises Failure where there is none."""
        whole = [one for one in self.links if one.left_id and one.right_id]
        if not whole:
            raise Failure(f"{row.label} cannot be written: the record is linked to no other")
        if whole[0].state == "deleted":
            raise Failure(
                f"{row.label} cannot be written: the opportunity was deleted in Salesforce",
                hint="restore it from the recycle bin first",
            )
        return whole[0]

    def told_of_field(self, project: Project, field: str) -> Unmapped | None:
        """Why a field has its value that no row of a mapping carries; None where it was not written."""
        changes = [one for one in self.newest_first if one.field.lower() == field.lower()]
        if not changes:
            return None
        last = changes[0]
        rule = f", by the step {last.rule_file}:{last.rule_line}" if last.rule_file else ""
        lost = f" {shown(last.loses)} lost." if last.loses is not None else ""
        sentence = (
            f"{last.field} of {last.object} {last.record_id} is {shown(last.new)} in "
            f"{_title(project, last.system)} since {when(last.at)} UTC: "
            f"run {last.run_id} of {last.flow} wrote it{rule}.{lost}"
        )
        return Unmapped(field=last.field, sentence=sentence, changes=changes)

    def told(self, project: Project, row: Row) -> Told:
        """Why *row* has its value."""
        changes = self.of_row(row)
        link = self.links[0] if self.links else None
        if changes:
            sentence = _because(project, row, changes[0], changes)
        else:
            value = link.base_right.get(row.field.id) if link else None
            sentence = (
                f"The sync has never written {row.label}. "
                f"When both sides last agreed, it was {shown(value)}; "
                f"the rule is {row.field.place.file}:{row.field.place.line}."
            )
        return Told(row=row, link=link, sentence=sentence, changes=changes)


def _because(project: Project, row: Row, change: Change, changes: Sequence[Change]) -> str:
    there, other = _systems(project, change)
    who = f"{other} said so" if change.flow not in _BY_HAND else "somebody set it by hand"
    if change.operation == "create":
        who = f"it was made from what {other} said"
    version = f" (version {change.flow_hash[:12]})" if change.flow_hash else ""
    parts = [
        f"{row.label} is {shown(change.new)} in {there} since {when(change.at)} UTC because {who}: "
        f"run {change.run_id} of {change.flow}{version} wrote it"
        + (f", by the rule {change.rule_file}:{change.rule_line}." if change.rule_file else ".")
    ]
    if change.loses is not None:
        ruling = "" if change.flow in _BY_HAND else f", and {row.field.conflict} wins"
        parts.append(f"Both sides had a value{ruling}: {shown(change.loses)} lost.")
    else:
        parts.append(f"Before, it was {shown(change.old)}.")
    if len(changes) > 1:
        parts.append(f"It was written {len(changes)} times.")
    return " ".join(parts)


_BY_HAND = ("records restore", "letters retry")


def _systems(project: Project, change: Change) -> tuple[str, str]:
    """The system that was written to, and the one whose word it was, by their titles."""
    mapping = project.mappings.get(change.mapping or "")
    sides = [mapping.left.connection, mapping.right.connection] if mapping else [change.system]
    other = next((one for one in sides if one != change.system), "the flow")
    return _title(project, change.system), _title(project, other)


def _title(project: Project, connection: str) -> str:
    connector = project.documents.connectors.get(connection)
    return connector.title if connector else connection
