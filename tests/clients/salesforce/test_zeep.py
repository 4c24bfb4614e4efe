"""zeep with Salesforce's own WSDLs: every message must fit the schema, both ways."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

pytestmark = [pytest.mark.journey, pytest.mark.xdist_group("salesforce-clients"), pytest.mark.long]

PARTNER = "{urn:partner.soap.sforce.com}"
OBJECTS = "{urn:sobject.partner.soap.sforce.com}"
METADATA = "{http://soap.sforce.com/2006/04/metadata}"
CONVERSION = {
    "convertedStatus": "Closed - Converted",
    "doNotCreateOpportunity": False,
    "overwriteLeadSource": False,
    "sendNotificationEmail": False,
}


class Soap:
    """A WSDL's client, pointed at the emulator."""

    def __init__(self, wsdl: Path, org: Any, kind: str, binding: str) -> None:
        import zeep

        self.client = zeep.Client(str(wsdl), settings=zeep.Settings(strict=True))
        self.kind, self.binding = kind, binding
        self.org = org

    def call(self, operation: str, *args: Any, token: str | None = None, **headers: Any) -> Any:
        """Call an operation; further names are headers."""
        address = f"{self.org.url}/services/Soap/{self.kind}/68.0"
        service = self.client.create_service(self.binding, address)
        session = {"sessionId": self.org.token() if token is None else token}
        if operation != "login":
            headers["SessionHeader"] = session
        answer = getattr(service, operation)(*args, _soapheaders=headers)
        # Where the schema knows headers of an answer, the answer is its body.
        return answer["body"]["result"] if self.kind == "u" else answer


@pytest.fixture(scope="session")
def partner_client(python_clients: Path, wsdl: Path, served: Any) -> Soap:
    """Read the Partner WSDL once: it is large."""
    return Soap(wsdl / "soap/wsdl.xml", served, "u", "{urn:partner.soap.sforce.com}SoapBinding")


@pytest.fixture(scope="session")
def metadata_client(python_clients: Path, wsdl: Path, served: Any) -> Soap:
    """Read the Metadata WSDL once."""
    return Soap(wsdl / "metadata/wsdl.xml", served, "m", f"{METADATA}MetadataBinding")


@pytest.fixture
def soap(partner_client: Soap, org: Any) -> Soap:
    """Give the Partner API of an org that nobody has touched yet."""
    return partner_client


@pytest.fixture
def setup(metadata_client: Soap, org: Any) -> Soap:
    """Give the Metadata API of an org that nobody has touched yet."""
    return metadata_client


def row(soap: Soap, kind: str, **fields: Any) -> Any:
    """Make an sObject of the Partner API, whose fields are loose elements."""
    from lxml import etree
    from zeep import xsd

    elements = []
    for name, value in fields.items():
        if name in ("Id", "fieldsToNull"):
            continue
        element = etree.Element(f"{OBJECTS}{name}")
        element.text = str(value)
        elements.append(element)
    given = {name: fields[name] for name in ("Id", "fieldsToNull") if name in fields}
    made = soap.client.get_type(f"{OBJECTS}sObject")(type=kind, **given)
    made["_value_1"] = [xsd.AnyObject(xsd.AnyType(), value) for value in ()] + elements
    return made


def lead_id(org: Any, where: str = "Owner.Type = 'User'") -> str:
    """Find a lead of the demo."""
    return str(org.query(f"SELECT Id FROM Lead WHERE {where} ORDER BY Id LIMIT 1")[0]["Id"])


def test_a_conversion(soap, org):
    """A lead becomes an account, a contact and a deal, and the answer fits the schema."""
    key = lead_id(org)
    done = soap.call("convertLead", [{"leadId": key, **CONVERSION}])[0]
    lead = org.query(
        f"SELECT IsConverted, ConvertedContactId, Status FROM Lead WHERE Id = '{key}'"
    )[0]

    assert (done["success"], done["leadId"]) == (True, key)
    assert lead["ConvertedContactId"] == done["contactId"]
    assert (lead["IsConverted"], lead["Status"]) == (True, "Closed - Converted")


def test_a_conversion_into_what_is_there(soap, org):
    """An account and a contact that are there are filled, not overwritten; no deal is made."""
    account = org.query("SELECT Id, Phone FROM Account WHERE Name LIKE 'Aarhus%'")[0]
    deals = len(org.query("SELECT Id FROM Opportunity"))
    wish = {**CONVERSION, "doNotCreateOpportunity": True, "accountId": account["Id"]}
    done = soap.call("convertLead", [{"leadId": lead_id(org), **wish}])[0]
    after = org.query(f"SELECT Phone FROM Account WHERE Id = '{account['Id']}'")[0]

    assert (done["accountId"], done["opportunityId"]) == (account["Id"], None)
    assert after["Phone"] == account["Phone"]
    assert len(org.query("SELECT Id FROM Opportunity")) == deals


