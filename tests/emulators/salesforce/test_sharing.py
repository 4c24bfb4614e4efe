"""What users at partners get at, and the rules that let them get at more."""

import pytest

LARS, HANA, ADMIN = (
    f"{name}@cosell.example.com" for name in ("lars.partner", "hana.partner", "integration")
)
NOBODY = {"Sforce-Auto-Assign": "FALSE"}


def one(rows):
    assert len(rows) == 1
    return rows[0]


def user(org, username):
    return one(org.query(f"SELECT Id FROM User WHERE Username = '{username}'"))["Id"]


def queue(org, name="Partner Leads"):
    return one(org.query(f"SELECT Id FROM Group WHERE Type = 'Queue' AND Name = '{name}'"))["Id"]


def private(org):
    """An org in which leads are nobody's business but their owner's."""
    org.control("org", default_access={"Lead": "None"})


def lead(org, owner):
    fields = {"LastName": "Kim", "Company": "Kim & Co", "OwnerId": owner}
    return org.call("POST", "/sobjects/Lead", fields, headers=NOBODY).json()["id"]


def give(org, key, owner):
    return org.call("PATCH", f"/sobjects/Lead/{key}", {"OwnerId": owner}, headers=NOBODY)


def sight(org, kind, username=LARS):
    """How many rows of a kind somebody sees."""
    org.log_in(username)
    found = org.call("GET", "/query", params={"q": f"SELECT COUNT() FROM {kind}"}).json()
    org.log_in(ADMIN)
    return found["totalSize"]


def test_leads_are_everybodys_unless_the_org_says_otherwise(demo):
    """Public leads are seen by partners; deals are private from the start."""
    leads = sight(demo, "Lead"), sight(demo, "Lead", ADMIN)
    private(demo)

    assert leads[0] == leads[1] > sight(demo, "Lead")
    assert (sight(demo, "Opportunity"), sight(demo, "Opportunity", ADMIN)) == (0, 50)


def test_a_partner_sees_what_is_theirs_and_their_queues(demo):
    """My leads, those of the queues I am in, and no others."""
    private(demo)
    before = sight(demo, "Lead")
    lead(demo, user(demo, LARS))
    lead(demo, queue(demo))
    lead(demo, queue(demo, "Nordic Leads"))
    lead(demo, user(demo, HANA))

    assert sight(demo, "Lead") == before + 2


def test_the_one_who_comes_late_to_a_lead_is_refused(demo):
    """A lead that somebody took out of the queue is out of the others' sight."""
    private(demo)
    key, first, second = lead(demo, queue(demo)), user(demo, LARS), user(demo, HANA)
    demo.log_in(LARS)
    taken = give(demo, key, first)
    demo.log_in(HANA)
    late = give(demo, key, second)

    assert (taken.status_code, demo.code(late)) == (204, (404, "INVALID_CROSS_REFERENCE_KEY"))


def test_with_public_leads_the_last_writer_wins(demo):
    """There is no compare-and-set on an owner: both are told that it went well."""
    key, first, second = lead(demo, queue(demo)), user(demo, LARS), user(demo, HANA)
    demo.log_in(LARS)
    taken = give(demo, key, first)
    demo.log_in(HANA)
    late = give(demo, key, second)

    assert [taken.status_code, late.status_code, demo.read("Lead", key)["OwnerId"]] == [
        204,
        204,
        second,
    ]


def test_a_row_out_of_sight_is_not_there(demo):
    """By its id, in a collection and as a child: nothing."""
    private(demo)
    key = lead(demo, user(demo, HANA))
    demo.log_in(LARS)
    got = demo.call("GET", f"/sobjects/Lead/{key}")
    path = "/composite/sobjects/Lead"
    several = demo.call("POST", path, {"ids": [key], "fields": ["Id"]}).json()
    body = {"records": [{"attributes": {"type": "Lead"}, "id": key, "Title": "x"}]}
    changed = demo.call("PATCH", "/composite/sobjects", body).json()[0]["errors"][0]

    assert (demo.code(got), several) == ((404, "NOT_FOUND"), [None])
    assert changed["statusCode"] == "INSUFFICIENT_ACCESS_ON_CROSS_REFERENCE_ENTITY"


def test_ones_own_company_can_be_read_and_not_changed(demo):
    """A partner reads their own account and its contacts."""
    account = one(demo.query(f"SELECT AccountId FROM User WHERE Username = '{LARS}'"))["AccountId"]
    demo.log_in(LARS)
    seen = demo.names("SELECT Id, Name FROM Account")
    reply = demo.call("PATCH", f"/sobjects/Account/{account}", {"Phone": "1"})

    assert (len(seen), demo.code(reply)) == (1, (403, "INSUFFICIENT_ACCESS_OR_READONLY"))


