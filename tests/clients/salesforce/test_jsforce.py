"""jsforce, the most used client of Node.js, works with the emulator as with an org."""

import pytest

pytestmark = [pytest.mark.journey, pytest.mark.xdist_group("salesforce-clients"), pytest.mark.long]


def test_versions_and_resources(jsforce):
    """The org tells its versions, oldest first, and what can be called."""
    found = jsforce(
        "const v = await c.request('/services/data');"
        "return [v[0].version, v[v.length - 1].version, await c.request('/services/data/v68.0')]"
    )

    assert found[:2] == ["31.0", "68.0"]
    assert found[2]["sobjects"] == "/services/data/v68.0/sobjects"


def test_identity(jsforce):
    """The token knows its user and its org."""
    who = jsforce("return c.identity()")

    assert who["username"] == "integration@cosell.example.com"
    assert (who["organization_id"][:3], who["user_id"][:3]) == ("00D", "005")


def test_a_row_through_its_life(jsforce):
    """A row is made, read, changed and deleted; after that it is gone, and known as deleted."""
    found = jsforce(
        """
        const made = await c.sobject('Account').create({ Name: 'Lindø Værft', BillingCountry: 'DK' });
        const read = await c.sobject('Account').retrieve(made.id);
        const changed = await c.sobject('Account').update({ Id: made.id, Phone: '+45 1234' });
        const again = await c.sobject('Account').retrieve(made.id.slice(0, 15));
        const gone = await c.sobject('Account').destroy(made.id);
        const after = await c.sobject('Account').retrieve(made.id).catch((e) => e.errorCode);
        const twice = await c.sobject('Account').destroy(made.id).catch((e) => e.errorCode);
        return { made, read, changed, again, gone, after, twice };
        """
    )

    assert (found["made"]["success"], len(found["made"]["id"])) == (True, 18)
    assert (found["read"]["Name"], found["read"]["BillingAddress"]["country"]) == (
        "Lindø Værft",
        "DK",
    )
    assert found["changed"] == {"id": found["made"]["id"], "success": True, "errors": []}
    assert found["again"]["Phone"] == "+45 1234"
    assert found["again"]["Id"] == found["made"]["id"]
    assert found["gone"]["success"] is True
    assert found["after"] == "ENTITY_IS_DELETED"
    assert found["twice"] == "ENTITY_IS_DELETED"


@pytest.mark.parametrize(
    ("fields", "code", "names"),
    [
        ({}, "REQUIRED_FIELD_MISSING", ["Name", "StageName", "CloseDate"]),
        ({"Nope": 1}, "INVALID_FIELD", None),
        ({"Name": "x" * 121}, "STRING_TOO_LONG", ["Name"]),
        ({"ForecastCategoryName": "Sure"}, "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST", None),
        ({"IsWon": True}, "INVALID_FIELD_FOR_INSERT_UPDATE", ["IsWon"]),
        ({"CloseDate": "tomorrow"}, "JSON_PARSER_ERROR", None),
        ({"Amount": "a lot"}, "JSON_PARSER_ERROR", None),
        ({"Amount": 10**17}, "NUMBER_OUTSIDE_VALID_RANGE", ["Amount"]),
        ({"AccountId": "0065Y00000ABCDE"}, "FIELD_INTEGRITY_EXCEPTION", ["AccountId"]),
        ({"CurrencyIsoCode": "SEK"}, "INVALID_CURRENCY_ISO", ["CurrencyIsoCode"]),
    ],
)
def test_rows_that_are_refused(jsforce, thrown, fields, code, names):
    """A row that cannot be is refused with the code and fields of the platform."""
    usual = {"Name": "Deal", "StageName": "Prospecting", "CloseDate": "2026-12-31"}
    body = {**usual, **fields} if fields else {}
    with pytest.raises(thrown) as refused:
        jsforce("return c.sobject('Opportunity').create(args.body)", body=body)

    assert refused.value.code == code
    told = (refused.value.data or {}).get("fields") if names else None
    assert told is None or sorted(told) == sorted(names)


