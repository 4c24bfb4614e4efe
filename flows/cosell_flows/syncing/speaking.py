"""Say what a seller reads in the language that was chosen. Pure but for the tables it is made of."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from cosell_definitions.nodes import MappingNode, ScalarNode
from cosell_definitions.reading import read

ENGLISH = "English"
TABLES = Path(__file__).with_name("words")
_HOLE = re.compile(r"\{(\w+)\}")


@dataclass(frozen=True, slots=True)
class Words:
    """One language: how each sentence goes in it. Without sentences it is English."""

    whole: Mapping[str, str]
    patterns: tuple[tuple[re.Pattern[str], str], ...] = ()

    def say(self, text: str) -> str:
        """*text* in this language; what has no translation stays as it is.

        A text is looked up whole, then sentence by sentence, then item by item of a list.
        """
        if not self.whole or not text:
            return text
        bare = text.rstrip(".")
        found = self._looked_up(bare)
        if found is not None:
            return found + text[len(bare) :]
        for mark in (". ", "; "):
            parts = text.split(mark)
            if len(parts) > 1:
                return mark.join(self.say(part) for part in parts)
        return text

    def knows(self, text: str) -> bool:
        """Whether *text* has a translation, whole or sentence by sentence."""
        sentences = [one for one in text.rstrip(".").split(". ") if one]
        return self._looked_up(text.rstrip(".")) is not None or all(
            self._looked_up(one) is not None for one in sentences
        )

    def _looked_up(self, text: str) -> str | None:
        if text in self.whole:
            return self.whole[text]
        for pattern, translated in self.patterns:
            match = pattern.fullmatch(text)
            if match:
                return _filled(translated, match.groupdict(), self.say)
        return None


@functools.cache
def words(language: str) -> Words:
    """The sentences of a language; English where there is no table of it."""
    path = TABLES / f"{language.lower()}.yaml"
    if language == ENGLISH or path.parent != TABLES or not path.is_file():
        return Words({})
    entries = entries_of(path)
    holes = [text for text in entries if _HOLE.search(text)]
    # The more a sentence says by itself, the sooner it is tried.
    holes.sort(key=lambda text: len(_HOLE.sub("", text)), reverse=True)
    return Words(entries, tuple((_pattern(text), entries[text]) for text in holes))


def entries_of(path: Path) -> dict[str, str]:
    """The table of a language: English on the left."""
    document = read(path.read_bytes(), file=path.name)
    assert isinstance(document.root, MappingNode), document.problems
    _, messages = document.root.entries["messages"]
    assert isinstance(messages, MappingNode)
    return {
        text: node.text
        for text, (_, node) in messages.entries.items()
        if isinstance(node, ScalarNode)
    }


def _filled(text: str, values: Mapping[str, str], say: Callable[[str], str]) -> str:
    return _HOLE.sub(lambda hole: say(values[hole[1]]), text)


def _pattern(text: str) -> re.Pattern[str]:
    parts = _HOLE.split(text)
    spelled = [
        re.escape(part) if index % 2 == 0 else f"(?P<{part}>.+?)"
        for index, part in enumerate(parts)
    ]
    return re.compile("".join(spelled), re.DOTALL)
