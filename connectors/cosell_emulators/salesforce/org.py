"""The org: its rows, its switches, its open cursors, and who is who in it."""

import base64
import binascii
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from typing import Any

from cosell_emulators.clock import Clock
from cosell_emulators.salesforce import catalog, seeding, sharing
from cosell_emulators.salesforce.calls import Call, Reply
from cosell_emulators.salesforce.configuring import Setup
from cosell_emulators.salesforce.identifiers import minted
from cosell_emulators.salesforce.permitting import Permissions
from cosell_emulators.salesforce.problems import not_found, refusal
from cosell_emulators.salesforce.schema import Field, ObjectType
from cosell_emulators.salesforce.settings import Settings
from cosell_emulators.salesforce.store import Row, Store
from cosell_emulators.salesforce.tables import shipped
from cosell_emulators.salesforce.tokens import User
from cosell_emulators.salesforce.writing import Doing, Writer

ORG_ID = minted("00D", 1)
USERNAME = "integration@cosell.example.com"
# The objects of an org to which nothing was deployed are as old as the org.
_BORN = datetime(2026, 11, 2, tzinfo=UTC)


class Org:
    """Everything a reset starts over."""

    def __init__(self, *, clock: Clock, seed: str) -> None:
        self.clock = clock
        self.deployments: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {}
        self.calls_today = 0
        self.settings: Settings
        self.store: Store
        self.writer: Writer
        self.cursors: dict[str, Any]
        self.jobs: dict[str, Any]
        self.mails: list[dict[str, Any]]
        self.passwords: dict[str, str]
        self.permissions: Permissions
        self.setup: Setup
        self._listed: tuple[Any, ...]
        self._described: tuple[tuple[Any, ...], datetime]
        self.reset(seed)

    def reset(self, seed: str) -> None:
        """Start over with a seed."""
        self.settings = Settings()
        self.store = Store(shipped(), self.clock.now)
        self.writer = Writer(self.store, self.settings)
        self.cursors = {}
        self.jobs = {}
        self.mails = []
        self.passwords = {}
        self.calls_today = 0
        self.permissions = Permissions(self.store, self.settings)
        self.setup = Setup(self.writer, self.settings)
        self._listed = ()
        seeding.sow(self.writer, seed, now=self.clock.now(), org_id=ORG_ID, username=USERNAME)
        self._described = (self.permissions.marks(), _BORN)

    def count(self) -> None:
        """Count a call, or refuse it when the day's calls are used up."""
        if self.calls_today >= self.settings.daily_calls:
            message = "TotalRequests Limit exceeded."
            raise refusal("REQUEST_LIMIT_EXCEEDED", message, bare=True)
        self.calls_today += 1

    @property
    def admin_id(self) -> str:
        """Give the user who set the org up."""
        user = self.user(USERNAME)
        return user.id if user is not None else ""

    def as_seen_by(self, user_id: str) -> AbstractContextManager[None]:
        """Show the org as a user sees it, for the length of a call."""
        return self.store.seen_as(self.permissions.view(user_id))

    def as_tools(self, user_id: str) -> AbstractContextManager[None]:
        """Show the org as the Tooling API does, for the length of a call."""
        self.refresh(user_id)
        return self.store.seen_as(self.permissions.view(user_id, tools=True))

    def refresh(self, user_id: str) -> None:
        """Bring the rows that tell of objects and fields up to date, as a user may see them."""
        now = (user_id, *self.permissions.marks())
        if now != self._listed:
            self._listed = now
            seen, layouts = self.permissions.view(user_id), self.setup.names("Layout")
            catalog.refresh(self.store, seen, layouts)

    @property
    def described_at(self) -> datetime:
        """Tell when objects and fields were last changed."""
        marks = self.permissions.marks()
        if self._described[0] != marks:
            self._described = (marks, self.now().replace(microsecond=0))
        return self._described[1]

    def kind(self, name: str) -> ObjectType:
        """Find the object an address names."""
        found = self.store.schema.find(name)
        if found is None:
            raise not_found()
        return found

    def sees(self, call: Call, row: Row) -> bool:
        """Tell whether the caller sees a row."""
        test = sharing.seen(self.store, self.settings, call.session.user_id)
        return test is None or test(row)

    def doing(self, call: Call) -> Doing:
        """Say who writes, and what the call's headers ask for."""
        allow = call.option("sforce-duplicate-rule-header", "allowSave") or ""
        details = call.option("sforce-duplicate-rule-header", "includeRecordDetails") or ""
        return Doing(
            user_id=call.session.user_id,
            now=self.now(),
            client=call.option("sforce-call-options", "client") or "",
            auto_assign=call.headers.get("sforce-auto-assign", "TRUE").strip(),
            allow_duplicates=allow.lower() == "true",
            duplicates_in_full=details.lower() == "true",
        )

    def now(self) -> datetime:
        """Tell the org's time."""
        return self.clock.now()

    def language_of(self, user_id: str) -> str:
        """Tell the language a user is refused in."""
        user = self.store.living(user_id)
        own = user.get("LanguageLocaleKey") if user is not None else None
        return self.settings.language or str(own or "en_US")

    def logged_in(self, user_id: str) -> None:
        """Remember when a user was last here."""
        user = self.store.living(user_id)
        if user is not None:
            self.store.merge(user, LastLoginDate=self.now().replace(microsecond=0))

    def user(self, username: str) -> User | None:
        """Find a user by the name they log in with."""
        rows = self.store["User"].having("Username", username)
        if not rows:
            return None
        return User(rows[0].id, bool(rows[0].get("IsActive")), self.passwords.get(rows[0].id))

    def blob(self, row: Row, found: Field) -> Reply:
        """Give what a blob field holds."""
        try:
            content = base64.b64decode(row.get(found.name) or "")
        except binascii.Error:
            content = b""
        return Reply(200, content, kind="application/octet-stream")
