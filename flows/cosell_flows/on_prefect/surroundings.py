"""What Prefect is told through the process environment. Must be settled before it is imported."""

from __future__ import annotations

import importlib
import json
import os
import sys
import threading
from collections.abc import Mapping
from pathlib import Path

API_URL = "PREFECT_API_URL"
SERVING = "serve.json"
"""Where `cosell serve` writes its addresses, in the project's state."""

# Prefect reports usage to its makers unless told otherwise; nothing leaves this machine by itself.
_PRIVATE = {
    "DO_NOT_TRACK": "1",
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
    "PREFECT_SERVER_UI_SHOW_PROMOTIONAL_CONTENT": "false",
    "PREFECT_CLOUD_ENABLE_ORCHESTRATION_TELEMETRY": "false",
}
# The terminal belongs to cosell; Prefect's own words go to its API, where its UI shows them.
_QUIET = {
    "PREFECT_LOGGING_HANDLERS_CONSOLE_LEVEL": "CRITICAL",
    "PREFECT_LOGGING_HANDLERS_DEBUG_LEVEL": "CRITICAL",
    "PREFECT_CLI_COLORS": "false",
}
# With its defaults the server records 35 task runs a second, and forgets the rest of a burst.
_RECORDING = {
    "PREFECT_SERVER_SERVICES_TASK_RUN_RECORDER_BATCH_SIZE": "200",
    "PREFECT_SERVER_SERVICES_TASK_RUN_RECORDER_READ_BATCH_SIZE": "200",
    "PREFECT_SERVER_SERVICES_TASK_RUN_RECORDER_FLUSH_INTERVAL": "1",
}
_SIGNS_OF_LIFE = {"PREFECT_FLOWS_HEARTBEAT_FREQUENCY": "30"}


def api_url_given() -> str | None:
    """The Prefect API the user wants us to use, if they said so."""
    return os.environ.get(API_URL) or None


def served_api(state: Path) -> str | None:
    """The Prefect API of the `cosell serve` that runs for this project, if one does."""
    try:
        told = json.loads((state / SERVING).read_text(encoding="utf-8"))
        os.kill(int(told["pid"]), 0)
        return str(told["prefect_api"])
    except (OSError, ValueError, KeyError, TypeError):
        return None


def of_client(home: Path, api_url: str) -> dict[str, str]:
    """The environment of a process that runs flows against the API at *api_url*."""
    return {
        **_PRIVATE,
        **_QUIET,
        **_SIGNS_OF_LIFE,
        "PREFECT_HOME": str(home),
        "PREFECT_PROFILES_PATH": str(home / "profiles.toml"),
        API_URL: api_url,
    }


def of_server(home: Path, api_url: str) -> dict[str, str]:
    """The environment of a server of our own, its database in *home*."""
    return {
        **_PRIVATE,
        **_RECORDING,
        "PREFECT_HOME": str(home),
        "PREFECT_PROFILES_PATH": str(home / "profiles.toml"),
        "PREFECT_API_DATABASE_CONNECTION_URL": f"sqlite+aiosqlite:///{home}/prefect.db",
        # Without this the page in the browser asks port 4200, wherever it came from itself.
        "PREFECT_UI_API_URL": api_url,
        API_URL: api_url,
        "PREFECT_SERVER_LOGGING_LEVEL": "WARNING",
        "PREFECT_LOGGING_LEVEL": "WARNING",
        "PREFECT_CLI_COLORS": "false",
    }


def without_users_own(environment: Mapping[str, str]) -> dict[str, str]:
    """*environment* without what the user's machine says about another Prefect."""
    return {name: value for name, value in environment.items() if not name.startswith("PREFECT_")}


def settle(home: Path, api_url: str) -> None:
    """Make this process speak with the API at *api_url*."""
    home.mkdir(parents=True, exist_ok=True)
    # A server the user chose keeps the user's home: the key to it may be in a profile there.
    kept = {"PREFECT_HOME", "PREFECT_PROFILES_PATH"} if api_url_given() == api_url else set()
    wanted = {name: value for name, value in of_client(home, api_url).items() if name not in kept}
    changed = any(os.environ.get(name) != value for name, value in wanted.items())
    os.environ.update(wanted)
    if changed and "prefect" in sys.modules:  # it read its surroundings when it was imported
        importlib.import_module("prefect.context").refresh_global_settings_context()


def warm_up(home: Path, api_url: str) -> None:
    """Settle, and import Prefect while its server starts: both take seconds, on two cores at once."""
    first = "prefect" not in sys.modules
    settle(home, api_url)
    if first:
        runner = "cosell_flows.on_prefect.runner"
        threading.Thread(target=importlib.import_module, args=(runner,), daemon=True).start()
