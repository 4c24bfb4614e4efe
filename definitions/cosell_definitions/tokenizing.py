"""Cut YAML into its signs and words, each with its place: what a formatter lays out anew."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum

import yaml

from .composing import LOADER


class Sign(Enum):
    """What a token is. Those of the second group have no letters: they say what begins and ends."""

    DASH = "-"
    QUESTION = "?"
    COLON = ":"
    COMMA = ","
    OPEN_MAP = "{"
    CLOSE_MAP = "}"
    OPEN_LIST = "["
    CLOSE_LIST = "]"
    ALIAS = "*"
    ANCHOR = "&"
    TAG = "!"
    SCALAR = "scalar"
    DIRECTIVE = "%"
    DOCUMENT = "---"
    DOCUMENT_END = "..."

    KEY = "key"
    MAP = "mapping"
    LIST = "list"
    END = "end"


SILENT = frozenset({Sign.KEY, Sign.MAP, Sign.LIST, Sign.END})

_SIGNS: dict[type[yaml.Token], Sign] = {
    yaml.BlockEntryToken: Sign.DASH,
    yaml.ValueToken: Sign.COLON,
    yaml.FlowEntryToken: Sign.COMMA,
    yaml.FlowMappingStartToken: Sign.OPEN_MAP,
    yaml.FlowMappingEndToken: Sign.CLOSE_MAP,
    yaml.FlowSequenceStartToken: Sign.OPEN_LIST,
    yaml.FlowSequenceEndToken: Sign.CLOSE_LIST,
    yaml.AliasToken: Sign.ALIAS,
    yaml.AnchorToken: Sign.ANCHOR,
    yaml.TagToken: Sign.TAG,
    yaml.ScalarToken: Sign.SCALAR,
    yaml.DirectiveToken: Sign.DIRECTIVE,
    yaml.DocumentStartToken: Sign.DOCUMENT,
    yaml.DocumentEndToken: Sign.DOCUMENT_END,
    yaml.KeyToken: Sign.KEY,
    yaml.BlockMappingStartToken: Sign.MAP,
    yaml.BlockSequenceStartToken: Sign.LIST,
    yaml.BlockEndToken: Sign.END,
}


@dataclass(frozen=True, slots=True)
class Token:
    """A sign or word: source[start:end]. `style` is one of ' " | > where a scalar has one."""

    sign: Sign
    start: int
    end: int
    column: int
    style: str = ""
    value: str = ""


def tokens_of(source: str) -> Iterator[Token]:
    """The tokens of a source that the reader has found to be sound."""
    for token in yaml.scan(source, Loader=LOADER):
        sign = _SIGNS.get(type(token))
        if sign is None:
            continue
        start, end = token.start_mark.index, token.end_mark.index
        if sign is Sign.KEY and source.startswith("?", start) and end > start:
            sign = Sign.QUESTION
        style = str(getattr(token, "style", None) or "") if sign is Sign.SCALAR else ""
        value = str(getattr(token, "value", "")) if sign is Sign.SCALAR else ""
        yield Token(sign, start, end, token.start_mark.column, style, value)