def test_a_lead_of_a_queue_needs_an_owner(soap, org):
    """A lead that a queue owns is converted only for somebody named."""
    key = lead_id(org, "Owner.Type = 'Queue'")
    seller = org.query("SELECT Id FROM User WHERE Alias = 'slindh'")[0]["Id"]
    refused = soap.call("convertLead", [{"leadId": key, **CONVERSION}])[0]
    done = soap.call("convertLead", [{"leadId": key, "ownerId": seller, **CONVERSION}])[0]
    deal = org.query(f"SELECT OwnerId FROM Opportunity WHERE Id = '{done['opportunityId']}'")[0]

    assert (refused["success"], refused["errors"][0]["statusCode"]) == (False, "UNKNOWN_EXCEPTION")
    assert (done["success"], deal["OwnerId"]) == (True, seller)


def test_wrong_conversions(soap, org):
    """A status that is not for converted leads, a contact without its account, a second time."""
    key = lead_id(org)
    contact = org.query("SELECT Id FROM Contact LIMIT 1")[0]["Id"]
    status = soap.call(
        "convertLead", [{"leadId": key, **CONVERSION, "convertedStatus": "Working - Contacted"}]
    )[0]
    alone = soap.call("convertLead", [{"leadId": key, "contactId": contact, **CONVERSION}])[0]
    soap.call("convertLead", [{"leadId": key, **CONVERSION}])
    again = soap.call("convertLead", [{"leadId": key, **CONVERSION}])[0]

    assert status["errors"][0]["statusCode"] == "INVALID_STATUS"
    assert alone["errors"][0]["statusCode"] == "INVALID_ID_FIELD"
    assert again["success"] is False


def test_several_at_once(soap, org):
    """Of several leads in one call each has its own result, in order."""
    keys = [row["Id"] for row in org.query("SELECT Id FROM Lead WHERE Owner.Type = 'User'")]
    wishes = [{"leadId": key, **CONVERSION} for key in (keys[0], "00Q000000000000AAA", keys[1])]
    done = soap.call("convertLead", wishes)

    assert [one["success"] for one in done] == [True, False, True]
    assert [done[0]["leadId"], done[2]["leadId"]] == keys[:2]


def test_a_new_owner_is_told_when_asked(soap, org):
    """Only with triggerUserEmail does the new owner get a mail."""
    key = lead_id(org)
    sellers = org.query("SELECT Id, Email FROM User WHERE Alias IN ('slindh', 'therre')")
    for seller, told in zip(sellers, (False, True), strict=True):
        header = {
            "triggerAutoResponseEmail": False,
            "triggerOtherEmail": False,
            "triggerUserEmail": told,
        }
        done = soap.call(
            "update", [row(soap, "Lead", Id=key, OwnerId=seller["Id"])], EmailHeader=header
        )
        assert done[0]["success"] is True
    mails = org.look("mails")

    assert [(mail["to"], mail["kind"], mail["id"]) for mail in mails] == [
        (sellers[1]["Email"], "owner", key)
    ]


def test_rows_by_soap(soap, org):
    """create, update with a field to empty, and delete answer what the schema says."""
    made = soap.call(
        "create", [row(soap, "Account", Name="By SOAP", Phone="1"), row(soap, "Account")]
    )
    key = made[0]["id"]
    changed = soap.call("update", [row(soap, "Account", Id=key, fieldsToNull=["Phone"])])
    after = org.query(f"SELECT Name, Phone FROM Account WHERE Id = '{key}'")[0]
    gone = soap.call("delete", [key])

    assert (made[0]["success"], made[1]["success"]) == (True, False)
    assert made[1]["errors"][0]["statusCode"] == "REQUIRED_FIELD_MISSING"
    assert made[1]["errors"][0]["fields"] == ["Name"]
    assert changed[0]["success"] is True
    assert (after["Name"], after["Phone"]) == ("By SOAP", None)
    assert gone[0]["success"] is True


