"""What is missing in an org or on the other side is found, worded, and told with what to do."""

from __future__ import annotations

import io
import zipfile
from dataclasses import replace
from typing import Any
from xml.etree import ElementTree

import pytest

from cosell_definitions.parsing import load_variables
from cosell_flows.operating.comparing import OrgFacts, Step, steps
from cosell_flows.operating.health import Check
from cosell_flows.operating.packaging import package, with_related_list
from cosell_flows.operating.partner_center_checks import of_referrals, of_registration
from cosell_flows.operating.rights import missing
from cosell_flows.operating.salesforce_checks import OrgReport, of_org
from cosell_flows.operating.wanted import Wanted, wanted
from cosell_flows.project import shipped

FILE = "env/cosell/variables.yaml"
OURS = "https://sync.example.com/webhooks/partner-center"
ALL = [
    "referral-created",
    "referral-updated",
    "related-referral-created",
    "related-referral-updated",
]


def shipped_wish(**values: str) -> Wanted:
    """What the shipped variables want, with some of them set otherwise."""
    found, _ = load_variables((shipped() / FILE).read_bytes(), file=FILE)
    assert found is not None
    return wanted(found, {one.name: values.get(one.name, one.default) for one in found})


def described(*fields: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"fields": list(fields), "createable": True, "updateable": True, **more}


def whole_org(wish: Wanted) -> dict[str, Any]:
    """An org that has everything, as its describes tell."""
    types = {"checkbox": "boolean", "long_text": "textarea", "master_detail": "reference"}
    org: dict[str, Any] = {"OpportunityTeamMember": described(), "ContentNote": described()}
    for one in wish.every_field:
        kind = one.shape.kind if one.shape else "text"
        org.setdefault(one.object, described())["fields"].append(
            {
                "name": one.name,
                "type": types.get(kind, "string" if kind == "text" else kind),
                "length": (one.shape.length if one.shape else None) or 255,
                "externalId": bool(one.shape and one.shape.external_id),
                "picklistValues": [
                    {"value": value, "active": True}
                    for value in (one.shape.values if one.shape else ())
                ],
            }
        )
    return org


def found(org: dict[str, Any], wish: Wanted, **facts: Any) -> list[Step]:
    return steps(wish, OrgFacts(describes=org, **facts))


def without(org: dict[str, Any], owner: str, name: str) -> dict[str, Any]:
    kept = [one for one in org[owner]["fields"] if one["name"] != name]
    return {**org, owner: {**org[owner], "fields": kept}}


def test_a_whole_org_needs_nothing() -> None:
    """Nothing is to be done where everything is there."""
    wish = shipped_wish()

    assert found(whole_org(wish), wish) == []


def test_a_missing_field_is_made_and_permitted() -> None:
    """A field that was just made is seen by nobody, so the permission comes with it."""
    wish = shipped_wish()

    todo = found(without(whole_org(wish), "Opportunity", "Audit__c"), wish, assigned=False)

    assert [one.id for one in todo] == ["field:Opportunity.Audit__c", "permission", "assignment"]


def test_names_of_fields_are_the_customers() -> None:
    """A variable that names another field asks for that one."""
    wish = shipped_wish(AUDIT_FIELD="Sync_Log__c")

    todo = found(whole_org(shipped_wish()), wish)

    assert "field:Opportunity.Sync_Log__c" in [one.id for one in todo]


def test_a_standard_field_that_is_not_there_is_for_a_person() -> None:
    """What cosell cannot make is told, with the name that was probably meant."""
    wish = shipped_wish(DEAL_VALUE_FIELD="Amuont")

    (todo,) = found(whole_org(shipped_wish()), wish)

    assert (todo.making, "did you mean Amount?" in todo.hint) == ("by_hand", True)


def test_a_field_that_is_hidden_is_not_made_again() -> None:
    """A field the user may not see needs a permission, not a twin."""
    wish = shipped_wish()
    org = without(whole_org(wish), "Opportunity", "Audit__c")

    todo = found(org, wish, hidden=frozenset({"Opportunity.Audit__c"}), assigned=False)

    assert [one.making for one in todo] == ["permission", "assignment"]


