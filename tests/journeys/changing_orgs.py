"""What an admin does to an org before a story begins: fields of the company's own."""

from __future__ import annotations

from typing import Any

from cosell_flows.cli.stagehands import API, Seller, call

KINDS: dict[str, dict[str, Any]] = {
    "Currency": {"precision": 18, "scale": 2},
    "Number": {"precision": 16, "scale": 2},
    "Text": {"length": 100},
    "LongTextArea": {"length": 32768, "visibleLines": 3},
    "Checkbox": {"defaultValue": "false"},
    "Date": {},
    "Url": {},
}


def add_field(ready: dict[str, Any], path: str, kind: str, **more: Any) -> None:
    """Give the org the field *path* (`Opportunity.Net__c`), for everybody to see."""
    admin = Seller.sign_in(ready, ready["salesforce"]["username"])
    name = path.partition(".")[2].removesuffix("__c").replace("_", " ")
    shape = {} if "formula" in more and kind == "Text" else KINDS[kind]
    told = {"label": name, "type": kind, **shape, **more}
    call("POST", f"{admin.url}{API}/tooling/sobjects/CustomField",
         {"FullName": path, "Metadata": told}, token=admin.token)  # fmt: skip
    for row in admin.find("SELECT Id FROM PermissionSet WHERE IsOwnedByProfile = true"):
        admin.make("FieldPermissions", ParentId=row["Id"], SobjectType=path.partition(".")[0],
                   Field=path, PermissionsRead=True, PermissionsEdit="formula" not in more)  # fmt: skip
