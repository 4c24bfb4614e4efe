"""`cosell show`: the picture as SVG, and what a flow depends on."""

from __future__ import annotations

from .conftest import Cosell


def test_a_flow_can_be_looked_at(cosell: Cosell) -> None:
    """The picture begins with what the flow is for, who calls it, and what it takes."""
    said = cosell("show", "create-referral", "--graph", "svg")

    assert said.code == 0
    assert said.out.startswith("<svg ")
    assert "called by salesforce-to-partner-center, opportunity-to-partner-center" in said.out
    assert "takes opportunity_id: string, required - Opportunity" in said.out


def test_what_a_flow_depends_on_is_told(cosell: Cosell) -> None:
    """Through its mappings and the flows it calls, too."""
    uses = cosell("--json", "show", "leads-to-partner-center").json["uses"]

    assert uses["connections"] == ["partner_center", "salesforce"]
    assert uses["mappings"] == ["referral-lead", "referral-opportunity"]
    assert {"REFERRAL_ID_FIELD", "AUDIT_FIELD"} <= set(uses["variables"])
    assert (
        "  connections: partner_center, salesforce" in cosell("show", "leads-to-partner-center").out
    )
