"""What was parsed once is not parsed again while its bytes are the same."""

from __future__ import annotations

from cosell_definitions.parsing import load_flow
from cosell_definitions.remembering import Remembered

FLOW = "flow: v1\nid: greet\nname: Greet\nsteps:\n  - id: say\n    set: { words: hello }\n"


def test_the_same_bytes_are_parsed_once() -> None:
    """Of a file that was read before, the same flow is given, not an equal one."""
    first, _ = load_flow(FLOW, file="definitions/a/greet.flow.yaml")
    second, _ = load_flow(FLOW.encode(), file="definitions/a/greet.flow.yaml")
    assert first is second is not None


def test_another_letter_is_another_flow() -> None:
    """A file that changed by one letter is parsed anew."""
    load_flow(FLOW, file="definitions/a/greet.flow.yaml")
    changed, _ = load_flow(FLOW.replace("hello", "hallo"), file="definitions/a/greet.flow.yaml")
    assert changed is not None
    assert "hallo" in str(changed.steps)


def test_places_are_those_of_the_own_file() -> None:
    """Two files of the same bytes have each their own places."""
    load_flow(FLOW, file="definitions/a/greet.flow.yaml")
    other, _ = load_flow(FLOW, file="definitions/b/greet.flow.yaml")
    assert other is not None
    assert other.place.file == "definitions/b/greet.flow.yaml"


def test_a_draft_is_no_flow() -> None:
    """A faulty flow that was read as a draft is still refused when it is to be run."""
    faulty = FLOW + "nonsense: 1\n"
    load_flow(faulty, file="definitions/a/greet.flow.yaml", draft=True)
    assert load_flow(faulty, file="definitions/a/greet.flow.yaml")[0] is None


def test_what_is_kept_is_bounded() -> None:
    """The oldest is forgotten when there is no room."""
    kept, made = Remembered(room=10), []
    for text in ("12345", "67890", "abcde", "12345"):
        kept.made_of(text, "", lambda text=text: made.append(text))
    assert made == ["12345", "67890", "abcde", "12345"]


def test_what_is_larger_than_the_room_is_not_kept() -> None:
    """One huge file does not push out everything else."""
    kept, made = Remembered(room=10), []
    for text in ("12345", "x" * 11, "12345"):
        kept.made_of(text, "", lambda text=text: made.append(text))
    assert made == ["12345", "x" * 11]
