"""The architecture: who may know whom, one door for each library, small modules, clean files."""

from __future__ import annotations

import ast
import functools
import re
import subprocess
import sys
import tokenize
from collections.abc import Iterator
from pathlib import Path

import pytest

HOUSE = Path(__file__).parents[1]

# Each room may know only the rooms to its left.
ROOMS = {
    "cosell_definitions": HOUSE / "definitions/cosell_definitions",
    "cosell_env": HOUSE / "env/cosell_env",
    "cosell_connectors": HOUSE / "connectors/cosell_connectors",
    "cosell_flows": HOUSE / "flows/cosell_flows",
}
# The wings of the fourth room, likewise; `whereabouts`, `overlays` and `project` are modules.
WINGS = (
    "whereabouts",
    "ledger",
    "compiling",
    "syncing",
    "overlays",
    "project",
    "running",
    "operating",
    "on_prefect",
    "serving",
    "cli",
)
# What one wing may not know although it stands to its left.
APART = {"compiling": {"ledger"}}
EMULATORS = HOUSE / "connectors/cosell_emulators"

# Third-party library -> the modules that may import it. A folder stands for all it holds.
# The emulators are a house of their own: of the doors they only share the rule that there are some.
DOORS = {
    "yaml": [
        "definitions/cosell_definitions/composing.py",
        "definitions/cosell_definitions/tokenizing.py",  # what lies below the tree: signs and words
    ],
    "jsonschema": ["definitions/cosell_definitions/ruling.py"],
    "regex": ["definitions/cosell_definitions/matching.py"],
    "ruamel": ["env/cosell_env/editing.py"],
    "httpx": [
        "connectors/cosell_connectors/client.py",
        "connectors/cosell_connectors/breaking.py",
        "connectors/cosell_connectors/transport.py",
        "connectors/cosell_connectors/scripted.py",
        "connectors/cosell_connectors/signing.py",
        "connectors/cosell_connectors/tokens.py",
        "connectors/cosell_emulators/",
        "flows/cosell_flows/on_prefect/",  # what Prefect's client raises
        "flows/cosell_flows/serving/serve.py",  # the same, while Prefect starts and stops
    ],
    "httpx_aiohttp": ["connectors/cosell_connectors/transport.py"],
    "aiohttp": ["connectors/cosell_connectors/transport.py"],
    "certifi": ["connectors/cosell_connectors/hooks.py"],
    "joserfc": ["connectors/cosell_connectors/signing.py"],
    "cryptography": [
        "connectors/cosell_connectors/hooks.py",
        "connectors/cosell_connectors/certificates.py",
        "connectors/cosell_emulators/",
    ],
    "jinja2": ["flows/cosell_flows/compiling/grammar.py"],
    "sqlalchemy": ["flows/cosell_flows/ledger/"],
    "alembic": ["flows/cosell_flows/ledger/"],
    "aiosqlite": ["flows/cosell_flows/ledger/driving.py"],
    "asyncpg": ["flows/cosell_flows/ledger/opening.py"],
    "prefect": ["flows/cosell_flows/on_prefect/"],
    "starlette": ["connectors/cosell_emulators/", "flows/cosell_flows/serving/"],
    "uvicorn": ["connectors/cosell_emulators/serving.py", "flows/cosell_flows/serving/"],
    "click": ["flows/cosell_flows/cli/"],
    "rich": ["flows/cosell_flows/cli/"],
}
LONGEST_MODULE = 400
LONGEST_FUNCTION = 60


@functools.cache
def tree_of(path: Path) -> ast.Module:
    """A module, parsed."""
    return ast.parse(path.read_text(encoding="utf-8"))


def python_of(folder: Path) -> list[Path]:
    """The Python of a folder."""
    return sorted(folder.rglob("*.py"))


def modules() -> list[Path]:
    """All the Python we ship."""
    return [
        path
        for room in ("definitions", "env", "connectors", "flows")
        for path in python_of(HOUSE / room)
    ]