def test_external_ids(jsforce):
    """An upsert makes a row once and changes it afterwards; a doubled key is no key."""
    found = jsforce(
        """
        const deal = { Name: 'D', StageName: 'Prospecting', CloseDate: '2026-12-31' };
        const key = 'Referral_Identifier__c', up = (x) => c.sobject('Opportunity').upsert(x, key);
        const first = await up({ ...deal, [key]: 'r-1' });
        const second = await up({ Name: 'E', [key]: 'R-1' });
        const twice = await c.sobject('Opportunity').create({ ...deal, [key]: 'r-1' })
          .catch((e) => [e.errorCode, e.message]);
        await c.sobject('Contact').create([{ LastName: 'A', Email: 'a@x.example' },
          { LastName: 'B', Email: 'a@x.example' }]);
        const several = await c.sobject('Contact').upsert({ LastName: 'C', Email: 'a@x.example' },
          'Email').catch((e) => [e.errorCode, e.data || e.content]);
        const none = await c.sobject('Account').upsert({ Name: 'A', Phone: '1' }, 'Phone')
          .catch((e) => e.errorCode);
        return { first, second, twice, several, none };
        """
    )

    assert (found["first"]["created"], found["second"]["created"]) == (True, False)
    assert found["first"]["id"] == found["second"]["id"]
    assert found["twice"][0] == "DUPLICATE_VALUE"
    assert found["first"]["id"][:15] in found["twice"][1]
    assert found["several"][0] == "MULTIPLE_CHOICES"
    assert found["none"] == "NOT_FOUND"


def test_a_parent_by_its_external_id(jsforce):
    """A solution finds its deal by the referral it came from."""
    name = jsforce(
        """
        const deal = { Name: 'Deep', StageName: 'Prospecting', CloseDate: '2026-12-31' };
        await c.sobject('Opportunity').create({ ...deal, Referral_Identifier__c: 'r9' });
        const made = await c.sobject('Microsoft_Solution__c').create({
          Name: 'S', Opportunity__r: { Referral_Identifier__c: 'r9' } });
        const text = `SELECT Opportunity__r.Name FROM Microsoft_Solution__c WHERE Id='${made.id}'`;
        return (await c.query(text)).records[0].Opportunity__r.Name;
        """
    )

    assert name == "Deep"


def test_collections_keep_order(jsforce):
    """Of many rows in one call the good are made and the bad told, each in its place."""
    found = jsforce(
        """
        return c.sobject('Account').create([{ Name: 'A' }, { Phone: '1' }, { Name: 'B' }],
          { allowRecursive: false });
        """
    )

    assert [row["success"] for row in found] == [True, False, True]
    assert found[1]["errors"][0]["statusCode"] == "REQUIRED_FIELD_MISSING"
    assert found[1]["errors"][0]["fields"] == ["Name"]


def test_collections_all_or_none(jsforce):
    """With allOrNone one bad row undoes the good ones."""
    found = jsforce(
        """
        const rows = await c.sobject('Account').create([{ Name: 'Zed A' }, { Phone: '1' }],
          { allOrNone: true });
        const left = await c.query("SELECT COUNT() FROM Account WHERE Name = 'Zed A'");
        return [rows.map((r) => r.errors[0].statusCode), left.totalSize];
        """
    )

    assert found[0] == ["ALL_OR_NONE_OPERATION_ROLLED_BACK", "REQUIRED_FIELD_MISSING"]
    assert found[1] == 0


