"""What can go wrong with the ledger, each with what to do about it.

LedgerError
├── LedgerUnreachable   the database cannot be used
├── LedgerTooNew        a later version of cosell wrote it
├── LinkTaken           a record is already linked to another one
├── LeaseBusy           somebody else works on the same thing, and did not finish in time
└── LeaseLost           somebody else took over what we were working on
"""

from __future__ import annotations


class LedgerError(Exception):
    """The ledger cannot do what was asked."""

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class LedgerUnreachable(LedgerError):
    """The database cannot be used."""

    def __init__(self, *, where: str, reason: str) -> None:
        super().__init__(
            f"the ledger at {where} cannot be used: {reason}",
            hint="check COSELL_LEDGER_URL, that the database is running, and its rights",
        )
        self.where = where
        self.reason = reason


class LedgerTooNew(LedgerError):
    """A later version of cosell wrote this ledger."""

    def __init__(self, *, where: str, revision: str, ours: str) -> None:
        super().__init__(
            f"the ledger at {where} was written by a later cosell "
            f"(revision {revision}, this one knows {ours})",
            hint="upgrade cosell here, or point COSELL_LEDGER_URL at a ledger of this version",
        )
        self.revision = revision
        self.ours = ours


class LinkTaken(LedgerError):
    """A record is already linked to another one."""

    def __init__(self, *, mapping: str, left_id: str | None, right_id: str | None) -> None:
        super().__init__(
            f"{mapping}: {left_id} and {right_id} cannot be linked, "
            "because one of them is already linked to another record",
            hint="see `cosell records show` for both of them",
        )
        self.mapping = mapping
        self.left_id = left_id
        self.right_id = right_id


class LeaseBusy(LedgerError):
    """Somebody else works on the same thing, and did not finish in time."""

    def __init__(self, *, key: str, holder: str | None) -> None:
        super().__init__(
            f"{key} is being worked on by {holder or 'another run'}",
            hint="it is tried again later; a holder that died lets go when its lease expires",
        )
        self.key = key
        self.holder = holder


class LeaseLost(LedgerError):
    """Somebody else took over what we were working on."""

    def __init__(self, *, key: str) -> None:
        super().__init__(
            f"the lease on {key} was lost, so this work was given up",
            hint="the ledger was out of reach, or the machine slept, for longer than the lease",
        )
        self.key = key
