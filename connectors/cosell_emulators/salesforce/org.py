"""The org: its rows, its switches, its open cursors, and who is who in it."""

import base64
import binascii
from datetime import datetime
from typing import Any

from cosell_emulators.clock import Clock
from cosell_emulators.salesforce import seeding
from cosell_emulators.salesforce.calls import Call, Reply
from cosell_emulators.salesforce.identifiers import minted
from cosell_emulators.salesforce.problems import not_found
from cosell_emulators.salesforce.schema import Field, ObjectType, shipped
from cosell_emulators.salesforce.settings import Settings
from cosell_emulators.salesforce.store import Row, Store
from cosell_emulators.salesforce.tokens import User
from cosell_emulators.salesforce.writing import Doing, Writer

ORG_ID = minted("00D", 1)
USERNAME = "integration@cosell.example.com"


class Org:
    """Everything a reset starts over."""

    def __init__(self, *, clock: Clock, seed: str) -> None:
        self.clock = clock
        self.calls_today = 0
        self.settings: Settings
        self.store: Store
        self.writer: Writer
        self.cursors: dict[str, Any]
        self.jobs: dict[str, Any]
        self.mails: list[dict[str, Any]]
        self.reset(seed)

    def reset(self, seed: str) -> None:
        """Start over with a seed."""
        self.settings = Settings()
        self.store = Store(shipped())
        self.writer = Writer(self.store, self.settings)
        self.cursors = {}
        self.jobs = {}
        self.mails = []
        self.calls_today = 0
        seeding.sow(self.writer, seed, now=self.clock.now(), org_id=ORG_ID, username=USERNAME)

    def kind(self, name: str) -> ObjectType:
        """Find the object an address names."""
        found = self.store.schema.find(name)
        if found is None:
            raise not_found()
        return found

    def doing(self, call: Call) -> Doing:
        """Say who writes, and what the call's headers ask for."""
        allow = call.option("sforce-duplicate-rule-header", "allowSave") or ""
        return Doing(
            user_id=call.session.user_id,
            now=self.now(),
            client=call.option("sforce-call-options", "client") or "",
            auto_assign=call.headers.get("sforce-auto-assign", "TRUE").strip(),
            allow_duplicates=allow.lower() == "true",
        )

    def now(self) -> datetime:
        """Tell the org's time."""
        return self.clock.now()

    def user(self, username: str) -> User | None:
        """Find a user by the name they log in with."""
        rows = self.store["User"].having("Username", username)
        return User(rows[0].id, bool(rows[0].get("IsActive"))) if rows else None

    def blob(self, row: Row, found: Field) -> Reply:
        """Give what a blob field holds."""
        try:
            content = base64.b64decode(row.get(found.name) or "")
        except binascii.Error:
            content = b""
        return Reply(200, content, kind="application/octet-stream")