def test_assignment_rules_only_when_asked(soap, org):
    """SOAP runs the assignment rule for a lead when a header says so, and not otherwise."""
    queue = org.query("SELECT Id FROM Group WHERE DeveloperName = 'Nordic_Leads'")[0]["Id"]
    org.control("org", assignment_entries=[{"fits": {"Country": "DK"}, "owner": queue}])
    lead = {"LastName": "L", "Company": "C", "Country": "DK"}
    plain = soap.call("create", [row(soap, "Lead", **lead)])
    ruled = soap.call(
        "create", [row(soap, "Lead", **lead)], AssignmentRuleHeader={"useDefaultRule": True}
    )
    owners = [
        org.query(f"SELECT OwnerId FROM Lead WHERE Id = '{one[0]['id']}'")[0]["OwnerId"]
        for one in (plain, ruled)
    ]

    assert (owners[0][:3], owners[1]) == ("005", queue)


def test_who_am_i(soap, org):
    """The user and the time of the org are told."""
    info = soap.call("getUserInfo")
    now = soap.call("getServerTimestamp")

    assert (info["userName"], info["organizationMultiCurrency"]) == (org.ready["username"], True)
    assert now["timestamp"].year >= 2026


def test_a_stranger(soap):
    """A session there is not is a fault with the code of an invalid session."""
    import zeep.exceptions

    with pytest.raises(zeep.exceptions.Fault) as fault:
        soap.call("getUserInfo", token="00Dxx!nobody")

    assert fault.value.code == "sf:INVALID_SESSION_ID"


def test_login_by_soap_is_over(soap):
    """The old SOAP login is off, as it is in new orgs."""
    import zeep.exceptions

    with pytest.raises(zeep.exceptions.Fault) as fault:
        soap.call("login", "integration@cosell.example.com", "sandbox")

    assert fault.value.code == "sf:INVALID_OPERATION"


def test_metadata_of_a_field(setup, org):
    """A field is made, read and deleted; every answer fits the schema of the Metadata API."""
    field = setup.client.get_type(f"{METADATA}CustomField")(
        fullName="Opportunity.Depth__c", label="Depth", type="Number", precision=6, scale=2
    )
    made = setup.call("createMetadata", [field])
    again = setup.call("createMetadata", [field])
    read = setup.call("readMetadata", "CustomField", ["Opportunity.Depth__c"])
    gone = setup.call("deleteMetadata", "CustomField", ["Opportunity.Depth__c"])

    assert (made[0]["success"], made[0]["fullName"]) == (True, "Opportunity.Depth__c")
    assert again[0]["errors"][0]["statusCode"] == "DUPLICATE_DEVELOPER_NAME"
    assert (read[0]["type"], read[0]["precision"], read[0]["scale"]) == ("Number", 6, 2)
    assert gone[0]["success"] is True


def test_metadata_of_the_shipped_objects(setup, org):
    """What the org was born with is described so that it fits the schema."""
    read = setup.call("readMetadata", "CustomObject", ["Microsoft_Solution__c"])[0]
    fields = {field["fullName"]: field["type"] for field in read["fields"]}
    layout = setup.call("readMetadata", "Layout", ["Opportunity-Opportunity Layout"])[0]

    assert (read["label"], read["sharingModel"]) == ("Microsoft Solution", "ControlledByParent")
    assert fields["Opportunity__c"] == "MasterDetail"
    assert layout["relatedLists"][0]["relatedList"] == "RelatedContactRoleList"


def test_metadata_of_settings(setup, org):
    """Teams are switched off and on by a settings document."""
    settings = setup.client.get_type(f"{METADATA}OpportunitySettings")

    def teams(on: bool) -> bool:
        setup.call("updateMetadata", [settings(fullName="Opportunity", enableOpportunityTeam=on)])
        read = setup.call("readMetadata", "OpportunitySettings", ["Opportunity"])[0]
        names = org.query(
            "SELECT QualifiedApiName FROM EntityDefinition "
            "WHERE QualifiedApiName = 'OpportunityTeamMember'"
        )
        assert read["enableOpportunityTeam"] is on
        return bool(names)

    assert [teams(False), teams(True)] == [False, True]


def test_lists_and_descriptions_of_metadata(setup, org):
    """What kinds there are, and what there is of a kind, comes as the schema says."""
    kinds = setup.call("describeMetadata", 68.0)
    listed = setup.call("listMetadata", [{"type": "CustomField"}], 68.0)
    objects = {one["xmlName"] for one in kinds["metadataObjects"]}

    assert {"CustomObject", "Layout", "Profile", "PermissionSet"} <= objects
    assert "Opportunity.Audit__c" in {one["fullName"] for one in listed}
