"""`cosell run --local` at a terminal: Ctrl-C, and a question that somebody answers."""

from __future__ import annotations

import json
import os
import pty
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import pytest

PATIENCE_S = 60
LONG = """\
steps:
  - id: long
    wait: 1h
    finally: [{ id: tidied, wait: 200ms }]
"""
ASKS = """\
steps:
  - id: ok
    approve:
      message: Share 12 deals?
      answer: { share: { type: boolean }, most: { type: decimal, default: 2.50 } }
outputs: { answer: { value: "{{ steps.ok.output }}" } }
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A project with two flows."""
    flows = tmp_path / "definitions" / "tests"
    for room in (flows, tmp_path / "connectors", tmp_path / "env"):
        room.mkdir(parents=True)
    (tmp_path / "env" / "sandbox.yaml").write_text("environment: v1\n", encoding="utf-8")
    for name, text in (("long", LONG), ("asks", ASKS)):
        head = f"flow: v1\nid: {name}\nname: {name}\n"
        (flows / f"{name}.flow.yaml").write_text(head + text, encoding="utf-8")
    return tmp_path


@pytest.fixture(autouse=True)
def _ctrl_c_is_heard() -> None:
    """Also where these tests run in the background: a shell has it ignored there, and children inherit."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def begun(
    folder: Path, flow: str, *, stdin: int = subprocess.DEVNULL, stderr: int = subprocess.PIPE
) -> subprocess.Popen[str]:
    """`cosell --json run FLOW --local`, in a process of its own."""
    arguments = ["--project", str(folder), "--json", "run", flow, "--local"]
    env = {name: value for name, value in os.environ.items() if name != "COSELL_LEDGER_URL"}
    return subprocess.Popen(
        [sys.executable, "-m", "cosell_flows.cli.main", *arguments],
        stdin=stdin, stdout=subprocess.PIPE, stderr=stderr, text=True,
        env=env | {"TERM": "xterm"},
    )  # fmt: skip


def is_running(folder: Path) -> bool:
    """Whether the ledger knows of a run under way."""
    try:
        with closing(sqlite3.connect(folder / ".cosell" / "ledger.db")) as ledger:
            found = ledger.execute("SELECT 1 FROM cosell_runs WHERE status = 'running'")
            return found.fetchone() is not None
    except sqlite3.Error:
        return False


def test_ctrl_c_does_finally_and_tells_how_far_the_run_came(folder: Path) -> None:
    """Exit 130, the run recorded as cancelled, one JSON document as ever."""
    command = begun(folder, "long")
    end = time.monotonic() + PATIENCE_S
    while not is_running(folder) and time.monotonic() < end:
        time.sleep(0.05)
    time.sleep(0.3)
    command.send_signal(signal.SIGINT)

    out, err = command.communicate(timeout=PATIENCE_S)

    told = json.loads(out)
    assert command.returncode == 130, err
    assert told["status"] == "cancelled"
    assert [(step["id"], step["status"]) for step in told["steps"]] == [
        ("long", "cancelled"),
        ("tidied", "succeeded"),
    ]
    with closing(sqlite3.connect(folder / ".cosell" / "ledger.db")) as ledger:
        assert ledger.execute("SELECT status FROM cosell_runs").fetchall() == [("cancelled",)]


def test_a_question_is_asked_at_the_terminal(folder: Path) -> None:
    """What does not fit is asked again; Enter takes the default; the answer has its types."""
    person, terminal = pty.openpty()
    command = begun(folder, "asks", stdin=terminal, stderr=terminal)
    os.write(person, b"perhaps\nyes\n\n")

    out, _ = command.communicate(timeout=PATIENCE_S)
    os.close(terminal)
    shown = os.read(person, 10_000).decode()
    os.close(person)

    assert json.loads(out)["outputs"] == {"answer": {"share": True, "most": 2.50}}
    assert "Share 12 deals?" in shown
    assert "'perhaps' is neither yes nor no" in shown


def test_without_a_terminal_a_question_fails_with_what_to_do(folder: Path) -> None:
    """There is nobody to ask."""
    command = begun(folder, "asks")

    out, err = command.communicate(timeout=PATIENCE_S)

    error = json.loads(out)["error"]
    assert command.returncode == 1, err
    assert "nobody to ask" in error["message"]
    assert "cosell run asks" in error["hint"]