def test_more_rows_than_one_call_takes(jsforce):
    """jsforce cuts 450 rows into three calls, and reads, changes and deletes them again."""
    found = jsforce(
        """
        const rows = Array.from({ length: 450 }, (_, i) => ({ Name: `Many ${i}` }));
        const made = await c.sobject('Account').create(rows, { allowRecursive: true });
        const ids = made.map((r) => r.id);
        const changed = await c.sobject('Account').update(
          ids.map((Id) => ({ Id, Site: 'here' })), { allowRecursive: true });
        const read = await c.sobject('Account').retrieve(ids.slice(0, 200));
        const gone = await c.sobject('Account').destroy(ids, { allowRecursive: true });
        return [made, changed, read, gone].map((l) => l.filter((r) => r.success || r.Site).length);
        """
    )

    assert found == [450, 450, 200, 450]


def test_pages_of_a_query(jsforce):
    """A long answer comes in pages that lead to each other, down to the last row."""
    found = jsforce(
        """
        const rows = Array.from({ length: 620 }, (_, i) => ({ LastName: `P${i}` }));
        await c.sobject('Contact').create(rows, { allowRecursive: true });
        const text = "SELECT Id, Name FROM Contact WHERE LastName LIKE 'P%' ORDER BY Id";
        const first = await c.query(text, { headers: { 'Sforce-Query-Options': 'batchSize=250' } });
        const all = await c.query(text, { autoFetch: true, maxFetch: 5000,
          headers: { 'Sforce-Query-Options': 'batchSize=200' } });
        const more = await c.queryMore(first.nextRecordsUrl);
        const lost = await c.queryMore('01gKx0000000000AAA-200').catch((e) => e.errorCode);
        return { first: [first.records.length, first.done, first.totalSize, first.nextRecordsUrl],
          more: more.records.length, all: new Set(all.records.map((r) => r.Id)).size, lost };
        """
    )

    assert found["first"][1] is False
    assert found["first"][2] >= 620
    assert found["first"][0] == found["more"] == 250
    assert "/services/data/v68.0/query/01g" in found["first"][3]
    assert found["all"] == found["first"][2]
    assert found["lost"] == "INVALID_QUERY_LOCATOR"


QUERIES = [
    ("SELECT COUNT() FROM User WHERE UserType = 'powerpartner'", 2),
    ("SELECT Id FROM Opportunity WHERE CloseDate = LAST_N_DAYS:3650 OR CloseDate > TODAY", 50),
    ("SELECT Id FROM Opportunity WHERE Amount = NULL", 0),
    ("SELECT Id FROM Account WHERE Name LIKE 'n%partners%'", 1),
    ("SELECT Id FROM Account WHERE Id IN (SELECT AccountId FROM User WHERE AccountId != NULL)", 2),
    ("SELECT Id FROM Lead WHERE Owner.Type = 'Queue'", 7),
    ("SELECT Id FROM Opportunity WHERE StageName IN ('closed won', 'Closed Lost')", 10),
    ("SELECT Id FROM Opportunity WHERE NOT (IsClosed = false) AND IsWon = true", 5),
    ("SELECT Name FROM Opportunity ORDER BY Amount DESC NULLS LAST, Name LIMIT 3 OFFSET 2", 3),
    ("SELECT StageName, COUNT(Id) n FROM Opportunity GROUP BY StageName HAVING COUNT(Id) > 9", 2),
    ("SELECT FIELDS(STANDARD) FROM Lead LIMIT 4", 4),
    ("SELECT Id FROM Opportunity WHERE CreatedDate >= 2020-01-01T00:00:00Z", 50),
    ("SELECT CALENDAR_YEAR(CreatedDate) y FROM Account GROUP BY CALENDAR_YEAR(CreatedDate)", 1),
]


@pytest.mark.parametrize(("text", "size"), QUERIES)
def test_queries(jsforce, text, size):
    """Queries find what they should, whatever the case of the words."""
    assert jsforce("return (await c.query(args.text)).totalSize", text=text) == size