def tracked() -> list[Path]:
    """Every file that belongs to the repository, or is about to."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=HOUSE,
        check=False,
        capture_output=True,
        text=True,
    )
    if listed.returncode != 0:
        pytest.skip("this is no git checkout")
    return [HOUSE / name for name in listed.stdout.split("\0") if name and (HOUSE / name).is_file()]


def named(path: Path) -> str:
    """A file, as people name it."""
    return path.relative_to(HOUSE).as_posix()


@functools.cache
def imports(path: Path) -> tuple[str, ...]:
    """Every module that a file imports, at its top or inside a function, by its whole name."""
    return tuple(_imports(path))


def _imports(path: Path) -> Iterator[str]:
    package = _package(path)
    for node in ast.walk(tree_of(path)):
        match node:
            case ast.Import(names=names):
                yield from (one.name for one in names)
            case ast.ImportFrom(module=module, names=names, level=0):
                yield from (f"{module}.{one.name}" for one in names)
            case ast.ImportFrom(module=module, names=names, level=level):
                base = package[: len(package) - level + 1]
                inner = [module] if module else []
                yield from (".".join([*base, *inner, one.name]) for one in names)


def _package(path: Path) -> list[str]:
    """The package a file belongs to."""
    parts = path.relative_to(HOUSE).parts
    start = next(index for index, part in enumerate(parts) if part.startswith("cosell_"))
    return list(parts[start:-1])


def wing_of(name: str) -> str | None:
    """The wing that a whole module name leads to."""
    parts = name.split(".")
    return parts[1] if parts[0] == "cosell_flows" and len(parts) > 1 else None


def library(name: str) -> str:
    """The library that a whole module name belongs to."""
    return name.split(".", maxsplit=1)[0]


@pytest.mark.parametrize("room", ROOMS)
def test_imports_point_left(room: str) -> None:
    """No room knows the rooms to its right."""
    right = set(list(ROOMS)[list(ROOMS).index(room) + 1 :])

    known = {(named(p), name) for p in python_of(ROOMS[room]) for name in imports(p)}

    assert {(file, name) for file, name in known if library(name) in right} == set()


@pytest.mark.parametrize("wing", WINGS)
def test_wings_point_left(wing: str) -> None:
    """In the fourth room, no wing knows the wings to its right, nor those it is kept apart from."""
    flows = ROOMS["cosell_flows"]
    module = flows / f"{wing}.py"
    files = [module] if module.is_file() else python_of(flows / wing)
    forbidden = {*WINGS[WINGS.index(wing) + 1 :], *APART.get(wing, ())}

    known = {(named(path), name) for path in files for name in imports(path)}

    assert {(file, name) for file, name in known if wing_of(name) in forbidden} == set()


def test_every_wing_has_its_place() -> None:
    """A new wing is put in order before it is built on."""
    flows = ROOMS["cosell_flows"]
    found = {path.stem for path in flows.iterdir() if path.is_dir() and python_of(path)}
    found |= {path.stem for path in flows.glob("*.py")} - {"__init__"}

    assert found - set(WINGS) == set()


def test_only_the_command_line_knows_the_emulators() -> None:
    """What runs in production does not depend on what stands in for it."""
    files = [path for path in modules() if not path.is_relative_to(EMULATORS)]
    knowing = {
        named(path)
        for path in files
        if any(library(name) == "cosell_emulators" for name in imports(path))
    }

    assert {file for file in knowing if "/cli/" not in file} == set()


def test_emulators_share_nothing_with_what_they_test() -> None:
    """A mistake of ours is not made twice, once on each side."""
    ours = {"cosell_definitions", "cosell_env", "cosell_connectors", "cosell_flows"}

    shared = {
        (named(path), name)
        for path in python_of(EMULATORS)
        for name in imports(path)
        if library(name) in ours
    }

    assert shared == set()


@pytest.mark.parametrize("name", DOORS)
def test_one_door_per_library(name: str) -> None:
    """Each library comes in through its door, so that it can be replaced there."""
    users = {
        named(path) for path in modules() if any(library(one) == name for one in imports(path))
    }

    outside = {
        user
        for user in users
        if not any(user == door or user.startswith(_folder(door)) for door in DOORS[name])
    }

    assert outside == set()


def _folder(door: str) -> str:
    """What the files behind a door begin with; a door that is one file has none."""
    return door if door.endswith("/") else "no folder"


def test_every_library_has_a_door() -> None:
    """A library that nobody settled a door for does not slip in."""
    own = {*ROOMS, "cosell_emulators"}
    used = {library(name) for path in modules() for name in imports(path)}

    assert used - own - set(DOORS) - set(sys.stdlib_module_names) == set()


def test_no_room_is_ignored() -> None:
    """GitHub's template for Python ignores `env/`; ours must not."""
    rooms = ["definitions", "env", "connectors", "flows", "tests", "docs"]
    probes = [f"{room}/anything.py" for room in rooms]

    ignored = subprocess.run(
        ["git", "check-ignore", "--no-index", *probes],
        cwd=HOUSE,
        check=False,
        capture_output=True,
        text=True,
    )

    assert ignored.stdout == ""


