"""Find the overlays of a project, and what is wrong with them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import field
from pathlib import Path

from cosell_definitions.freezing import dataclass
from cosell_definitions.opening import content_of
from cosell_definitions.overlaying import Overlay, load_overlay
from cosell_definitions.problems import Place, Problem, did_you_mean

FOLDER = "overlays"


@dataclass(frozen=True, slots=True, kw_only=True)
class Overlays:
    """Every overlay of a project, by environment, in the order of their files."""

    by_environment: Mapping[str, tuple[Overlay, ...]] = field(default_factory=dict)
    problems: tuple[Problem, ...] = ()
    files: tuple[str, ...] = ()

    def of(self, environment: str, kind: str, target: str) -> tuple[Overlay, ...]:
        """The overlays of one flow or mapping."""
        return tuple(
            one
            for one in self.by_environment.get(environment, ())
            if one.kind == kind and one.target == target
        )


def read_overlays(root: Path) -> Overlays:
    """Read what lies in overlays/<environment>/; problems are collected, never raised."""
    found: dict[str, list[Overlay]] = {}
    problems: list[Problem] = []
    files: list[str] = []
    folders = sorted(one for one in (root / FOLDER).glob("*") if one.is_dir())
    for folder in folders:
        for path in sorted(folder.rglob("*.yaml")):
            file = path.relative_to(root).as_posix()
            files.append(file)
            content = content_of(path, file)
            if isinstance(content, Problem):
                problems.append(content)
                continue
            overlay, wrong = load_overlay(content, file=file)
            problems += wrong
            if overlay is not None:
                found.setdefault(folder.name, []).append(overlay)
    return Overlays(
        by_environment={name: tuple(ones) for name, ones in found.items()},
        problems=tuple(problems),
        files=tuple(files),
    )


def misplaced(
    overlays: Overlays, *, environments: Sequence[str], known: Mapping[str, Sequence[str]]
) -> list[Problem]:
    """Overlays of environments, flows or mappings (*known*, by kind) that are not there."""
    problems = []
    for environment, ones in overlays.by_environment.items():
        if environment not in environments:
            near = did_you_mean(environment, environments)
            problems.append(
                Problem(
                    code="O013",
                    place=Place(file=ones[0].place.file),
                    message=f"there is no environment {environment!r}: no env/{environment}.yaml",
                    hint=f"did you mean overlays/{near}/?"
                    if near
                    else "make it, or rename the folder",
                )
            )
        for one in ones:
            if one.target not in known[one.kind]:
                near = did_you_mean(one.target, known[one.kind])
                problems.append(
                    Problem(
                        code="O012",
                        place=one.place,
                        message=f"there is no {one.kind} {one.target!r}",
                        hint=f"did you mean {near!r}?"
                        if near
                        else f"there are: {', '.join(known[one.kind])}",
                    )
                )
    return problems
