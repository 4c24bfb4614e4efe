"""The small print of the platform: what is easily overlooked, and what clients trip over."""

import base64

import pytest

PARTNER = "lars.partner@cosell.example.com"


def one(rows):
    assert len(rows) == 1
    return rows[0]


def sign_in(org, username, password="sandbox"):
    emulator = org.emulator
    form = {
        "grant_type": "password",
        "client_id": emulator.client_id,
        "client_secret": emulator.client_secret,
        "username": username,
        "password": password,
    }
    return org.http.post("/services/oauth2/token", data=form)


def licences(org):
    text = "SELECT UsedLicenses FROM UserLicense WHERE Name = 'Partner Community'"
    return one(org.query(text))["UsedLicenses"]


def partner_account(org):
    return one(org.query(f"SELECT AccountId FROM User WHERE Username = '{PARTNER}'"))["AccountId"]


def test_a_login_is_remembered(demo):
    """Who never signed in has no last login; signing in leaves one."""
    contact = one(demo.query("SELECT Id FROM Contact WHERE LastName = 'Kowalski'"))["Id"]
    account = one(demo.query(f"SELECT AccountId FROM Contact WHERE Id = '{contact}'"))["AccountId"]
    demo.call("PATCH", f"/sobjects/Account/{account}", {"OwnerId": demo.emulator.org.admin_id})
    demo.call("PATCH", f"/sobjects/Account/{account}", {"IsPartner": True})
    profile = one(demo.query("SELECT Id FROM Profile WHERE Name = 'Partner Community User'"))["Id"]
    key = demo.create(
        "User",
        ContactId=contact,
        ProfileId=profile,
        Username="wendy@partner.example",
        LastName="Kowalski",
        Email="wendy@partner.example",
        Alias="wkow",
        TimeZoneSidKey="GMT",
        LocaleSidKey="en_US",
        EmailEncodingKey="UTF-8",
        LanguageLocaleKey="en_US",
    )
    before = demo.read("User", key)["LastLoginDate"]
    sign_in(demo, "wendy@partner.example").raise_for_status()

    assert (before, demo.read("User", key)["LastLoginDate"] is None) == (None, False)


def test_a_password_that_was_set_is_the_password(demo):
    """After an administrator set a password, the old one lets nobody in."""
    user = one(demo.query(f"SELECT Id FROM User WHERE Username = '{PARTNER}'"))["Id"]
    path = f"/sobjects/User/{user}/password"
    weak = demo.call("POST", path, {"NewPassword": "short"})
    demo.call("POST", path, {"NewPassword": "Wint3r-is-coming"})

    assert (
        demo.code(weak),
        sign_in(demo, PARTNER).status_code,
        sign_in(demo, PARTNER, "Wint3r-is-coming").status_code,
    ) == ((400, "INVALID_NEW_PASSWORD"), 400, 200)


def test_a_partner_no_more(demo):
    """When an account stops being a partner's, its users are out and their licences free."""
    before = licences(demo)
    demo.call("PATCH", f"/sobjects/Account/{partner_account(demo)}", {"IsPartner": False})
    row = one(demo.query(f"SELECT IsActive FROM User WHERE Username = '{PARTNER}'"))

    assert (row["IsActive"], before - licences(demo), sign_in(demo, PARTNER).status_code) == (
        False,
        1,
        400,
    )


def test_licences_are_counted_both_ways(demo):
    """Who becomes inactive gives a licence back, and takes one again later."""
    user = one(demo.query(f"SELECT Id FROM User WHERE Username = '{PARTNER}'"))["Id"]
    counts = [licences(demo)]
    for active in (False, True):
        demo.call("PATCH", f"/sobjects/User/{user}", {"IsActive": active})
        counts.append(licences(demo))

    assert counts == [2, 1, 2]


def test_a_contact_of_a_partner_user_keeps_an_account_back(demo):
    """An account whose contacts a partner user owns cannot become a partner's."""
    contact = one(demo.query("SELECT Id, AccountId FROM Contact WHERE LastName = 'Kowalski'"))
    user = one(demo.query(f"SELECT Id FROM User WHERE Username = '{PARTNER}'"))["Id"]
    demo.call("PATCH", f"/sobjects/Contact/{contact['Id']}", {"OwnerId": user})
    path = f"/sobjects/Account/{contact['AccountId']}"

    assert demo.code(demo.call("PATCH", path, {"IsPartner": True})) == (400, "UNKNOWN_EXCEPTION")


