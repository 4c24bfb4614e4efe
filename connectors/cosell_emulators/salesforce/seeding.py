"""Fill an org: what every org has, and for the demo some customers and their deals."""

import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from functools import cache
from importlib.resources import files
from typing import Any

from cosell_emulators.salesforce.store import Row
from cosell_emulators.salesforce.writing import Doing, Writer

_CATEGORY = {"Best Case": "BestCase", "Commit": "Forecast"}
_LOCALE = {
    "TimeZoneSidKey": "GMT",
    "LocaleSidKey": "en_US",
    "EmailEncodingKey": "UTF-8",
    "LanguageLocaleKey": "en_US",
}
# Every third deal is in dollars whatever the customer's currency, as in many real orgs.
_IN_DOLLARS = 3
_DEALS = 50
_ADMIN_RIGHTS = (
    "PermissionsCustomizeApplication",
    "PermissionsManageUsers",
    "PermissionsModifyAllData",
    "PermissionsViewAllData",
)


def sow(writer: Writer, seed: str, *, now: datetime, org_id: str, username: str) -> None:
    """Fill an empty org with a seed."""
    sower = _Sower(writer, now, username)
    sower.organization(org_id)
    sower.people(with_partners=seed == "demo")
    if seed == "demo":
        sower.demo()
    # A change is what a test does, not what the org began with.
    writer.store.changes.clear()


@cache
def _data(name: str) -> dict[str, Any]:
    text = files("cosell_emulators.salesforce").joinpath("seeds", f"{name}.json")
    loaded: dict[str, Any] = json.loads(text.read_text(encoding="utf-8"))
    return loaded


