"""Know the kinds of file: the letter of their problem codes, and their schemas."""

from __future__ import annotations

import functools
import json
from pathlib import Path

from .fitting import JsonSchema

SCHEMAS = Path(__file__).parent / "schemas"
LETTERS = {
    "flow": "F",
    "mapping": "M",
    "connector": "C",
    "environment": "V",
    "variables": "V",
    "overlay": "O",
    "test": "T",
}


@functools.cache
def load_schema(kind: str) -> JsonSchema:
    """The schema of a kind of file: flow, mapping, connector, environment, variables."""
    schema: JsonSchema = json.loads((SCHEMAS / f"{kind}.v1.json").read_text("utf-8"))
    return schema