@pytest.mark.parametrize(("level", "answer"), [("Read", 403), ("Edit", 204)])
def test_a_member_of_a_deals_team_gets_at_it(demo, level, answer):
    """As far as the team lets them."""
    deal = demo.deal()
    demo.create(
        "OpportunityTeamMember", OpportunityId=deal, UserId=user(demo, LARS),
        TeamMemberRole="Channel Manager", OpportunityAccessLevel=level,
    )  # fmt: skip
    demo.log_in(LARS)
    reply = demo.call("PATCH", f"/sobjects/Opportunity/{deal}", {"NextStep": "Call"})

    assert reply.status_code == answer


def test_who_leads_a_partner_sees_what_their_people_own(demo):
    """An executive of the same partner sees a worker's lead; a worker does not see theirs."""
    private(demo)
    lars, hana = user(demo, LARS), user(demo, HANA)
    company = one(demo.query(f"SELECT AccountId FROM User WHERE Id = '{lars}'"))["AccountId"]
    contact = one(demo.query(f"SELECT ContactId FROM User WHERE Id = '{hana}'"))["ContactId"]
    store = demo.emulator.org.store
    store.merge(store.row(contact), AccountId=company)
    store.merge(store.row(hana), AccountId=company, PortalRole="Executive")
    key = lead(demo, lars)
    theirs = lead(demo, hana)
    demo.log_in(HANA)
    down = demo.call("GET", f"/sobjects/Lead/{key}").status_code
    demo.log_in(LARS)
    up = demo.call("GET", f"/sobjects/Lead/{theirs}").status_code

    assert (down, up) == (200, 404)


RULE = """
<metadata xsi:type="SharingRules"><fullName>Opportunity</fullName>
  <sharingOwnerRules><fullName>Deals</fullName><accessLevel>Read</accessLevel><label>Deals</label>
    <sharedTo>{to}</sharedTo><sharedFrom><allInternalUsers/></sharedFrom></sharingOwnerRules>
</metadata>
"""


def soap(org, operation, inner):
    token = org.http.headers["Authorization"].partition(" ")[2]
    body = (
        '<e:Envelope xmlns:e="http://schemas.xmlsoap.org/soap/envelope/" '
        'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" '
        'xmlns="http://soap.sforce.com/2006/04/metadata"><e:Header><SessionHeader>'
        f"<sessionId>{token}</sessionId></SessionHeader></e:Header><e:Body>"
        f"<{operation}>{inner}</{operation}></e:Body></e:Envelope>"
    )
    headers = {"Content-Type": "text/xml", "SOAPAction": '""'}
    return org.http.post("/services/Soap/m/68.0", content=body, headers=headers).text


@pytest.mark.parametrize(
    ("to", "deals"),
    [
        ("<allPartnerUsers/>", 50),
        ("<roleAndSubordinates>CEO</roleAndSubordinates>", 50),
        ("<roleAndSubordinatesInternal>CEO</roleAndSubordinatesInternal>", 0),
    ],
)
def test_a_sharing_rule_opens_deals_to_partners(demo, to, deals):
    """Sharing with a role and its subordinates reaches the partners below it, too."""
    told = soap(demo, "updateMetadata", RULE.format(to=to))

    assert "<success>true</success>" in told
    assert sight(demo, "Opportunity") == deals


def test_rules_of_sharing_can_be_listed_and_read(demo):
    """What has to be looked at before partners come in."""
    soap(demo, "updateMetadata", RULE.format(to="<allPartnerUsers/>"))
    asked = "<queries><type>SharingOwnerRule</type></queries>"
    listed = soap(demo, "listMetadata", asked)
    read = soap(demo, "readMetadata", "<type>SharingRules</type><fullNames>Opportunity</fullNames>")

    assert "<fullName>Opportunity.Deals</fullName>" in listed
    assert "<allPartnerUsers" in read


def test_a_rule_names_roles_that_there_are(demo):
    """Sharing with nobody is refused."""
    told = soap(demo, "updateMetadata", RULE.format(to="<role>Nobody</role>"))

    assert "no Role named Nobody found" in told


ROLES = """
<metadata xsi:type="StandardValueSet"><fullName>SalesTeamRole</fullName><sorted>false</sorted>
  <standardValue><fullName>Partner Lead</fullName><default>false</default>
    <label>Partner Lead</label></standardValue></metadata>
"""


def test_the_roles_of_teams_are_a_list_of_the_orgs(demo):
    """Accounts' teams and deals' teams share it."""
    soap(demo, "updateMetadata", ROLES)
    roles = {
        name: [
            value["value"]
            for field in demo.call("GET", f"/sobjects/{name}/describe").json()["fields"]
            if field["name"] == "TeamMemberRole"
            for value in field["picklistValues"]
        ]
        for name in ("AccountTeamMember", "OpportunityTeamMember")
    }

    assert list(roles.values()) == [["Partner Lead"]] * 2


def test_a_list_of_values_is_never_empty(demo):
    """Nor is there a list of any other name."""
    empty = ROLES.replace(ROLES[ROLES.index("<standardValue>") :], "</metadata>")

    assert "standardValue" in soap(demo, "updateMetadata", empty)
    assert "no StandardValueSet" in soap(
        demo, "updateMetadata", ROLES.replace("SalesTeamRole", "Colours")
    )