@pytest.mark.parametrize(
    ("change", "step"),
    [
        ({"type": "double"}, "type:Opportunity.Referral_Identifier__c"),
        ({"externalId": False}, "external_id:Opportunity.Referral_Identifier__c"),
        ({"length": 20}, "length:Opportunity.Referral_Identifier__c"),
    ],
)
def test_a_field_of_another_make_is_for_a_person(change: dict[str, Any], step: str) -> None:
    """A field that is there, but not as it must be, is told with the page where it is changed."""
    wish = shipped_wish()
    org = whole_org(wish)
    for one in org["Opportunity"]["fields"]:
        if one["name"] == "Referral_Identifier__c":
            one.update(change)

    (todo,) = found(org, wish)

    assert (todo.id, todo.making, "Object Manager" in todo.hint) == (step, "by_hand", True)


def test_missing_values_of_a_picklist_are_named() -> None:
    """An org whose picklist lacks a kind of help is told which."""
    wish = shipped_wish()
    org = whole_org(wish)
    for one in org["Opportunity"]["fields"]:
        if one["name"] == "How_can_Microsoft_help__c":
            one["picklistValues"].pop()

    (todo,) = found(org, wish)

    assert "General or Other" in todo.message


def unzipped(content: bytes | None) -> dict[str, ElementTree.Element]:
    assert content is not None
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return {name: ElementTree.fromstring(archive.read(name)) for name in archive.namelist()}


def test_the_package_holds_what_is_missing_and_no_more() -> None:
    """Only what the org lacks is deployed; its own fields are not touched."""
    wish = shipped_wish()
    todo = found(without(whole_org(wish), "Opportunity", "Audit__c"), wish)

    files = unzipped(package(todo, wish, version="68.0"))

    assert set(files) == {
        "package.xml",
        "objects/Opportunity.object",
        "permissionsets/Cosell_Sync.permissionset",
    }
    assert [
        one.text for one in files["objects/Opportunity.object"].iter() if one.text == "Audit__c"
    ]


def test_nothing_to_deploy_makes_no_package() -> None:
    """Where only layouts are to be changed, nothing is deployed."""
    wish = shipped_wish()
    todo = found(whole_org(wish), wish, layouts={"Opportunity Layout": ()})

    assert ([one.making for one in todo], package(todo, wish, version="68.0")) == (
        ["related_list"],
        None,
    )


def test_a_layout_keeps_what_it_has() -> None:
    """The related list is added at the end; nothing of the layout goes."""
    (one,) = shipped_wish().objects
    before = {"relatedLists": [{"relatedList": "RelatedNoteList"}], "headers": ["x"]}

    after = with_related_list(before, one, "Microsoft_Solution__c.Opportunity__c")

    assert (after["headers"], [each["relatedList"] for each in after["relatedLists"]]) == (
        ["x"],
        ["RelatedNoteList", "Microsoft_Solution__c.Opportunity__c"],
    )


def only(checks: Any, name: str) -> Check:
    return next(one for one in checks if one.id == name)


@pytest.mark.parametrize(
    ("registration", "ours", "status", "told"),
    [
        (None, None, "failed", "nobody is registered"),
        ({"WebhookUrl": OURS, "WebhookEvents": ALL}, OURS, "ok", "all four events"),
        ({"webhookUrl": OURS, "webhookEvents": ALL}, OURS, "ok", "all four events"),
        ({"WebhookUrl": OURS, "WebhookEvents": ALL[:2]}, OURS, "failed", "related-referral"),
        ({"WebhookUrl": "https://x.example/", "WebhookEvents": ALL}, OURS, "failed", "took"),
        ({"WebhookUrl": "https://x.example/", "WebhookEvents": ALL}, None, "warning", "itself"),
    ],
)
def test_the_registration_is_watched(
    registration: Any, ours: str | None, status: str, told: str
) -> None:
    """C-6: a registrant that took the webhook over is noticed; so is one that lacks events."""
    check = only(of_registration(registration, ours=ours), "webhook")

    assert (check.status, told in check.message) == (status, True)


