"""What `cosell test` says: the cases that failed, with what was expected, and what was reached."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from ..running.flowtests.covering import Coverage, Kind, Target, counted, summary
from ..running.flowtests.expecting import Miss
from ..running.flowtests.playing import Played
from .console import lines_at

_MOST_MISSING = 40


def document(played: Sequence[Played], coverage: Coverage) -> dict[str, Any]:
    """The document of `test --json`."""
    return {
        "passed": sum(one.passed for one in played),
        "failed": sum(not one.passed for one in played),
        "cases": [_case(one) for one in played],
        "coverage": {
            **summary(coverage),
            "flows": _by_owner(coverage, ("branches", "errors")),
            "mappings": _by_owner(coverage, ("rows",)),
            "missing": [_target(one) for one in coverage.missing()],
        },
    }


def _case(one: Played) -> dict[str, Any]:
    result = one.result
    return {
        "flow": one.flow,
        "name": one.case.name,
        "passed": one.passed,
        "seconds": round(one.seconds, 3),
        "file": one.file,
        "line": one.case.place.line,
        "failures": [_miss(miss) for miss in one.misses],
        "unused": [{"mock": name, "file": at.file, "line": at.line} for name, at in one.unused],
        "status": result.status if result is not None else None,
        "error": result.error if result is not None else None,
    }


def _miss(miss: Miss) -> dict[str, Any]:
    return {
        "what": miss.what,
        "message": miss.message,
        "hint": miss.hint,
        "expected": miss.expected,
        "got": miss.got,
        "file": miss.place.file,
        "line": miss.place.line,
        "column": miss.place.column,
    }


def _by_owner(coverage: Coverage, kinds: tuple[Kind, ...]) -> Mapping[str, Any]:
    owners = dict.fromkeys(one.of for one in coverage.targets if one.kind in kinds)
    return {owner: {kind: counted(*coverage.of(kind, owner)) for kind in kinds} for owner in owners}


def _target(one: Target) -> dict[str, Any]:
    return {
        "kind": one.kind,
        "of": one.of,
        "name": one.name,
        "way": one.way,
        "file": one.place.file,
        "line": one.place.line,
    }


# -- for people -------------------------------------------------------------------------------


def told(
    played: Sequence[Played], coverage: Coverage, *, seconds: float, root: Path
) -> Iterator[str]:
    """The cases, what was not as expected, what nothing used, and the coverage."""
    for file in dict.fromkeys(one.file for one in played):
        own = [one for one in played if one.file == file]
        good = sum(one.passed for one in own)
        yield f"{'✔' if good == len(own) else '✘'} {own[0].flow}  {good} of {len(own)}  {file}"
        for one in own:
            if not one.passed:
                yield from _failed(one, root)
    yield from _unused(played)
    yield ""
    yield from _reached(coverage)
    failed = sum(not one.passed for one in played)
    yield f"{len(played) - failed} passed, {failed} failed in {seconds:.1f} s"


def _failed(one: Played, root: Path) -> Iterator[str]:
    yield f"  ✘ {one.case.name}"
    for miss in one.misses:
        yield f"    {miss.place}: {miss.what}: {miss.message}"
        yield from (f"    {line}" for line in lines_at(root, miss.place))
        if miss.hint:
            yield f"      hint: {miss.hint}"


def _unused(played: Sequence[Played]) -> Iterator[str]:
    """Answers that no case asked for: the flow went another way than somebody thought."""
    staged = Counter((one.file, mock) for one in played for mock in one.staged)
    unused = Counter((one.file, mock) for one in played for mock in one.unused)
    for (file, (name, place)), count in unused.items():
        if count == staged[file, (name, place)]:  # of a mock for all cases: no case used it
            yield f"  {place}: the mock of {name} was not used"


def _reached(coverage: Coverage) -> Iterator[str]:
    yield from _rows(coverage, ("branches", "errors"), "flow")
    yield from _rows(coverage, ("rows",), "mapping")
    missing = coverage.missing()
    if missing:
        yield "Not reached:"
    for one in missing[:_MOST_MISSING]:
        yield f"  {one.place.file}:{one.place.line}: {one.name}: {_way(one)}"
    if len(missing) > _MOST_MISSING:
        yield f"  … and {len(missing) - _MOST_MISSING} more; --json lists them all"
    if missing:
        yield ""


def _way(one: Target) -> str:
    arrows = {"left_to_right": "left → right", "right_to_left": "right → left"}
    return arrows.get(one.way, one.way)


def _rows(coverage: Coverage, kinds: tuple[Kind, ...], head: str) -> Iterator[str]:
    owners = list(dict.fromkeys(one.of for one in coverage.targets if one.kind in kinds))
    if not owners:
        return
    table = [[head, *kinds]]
    table += [[owner, *(_share(*coverage.of(kind, owner)) for kind in kinds)] for owner in owners]
    if len(owners) > 1:
        table.append(["all", *(_share(*coverage.of(kind)) for kind in kinds)])
    widths = [max(len(row[index]) for row in table) for index in range(len(table[0]))]
    for row in table:
        cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        yield "  ".join(cells).rstrip()
    yield ""


def _share(covered: int, total: int) -> str:
    return f"{covered}/{total} ({counted(covered, total)['percent']} %)" if total else "–"
