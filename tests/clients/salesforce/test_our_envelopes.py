"""What our own connector sends by SOAP, judged by the schemas in Salesforce's WSDLs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from cosell_connectors.outgoing import build
from cosell_connectors.parsing import load

pytestmark = [pytest.mark.journey, pytest.mark.xdist_group("salesforce-clients"), pytest.mark.long]

PAGE = Path(__file__).parents[3] / "connectors" / "salesforce" / "connector.yaml"
XSD = "{http://www.w3.org/2001/XMLSchema}"
CALLS = [
    ("soap", "convert_lead", {"id": "00Q000000000001AAA", "status": "Closed - Converted"}),
    (
        "soap",
        "convert_lead",
        {
            "id": "00Q000000000001AAA",
            "status": "Closed - Converted",
            "account_id": "001000000000001AAA",
            "contact_id": "003000000000001AAA",
            "opportunity_id": "006000000000001AAA",
            "opportunity_name": "A & B <C>",
            "owner_id": "005000000000001AAA",
            "notify": True,
            "overwrite_source": True,
            "without_opportunity": True,
            "allow_duplicates": True,
        },
    ),
    (
        "soap",
        "update_records_with_mail",
        {
            "object": "Lead",
            "records": [{"OwnerId": "005000000000001AAA", "Id": "00Q000000000001AAA", "Fax": None}],
            "rule": "01Q000000000001AAA",
        },
    ),
    (
        "soap",
        "create_records_with_mail",
        {"object": "User", "records": [{"LastName": "Mori", "Email": "mori@partner.example"}]},
    ),
    ("metadata", "list_metadata", {"type": "SharingRules"}),
    (
        "metadata",
        "update_metadata",
        {
            "type": "StandardValueSet",
            "pieces": [
                {
                    "fullName": "SalesTeamRole",
                    "sorted": False,
                    "standardValue": [
                        {"fullName": "Partner", "default": False, "label": "Partner"}
                    ],
                }
            ],
        },
    ),
    ("metadata", "read_metadata", {"type": "SharingRules", "names": ["Lead", "Account"]}),
]


def schema_of(wsdl: Path, folder: Path) -> Any:
    """The schemas in a WSDL, as one that can judge: each in a file, and imports that find it."""
    from lxml import etree

    found = etree.parse(str(wsdl)).getroot().findall(f".//{XSD}schema")
    files = {one.get("targetNamespace"): f"{number}.xsd" for number, one in enumerate(found)}
    for one in found:
        for wanted in one.findall(f"{XSD}import"):
            wanted.set("schemaLocation", files[wanted.get("namespace")])
        (folder / files[one.get("targetNamespace")]).write_bytes(etree.tostring(one))
    # The first to be read must be the one that imports the others.
    main = found[-1].get("targetNamespace")
    return etree.XMLSchema(etree.parse(str(folder / files[main])))


@pytest.mark.parametrize(("kind", "operation", "arguments"), CALLS)
def test_every_element_fits_the_schema(
    python_clients: Path,
    wsdl: Path,
    tmp_path: Path,
    kind: str,
    operation: str,
    arguments: dict[str, Any],
) -> None:
    """The call and each header: names, namespaces, types, and the order the schema asks for."""
    from lxml import etree

    connector = load(PAGE)
    schema = schema_of(wsdl / kind / "wsdl.xml", tmp_path)
    sent = build(
        connector,
        connector.operations[operation],
        arguments,
        base_url="https://org.example",
        settings=connector.settings,
    )

    head, body = etree.fromstring(sent.content)
    for part in (*head, *body):
        assert schema.validate(part), (etree.tostring(part), schema.error_log)
