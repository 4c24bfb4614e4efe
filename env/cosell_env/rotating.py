"""Keep refresh tokens that took the place of those people configured; they must outlive a restart.

One file that only its owner can read. Each token is kept for the configured one it descends from:
whoever configures another starts afresh.
"""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from .secrets import Secret


@dataclass(frozen=True, slots=True)
class RefreshTokens:
    """The newest refresh tokens, in a file of mode 0600."""

    file: Path

    def newest(self, connection: str, configured: Secret) -> Secret | None:
        """The token that took the place of *configured*, or nothing."""
        entry = self._read().get(connection)
        if not isinstance(entry, dict) or entry.get("of") != _digest(configured):
            return None
        token = entry.get("token")
        return Secret(token) if isinstance(token, str) and token else None

    def keep(self, connection: str, configured: Secret, rotated: Secret) -> None:
        """Remember *rotated*; raises OSError where the file cannot be written."""
        entry = {"of": _digest(configured), "token": rotated.reveal()}
        self._write({**self._read(), connection: entry})

    def forget(self, connection: str) -> None:
        """Go back to the configured token."""
        entries = dict(self._read())
        if entries.pop(connection, None) is not None:
            self._write(entries)

    def _read(self) -> Mapping[str, object]:
        try:
            entries = json.loads(self.file.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}
        return entries if isinstance(entries, dict) else {}

    def _write(self, entries: Mapping[str, object]) -> None:
        folder = self.file.parent
        folder.mkdir(parents=True, exist_ok=True)
        # Written beside and put in place whole: a reader, or a crash, never meets half of it.
        # `mkstemp` makes files of mode 0600.
        descriptor, beside = tempfile.mkstemp(dir=folder, prefix=".refresh-tokens-")
        try:
            with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
                json.dump(entries, stream)
            Path(beside).replace(self.file)
        except BaseException:
            Path(beside).unlink(missing_ok=True)
            raise


def _digest(secret: Secret) -> str:
    return hashlib.sha256(secret.reveal().encode()).hexdigest()
