"""A client for a language server over standard input and output, as small as a test needs it."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any


class LanguageServer:
    """One running server. Requests of the server itself are answered with nothing."""

    def __init__(self, command: list[str], folder: Path) -> None:
        self._process = subprocess.Popen(
            command, cwd=folder, stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        self._next = 0
        self.diagnostics: dict[str, list[dict[str, Any]]] = {}
        self.ask(
            "initialize",
            {
                "processId": None,
                "rootUri": folder.as_uri(),
                "capabilities": {"textDocument": {"completion": {}}},
            },
        )
        self._send({"method": "initialized", "params": {}})

    def open(self, path: Path, text: str) -> None:
        """Open a document with that text; nothing is written to the file."""
        self._next += 1  # the server keeps what it made of a version
        document = {
            "uri": path.as_uri(),
            "languageId": "yaml",
            "version": self._next,
            "text": text,
        }
        self._send({"method": "textDocument/didOpen", "params": {"textDocument": document}})

    def completions(self, path: Path, text: str) -> dict[str, str]:
        """What is offered at the sign ¦ in *text*: labels, and what is said about each."""
        before = text[: text.index("¦")]
        self.open(path, text.replace("¦", ""))
        line, column = before.count("\n"), len(before) - before.rfind("\n") - 1
        found = self.ask(
            "textDocument/completion",
            {
                "textDocument": {"uri": path.as_uri()},
                "position": {"line": line, "character": column},
            },
        )
        self._send(
            {"method": "textDocument/didClose", "params": {"textDocument": {"uri": path.as_uri()}}}
        )
        return {one["label"]: _said(one.get("documentation")) for one in found["items"]}

    def ask(self, method: str, parameters: dict[str, Any]) -> Any:
        """Ask, and wait for the answer."""
        self._next += 1
        number = self._next
        self._send({"id": number, "method": method, "params": parameters})
        while True:
            message = self._receive()
            if message.get("id") == number and "method" not in message:
                assert "error" not in message, message
                return message["result"]
            self._answer(message)

    def close(self) -> None:
        """End the server."""
        self._process.kill()
        self._process.wait()
        for stream in (self._process.stdin, self._process.stdout):
            if stream is not None:
                stream.close()

    def _answer(self, message: dict[str, Any]) -> None:
        if message.get("method") == "textDocument/publishDiagnostics":
            told = message["params"]
            self.diagnostics[told["uri"]] = told["diagnostics"]
        if "id" in message and "method" in message:
            asked = message["params"] or {}
            nothing = [None for _ in asked.get("items", ())]
            wanted = message["method"] == "workspace/configuration"
            self._send({"id": message["id"], "result": nothing if wanted else None})

    def _send(self, message: dict[str, Any]) -> None:
        assert self._process.stdin is not None
        content = json.dumps({"jsonrpc": "2.0", **message}).encode()
        self._process.stdin.write(b"Content-Length: %d\r\n\r\n" % len(content) + content)
        self._process.stdin.flush()

    def _receive(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        length = 0
        while (line := self._process.stdout.readline().strip()) or not length:
            name, _, value = line.partition(b":")
            if name.lower() == b"content-length":
                length = int(value)
        message: dict[str, Any] = json.loads(self._process.stdout.read(length))
        return message


def _said(documentation: Any) -> str:
    return documentation["value"] if isinstance(documentation, dict) else documentation or ""
