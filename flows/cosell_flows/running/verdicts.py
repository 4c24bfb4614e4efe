"""Believe the verdict on a document for as long as all that it was judged by is as it was."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable

from cosell_definitions.model import Flow
from cosell_definitions.model_mappings import MappingFile
from cosell_definitions.model_tests import FlowTests
from cosell_definitions.problems import Problem

from ..compiling.witnessing import Question, Sights, Witness
from .keeping import Shelf

Verdict = tuple[tuple[tuple[Question, bytes], ...], tuple[Problem, ...]]
"""The questions that were asked, each with what stands for its answer; and what was found."""

_ABOUT = "verdict"
_WEIGHT = 2_000  # letters whose parsing takes about as long as judging a document


class Verdicts:
    """The verdicts of an earlier check, each looked after before it is believed."""

    def __init__(self, sights: Sights, shelf: Shelf, *, environment: str = "") -> None:
        self._sights = sights
        self._shelf = shelf
        self._environment = environment

    def on(
        self,
        document: Flow | MappingFile | FlowTests,
        judge: Callable[[Witness], Iterable[Problem]],
    ) -> tuple[Problem, ...]:
        """What is wrong with a document, from the kept verdict or by judging it."""
        file = document.place.file
        about = repr((type(document).__name__, file, self._environment, document.content_hash))
        key = (_ABOUT, _WEIGHT, hashlib.sha256(about.encode("utf-8", "surrogatepass")).digest())
        kept = self._shelf.find(key)
        if kept is not None:
            asked, problems = kept[0]
            if all(self._sights.digest(question) == digest for question, digest in asked):
                return problems  # type: ignore[no-any-return] # it was kept by the line below
        self._shelf.judged.append(file)
        witness = Witness(self._sights)
        found = tuple(judge(witness))
        if not self._sights.moved(witness.asked):
            verdict: Verdict = (tuple(witness.asked.items()), found)
            self._shelf.add(key, verdict)
        return found