def test_relationships_up_and_down(jsforce):
    """Parents are nested, children are lists, and no children is null."""
    found = jsforce(
        """
        const text = `SELECT Name, Account.Owner.Name,
          (SELECT Contact.Name, IsPrimary FROM OpportunityContactRoles),
          (SELECT Id FROM Microsoft_Solutions__r) FROM Opportunity
          WHERE How_can_Microsoft_help__c = NULL ORDER BY Name LIMIT 1`;
        return (await c.query(text)).records[0];
        """
    )

    assert found["Account"]["attributes"]["type"] == "Account"
    assert isinstance(found["Account"]["Owner"]["Name"], str)
    assert found["OpportunityContactRoles"]["totalSize"] == 1
    assert found["OpportunityContactRoles"]["records"][0]["IsPrimary"] is True
    assert found["Microsoft_Solutions__r"] is None


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("SELECT Nope FROM Account", "INVALID_FIELD"),
        ("SELECT Id FROM Nope", "INVALID_TYPE"),
        ("SELECT Id FROM Account WHERE", "MALFORMED_QUERY"),
        ("SELECT Id FROM Account FOR UPDATE", "MALFORMED_QUERY"),
        ("SELECT Id FROM Account WHERE Name = 'a' AND Name = 'b' OR Name = 'c'", "MALFORMED_QUERY"),
        ("SELECT Id, Name FROM Opportunity GROUP BY Id", "MALFORMED_QUERY"),
        ("SELECT FIELDS(ALL) FROM Account", "MALFORMED_QUERY"),
        ("SELECT Id FROM Opportunity WHERE Amount = '5'", "INVALID_FIELD"),
        ("SELECT Id FROM Opportunity WHERE AccountId = 'x'", "INVALID_QUERY_FILTER_OPERATOR"),
        ("SELECT Id FROM Opportunity WHERE Audit__c = 'x'", "INVALID_FIELD"),
        ("SELECT Id FROM Account LIMIT 1 OFFSET 2001", "NUMBER_OUTSIDE_VALID_RANGE"),
    ],
)
def test_queries_that_are_refused(jsforce, thrown, text, code):
    """A query that cannot be is refused with the parser's own code."""
    with pytest.raises(thrown) as refused:
        jsforce("return c.query(args.text)", text=text)

    assert refused.value.code == code


def test_descriptions(jsforce):
    """jsforce finds picklists, lookups and children in a description."""
    found = jsforce(
        """
        const d = await c.sobject('opportunity').describe();
        const by = Object.fromEntries(d.fields.map((f) => [f.name, f]));
        const all = await c.describeGlobal();
        return { name: d.name, stages: by.StageName.picklistValues.length,
          account: by.AccountId.referenceTo, ext: by.Referral_Identifier__c.externalId,
          codes: by.CurrencyIsoCode.picklistValues.map((p) => p.value), prefix: d.keyPrefix,
          list: all.sobjects.some((s) => s.name === 'Microsoft_Solution__c'), max: all.maxBatchSize };
        """
    )

    assert (found["name"], found["prefix"], found["stages"]) == ("Opportunity", "006", 10)
    assert (found["account"], found["ext"]) == (["Account"], True)
    assert {"USD", "EUR", "KWD"} <= set(found["codes"])
    assert (found["list"], found["max"]) == (True, 200)


def test_limits_count(jsforce):
    """Every call is counted, and jsforce reads the count from each answer."""
    found = jsforce(
        """
        await c.query('SELECT Id FROM User LIMIT 1');
        const before = c.limitInfo.apiUsage;
        await c.query('SELECT Id FROM User LIMIT 1');
        const limits = await c.limits();
        return [c.limitInfo.apiUsage.used - before.used, before.limit, limits.DailyApiRequests];
        """
    )

    assert found[0] == 2
    assert found[1] == found[2]["Max"] == 100_000
    assert found[2]["Remaining"] < 100_000


