"""A Prefect server that somebody else runs: it may be away, or ask for a password."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from cosell_flows.project import init_project

pytestmark = pytest.mark.journey


class Guarded(BaseHTTPRequestHandler):
    """Says to everybody that it lives, and nothing else without a password, as Prefect does."""

    def do_GET(self) -> None:
        """Answer."""
        self.send_response(200 if self.path == "/api/health" else 401)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"{}")

    do_POST = do_GET  # noqa: N815 - the standard library's name

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def guarded() -> Iterator[str]:
    """The address of a Prefect that asks for a password."""
    with ThreadingHTTPServer(("127.0.0.1", 0), Guarded) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/api"
        server.shutdown()


def serve(project: Path, api_url: str) -> subprocess.CompletedProcess[str]:
    """`cosell serve` on the Prefect at *api_url*."""
    return subprocess.run(
        [sys.executable, "-m", "cosell_flows.cli.main", "--project", str(project),
         "serve", "--port", "0"],
        env={**os.environ, "PREFECT_API_URL": api_url, "COSELL_LEDGER_URL": ""},
        capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip


def test_a_prefect_that_is_away_is_said(tmp_path: Path) -> None:
    """Exit code 3, where it was looked for, and what to do."""
    init_project(tmp_path / "p")
    said = serve(tmp_path / "p", "http://127.0.0.1:1/api")

    assert (said.returncode, said.stderr.splitlines()) == (
        3,
        [
            "cosell: no Prefect server answers at http://127.0.0.1:1/api",
            "  hint: start it, unset PREFECT_API_URL, or run a flow with --local",
        ],
    )


def test_a_prefect_that_asks_for_a_password_is_said(tmp_path: Path, guarded: str) -> None:
    """Exit code 3, and which variable holds the password."""
    init_project(tmp_path / "p")
    said = serve(tmp_path / "p", guarded)

    assert (
        said.returncode,
        "answered 401" in said.stderr,
        "PREFECT_API_AUTH_STRING" in said.stderr,
    ) == (3, True, True)
