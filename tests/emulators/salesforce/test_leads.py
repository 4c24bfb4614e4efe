"""Leads, queues, partner users, and the conversion over SOAP."""

import re
from xml.sax.saxutils import escape

STATUS = "Closed - Converted"


def soap(org, operation, inner, *, headers="", token=None, version="68.0"):
    token = token or org.http.headers["Authorization"].partition(" ")[2]
    content = (
        '<soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/" '
        'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" '
        'xmlns="urn:partner.soap.sforce.com"><soapenv:Header><SessionHeader><sessionId>'
        f"{escape(token)}</sessionId></SessionHeader>{headers}</soapenv:Header>"
        f"<soapenv:Body><{operation}>{inner}</{operation}></soapenv:Body></soapenv:Envelope>"
    )
    return org.http.post(
        f"/services/Soap/u/{version}", content=content, headers={"Content-Type": "text/xml"}
    )


def converted(org, lead, **more):
    usual = {
        "convertedStatus": STATUS,
        "doNotCreateOpportunity": "false",
        "overwriteLeadSource": "false",
        "sendNotificationEmail": "false",
    }
    fields = {"leadId": lead, **usual, **more}
    inner = "".join(f"<{name}>{value}</{name}>" for name, value in fields.items())
    return soap(
        org, "convertLead", f'<leadConverts><accountId xsi:nil="true"/>{inner}</leadConverts>'
    )


def found(reply, name):
    match = re.search(f"<{name}>(.*?)</{name}>", reply.text)
    return match[1] if match else None


def lead(org, **fields):
    return org.create("Lead", **{"LastName": "Doe", "Company": "Acme", **fields})


def queue(org, name="Nordic Leads"):
    return org.query(f"SELECT Id FROM Group WHERE Name = '{name}'")[0]["Id"]


def user(org, name="sara.seller"):
    return org.emulator.org.user(f"{name}@cosell.example.com").id


def test_a_lead_starts_open(org):
    """The status has a default."""
    assert org.read("Lead", lead(org))["Status"] == "Open - Not Contacted"


def test_a_new_owner_has_not_read_the_lead(org):
    """A lead that changes hands is unread."""
    key = lead(org)
    org.call("PATCH", f"/sobjects/Lead/{key}", {"OwnerId": user(org)})

    assert org.read("Lead", key)["IsUnreadByOwner"] is True


def test_a_queue_can_own_a_lead(org):
    """Queues for leads own leads."""
    key = lead(org, OwnerId=queue(org))

    assert org.read("Lead", key)["OwnerId"] == queue(org)


def test_a_queue_of_something_else_cannot_own_a_lead(org):
    """A queue owns only what it is for."""
    other = org.create("Group", Name="Other", Type="Queue")
    reply = org.call("PATCH", f"/sobjects/Lead/{lead(org)}", {"OwnerId": other})

    assert org.code(reply) == (400, "INVALID_OPERATION")


def test_the_rule_reassigns_unless_told_not_to(org):
    """Without the header, an update runs the active rule over the caller's owner."""
    entry = {"fits": {"Country": "DK"}, "owner": queue(org)}
    org.control("org", assignment_entries=[entry])
    key = lead(org, Country="DK")
    org.call("PATCH", f"/sobjects/Lead/{key}", {"OwnerId": user(org)})

    assert org.read("Lead", key)["OwnerId"] == queue(org)


def test_the_header_keeps_the_rule_away(org):
    """With Sforce-Auto-Assign: FALSE the named owner stays."""
    entry = {"fits": {"Country": "DK"}, "owner": queue(org)}
    org.control("org", assignment_entries=[entry])
    key = lead(org, Country="DK")
    off = {"Sforce-Auto-Assign": "FALSE"}
    org.call("PATCH", f"/sobjects/Lead/{key}", {"OwnerId": user(org)}, headers=off)

    assert org.read("Lead", key)["OwnerId"] == user(org)


def test_a_conversion_makes_three_rows(org):
    """A lead becomes an account, a contact and an opportunity with that contact."""
    reply = converted(org, lead(org, FirstName="Jane", Country="DK"))
    deal = org.read("Opportunity", found(reply, "opportunityId"))

    assert (deal["AccountId"], deal["ContactId"], deal["Name"]) == (
        found(reply, "accountId"),
        found(reply, "contactId"),
        "Acme",
    )


def test_a_conversion_may_go_without_an_opportunity(org):
    """A caller may want only account and contact."""
    reply = converted(org, lead(org), doNotCreateOpportunity="true")

    assert (found(reply, "success"), org.query("SELECT Id FROM Opportunity")) == ("true", [])


def test_a_converted_lead_is_frozen(org):
    """Nobody changes a lead that is done."""
    key = lead(org)
    converted(org, key)
    reply = org.call("PATCH", f"/sobjects/Lead/{key}", {"City": "X"})

    assert org.code(reply) == (400, "CANNOT_UPDATE_CONVERTED_LEAD")


def test_a_queues_lead_needs_an_owner_to_be_converted(org):
    """A queue cannot own what a lead becomes."""
    reply = converted(org, lead(org, OwnerId=queue(org)))

    assert (found(reply, "success"), org.query("SELECT Id FROM Account")) == ("false", [])


