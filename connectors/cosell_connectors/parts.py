"""A body in several parts, as forms with files are sent (RFC 7578). Pure."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One part: JSON, or a file."""

    name: str
    content: bytes
    filename: str | None = None

    def head(self) -> bytes:
        """The lines before its content."""
        file = f'; filename="{self.filename}"' if self.filename else ""
        kind = "application/octet-stream" if self.filename else "application/json"
        return (
            f'Content-Disposition: form-data; name="{self.name}"{file}\r\nContent-Type: {kind}\r\n\r\n'
        ).encode()


def joined(parts: Sequence[Part]) -> tuple[bytes, str]:
    """The body, and its content type.

    The line between the parts is made from what is in them, so that the same call is the same
    bytes; a part that held its own digest could not be written down.
    """
    digest = hashlib.sha256(b"".join(part.head() + part.content for part in parts)).hexdigest()
    line = f"cosell-{digest}".encode()
    body = b"".join(b"--" + line + b"\r\n" + one.head() + one.content + b"\r\n" for one in parts)
    return body + b"--" + line + b"--\r\n", f"multipart/form-data; boundary={line.decode()}"