def test_changed_and_deleted_rows(jsforce, org):
    """What changed and what was deleted in a stretch of time can be asked for."""
    keys = jsforce(
        """
        const made = await c.sobject('Lead').create([{ LastName: 'U', Company: 'U' },
          { LastName: 'D', Company: 'D' }]);
        await c.sobject('Lead').destroy(made[1].id);
        return made.map((r) => r.id);
        """
    )
    org.control("clock", advance_s=120)
    found = jsforce(
        """
        const end = new Date(Date.now() + 120000), start = new Date(Date.now() - 3600000);
        return [await c.sobject('Lead').updated(start, end),
          await c.sobject('Lead').deleted(start, end)];
        """
    )

    assert keys[0] in found[0]["ids"]
    assert keys[1] not in found[0]["ids"]
    assert [row["id"] for row in found[1]["deletedRecords"]] == [keys[1]]


def test_deleted_rows_in_queries(jsforce):
    """A query passes deleted rows over unless it asks for them."""
    found = jsforce(
        """
        const made = await c.sobject('Account').create({ Name: 'Gone Ltd' });
        await c.sobject('Account').destroy(made.id);
        const text = "SELECT Id, IsDeleted FROM Account WHERE Name = 'Gone Ltd'";
        const all = await c.query(text, { scanAll: true });
        return [(await c.query(text)).totalSize, all.totalSize, all.records[0].IsDeleted];
        """
    )

    assert found == [0, 1, True]


def test_bulk_jobs(jsforce):
    """Bulk API 2.0 loads CSV, tells row by row what came of it, and reads as CSV."""
    found = jsforce(
        """
        c.bulk2.pollInterval = 20; c.bulk2.pollTimeout = 20000;
        const done = await c.bulk2.loadAndWaitForResults({ object: 'Lead', operation: 'insert',
          input: [{ LastName: 'Bulk, "A"', Company: 'C' }, { LastName: 'B', Company: '' }] });
        const stream = await c.bulk2.query("SELECT LastName FROM Lead WHERE Company = 'C'");
        const rows = await stream.toArray();
        return { good: done.successfulResults, bad: done.failedResults,
          un: done.unprocessedRecords, rows };
        """
    )

    assert found["good"][0]["sf__Created"] == "true"
    assert found["good"][0]["sf__Id"].startswith("00Q")
    assert found["bad"][0]["sf__Error"].startswith("REQUIRED_FIELD_MISSING:")
    assert found["un"] == []
    assert [row["LastName"] for row in found["rows"]] == ['Bulk, "A"']


def test_bulk_upsert_by_external_id(jsforce):
    """An upsert job makes and changes by key, and empties a field with #N/A."""
    found = jsforce(
        """
        c.bulk2.pollInterval = 20; c.bulk2.pollTimeout = 20000;
        const deal = { Name: 'B', StageName: 'Prospecting', CloseDate: '2026-12-31',
          Description: 'x', Referral_Identifier__c: 'bulk1' };
        await c.sobject('Opportunity').create(deal);
        const done = await c.bulk2.loadAndWaitForResults({ object: 'Opportunity',
          operation: 'upsert', externalIdFieldName: 'Referral_Identifier__c',
          input: [{ ...deal, Description: '#N/A' }, { ...deal, Referral_Identifier__c: 'bulk2' }] });
        const text = "SELECT Description FROM Opportunity WHERE Referral_Identifier__c = 'bulk1'";
        return [done.successfulResults.map((r) => r.sf__Created),
          (await c.query(text)).records[0].Description];
        """
    )

    assert found == [["false", "true"], None]


def test_client_credentials(jsforce, org):
    """The app signs in with its own id and secret, and is told where the org is."""
    found = jsforce(
        """
        const o = new j.OAuth2({ loginUrl: c.instanceUrl, clientId: args.id,
          clientSecret: args.secret });
        const k = new j.Connection({ oauth2: o, version: '68.0' });
        const who = await k.authorize({ grant_type: 'client_credentials' });
        const bad = new j.OAuth2({ loginUrl: c.instanceUrl, clientId: args.id,
          clientSecret: 'wrong' });
        const refused = await new j.Connection({ oauth2: bad })
          .authorize({ grant_type: 'client_credentials' }).catch((e) => [e.name, e.message]);
        return [who.id.slice(0, 3), k.instanceUrl, (await k.identity()).username, refused];
        """,
        id=org.ready["client_id"],
        secret=org.ready["client_secret"],
    )

    assert found[:3] == ["005", org.url, "integration@cosell.example.com"]
    assert found[3] == ["invalid_client", "invalid client credentials"]