def test_a_status_that_is_not_final_converts_nothing(org):
    """The status must be one of the converted ones."""
    reply = converted(org, lead(org), convertedStatus="Working - Contacted")

    assert found(reply, "statusCode") == "INVALID_STATUS"


def test_a_merge_fills_only_what_is_empty(org):
    """An account that was there keeps its own values."""
    account = org.create("Account", Name="Acme", Phone="1")
    converted(org, lead(org, Phone="2", Website="https://acme.example"), accountId=account)
    row = org.read("Account", account)

    assert (row["Phone"], row["Website"]) == ("1", "https://acme.example")


def test_soap_tells_the_new_owner_by_mail(org):
    """With triggerUserEmail the members of a queue hear of their lead."""
    header = "<EmailHeader><triggerUserEmail>true</triggerUserEmail></EmailHeader>"
    row = (
        f"<sObjects><type>Lead</type><Id>{lead(org)}</Id><OwnerId>{queue(org)}</OwnerId></sObjects>"
    )
    soap(org, "update", row, headers=header)
    mails = org.control("mails")["mails"]

    assert [mail["to"] for mail in mails] == ["sara.seller@cosell.example.com"]


def test_rest_tells_nobody(org):
    """REST changes an owner silently."""
    org.call("PATCH", f"/sobjects/Lead/{lead(org)}", {"OwnerId": user(org)})

    assert org.control("mails")["mails"] == []


def test_soap_without_a_session_is_a_fault(org):
    """An unknown session is a fault."""
    reply = soap(org, "getUserInfo", "", token="nothing")

    assert (reply.status_code, found(reply, "sf:exceptionCode")) == (500, "INVALID_SESSION_ID")


def test_soap_login_is_off(org):
    """Nobody logs in over SOAP any more."""
    reply = soap(org, "login", "<username>a</username><password>b</password>")

    assert found(reply, "sf:exceptionCode") == "INVALID_OPERATION"


def test_soap_reads_no_entities(org):
    """A document type is refused unread."""
    reply = org.http.post("/services/Soap/u/68.0", content="<!DOCTYPE a><a/>")

    assert reply.status_code == 500


def partner_user(org, contact):
    profile = org.query("SELECT Id FROM Profile WHERE UserType = 'PowerPartner'")[0]["Id"]
    return {
        "Username": "new.partner@example.com",
        "LastName": "New",
        "Alias": "new",
        "Email": "new.partner@example.com",
        "ContactId": contact,
        "ProfileId": profile,
        "TimeZoneSidKey": "GMT",
        "LocaleSidKey": "en_US",
        "EmailEncodingKey": "UTF-8",
        "LanguageLocaleKey": "en_US",
    }


def test_a_partner_account_is_made_in_two_steps(org):
    """IsPartner cannot be given at birth."""
    reply = org.call("POST", "/sobjects/Account", {"Name": "P", "IsPartner": True})

    assert org.code(reply) == (400, "INVALID_FIELD_FOR_INSERT_UPDATE")


def test_a_partner_user_belongs_to_the_partners_account(org):
    """A user with a partner profile gets the account of their contact."""
    account = org.create("Account", Name="P")
    org.call("PATCH", f"/sobjects/Account/{account}", {"IsPartner": True})
    contact = org.create("Contact", LastName="New", AccountId=account)
    row = org.read("User", org.create("User", **partner_user(org, contact)))

    assert (row["UserType"], row["AccountId"], row["IsActive"]) == ("PowerPartner", account, True)


def test_a_contact_has_one_user(org):
    """A second user for the same contact is refused."""
    account = org.create("Account", Name="P")
    org.call("PATCH", f"/sobjects/Account/{account}", {"IsPartner": True})
    body = partner_user(org, org.create("Contact", LastName="New", AccountId=account))
    org.create("User", **body)
    reply = org.call("POST", "/sobjects/User", {**body, "Username": "other@example.com"})

    assert org.code(reply) == (400, "PORTAL_USER_ALREADY_EXISTS_FOR_CONTACT")


def test_a_partner_user_needs_a_partner(org):
    """A contact of an ordinary account gets no partner user."""
    contact = org.create("Contact", LastName="New", AccountId=org.create("Account", Name="P"))
    reply = org.call("POST", "/sobjects/User", partner_user(org, contact))

    assert org.code(reply) == (400, "PORTAL_NO_ACCESS")


def test_users_are_not_deleted(org):
    """A user can only be switched off."""
    reply = org.call("DELETE", f"/sobjects/User/{user(org)}")

    assert org.code(reply) == (400, "INVALID_TYPE_FOR_OPERATION")


def test_a_username_is_used_once(org):
    """Usernames are unique."""
    account = org.create("Account", Name="P")
    org.call("PATCH", f"/sobjects/Account/{account}", {"IsPartner": True})
    contact = org.create("Contact", LastName="New", AccountId=account)
    body = {**partner_user(org, contact), "Username": "sara.seller@cosell.example.com"}

    assert org.code(org.call("POST", "/sobjects/User", body)) == (400, "DUPLICATE_USERNAME")
