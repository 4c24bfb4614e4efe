"""Setting an org up: custom objects and fields, who may see them, layouts and switches."""

import re

import pytest

METADATA = "/services/Soap/m/68.0"
ROOM = """
<metadata xsi:type="CustomObject">
  <fullName>Deal_Room__c</fullName><label>Deal Room</label><pluralLabel>Deal Rooms</pluralLabel>
  <nameField><type>AutoNumber</type><label>Number</label><displayFormat>R-{0000}</displayFormat>
  </nameField>
  <deploymentStatus>Deployed</deploymentStatus><sharingModel>ControlledByParent</sharingModel>
  <fields><fullName>Opportunity__c</fullName><label>Opportunity</label><type>MasterDetail</type>
    <referenceTo>Opportunity</referenceTo><relationshipName>Deal_Rooms</relationshipName></fields>
  <fields><fullName>Topic__c</fullName><label>Topic</label><type>Text</type><length>9</length>
  </fields>
</metadata>
"""


def soap(org, operation, inner, *, token=None):
    """Call the Metadata API."""
    token = token or org.http.headers["Authorization"].partition(" ")[2]
    body = (
        '<soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/" '
        'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"><soapenv:Header>'
        f'<SessionHeader xmlns="http://soap.sforce.com/2006/04/metadata"><sessionId>{token}'
        "</sessionId></SessionHeader></soapenv:Header><soapenv:Body>"
        f'<{operation} xmlns="http://soap.sforce.com/2006/04/metadata">{inner}</{operation}>'
        "</soapenv:Body></soapenv:Envelope>"
    )
    headers = {"Content-Type": "text/xml", "SOAPAction": '""'}
    return org.http.post(METADATA, content=body, headers=headers).text


def make_field(org, name="Opportunity.Score__c", **said):
    usual = {"label": "Score", "type": "Number", "precision": 5, "scale": 1}
    body = {"FullName": name, "Metadata": said or usual}
    return org.call("POST", "/tooling/sobjects/CustomField", body)


def profile_set(org):
    rows = org.query("SELECT Id FROM PermissionSet WHERE Profile.Name = 'System Administrator'")
    return rows[0]["Id"]


def permit(org, field="Opportunity.Score__c", *, edit=True):
    org.create(
        "FieldPermissions",
        ParentId=profile_set(org),
        SobjectType=field.partition(".")[0],
        Field=field,
        PermissionsRead=True,
        PermissionsEdit=edit,
    )


def described(org, kind="Opportunity"):
    fields = org.call("GET", f"/sobjects/{kind}/describe").json()["fields"]
    return {field["name"]: field for field in fields}


def test_a_new_field_answers_its_id(org):
    """Tooling answers a create as it answers no other: with warnings and infos."""
    reply = make_field(org)

    assert (reply.status_code, sorted(reply.json())) == (
        201,
        ["errors", "id", "infos", "success", "warnings"],
    )


def test_a_new_field_is_seen_by_nobody(org):
    """Who made a field is not therefore allowed to see it."""
    make_field(org)

    assert (
        org.refused("SELECT Score__c FROM Opportunity"),
        "Score__c" in described(org),
        org.code(org.call("POST", "/sobjects/Opportunity", {"Score__c": 1})),
    ) == ((400, "INVALID_FIELD"), False, (400, "INVALID_FIELD"))


def test_a_permitted_field_can_be_used(org):
    """With a permission on the profile the field is there, typed as it was made."""
    make_field(org)
    permit(org)

    deal = org.deal(Score__c="1234.56")

    assert org.read("Opportunity", deal)["Score__c"] == 1234.6


def test_a_field_may_be_read_only(org):
    """Reading alone does not make a field writable."""
    make_field(org)
    permit(org, edit=False)
    reply = org.call("POST", "/sobjects/Opportunity", {"Name": "x", "Score__c": 1})

    assert (org.code(reply), described(org)["Score__c"]["updateable"]) == (
        (400, "INVALID_FIELD_FOR_INSERT_UPDATE"),
        False,
    )


def test_a_permission_set_must_be_assigned(org):
    """A permission set lets nobody in until somebody has it."""
    make_field(org)
    parent = org.create("PermissionSet", Name="Sync", Label="Sync")
    org.create(
        "FieldPermissions",
        ParentId=parent,
        SobjectType="Opportunity",
        Field="Opportunity.Score__c",
        PermissionsRead=True,
    )
    before = "Score__c" in described(org)
    me = org.emulator.org.admin_id
    org.create("PermissionSetAssignment", PermissionSetId=parent, AssigneeId=me)

    assert (before, "Score__c" in described(org)) == (False, True)