@pytest.mark.parametrize(
    ("levels", "answer"),
    [
        ({}, 201),
        ({"AccountAccessLevel": "Edit", "OpportunityAccessLevel": "Read"}, 201),
        ({"AccountAccessLevel": "Sometimes"}, 400),
    ],
)
def test_access_of_a_team_member(demo, levels, answer):
    """A member of an account's team gets a role, and more access where it is named."""
    account = demo.query("SELECT Id FROM Account LIMIT 1")[0]["Id"]
    seller = one(demo.query("SELECT Id FROM User WHERE Alias = 'slindh'"))["Id"]
    body = {"AccountId": account, "UserId": seller, "TeamMemberRole": "Sales Rep", **levels}

    assert demo.call("POST", "/sobjects/AccountTeamMember", body).status_code == answer


def test_less_than_everybody_has(demo):
    """Where everybody may edit, nobody can be let in to read only."""
    key = one(demo.query("SELECT Id FROM Organization"))["Id"]
    org_row = demo.emulator.org.store.living(key)
    demo.emulator.org.store.merge(org_row, DefaultAccountAccess="Edit")
    account = demo.query("SELECT Id FROM Account LIMIT 1")[0]["Id"]
    seller = one(demo.query("SELECT Id FROM User WHERE Alias = 'slindh'"))["Id"]
    body = {"AccountId": account, "UserId": seller, "AccountAccessLevel": "Read"}

    reply = demo.call("POST", "/sobjects/AccountTeamMember", body)

    assert demo.code(reply) == (400, "INVALID_ACCESS_LEVEL")


def test_team_members_leave_no_trace(demo):
    """Deleted team members are told by /deleted only, not by queryAll."""
    deal = demo.deal()
    seller = one(demo.query("SELECT Id FROM User WHERE Alias = 'slindh'"))["Id"]
    member = demo.create("OpportunityTeamMember", OpportunityId=deal, UserId=seller)
    demo.call("DELETE", f"/sobjects/OpportunityTeamMember/{member}")
    text = "SELECT Id FROM OpportunityTeamMember"
    left = demo.call("GET", "/queryAll", params={"q": text}).json()["totalSize"]
    demo.control("clock", advance_s=120)
    start = demo.emulator.clock.now().replace(hour=0, minute=0)
    span = {"start": start.isoformat(), "end": "2099-01-01T00:00:00+00:00"}
    told = demo.call("GET", "/sobjects/OpportunityTeamMember/deleted", params=span).json()

    assert (left, [row["id"] for row in told["deletedRecords"]]) == (0, [member])


def test_an_accounts_tag_follows_its_content(org):
    """Two changes within one second give two tags; an old tag changes nothing any more."""
    key = org.create("Account", Name="A")
    path = f"/sobjects/Account/{key}"
    first = org.call("GET", path).headers["ETag"]
    changed = org.call("PATCH", path, {"Name": "B"}, headers={"If-Match": first})
    second = org.call("GET", path).headers["ETag"]
    late = org.call("PATCH", path, {"Name": "C"}, headers={"If-Match": first})
    same = org.call("GET", path, headers={"If-None-Match": second})

    assert (changed.status_code, first == second, late.status_code, same.status_code) == (
        204,
        False,
        412,
        304,
    )
    assert first.endswith('--gzip"')


def test_only_accounts_have_tags(org):
    """An opportunity has no tag, and a tag that is sent for it is not looked at."""
    path = f"/sobjects/Opportunity/{org.deal()}"
    changed = org.call("PATCH", path, {"Name": "B"}, headers={"If-Match": '"x--gzip"'})

    assert ("ETag" in org.call("GET", path).headers, changed.status_code) == (False, 204)


def test_a_delete_has_no_conditions(org):
    """A DELETE does not look at dates."""
    path = f"/sobjects/Opportunity/{org.deal()}"
    header = {"If-Unmodified-Since": "Mon, 01 Jan 2001 00:00:00 GMT"}

    assert org.call("DELETE", path, headers=header).status_code == 204


def test_a_cursor_does_not_live_for_ever(org):
    """After two days the rest of an answer cannot be had any more."""
    org.control("org", page_size=1)
    for name in ("A", "B", "C"):
        org.create("Account", Name=name)
    path = org.call("GET", "/query", params={"q": "SELECT Id FROM Account"}).json()
    more = path["nextRecordsUrl"].partition("v68.0")[2]
    good = org.call("GET", more).status_code
    org.control("clock", advance_s=49 * 3600)
    org.log_in("integration@cosell.example.com")

    assert (good, org.code(org.call("GET", more))) == (200, (400, "INVALID_QUERY_LOCATOR"))


def test_a_collection_of_many_kinds_is_refused(org):
    """Rows whose types change more than nine times do not go into one call."""
    kinds = ["Account", "Contact"] * 6
    records = [{"attributes": {"type": kind}, "Name": "x", "LastName": "x"} for kind in kinds]

    reply = org.call("POST", "/composite/sobjects", {"records": records})

    assert org.code(reply) == (400, "LIMIT_EXCEEDED")