def test_modules_stay_small() -> None:
    """A module that grows past a few screens holds two ideas."""
    sizes = {named(path): len(path.read_text(encoding="utf-8").splitlines()) for path in modules()}

    assert {file: size for file, size in sizes.items() if size > LONGEST_MODULE} == {}


def test_functions_stay_small() -> None:
    """A function fits on a screen."""
    sizes = {
        f"{named(path)}:{node.lineno} {node.name}": _length(node)
        for path in modules()
        for node in ast.walk(tree_of(path))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    }

    assert {name: size for name, size in sizes.items() if size > LONGEST_FUNCTION} == {}


def _length(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """The lines of a function, without its docstring."""
    length = (node.end_lineno or node.lineno) - node.lineno + 1
    if ast.get_docstring(node) is not None:
        length -= (node.body[0].end_lineno or 0) - node.body[0].lineno + 1
    return length


def test_modules_say_what_they_do() -> None:
    """The first words of every module are for somebody new."""
    silent = [named(path) for path in modules() if not ast.get_docstring(tree_of(path))]

    assert silent == []


def test_no_module_is_a_drawer() -> None:
    """A module is named for what it does or holds, never for having no name."""
    drawers = {"utils", "util", "helpers", "helper", "base", "manager", "common", "core", "misc"}

    assert [named(path) for path in modules() if path.stem in drawers] == []


def test_types_are_ignored_by_name_only() -> None:
    """A `type: ignore` says which complaint it means."""
    bare = re.compile(r"#\s*type:\s*ignore(?!\[)")
    found = []
    for path in modules():
        with path.open("rb") as source:
            found += [
                f"{named(path)}:{token.start[0]}"
                for token in tokenize.tokenize(source.readline)
                if token.type == tokenize.COMMENT and bare.search(token.string)
            ]

    assert found == []


def test_only_the_command_line_prints() -> None:
    """What a person reads comes from one wing."""
    printing = [
        f"{named(path)}:{node.lineno}"
        for path in modules()
        if "/cli/" not in named(path)
        for node in ast.walk(tree_of(path))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id == "print"
    ]

    assert printing == []


# Written in pieces, so that this file does not find itself.
PLACES = {
    "the folder of one machine": re.compile(r"/(?:work/(?:main|shared)|home/\w+/|Users/\w+/)"),
    "an index of packages": re.compile(
        r"--(?:extra-)?index-url[ =]|(?:extra-)?index-url\s*=|--find-links|files\.pythonhosted"
    ),
    "a conflict that was not solved": re.compile(r"^(?:<{7}|>{7}) ", re.MULTILINE),
}


@pytest.mark.parametrize("what", PLACES)
def test_files_are_the_same_everywhere(what: str) -> None:
    """Nothing in the repository names one machine, or where it gets its packages."""
    found = []
    for path in tracked():
        try:
            text = path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue
        found += [
            f"{named(path)}: {match.group()}"
            for match in PLACES[what].finditer(text)
            if path != Path(__file__)
        ]

    assert found == []
