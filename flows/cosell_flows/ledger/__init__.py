"""Remember what must survive a crash: links, events, intents, leases, letters, runs, switches."""

from .bookmarks import Bookmark, Bookmarks
from .books import Books
from .cursors import Cursors
from .database import Clock
from .errors import (
    LeaseBusy,
    LeaseLost,
    LedgerError,
    LedgerTooNew,
    LedgerUnreachable,
    LinkTaken,
)
from .history import Change, History
from .inbox import EventStatus, Inbox, StoredEvent
from .intents import Intent, Intents
from .leases import Leases, new_token
from .letters import Letter, Letters
from .links import Link, Links
from .opening import Ledger, ledger_in_memory, open_ledger
from .owners import is_gone, this_process
from .runs import Run, Runs, RunStatus, StepRecord
from .switches import Switches

__all__ = [
    "Bookmark",
    "Bookmarks",
    "Books",
    "Change",
    "Clock",
    "Cursors",
    "EventStatus",
    "History",
    "Inbox",
    "Intent",
    "Intents",
    "LeaseBusy",
    "LeaseLost",
    "Leases",
    "Ledger",
    "LedgerError",
    "LedgerTooNew",
    "LedgerUnreachable",
    "Letter",
    "Letters",
    "Link",
    "LinkTaken",
    "Links",
    "Run",
    "RunStatus",
    "Runs",
    "StepRecord",
    "StoredEvent",
    "Switches",
    "is_gone",
    "ledger_in_memory",
    "new_token",
    "open_ledger",
    "this_process",
]
