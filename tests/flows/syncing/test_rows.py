"""Lists on both sides: what came or went on one reaches the other."""

from __future__ import annotations

from cosell_flows.syncing.rows import plan_rows


def test_with_a_base_for_each_side_what_differed_before_stays() -> None:
    """Nobody came or went since: nothing is to be done, though the lists are not the same."""
    planned = plan_rows(["a@x", "b@x"], ["c@x"], {"left": ["A@x", "b@x"], "right": ["c@x"]})

    assert (planned["add_left"], planned["remove_left"]) == ([], [])
    assert (planned["add_right"], planned["remove_right"]) == ([], [])


def test_with_a_base_for_each_side_who_came_and_went_travels() -> None:
    """Each side gives on its own news, and nothing else."""
    planned = plan_rows(
        ["a@x", "new@x"], ["c@x", "b@x"], {"left": ["a@x", "b@x"], "right": ["a@x", "b@x"]}
    )

    assert (planned["add_left"], planned["remove_left"]) == (["c@x"], ["a@x"])
    assert (planned["add_right"], planned["remove_right"]) == (["new@x"], ["b@x"])


def test_who_was_added_on_one_side_stays_though_the_other_took_them_off() -> None:
    """An addition wins over a removal."""
    planned = plan_rows(["a@x"], ["b@x"], {"left": [], "right": ["a@x"]})

    assert (planned["remove_left"], planned["add_right"]) == ([], ["a@x"])