def test_a_permission_is_for_its_profile_only(demo):
    """What the administrator may see, a seller may not."""
    make_field(demo)
    permit(demo)
    demo.log_in("sara.seller@cosell.example.com")

    assert "Score__c" not in described(demo)


def test_edit_needs_read(org):
    """Nobody edits what they may not read."""
    make_field(org)
    body = {
        "ParentId": profile_set(org),
        "SobjectType": "Opportunity",
        "Field": "Opportunity.Score__c",
        "PermissionsEdit": True,
    }

    reply = org.call("POST", "/sobjects/FieldPermissions", body)

    assert org.code(reply) == (400, "FIELD_INTEGRITY_EXCEPTION")


def test_a_required_field_is_seen_by_all(org):
    """A field without which no row can be saved cannot be hidden."""
    said = {"label": "Region", "type": "Text", "length": 20, "required": True}
    make_field(org, "Account.Region__c", **said)
    reply = org.call("POST", "/sobjects/Account", {"Name": "x"})

    assert reply.json()[0]["fields"] == ["Region__c"]


@pytest.mark.parametrize(
    ("said", "code"),
    [
        ({"label": "A", "type": "Text"}, "FIELD_INTEGRITY_EXCEPTION"),
        ({"type": "Text", "length": 5}, "REQUIRED_FIELD_MISSING"),
        ({"label": "A", "length": 5}, "REQUIRED_FIELD_MISSING"),
        ({"label": "A", "type": "Checkbox"}, "FIELD_INTEGRITY_EXCEPTION"),
        ({"label": "A", "type": "LongTextArea", "length": 500}, "FIELD_INTEGRITY_EXCEPTION"),
        ({"label": "A", "type": "Text", "length": 300}, "FIELD_INTEGRITY_EXCEPTION"),
        ({"label": "A", "type": "Picklist"}, "FIELD_INTEGRITY_EXCEPTION"),
        ({"label": "A", "type": "Colour"}, "INVALID_TYPE"),
        (
            {"label": "A", "type": "Lookup", "referenceTo": "Nope__c", "relationshipName": "As"},
            "INVALID_CROSS_REFERENCE_KEY",
        ),
    ],
)
def test_half_a_description_is_refused(org, said, code):
    """Every type of field needs what it needs."""
    assert org.code(make_field(org, "Opportunity.A__c", **said)) == (400, code)


def test_a_field_is_made_once(org):
    """A second field of the same name is refused."""
    make_field(org)

    assert org.code(make_field(org)) == (400, "DUPLICATE_DEVELOPER_NAME")


def test_custom_fields_can_be_asked_for(org):
    """Tooling finds a field nobody may see, by its object and developer name."""
    key = make_field(org).json()["id"]
    text = (
        "SELECT Id, FullName, Metadata FROM CustomField "
        "WHERE EntityDefinition.QualifiedApiName = 'Opportunity' AND DeveloperName = 'Score'"
    )

    found = org.call("GET", "/tooling/query", params={"q": text}).json()["records"]

    assert [(one["Id"], one["FullName"], one["Metadata"]["precision"]) for one in found] == [
        (key, "Opportunity.Score__c", 5)
    ]


def test_whole_descriptions_come_one_at_a_time(org):
    """Asking for the metadata of many fields at once is refused."""
    text = "SELECT Metadata FROM CustomField"

    reply = org.call("GET", "/tooling/query", params={"q": text})

    assert org.code(reply) == (400, "MALFORMED_QUERY")


def test_a_field_can_be_changed_and_deleted(org):
    """A label changes; a deleted field is gone, and its values with it."""
    key = make_field(org).json()["id"]
    permit(org)
    deal = org.deal(Score__c=1)
    said = {"label": "Rank", "type": "Number", "precision": 5, "scale": 1}
    changed = org.call("PATCH", f"/tooling/sobjects/CustomField/{key}", {"Metadata": said})
    label = described(org)["Score__c"]["label"]
    gone = org.call("DELETE", f"/tooling/sobjects/CustomField/{key}")

    assert (changed.status_code, label, gone.status_code, "Score__c" in described(org)) == (
        204,
        "Rank",
        204,
        False,
    )
    make_field(org)
    permit(org)
    assert org.read("Opportunity", deal)["Score__c"] is None