@pytest.mark.parametrize(
    "part",
    [
        {"method": "GET", "url": "/services/data/v68.0/query?q=SELECT+Id+FROM+Account"},
        {"method": "POST", "url": "/services/data/v68.0/composite/sobjects"},
        {"method": "GET", "url": "/services/data/v68.0/sobjects/Account"},
    ],
)
def test_a_graph_is_of_rows_only(org, part):
    """A graph holds calls of single rows, and nothing else."""
    graph = {"graphId": "g", "compositeRequest": [{**part, "referenceId": "r"}]}

    reply = org.call("POST", "/composite/graph", {"graphs": [graph]})

    assert org.code(reply) == (400, "INVALID_INPUT")


def test_a_note_hangs_on_its_deal(org):
    """An enhanced note is a document that a link shows on a deal; its content is read by itself."""
    deal = org.deal()
    text = base64.b64encode("<p>Møde på fredag</p>".encode()).decode()
    note = org.create("ContentNote", Title="Møde", Content=text)
    org.create("ContentDocumentLink", ContentDocumentId=note, LinkedEntityId=deal, ShareType="V")
    rows = org.query(
        f"SELECT ContentDocument.Title FROM ContentDocumentLink WHERE LinkedEntityId = '{deal}'"
    )
    content = org.call("GET", f"/sobjects/ContentNote/{note}/Content")

    assert [row["ContentDocument"]["Title"] for row in rows] == ["Møde"]
    assert content.content.decode() == "<p>Møde på fredag</p>"


def test_layouts_are_described(org):
    """What lists a page shows can be asked through REST."""
    found = org.call("GET", "/sobjects/Opportunity/describe/layouts").json()
    lists = [related["name"] for related in found["layouts"][0]["relatedLists"]]

    assert "RelatedContactRoleList" in lists


def test_two_slashes_are_one(org):
    """A client whose base address ends in a slash is understood."""
    reply = org.http.get("http://org.example//services/data/v68.0/limits")

    assert reply.status_code == 200


def test_a_mistake_is_told_as_the_platform_tells_its_own(org):
    """Should the emulator break, a client still gets an array with a code."""

    class Broken:
        def __getattr__(self, name):
            raise RuntimeError("broken on purpose")

    org.emulator.org.setup = Broken()
    reply = org.call("GET", "/sobjects/Opportunity/describe/layouts")

    assert org.code(reply) == (500, "UNKNOWN_EXCEPTION")


def test_a_partner_never_owns_a_partners_account(demo):
    """An account that is a partner's already is not given to a partner either."""
    partner = one(demo.query(f"SELECT Id FROM User WHERE Username = '{PARTNER}'"))["Id"]
    account = partner_account(demo)

    assert demo.code(demo.call("PATCH", f"/sobjects/Account/{account}", {"OwnerId": partner})) == (
        400,
        "UNKNOWN_EXCEPTION",
    )


@pytest.mark.parametrize(
    ("where", "answer"),
    [
        ("", 400),
        ("WHERE ShareType = 'V'", 400),
        ("WHERE LinkedEntityId = '001000000000000AAA'", 200),
        ("WHERE ContentDocumentId IN ('069000000000000AAA') AND ShareType = 'V'", 200),
    ],
)
def test_links_of_notes_are_asked_for_by_one_of_their_ends(org, where, answer):
    """Nobody may go through all links of documents."""
    text = f"SELECT Id FROM ContentDocumentLink {where}"

    assert org.call("GET", "/query", params={"q": text}).status_code == answer


@pytest.mark.parametrize("zone", ["Europe/Rome", "Asia/Kolkata", "America/Chicago", "GMT"])
def test_users_live_all_over_the_world(demo, zone):
    """Time zones are the platform's own list, and nothing else is one."""
    key = one(demo.query(f"SELECT Id FROM User WHERE Username = '{PARTNER}'"))["Id"]
    taken = demo.call("PATCH", f"/sobjects/User/{key}", {"TimeZoneSidKey": zone})
    refused = demo.call("PATCH", f"/sobjects/User/{key}", {"TimeZoneSidKey": f"{zone}/Nowhere"})

    assert (taken.status_code, refused.status_code) == (204, 400)


def test_long_answers_are_compressed_for_who_takes_it(org):
    """`Accept-Encoding: gzip` is honoured; who does not say it gets plain text."""
    path = "/services/data/v68.0/sobjects/Account/describe"
    plain = org.http.get(path, headers={"Accept-Encoding": "identity"})
    packed = org.http.get(path, headers={"Accept-Encoding": "gzip"})

    assert (plain.headers.get("content-encoding"), packed.headers["content-encoding"]) == (
        None,
        "gzip",
    )
    assert int(packed.headers["content-length"]) < len(plain.content) / 4
    assert packed.json() == plain.json()