class _Sower:
    def __init__(self, writer: Writer, now: datetime, username: str) -> None:
        self._writer = writer
        self._store = writer.store
        self._now = now
        self._username = username
        self._ids: dict[tuple[str, str], str] = {}
        self._admin = self._store.mint(self._store.schema["User"])

    def organization(self, org_id: str) -> None:
        """Plant what an administrator has set up."""
        org = _data("org")
        kind = self._store.schema["Organization"]
        self._store.insert(Row(kind, org_id, {**org["organization"], **self._stamps()}))
        for code, rate, places, active, corporate in org["currencies"]:
            rates = {"ConversionRate": Decimal(rate), "DecimalPlaces": places}
            flags = {"IsActive": active, "IsCorporate": corporate}
            self._plant("CurrencyType", code, {"IsoCode": code, **rates, **flags})
        for place, (name, closed, won, category, percent) in enumerate(org["stages"], 1):
            values = {"MasterLabel": name, "ApiName": name, "IsActive": True, "SortOrder": place}
            closing = {"IsClosed": closed, "IsWon": won, "DefaultProbability": Decimal(percent)}
            categories = {
                "ForecastCategoryName": category,
                "ForecastCategory": _CATEGORY.get(category, category),
            }
            self._plant("OpportunityStage", name, values | closing | categories)
        for place, (name, default, converted) in enumerate(org["lead_statuses"], 1):
            values = {"MasterLabel": name, "ApiName": name, "SortOrder": place}
            flags = {"IsDefault": default, "IsConverted": converted}
            self._plant("LeadStatus", name, values | flags)
        rule = {"Name": "Standard lead routing", "SobjectType": "Lead", "Active": True}
        self._plant("AssignmentRule", "Lead", rule)
        for name, key, total, used in org["licences"]:
            values = {"Name": name, "MasterLabel": name, "LicenseDefinitionKey": key}
            counts = {"Status": "Active", "TotalLicenses": total, "UsedLicenses": used}
            self._plant("UserLicense", name, values | counts)
        for name, licence, kind_of_user in org["profiles"]:
            ids = {"UserLicenseId": self._ids["UserLicense", licence]}
            self._plant("Profile", name, {"Name": name, "UserType": kind_of_user, **ids})
            self._permissions(name)
        for name, parent in org["roles"]:
            parent_id = self._ids["UserRole", parent] if parent else None
            values = {"Name": name, "DeveloperName": name.replace(" ", "_")}
            portal = {"PortalType": "None", "OpportunityAccessForAccountOwner": "Edit"}
            self._plant("UserRole", name, {**values, **portal, "ParentRoleId": parent_id})

    def _permissions(self, profile: str) -> None:
        """Let a profile see everything that comes with the org."""
        owned = {"ProfileId": self._ids["Profile", profile], "IsOwnedByProfile": True}
        named = {"Name": f"X00e{profile.replace(' ', '_')}", "Label": profile, "Type": "Profile"}
        rights = dict.fromkeys(_ADMIN_RIGHTS, profile == "System Administrator")
        plain = {"IsCustom": False, "HasActivationRequired": False, "PermissionsApiEnabled": True}
        parent = self._plant("PermissionSet", profile, {**named, **owned, **plain, **rights}).id
        allowed = {"PermissionsEdit": True, "PermissionsRead": True}
        for kind in self._store.whole:
            if kind.custom:
                more = dict.fromkeys(("PermissionsCreate", "PermissionsDelete"), True)
                key = {"ParentId": parent, "SobjectType": kind.name}
                self._plant(
                    "ObjectPermissions", f"{profile} {kind.name}", {**key, **allowed, **more}
                )
            for found in kind.fields.values():
                if found.custom and found.permissionable:
                    name = f"{kind.name}.{found.name}"
                    key = {"ParentId": parent, "SobjectType": kind.name, "Field": name}
                    self._plant("FieldPermissions", f"{profile} {name}", {**key, **allowed})

    def people(self, *, with_partners: bool) -> None:
        """Plant users and queues; partner users hang on contacts only the demo has."""
        org = _data("org")
        if with_partners:
            self._accounts()
        for user in org["users"]:
            self._user(user)
        for name, developer_name in org["queues"]:
            values = {"Name": name, "DeveloperName": developer_name, "Type": "Queue"}
            flags = {"DoesSendEmailToMembers": False, "DoesIncludeBosses": True}
            owner = {"OwnerId": self._admin}
            queue = self._plant("Group", name, {**values, **flags, **owner})
            self._plant("QueueSobject", name, {"QueueId": queue.id, "SobjectType": "Lead"})
        for queue_name, username in org["queue_members"]:
            member = {"UserOrGroupId": self._ids["User", username]}
            self._plant(
                "GroupMember",
                f"{queue_name} {username}",
                {"GroupId": self._ids["Group", queue_name], **member},
            )

    def demo(self) -> None:
        """Plant deals, leads and solutions."""
        demo = _data("demo")
        sellers = [user["Username"] for user in _data("org")["users"][1:4]]
        owners = [self._ids["User", name] for name in sellers]
        customers = demo["accounts"][: -len(demo["partners"])]
        for place, account in enumerate(demo["accounts"]):
            row = self._store.living(self._ids["Account", account[0]])
            if row is not None:
                self._store.merge(row, OwnerId=owners[place % 3], CreatedById=owners[place % 3])
        for number in range(_DEALS):
            self._deal(number, customers[number % len(customers)], owners[number % 3])
        for place, lead in enumerate(demo["leads"]):
            self._lead(place, lead)

    def _accounts(self) -> None:
        demo = _data("demo")
        doing = self._doing(timedelta(days=120), self._admin)
        self._plant_admin()
        for place, account in enumerate(demo["accounts"]):
            name, street, city, state, postal, country, currency, industry, size, contacts = account
            address = {"Street": street, "City": city, "State": state, "PostalCode": postal}
            billing = {f"Billing{key}": value for key, value in address.items()}
            host = "".join(sign for sign in name.lower().split(" ")[0] if sign.isascii())
            row = self._writer.create(
                self._store.schema["Account"],
                {
                    "Name": name,
                    **billing,
                    "BillingCountry": country,
                    "CurrencyIsoCode": currency,
                    "Industry": industry,
                    "NumberOfEmployees": size,
                    "Phone": f"+1 555 01{place:02d}",
                    "Website": f"https://www.{host}.example",
                },
                doing,
            )
            self._ids["Account", name] = row.id
            if name in demo["partners"]:
                self._store.merge(row, IsPartner=True)
            for person in contacts:
                self._contact(row, person, host, doing)

    def _contact(self, account: Row, person: list[str], host: str, doing: Doing) -> None:
        first, last, title = person
        row = self._writer.create(
            self._store.schema["Contact"],
            {
                "AccountId": account.id,
                "FirstName": first,
                "LastName": last,
                "Title": title,
                "Email": f"{_ascii(first)}.{_ascii(last)}@{host}.example".lower(),
                "Phone": account.get("Phone"),
                "CurrencyIsoCode": account.get("CurrencyIsoCode"),
            },
            doing,
        )
        self._ids["Contact", f"{first} {last}"] = row.id

    def _plant_admin(self) -> None:
        """Plant the first user ahead of the rest, so that rows have somebody to be owned by."""
        values = {"Username": self._username, "IsActive": True, "UserType": "Standard"}
        self._store.insert(Row(self._store.schema["User"], self._admin, values))

    def _user(self, user: Mapping[str, Any]) -> None:
        kind = self._store.schema["User"]
        flags = {name: False for name, found in kind.fields.items() if found.type == "boolean"}
        flags.pop("IsDeleted")
        profile = self._store.living(self._ids["Profile", user["profile"]])
        contact = self._store.living(self._ids.get(("Contact", user.get("contact", ""))))
        plain = {key: value for key, value in user.items() if key[0].isupper()}
        email = {"Email": user["Username"], "CommunityNickname": user["Alias"], "IsActive": True}
        kind_of_user = profile.get("UserType") if profile is not None else None
        values = {
            **flags,
            **plain,
            **email,
            **_LOCALE,
            "Name": f"{user['FirstName']} {user['LastName']}",
            "ProfileId": self._ids["Profile", user["profile"]],
            "UserRoleId": self._ids.get(("UserRole", user.get("role", ""))),
            "UserType": kind_of_user,
            "ContactId": contact.id if contact is not None else None,
            "AccountId": contact.get("AccountId") if contact is not None else None,
            "IsPortalEnabled": contact is not None,
            "LastLoginDate": (self._now - timedelta(days=1)).replace(microsecond=0),
            "PortalRole": "Worker" if kind_of_user == "PowerPartner" else None,
            "DefaultCurrencyIsoCode": "USD",
            "CurrencyIsoCode": "USD",
            **self._stamps(),
        }
        first = user["Username"] == self._username
        existing = self._store.row(self._admin) if first else None
        if existing is not None:
            self._store.replace(existing, values)
            self._ids["User", user["Username"]] = existing.id
            return
        row = Row(kind, self._admin if first else self._store.mint(kind), values)
        self._store.insert(row)
        self._ids["User", user["Username"]] = row.id

    def _deal(self, number: int, account: list[Any], owner: str) -> None:
        demo = _data("demo")
        contacts = [self._ids["Contact", f"{c[0]} {c[1]}"] for c in account[9]]
        project = demo["projects"][(number * 3 + number // 10) % len(demo["projects"])]
        currency = "USD" if number % _IN_DOLLARS == 0 else account[6]
        stage = demo["stages"][number % len(demo["stages"])]
        closed = stage.startswith("Closed")
        days = -20 + number % 15 if closed else 20 + (number * 7) % 160
        # Amounts with cents where the currency has them, so that nobody gets away with floats.
        cents = Decimal(0) if currency == "JPY" else Decimal(number * 37 % 100) / 100
        times = {"JPY": 150, "DKK": 7, "NOK": 10, "BRL": 5}.get(currency, 1)
        body = {
            "Name": f"{account[0].split(' ')[0]} {project}",
            "AccountId": self._ids["Account", account[0]],
            "StageName": stage,
            "CloseDate": (self._now + timedelta(days=days)).date().isoformat(),
            "Amount": (5000 + number * 1250) * times + cents,
            "CurrencyIsoCode": currency,
            "OwnerId": owner,
            "LeadSource": ("Web", "Partner Referral", "Phone Inquiry")[number % 3],
            "Type": "New Customer" if number % 2 else "Existing Customer - Upgrade",
            "ContactId": contacts[0],
            "Description": f"{project} for {account[0]}, as discussed with {account[9][0][0]}.",
        }
        with_help = number % 9 == 1
        if with_help:
            body["How_can_Microsoft_help__c"] = demo["helps"][number // 9 % len(demo["helps"])]
        doing = self._doing(timedelta(days=60 - number, hours=number % 7), owner)
        row = self._writer.create(self._store.schema["Opportunity"], body, doing)
        if with_help:
            solution = demo["solutions"][number // 9 % len(demo["solutions"])]
            names = ("Solution_Identifier__c", "Solution_Name__c", "Type__c", "Publisher_Name__c")
            values = dict(zip(names, solution, strict=True))
            kind = self._store.schema["Microsoft_Solution__c"]
            named = {"Name": solution[1], "Opportunity__c": row.id, **values}
            self._writer.create(kind, named, doing)

    def _lead(self, place: int, lead: list[Any]) -> None:
        first, last, company, country, source, owner = lead
        owner_id = self._ids.get(("Group", owner)) or self._ids["User", owner]
        body = {
            "FirstName": first,
            "LastName": last,
            "Company": company,
            "Country": country,
            "LeadSource": source,
            "Email": f"{_ascii(first)}.{_ascii(last)}@lead{place}.example".lower(),
            "OwnerId": owner_id,
            "Status": "Working - Contacted" if place % 4 == 3 else "Open - Not Contacted",
        }
        doing = self._doing(timedelta(days=10 - place), self._admin, assign="FALSE")
        self._writer.create(self._store.schema["Lead"], body, doing)

    def _plant(self, name: str, key: str, values: Mapping[str, Any]) -> Row:
        kind = self._store.schema[name]
        row = Row(kind, self._store.mint(kind), {**values, **self._stamps()})
        self._store.insert(row)
        self._ids[name, key] = row.id
        return row

    def _stamps(self) -> dict[str, Any]:
        moment = (self._now - timedelta(days=200)).replace(microsecond=0)
        return {
            "CreatedDate": moment,
            "CreatedById": self._admin,
            "LastModifiedDate": moment,
            "LastModifiedById": self._admin,
            "SystemModstamp": moment,
        }

    def _doing(self, ago: timedelta, user_id: str, *, assign: str = "TRUE") -> Doing:
        return Doing(user_id=user_id, now=self._now - ago, client="", auto_assign=assign)


def _ascii(text: str) -> str:
    return "".join(sign for sign in text if sign.isascii() and sign.isalpha())