def test_the_data_api_does_not_know_tools(org):
    """Custom fields are rows to the Tooling API only."""
    assert (
        org.refused("SELECT Id FROM CustomField"),
        org.query("SELECT QualifiedApiName FROM EntityDefinition WHERE KeyPrefix = '006'")[0][
            "QualifiedApiName"
        ],
    ) == ((400, "INVALID_TYPE"), "Opportunity")


def test_field_definitions_are_asked_object_by_object(org):
    """The fields of one object can be asked for; those of all objects cannot."""
    text = "SELECT DataType FROM FieldDefinition WHERE QualifiedApiName = 'Audit__c'"

    found = org.query(f"{text} AND EntityDefinition.QualifiedApiName = 'Opportunity'")

    assert ([one["DataType"] for one in found], org.refused(text)) == (
        ["Long Text Area(100000)"],
        (400, "MALFORMED_QUERY"),
    )


def test_an_object_is_made_with_its_fields(org):
    """createMetadata makes an object; a detail goes with its master, and numbers itself."""
    made = soap(org, "createMetadata", ROOM)
    deal = org.deal()
    room = org.create("Deal_Room__c", Opportunity__c=deal)
    name = org.read("Deal_Room__c", room)["Name"]
    org.call("DELETE", f"/sobjects/Opportunity/{deal}")

    assert ("<success>true</success>" in made, name, org.query("SELECT Id FROM Deal_Room__c")) == (
        True,
        "R-0001",
        [],
    )


def test_a_half_made_object_is_not_left_behind(org):
    """When a field of a new object is refused, there is no new object."""
    soap(org, "createMetadata", ROOM.replace("<length>9</length>", ""))

    assert org.refused("SELECT Id FROM Deal_Room__c") == (400, "INVALID_TYPE")


def test_upsert_tells_new_from_old(org):
    """upsertMetadata says whether it made or changed a thing."""
    results = [soap(org, "upsertMetadata", ROOM) for _ in range(2)]

    assert [re.findall(r"<created>(\w+)</created>", text) for text in results] == [
        ["true"],
        ["false"],
    ]


def test_what_was_made_can_be_read_again(org):
    """readMetadata gives back what createMetadata was given; what is not there is nil."""
    soap(org, "createMetadata", ROOM)

    text = soap(
        org,
        "readMetadata",
        "<type>CustomObject</type><fullNames>Deal_Room__c</fullNames>"
        "<fullNames>Nope__c</fullNames>",
    )

    assert (
        "<displayFormat>R-{0000}</displayFormat>" in text,
        "<fullName>Topic__c</fullName>" in text,
        '<records xsi:nil="true"/>' in text,
    ) == (True, True, True)


def test_a_profile_grants_by_document(org):
    """A profile's document lets its users see a field, as the row would."""
    make_field(org)
    soap(
        org,
        "updateMetadata",
        '<metadata xsi:type="Profile"><fullName>Admin</fullName><fieldPermissions>'
        "<editable>true</editable><field>Opportunity.Score__c</field><readable>true</readable>"
        "</fieldPermissions></metadata>",
    )

    assert "Score__c" in described(org)


def test_layouts_take_related_lists(org):
    """A related list is added to a layout, unless there is no such list."""
    layout = (
        '<metadata xsi:type="Layout"><fullName>Opportunity-Opportunity Layout</fullName>'
        "<relatedLists><relatedList>{}</relatedList></relatedLists></metadata>"
    )
    good = soap(org, "updateMetadata", layout.format("Microsoft_Solution__c.Opportunity__c"))
    bad = soap(org, "updateMetadata", layout.format("Nope__c.Opportunity__c"))
    names = "<type>Layout</type><fullNames>Opportunity-Opportunity Layout</fullNames>"
    text = soap(org, "readMetadata", names)

    assert (
        "<success>true</success>" in good,
        "Cannot find related list:Nope__c.Opportunity__c" in bad,
        "<relatedList>Microsoft_Solution__c.Opportunity__c</relatedList>" in text,
    ) == (True, True, True)


