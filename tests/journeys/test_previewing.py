"""Before a value is set, the systems are asked what it would bring into scope."""

from __future__ import annotations

import pytest

from .conftest import Stage
from .test_keeping_in_order import Commands

pytestmark = pytest.mark.journey


async def test_records_that_come_into_scope_are_counted(
    stage: Stage, capsys: pytest.CaptureFixture[str]
) -> None:
    """C-19: how many leads would come in is told before SYNC_CO_SELL_ONLY is set to No."""
    cosell = Commands(stage, capsys)
    stage.emulated.microsoft(
        "create",
        None,
        type="Independent",
        qualification="Direct",
        consent={"consentToShareReferralWithMicrosoftSellers": False},
    )
    stage.emulated.microsoft("create", None, name="A co-sell")
    stage.forget()

    told = await cosell.json("env", "explain", "SYNC_CO_SELL_ONLY", "--as", "No")

    counted = {one["flow"]: one["records"] for one in told["flows"]}
    assert counted["partner-center-to-salesforce"] == {"now": 1, "then": 2}
    assert stage.emulated.writes("salesforce") == []


async def test_a_value_of_the_wrong_type_is_refused(
    stage: Stage, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nothing is asked of anybody for a value that could not be set."""
    code, _ = await Commands(stage, capsys)(
        "env", "explain", "SYNC_CO_SELL_ONLY", "--as", "perhaps"
    )

    assert code == 2
