"""A place in a connector file, and what is said about it."""

from __future__ import annotations

from collections.abc import Iterable

from cosell_definitions.checking import Shaped
from cosell_definitions.problems import Place, Problem, did_you_mean


class Spot:
    """A part of the file; what is said about it stands at the nearest line there is."""

    def __init__(self, shaped: Shaped, path: tuple[str | int, ...]) -> None:
        self._shaped = shaped
        self._path = path

    def at(self, *path: str | int) -> Spot:
        """A part of this part."""
        return Spot(self._shaped, (*self._path, *path))

    def place(self) -> Place:
        """Where it stands, or where it would."""
        for length in range(len(self._path), -1, -1):
            found = self._shaped.at(*self._path[:length])
            if found is not None:
                scalar = not found.entries and not found.items
                return found.place if scalar else found.key or found.place
        return self._shaped.place

    def says(self, code: str, message: str, hint: str) -> Problem:
        """A problem here."""
        return Problem(code=code, place=self.place(), message=message, hint=hint)

    def unknown(self, code: str, kind: str, name: str, known: Iterable[str]) -> Problem:
        """A name here that names nothing."""
        names = sorted(known)
        near = did_you_mean(name, names)
        hint = f"did you mean {near!r}?" if near else f"there are: {', '.join(names) or 'none'}"
        return self.says(code, f"there is no {kind} {name!r}", hint)