@pytest.mark.parametrize(
    ("kind", "name", "switch", "object_"),
    [
        ("OpportunitySettings", "Opportunity", "enableOpportunityTeam", "OpportunityTeamMember"),
        ("AccountSettings", "Account", "enableAccountTeams", "AccountTeamMember"),
        ("EnhancedNotesSettings", "EnhancedNotes", "enableEnhancedNotes", "ContentNote"),
    ],
)
def test_switches_bring_objects(org, kind, name, switch, object_):
    """Teams and notes are there only while they are switched on."""

    def turn(value):
        inner = f"<fullName>{name}</fullName><{switch}>{value}</{switch}>"
        soap(org, "updateMetadata", f'<metadata xsi:type="{kind}">{inner}</metadata>')
        return org.call("GET", f"/sobjects/{object_}/describe").status_code

    assert [turn("false"), turn("true")] == [404, 200]


def test_partner_management_is_turned_on_for_good(org):
    """The switch goes one way only; a change that does not name it is none of its business."""
    org.control("org", partner_management=False)

    def turn(inner):
        named = f"<fullName>Communities</fullName>{inner}"
        said = soap(
            org, "updateMetadata", f'<metadata xsi:type="CommunitiesSettings">{named}</metadata>'
        )
        return "<success>true</success>" in said

    on = "<enableEnablePRM>true</enableEnablePRM>"
    steps = [on, on.replace("true", "false"), "<enableNetworksEnabled>true</enableNetworksEnabled>"]
    assert [turn(inner) for inner in steps] == [True, False, True]
    assert org.control("org")["partner_management"] is True


def test_the_list_of_a_team_needs_teams(org):
    """A page takes it only where account teams are on."""
    org.control("org", account_teams=False)
    layout = (
        '<metadata xsi:type="Layout"><fullName>Account-Account Layout</fullName>'
        "<relatedLists><relatedList>RelatedAccountSalesTeam</relatedList></relatedLists></metadata>"
    )
    without = soap(org, "updateMetadata", layout)
    org.control("org", account_teams=True)

    assert "Cannot find related list:RelatedAccountSalesTeam" in without
    assert "<success>true</success>" in soap(org, "updateMetadata", layout)


def test_an_object_says_what_partners_may_do_with_its_rows(org):
    """By what the org gives to everybody; a partner sees the leads, and nobody else's accounts."""
    org.control("org", default_access={"Opportunity": "Read"})
    rows = org.query("SELECT QualifiedApiName, ExternalSharingModel FROM EntityDefinition")

    models = {row["QualifiedApiName"]: row["ExternalSharingModel"] for row in rows}
    assert [models[name] for name in ("Lead", "Opportunity", "Account", "Contact")] == [
        "ReadWriteTransfer", "Read", "Private", "ControlledByParent",
    ]  # fmt: skip


def test_an_org_can_be_had_unprepared(demo):
    """Without its customisations an org has no field of ours, and what is optional is off."""
    told = demo.control("org", customized=False)
    names = [found["name"] for found in demo.call("GET", "/sobjects").json()["sobjects"]]

    assert (
        told["customized"],
        [name for name in described(demo) if name.endswith("__c")],
        {"Microsoft_Solution__c", "OpportunityTeamMember"} & set(names),
        len(demo.query("SELECT Id FROM Opportunity")) >= 50,
    ) == (False, [], set(), True)


def test_a_reset_prepares_the_org_again(demo):
    """After a reset the shipped fields are back."""
    demo.control("org", customized=False)
    demo.control("reset", seed="empty")

    assert "Audit__c" in described(demo)


def test_a_stranger_gets_a_fault(org):
    """The Metadata API asks for a session like every other."""
    text = soap(org, "describeMetadata", "", token="nobody")

    assert "<sf:exceptionCode>INVALID_SESSION_ID</sf:exceptionCode>" in text


@pytest.mark.parametrize(
    "metadata",
    [
        (
            '<metadata xsi:type="Profile"><fullName>Admin</fullName>'
            "<fieldPermissions>x</fieldPermissions></metadata>"
        ),
        ROOM.replace("<fields>", "<fields>x</fields><fields>", 1).replace("Deal_Room", "Odd"),
        (
            '<metadata xsi:type="Layout"><fullName>Opportunity-Opportunity Layout</fullName>'
            "<relatedLists>x</relatedLists></metadata>"
        ),
        "<metadata/>",
    ],
)
def test_nonsense_is_no_mistake_of_the_server(org, metadata):
    """Descriptions that make no sense are results or faults, never an accident."""
    text = soap(org, "upsertMetadata", metadata)

    assert "<?xml" in text
    assert "UNKNOWN_EXCEPTION" not in text
