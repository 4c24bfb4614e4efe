"""Say which process does a piece of work, and whether that process is known to be gone."""

from __future__ import annotations

import functools
import os
import socket
import uuid
from pathlib import Path

_THIS_LIFE = uuid.uuid4().hex[:12]
_BOOT = Path("/proc/sys/kernel/random/boot_id")
_NUMBERS = Path("/proc/self/ns/pid")


def this_process() -> str:
    """This process: its machine, its number, and which life of that number it is."""
    return f"{_this_place()}:{os.getpid()}:{_THIS_LIFE}"


@functools.cache
def _this_place() -> str:
    """Where a process' number means something: a machine since it was started, or a container.

    Two containers may be given one name, and in each of them a process has number 1.
    """
    try:
        return f"{socket.gethostname()}/{_BOOT.read_text()[:8]}-{_NUMBERS.stat().st_ino}"
    except OSError:  # not Linux
        return socket.gethostname()


def is_gone(owner: str | None) -> bool:
    """Whether *owner* certainly does not run any more: only a process of this place can be told.

    Of others, and of a number that another program got meanwhile, the lease must expire first.
    """
    place, _, life = (owner or "").rpartition(":")
    where, _, number = place.rpartition(":")
    if where != _this_place() or not number.isdigit():
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