def test_an_ended_session_is_refreshed(jsforce, org):
    """jsforce takes a 401 for an ended session, redeems the refresh token once, and goes on."""
    found = jsforce(
        """
        const o = new j.OAuth2({ loginUrl: c.instanceUrl, clientId: args.id,
          clientSecret: args.secret });
        const k = new j.Connection({ oauth2: o, instanceUrl: c.instanceUrl, version: '68.0',
          accessToken: '00Dstale!token', refreshToken: args.refresh });
        let fresh = 0;
        k.on('refresh', () => { fresh += 1; });
        const rows = await Promise.all([1, 2, 3].map(() => k.query('SELECT Id FROM User')));
        return [fresh >= 1, rows.map((r) => r.totalSize)];
        """,
        id=org.ready["client_id"],
        secret=org.ready["client_secret"],
        refresh=org.ready["refresh_token"],
    )

    assert found == [True, [6, 6, 6]]


def test_a_lead_is_converted(jsforce):
    """SOAP converts a lead: an account, a contact and a deal come of it, and the lead stays put."""
    found = jsforce(
        """
        const lead = await c.sobject('Lead').create({ LastName: 'Conv', Company: 'Conv AS' });
        const wish = { leadId: lead.id, convertedStatus: 'Closed - Converted',
          doNotCreateOpportunity: false, overwriteLeadSource: false, sendNotificationEmail: true };
        const done = await c.soap.convertLead(wish);
        const after = await c.sobject('Lead').retrieve(lead.id);
        const again = await c.soap.convertLead(wish);
        const late = await c.sobject('Lead').update({ Id: lead.id, Company: 'X' })
          .catch((e) => e.errorCode);
        const deal = await c.sobject('Opportunity').retrieve(done.opportunityId);
        return { done, after, again, late, deal };
        """
    )

    assert found["done"]["success"] is True
    assert found["after"]["IsConverted"] is True
    assert found["after"]["ConvertedOpportunityId"] == found["done"]["opportunityId"]
    assert found["deal"]["AccountId"] == found["done"]["accountId"]
    assert found["deal"]["ContactId"] == found["done"]["contactId"]
    assert found["again"]["success"] is False
    assert found["late"] == "CANNOT_UPDATE_CONVERTED_LEAD"


def test_composite_refers_back(jsforce):
    """Later parts of a composite take ids from earlier ones; one that fails undoes them all."""
    found = jsforce(
        """
        const part = (referenceId, method, url, body) => ({ referenceId, method,
          url: `/services/data/v68.0${url}`, body });
        const good = await c.requestPost('/composite', { allOrNone: true, compositeRequest: [
          part('a', 'POST', '/sobjects/Account', { Name: 'Comp' }),
          part('b', 'POST', '/sobjects/Contact', { LastName: 'C', AccountId: '@{a.id}' }),
          part('c', 'GET', "/query?q=SELECT+Account.Name+FROM+Contact+WHERE+Id='@{b.id}'"),
        ] });
        const bad = await c.requestPost('/composite', { allOrNone: true, compositeRequest: [
          part('a', 'POST', '/sobjects/Account', { Name: 'Undone' }),
          part('b', 'POST', '/sobjects/Contact', {}),
        ] });
        const left = await c.query("SELECT COUNT() FROM Account WHERE Name = 'Undone'");
        return { good: good.compositeResponse, bad: bad.compositeResponse, left: left.totalSize };
        """
    )

    assert [part["httpStatusCode"] for part in found["good"]] == [201, 201, 200]
    assert found["good"][2]["body"]["records"][0]["Account"]["Name"] == "Comp"
    assert [part["httpStatusCode"] for part in found["bad"]] == [400, 400]
    assert found["bad"][0]["body"][0]["errorCode"] == "PROCESSING_HALTED"
    assert found["left"] == 0