def test_prerequisites_show_in_referrals() -> None:
    """C-1: a partner id and a solution, as far as referrals tell of them."""
    referral = {"mpnId": "123", "details": {"requirements": {"solutions": [{"id": "SOL-1"}]}}}

    assert {one.status for one in of_referrals([referral])} == {"ok"}


def test_prerequisites_that_do_not_show_are_for_a_person() -> None:
    """C-1: what no API tells is told with the page where it stands."""
    checks = list(of_referrals([]))

    assert only(checks, "partner_center.solutions").status == "warning"
    assert "https://partner.microsoft.com" in str(only(checks, "partner_center.solutions").hint)


def test_missing_rights_are_named() -> None:
    """What the user may not do is said, object by object."""
    rights = {"Opportunity": {"read", "update"}, "Account": {"create"}, "Gone__c": {"read"}}
    describes = {
        "Opportunity": {"queryable": True, "updateable": False},
        "Account": {"createable": True},
    }

    assert missing(rights, describes) == [
        "may not see Gone__c, or there is no such object",
        "may not update Opportunity records",
    ]


def report(**more: Any) -> OrgReport:
    wish = shipped_wish()
    org = whole_org(wish)
    stages = ["Prospecting", "Qualification", "Closed Won", "Closed Lost"]
    org["Opportunity"]["fields"].append(
        {"name": "StageName", "type": "picklist", "picklistValues": [{"value": s} for s in stages]}
    )
    usual: dict[str, Any] = {
        "wanted": wish,
        "facts": OrgFacts(describes=org),
        "rights": {},
        "values": {
            "ON_HOLD_STAGE": "Prospecting",
            "ACTIVE_STAGE": "Qualification",
            "DEAL_CURRENCY_FIELD": "CurrencyIsoCode",
            "COUNTRY_CODE_FIELD": "BillingCountry",
        },
        "customizes": True,
        "currencies": ("EUR", "USD"),
        "countries": ("DK", "it"),
        "calls": (90, 100),
        "describes": org,
    }
    return OrgReport(**{**usual, **more})


def test_a_ready_org_is_ready() -> None:
    """Every check of an org that lacks nothing is ok."""
    assert {one.status for one in of_org(report())} == {"ok"}


@pytest.mark.parametrize(
    ("facts", "status"),
    [
        ({"calculated": True, "updateable": False}, "ok"),
        ({"calculated": False, "updateable": False}, "warning"),
    ],
)
def test_a_deal_value_that_cannot_be_written_is_told(facts: dict[str, Any], status: str) -> None:
    """One that computes itself is left alone by the sync; one that nobody may write is a fault."""
    org = report()
    net = {"name": "Net__c", "type": "currency", **facts}
    described = {"Opportunity": {"fields": [net]}}
    values = {**org.values, "DEAL_VALUE_FIELD": "Net__c"}

    told = of_org(replace(org, describes={**org.describes, **described}, values=values))

    assert [one.status for one in told if one.id == "salesforce.deal_value"] == [status]


@pytest.mark.parametrize(
    ("more", "name", "status"),
    [
        ({"currencies": None}, "salesforce.currencies", "failed"),
        ({"countries": ("Denmark", "")}, "salesforce.countries", "warning"),
        ({"calls": (10, 100)}, "salesforce.calls", "warning"),
        ({"customizes": False}, "salesforce.customizer", "warning"),
        ({"rights": {"Lead": {"create"}}, "describes": {}}, "salesforce.rights", "failed"),
    ],
)
def test_what_is_odd_in_an_org_is_told(more: dict[str, Any], name: str, status: str) -> None:
    """Currencies, countries, calls and rights: each with its own check and a cure."""
    check = only(of_org(report(**more)), name)

    assert (check.status, bool(check.hint)) == (status, True)


def test_a_stage_that_is_not_there_is_told() -> None:
    """A stage that the org does not have is named, with the one that was probably meant."""
    values = {**report().values, "ACTIVE_STAGE": "Qualificaton"}

    check = only(of_org(report(values=values)), "salesforce.stage:ACTIVE_STAGE")

    assert (check.status, "Qualification" in str(check.hint)) == ("failed", True)
