"""A connection: one connector bound to one account. Settings are looked up when they are used."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import field
from pathlib import Path
from typing import Final

from cosell_definitions.freezing import dataclass
from cosell_definitions.settings import SecretRef, SettingValue

from .rotating import RefreshTokens
from .secrets import Secret

SECRET_KEYS: Final = frozenset(
    {"client_secret", "refresh_token", "private_key", "token", "password", "api_key"}
)
"""Settings whose value is never shown."""

KNOWN_KEYS: Final = SECRET_KEYS | {
    "connector",
    "base_url",
    "token_url",
    "client_id",
    "username",
    "audience",
    "certificate_hosts",
    "ca_file",
    "api_version",
    "connect_timeout",
    "read_timeout",
    "total_timeout",
    "tenant",
    "rate_limit",
    "reserve",
}
"""The settings that connectors have in common; a connector may know others, for its paths."""

_SECONDS_IN: Final = {"ms": 0.001, "s": 1.0, "m": 60.0, "": 1.0}
_DURATION = re.compile(r"(\d+(?:\.\d+)?)\s*(ms|s|m|)")

Block = Callable[[str], str | None]
"""Reads a Prefect Secret block; nothing where there is none. Raises BlockUnreachable."""


class BlockUnreachable(Exception):
    """Prefect, which keeps a secret, cannot be asked; the message says why."""


class MissingSetting(Exception):
    """A connection lacks a setting, or its value cannot be had; the message says what to do."""

    def __init__(self, message: str, *, connection: str, key: str) -> None:
        super().__init__(message)
        self.connection = connection
        self.key = key


@dataclass(frozen=True, slots=True, kw_only=True)
class Sources:
    """Whom to ask for values: the process environment, files, and Prefect blocks."""

    process: Mapping[str, str] = field(default_factory=dict, repr=False)
    folder: Path = Path()
    block: Block | None = field(default=None, repr=False)
    rotated: RefreshTokens | None = None  # where newer refresh tokens are kept, and looked for


@dataclass(frozen=True, slots=True, kw_only=True)
class Connection:
    """One connector bound to one account."""

    name: str
    connector: str
    environment: str = ""
    settings: Mapping[str, SettingValue] = field(default_factory=dict)
    sources: Sources = Sources()

    def get(self, key: str) -> str | Secret | None:
        """The value of *key*, or nothing where none is set; raises where its reference fails."""
        value = self._value(key)
        if value is None or not value.strip():
            return None
        if key in SECRET_KEYS:
            return Secret(value.rstrip("\r\n"))  # editors end a file with a line break
        return value.strip()

    def require(self, key: str) -> str | Secret:
        """The value of *key*; raises MissingSetting with what to do about it."""
        value = self.get(key)
        if value is None:
            raise self._missing(key)
        return value

    def text(self, key: str) -> str | None:
        """The value of a setting that is no secret."""
        value = self.get(key)
        if isinstance(value, Secret):
            raise TypeError(f"{key} is a secret, and is never handed out as text")
        return value

    def secret(self, key: str) -> Secret:
        """The value of a setting that is a secret; raises MissingSetting where there is none."""
        value = self.require(key)
        return value if isinstance(value, Secret) else Secret(value)

    def refresh_token(self) -> Secret:
        """The newest refresh token: the one that came in the configured one's place, if any did."""
        configured = self.secret("refresh_token")
        rotated = self.sources.rotated
        return (rotated and rotated.newest(self._account, configured)) or configured

    def keep_refresh_token(self, token: Secret) -> None:
        """Use *token* in the configured one's place from now on, also after a restart."""
        if self.sources.rotated is not None:
            self.sources.rotated.keep(self._account, self.secret("refresh_token"), token)

    def forget_refresh_token(self) -> None:
        """Go back to the configured refresh token."""
        if self.sources.rotated is not None:
            self.sources.rotated.forget(self._account)

    @property
    def _account(self) -> str:
        return f"{self.environment}/{self.name}"

    def listed(self, key: str) -> tuple[str, ...]:
        """The elements of a setting that is a list: separated by commas."""
        return tuple(part.strip() for part in (self.text(key) or "").split(",") if part.strip())

    def seconds(self, key: str, default: float) -> float:
        """The value of a setting that is a duration: `30s`, `500ms`, `2m`, or plain seconds."""
        text = self.text(key)
        if text is None:
            return default
        matched = _DURATION.fullmatch(text)
        if matched is None or float(matched[1]) == 0:
            raise MissingSetting(
                f"connection {self.name}: {key} is {text!r}, which is no duration; write 30s",
                connection=self.name,
                key=key,
            )
        return float(matched[1]) * _SECONDS_IN[matched[2]]

    def variable(self, key: str) -> str:
        """The process environment variable that overrides *key*."""
        name = self.name.upper().replace("-", "_")
        return f"COSELL_CONNECTION_{name}_{key.upper()}"

    def _value(self, key: str) -> str | None:
        override = self.sources.process.get(self.variable(key))
        if override is not None and override.strip():
            return override
        match self.settings.get(key):
            case SecretRef(kind="env", name=name):
                return self.sources.process.get(name)
            case SecretRef(kind="file", name=name):
                return self._from_file(key, name)
            case SecretRef(kind="prefect", name=name):
                return self._from_prefect(key, name)
            case str(written):
                return written
            case _:
                return None

    def _from_file(self, key: str, name: str) -> str | None:
        path = self.sources.folder / Path(name).expanduser()
        try:
            return path.read_text(encoding="utf-8")
        except FileNotFoundError:
            return None
        except (OSError, UnicodeDecodeError) as error:
            reason = getattr(error, "strerror", None) or "it is not text"
            raise MissingSetting(
                f"connection {self.name}: {key} is kept in the file {path},"
                f" which cannot be read: {reason}",
                connection=self.name,
                key=key,
            ) from None

    def _from_prefect(self, key: str, name: str) -> str | None:
        why = "nobody here can ask Prefect"
        if self.sources.block is not None:
            try:
                return self.sources.block(name)
            except BlockUnreachable as unreachable:
                why = str(unreachable)
        raise MissingSetting(
            f"connection {self.name}: {key} is kept in the Prefect block {name!r}, and {why};"
            f" to go on without Prefect, set {self.variable(key)}",
            connection=self.name,
            key=key,
        )

    def _missing(self, key: str) -> MissingSetting:
        variable = self.variable(key)
        match self.settings.get(key):
            case SecretRef(kind="env", name=name):
                both = f"s {variable} and {name}" if name != variable else f" {name}"
                looked = f"looked for in the environment variable{both}"
                cure = f"set {name}"
            case SecretRef(kind="file", name=name):
                path = self.sources.folder / Path(name).expanduser()
                looked = f"looked for in the variable {variable} and the file {path}"
                cure = "put the value into that file, and nothing else"
            case SecretRef(kind="prefect", name=name):
                looked = f"looked for in the variable {variable} and the Prefect block {name!r}"
                cure = f"make that block: a Secret block called {name!r} in the Prefect UI"
            case _:
                where = f"env/{self.environment}.yaml" if self.environment else "the environment"
                looked = f"looked for in {where} and the environment variable {variable}"
                cure = f"write connections: {self.name}: {key}: … there, or set {variable}"
                if key in SECRET_KEYS:
                    cure = (
                        f"write connections: {self.name}: {key}: {{from_env: NAME}} there,"
                        f" or set {variable}"
                    )
        return MissingSetting(
            f"connection {self.name} has no {key}: {looked}. To mend it, {cure}.",
            connection=self.name,
            key=key,
        )
