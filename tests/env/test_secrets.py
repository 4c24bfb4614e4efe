"""A value that can be used but not seen."""

from __future__ import annotations

import copy
import json
import logging
import pickle
from collections.abc import Callable
from typing import Any

import pytest

from cosell_env.secrets import Secret

SECRET = Secret("hunter2")


@pytest.mark.parametrize(
    "show",
    [
        str,
        repr,
        lambda it: f"{it}",
        lambda it: f"{it!r:>20}",
        lambda it: "%s" % it,  # noqa: UP031 - the old way must not show it either
        "{}".format,
        lambda it: str([it]),
        lambda it: str({"secret": it}),
        lambda it: repr(ValueError(it)),
        lambda it: logging.LogRecord("n", 10, "p", 1, "%s", (it,), None).getMessage(),
    ],
)
def test_a_secret_is_never_printed(show: Callable[[Secret], str]) -> None:
    """Whatever makes text of it shows the same three dots."""
    assert "hunter2" not in show(SECRET)


@pytest.mark.parametrize("leave", [json.dumps, pickle.dumps, copy.copy, copy.deepcopy])
def test_a_secret_does_not_leave(leave: Callable[[Any], Any]) -> None:
    """It is not written into JSON, pickled or copied out."""
    with pytest.raises(TypeError):
        leave(SECRET)


@pytest.mark.parametrize("look", [vars, dict, list, bytes, hash])
def test_a_secret_has_nothing_to_look_into(look: Callable[[Any], Any]) -> None:
    """There is no dictionary, no elements, no hash to learn from."""
    with pytest.raises(TypeError):
        look(SECRET)


def test_a_secret_can_be_used() -> None:
    """Whoever signs a request reveals it, on purpose."""
    assert SECRET.reveal() == "hunter2"


def test_secrets_can_be_compared() -> None:
    """A rotated token is told from the one before."""
    assert (Secret("a") == Secret("a"), Secret("a") == Secret("b"), Secret("a") == "a") == (
        True,
        False,
        False,
    )