def test_stages_rule_opportunities(jsforce):
    """The stage brings probability, forecast and whether a deal is closed and won."""
    found = jsforce(
        """
        const made = await c.sobject('Opportunity').create({ Name: 'S', Amount: 200,
          StageName: 'Value Proposition', CloseDate: '2026-12-31' });
        const names = 'Probability,ExpectedRevenue,IsClosed,IsWon,ForecastCategoryName'.split(',');
        const read = async () => {
          const r = await c.sobject('Opportunity').retrieve(made.id, { fields: names });
          return names.map((n) => r[n]);
        };
        const before = await read();
        await c.sobject('Opportunity').update({ Id: made.id, StageName: 'Closed Won' });
        return [before, await read()];
        """
    )

    assert found[0] == [50.0, 100.0, False, False, "Pipeline"]
    assert found[1] == [100.0, 200.0, True, True, "Closed"]


def test_setup_through_tooling_and_metadata(jsforce):
    """A field is made, let be seen, used and described by its maker's words."""
    found = jsforce(
        """
        const said = { label: 'Heat', type: 'Picklist', valueSet: { restricted: true,
          valueSetDefinition: { sorted: false, value: [
            { fullName: 'Hot', default: false, label: 'Hot' },
            { fullName: 'Cold', default: false, label: 'Cold' }] } } };
        const made = await c.tooling.sobject('CustomField').create({
          FullName: 'Opportunity.Heat__c', Metadata: said });
        const blind = await c.query('SELECT Heat__c FROM Opportunity').catch((e) => e.errorCode);
        const granted = await c.metadata.update('Profile', { fullName: 'Admin', fieldPermissions: [
          { field: 'Opportunity.Heat__c', readable: true, editable: true }] });
        const seen = await c.query("SELECT COUNT() FROM Opportunity WHERE Heat__c = 'Hot'");
        const bad = await c.sobject('Opportunity').create({ Name: 'x', Heat__c: 'Warm',
          StageName: 'Prospecting', CloseDate: '2026-12-31' }).catch((e) => e.errorCode);
        const read = await c.metadata.read('CustomField', 'Opportunity.Heat__c');
        const gone = await c.tooling.sobject('CustomField').destroy(made.id);
        const names = (await c.sobject('Opportunity').describe()).fields.map((f) => f.name);
        return { made, blind, granted, seen: seen.totalSize, bad, read, gone,
          left: names.includes('Heat__c') };
        """
    )

    assert found["made"]["success"] is True
    assert found["blind"] == "INVALID_FIELD"
    assert found["granted"]["success"] is True
    assert found["seen"] == 0
    assert found["bad"] == "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST"
    assert [v["fullName"] for v in found["read"]["valueSet"]["valueSetDefinition"]["value"]] == [
        "Hot",
        "Cold",
    ]
    assert (found["gone"]["success"], found["left"]) == (True, False)


