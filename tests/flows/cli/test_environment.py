"""`cosell env` and `cosell connections` say what is wrong, and show what is right all the same."""

from __future__ import annotations

import pytest

from .conftest import Cosell

VARIABLE = "COSELL_SYNC_CO_SELL_ONLY"


def test_one_unfit_value_does_not_hide_the_others(
    cosell: Cosell, monkeypatch: pytest.MonkeyPatch
) -> None:
    """C-19a: a Yes/No takes Yes or No; the rest of the table is shown beside the problem."""
    monkeypatch.setenv(VARIABLE, "maybe")
    told = cosell("--json", "env", "list")
    names = [one["name"] for one in told.json["variables"]]

    assert (told.code, "DEAL_VALUE_FIELD" in names, "SYNC_CO_SELL_ONLY" in names) == (
        1,
        True,
        False,
    )
    assert [(one["code"], one["file"]) for one in told.json["problems"]] == [("V021", VARIABLE)]


def test_an_unfit_value_is_told_with_what_fits(
    cosell: Cosell, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The variable of the process is named, since no file holds the slip."""
    monkeypatch.setenv(VARIABLE, "maybe")

    assert (
        f"{VARIABLE}:1:1: V021 SYNC_CO_SELL_ONLY is 'maybe'; Yes or No is needed"
        in cosell("env", "list").err
    )


def test_a_connection_that_lacks_a_setting_is_incomplete(cosell: Cosell) -> None:
    """Nobody refused anything: nobody was asked."""
    told = cosell("--json", "connections", "test", "partner_center")

    assert (told.code, [one["status"] for one in told.json["connections"]]) == (1, ["incomplete"])


def test_a_missing_secret_names_each_variable_once(cosell: Cosell) -> None:
    """The shipped file reads a secret from the variable that would win anyway."""
    variable = "COSELL_CONNECTION_PARTNER_CENTER_REFRESH_TOKEN"

    assert (
        f"looked for in the environment variable {variable}."
        in cosell("connections", "test", "partner_center").out
    )
