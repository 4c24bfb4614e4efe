"""Owners: who is certainly gone, and who may be alive."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from cosell_flows.ledger import is_gone, this_process


def ended_process() -> int:
    """The number of a process that has ended."""
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    return process.pid


def owner(*, number: int, life: str, where: str | None = None) -> str:
    """A process, of this place unless told otherwise."""
    return f"{where or this_process().rsplit(':', 2)[0]}:{number}:{life}"


def test_this_process_is_alive() -> None:
    """We are here."""
    assert not is_gone(this_process())


def test_ended_process_is_gone() -> None:
    """A process of this machine that has ended is known to be gone."""
    assert is_gone(owner(number=ended_process(), life="x"))


def test_earlier_life_of_our_number_is_gone() -> None:
    """Another life of our own number is not this one."""
    assert is_gone(owner(number=os.getpid(), life="earlier"))


def test_a_neighbour_of_the_same_name_may_be_alive() -> None:
    """Two containers may share a host name, and each has a process of our number."""
    here = this_process().rsplit(":", 2)[0]

    assert not is_gone(owner(number=os.getpid(), life="theirs", where=f"{here}0"))


@pytest.mark.parametrize("other", [None, "", "x", "elsewhere:1:x", "a:b:c"])
def test_others_may_be_alive(other: str | None) -> None:
    """Of another machine nothing is known."""
    assert not is_gone(other)