def test_metadata_makes_an_object(jsforce):
    """An object with a master is made in one call and listed among the org's objects."""
    found = jsforce(
        """
        const made = await c.metadata.create('CustomObject', { fullName: 'Deal_Room__c',
          label: 'Deal Room', pluralLabel: 'Deal Rooms', deploymentStatus: 'Deployed',
          sharingModel: 'ControlledByParent', nameField: { type: 'Text', label: 'Room' },
          fields: [{ fullName: 'Opportunity__c', label: 'Opportunity', type: 'MasterDetail',
            referenceTo: 'Opportunity', relationshipName: 'Rooms', relationshipLabel: 'Rooms' }] });
        const deal = await c.sobject('Opportunity').create({ Name: 'D', StageName: 'Prospecting',
          CloseDate: '2026-12-31' });
        await c.sobject('Deal_Room__c').create({ Name: 'R', Opportunity__c: deal.id });
        const text = `SELECT (SELECT Name FROM Rooms__r) FROM Opportunity WHERE Id = '${deal.id}'`;
        const rooms = (await c.query(text)).records[0].Rooms__r.records;
        const listed = await c.metadata.list([{ type: 'CustomObject' }]);
        const again = await c.metadata.create('CustomObject', { fullName: 'Deal_Room__c',
          label: 'x', pluralLabel: 'x', deploymentStatus: 'Deployed', sharingModel: 'ReadWrite',
          nameField: { type: 'Text', label: 'x' } });
        return { made, rooms: rooms.map((r) => r.Name), again,
          listed: listed.some((l) => l.fullName === 'Deal_Room__c') };
        """
    )

    assert found["made"]["success"] is True
    assert (found["rooms"], found["listed"]) == (["R"], True)
    assert found["again"]["errors"][0]["statusCode"] == "DUPLICATE_DEVELOPER_NAME"


def test_list_views(jsforce):
    """A list view answers columns, not rows."""
    found = jsforce(
        """
        const views = (await c.sobject('Opportunity').listviews()).listviews;
        const mine = views.find((v) => v.developerName === 'MyOpportunities');
        const all = views.find((v) => v.developerName === 'AllOpportunities');
        const view = c.sobject('Opportunity').listview(all.id);
        return [views.length, !!mine, (await view.results()).records[0].columns[0],
          (await view.describe()).query];
        """
    )

    assert found[0] >= 2
    assert found[1] is True
    assert found[2]["fieldNameOrPath"] == "Name"
    assert found[3].startswith("SELECT Name")


@pytest.mark.parametrize("version", ["31.0", "50.0", "59.0", "62.0", "68.0"])
def test_every_supported_version_answers(jsforce, version):
    """Clients pin old versions; each is served under its own address."""
    url = jsforce(
        "return (await c.query('SELECT Id FROM User LIMIT 1')).records[0].attributes.url",
        version=version,
    )

    assert url.startswith(f"/services/data/v{version}/sobjects/User/005")


def test_a_retired_version_is_gone(jsforce, thrown):
    """Versions that were retired answer 410."""
    with pytest.raises(thrown) as refused:
        jsforce("return c.query('SELECT Id FROM User')", version="30.0")

    assert refused.value.code in ("UNSUPPORTED_API_VERSION", "ERROR_HTTP_410")


def test_the_first_bulk_api(jsforce):
    """jsforce loads and reads through the first Bulk API as well: XML jobs of CSV batches."""
    found = jsforce(
        """
        c.bulk.pollInterval = 20; c.bulk.pollTimeout = 20000;
        const rows = await c.bulk.load('Lead', 'insert', [
          { LastName: 'One', Company: 'First bulk' }, { LastName: 'Two' }]);
        const stream = await c.bulk.query("SELECT LastName FROM Lead WHERE Company='First bulk'");
        return [rows.map((r) => r.success), rows[1].errors, await stream.toArray()];
        """
    )

    assert found[0] == [True, False]
    assert found[1][0].startswith("REQUIRED_FIELD_MISSING")
    assert [row["LastName"] for row in found[2]] == ["One"]


def test_searching(jsforce, thrown):
    """Words are found in several objects at once, whatever their case."""
    found = jsforce(
        """
        const text = 'FIND {aarhus} IN ALL FIELDS RETURNING Account(Id, Name), Contact(Email LIMIT 1)';
        return (await c.search(text)).searchRecords;
        """
    )
    with pytest.raises(thrown) as refused:
        jsforce("return c.search('FIND Aarhus')")

    assert found[0]["attributes"]["type"] == "Account"
    assert found[0]["Name"].startswith("Aarhus")
    assert len([row for row in found if row["attributes"]["type"] == "Contact"]) <= 1
    assert refused.value.code == "MALFORMED_SEARCH"
