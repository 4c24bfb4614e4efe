"""Owners: who is certainly gone, and who may be alive."""

from __future__ import annotations

import os
import socket
import subprocess
import sys

import pytest

from cosell_flows.ledger import is_gone, this_process


def ended_process() -> int:
    """The number of a process that has ended."""
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    return process.pid


def test_this_process_is_alive() -> None:
    """We are here."""
    assert not is_gone(this_process())


def test_ended_process_is_gone() -> None:
    """A process of this machine that has ended is known to be gone."""
    assert is_gone(f"{socket.gethostname()}:{ended_process()}:x")


def test_earlier_life_of_our_number_is_gone() -> None:
    """In a container every life has number 1: another life is not this one."""
    assert is_gone(f"{socket.gethostname()}:{os.getpid()}:earlier")


@pytest.mark.parametrize("owner", [None, "", "x", "elsewhere:1:x", "a:b:c"])
def test_others_may_be_alive(owner: str | None) -> None:
    """Of another machine nothing is known."""
    assert not is_gone(owner)
