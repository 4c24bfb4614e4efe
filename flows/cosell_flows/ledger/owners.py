"""Say which process does a piece of work, and whether that process is known to be gone."""

from __future__ import annotations

import os
import socket
import uuid

_THIS_LIFE = uuid.uuid4().hex[:12]


def this_process() -> str:
    """This process: its machine, its number, and which life of that number it is."""
    return f"{socket.gethostname()}:{os.getpid()}:{_THIS_LIFE}"


def is_gone(owner: str | None) -> bool:
    """Whether *owner* certainly does not run any more: only a process of this machine can be told.

    Of others, and of a number that another program got meanwhile, the lease must expire first.
    """
    place, _, life = (owner or "").rpartition(":")
    host, _, number = place.rpartition(":")
    if host != socket.gethostname() or not number.isdigit():
        return False
    if int(number) == os.getpid():
        return life != _THIS_LIFE
    try:
        os.kill(int(number), 0)
    except ProcessLookupError:
        return True
    except (PermissionError, OverflowError):
        return False
    return False
