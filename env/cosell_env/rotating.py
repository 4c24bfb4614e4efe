"""Keep refresh tokens that took the place of those people configured; they must outlive a restart.

Only their owner can read the files. Each token is kept for the configured one it descends from:
whoever configures another starts afresh.
"""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from .secrets import Secret


@dataclass(frozen=True, slots=True)
class RefreshTokens:
    """The newest refresh tokens: a file of mode 0600 for each connection, so that none of two
    processes undoes what the other has kept."""

    folder: Path

    def newest(self, connection: str, configured: Secret) -> Secret | None:
        """The token that took the place of *configured*, or nothing."""
        try:
            entry = json.loads(self._file(connection).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return None
        if not isinstance(entry, dict) or entry.get("of") != _digest(configured):
            return None
        token = entry.get("token")
        return Secret(token) if isinstance(token, str) and token else None

    def keep(self, connection: str, configured: Secret, rotated: Secret) -> None:
        """Remember *rotated*; raises OSError where it cannot be written down."""
        self.folder.mkdir(parents=True, exist_ok=True)
        # Written beside and put in place whole: a reader, or a crash, never meets half of it.
        # `mkstemp` makes files of mode 0600.
        import tempfile  # noqa: PLC0415 - a check loads this module, and writes no token

        descriptor, beside = tempfile.mkstemp(dir=self.folder, prefix=".new-")
        try:
            with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
                json.dump({"of": _digest(configured), "token": rotated.reveal()}, stream)
            Path(beside).replace(self._file(connection))
        except BaseException:
            Path(beside).unlink(missing_ok=True)
            raise

    def forget(self, connection: str) -> None:
        """Go back to the configured token."""
        self._file(connection).unlink(missing_ok=True)

    def _file(self, connection: str) -> Path:
        return self.folder / f"{quote(connection, safe='')}.json"


def _digest(secret: Secret) -> str:
    return hashlib.sha256(secret.reveal().encode()).hexdigest()
