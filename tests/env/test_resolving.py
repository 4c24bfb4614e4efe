"""From declarations and an environment to values with types, or to every problem."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from cosell_definitions.parsing import load_environment, load_variables
from cosell_definitions.problems import Problem, Unsound
from cosell_definitions.settings import Declaration
from cosell_env.resolving import Environment, resolve

ROOT = Path(__file__).parents[2]

DECLARED = """\
variables: v1
declare:
  SYNC_ONLY: { display_name: Sync only, type: boolean, default: "Yes" }
  STAGE: { display_name: Stage, type: stage, default: Prospecting }
  VALUE_FIELD: { display_name: Value field, type: field, default: Amount }
  SHARE: { display_name: Share, type: number, default: "0.25" }
  MODE: { display_name: Mode, type: choice, default: fast, choices: [fast, slow] }
  NOTE: { display_name: Note, type: text, default: "" }
"""


def declared(text: str = DECLARED) -> tuple[Declaration, ...]:
    found, problems = load_variables(text, file="env/cosell/variables.yaml")
    assert found is not None, problems
    return found


def resolved(
    variables: str = "", process: dict[str, str] | None = None, *, declarations: str = DECLARED
) -> Environment:
    text = f"environment: v1\nvariables:\n{variables}" if variables else "environment: v1\n"
    file, problems = load_environment(text, file="env/staging.yaml")
    assert file is not None, problems
    return resolve(declared(declarations), file, process or {}, environment="staging")


def refused(*arguments: Any, **more: Any) -> tuple[Problem, ...]:
    with pytest.raises(Unsound) as caught:
        resolved(*arguments, **more)
    return caught.value.problems


def test_values_have_their_types() -> None:
    """Yes is true, numbers are numbers, and all else is the text as written."""
    assert dict(resolved().values) == {
        "SYNC_ONLY": True,
        "STAGE": "Prospecting",
        "VALUE_FIELD": "Amount",
        "SHARE": Decimal("0.25"),
        "MODE": "fast",
        "NOTE": "",
    }


def test_what_is_shipped_resolves() -> None:
    """The shipped variables and the sandbox have no problem, and the defaults of the contract."""
    file, _ = load_environment((ROOT / "env/sandbox.yaml").read_bytes(), file="env/sandbox.yaml")
    found = declared((ROOT / "env/cosell/variables.yaml").read_text())

    environment = resolve(found, file, {}, environment="sandbox")

    assert (environment.warnings, dict(environment.values)) == (
        (),
        {
            "SYNC_CO_SELL_ONLY": True,
            "DISPLAY_CHECK_MARK": True,
            "AUDIT_LANGUAGE": "English",
            "SYNC_CUSTOMER_CONTACT": "Before co-sell",
            "SYNC_SALES_TEAM": True,
            "ON_HOLD_STAGE": "Prospecting",
            "ACTIVE_STAGE": "Qualification",
            "DEAL_VALUE_FIELD": "Amount",
            "DEAL_CURRENCY_FIELD": "CurrencyIsoCode",
            "COUNTRY_CODE_FIELD": "BillingCountry",
            "SYNC_FIELD": "Sync_with_Partner_Center__c",
            "REFERRAL_ID_FIELD": "Referral_Identifier__c",
            "REFERRAL_LINK_FIELD": "Referral_Link__c",
            "HELP_FIELD": "How_can_Microsoft_help__c",
            "VISIBILITY_FIELD": "Referral_Visibility__c",
            "MICROSOFT_CRM_ID_FIELD": "Microsoft_CRM_Identifier__c",
            "AUDIT_FIELD": "Audit__c",
            "SOLUTIONS_OBJECT": "Microsoft_Solution__c",
        },
    )


@pytest.mark.parametrize("name", ["staging.yaml.example", "production.yaml.example"])
def test_the_examples_are_sound(name: str) -> None:
    """An example that is copied works."""
    text = (ROOT / "env" / name).read_bytes()

    file, problems = load_environment(text, file=f"env/{name.removesuffix('.example')}")

    assert (file is not None, problems) == (True, ())


@pytest.mark.parametrize(
    ("variables", "process", "value", "source"),
    [
        ("", {}, "Prospecting", "default"),
        ("  STAGE: On Hold\n", {}, "On Hold", "env/staging.yaml"),
        ("  STAGE: On Hold\n", {"COSELL_STAGE": "Parked"}, "Parked", "COSELL_STAGE"),
        ("  STAGE: On Hold\n", {"COSELL_STAGE": ""}, "On Hold", "env/staging.yaml"),
    ],
)
def test_the_nearest_value_counts(
    variables: str, process: dict[str, str], value: str, source: str
) -> None:
    """The process wins over the file, the file over the default; and it is said which."""
    found = next(one for one in resolved(variables, process).variables if one.name == "STAGE")

    assert (found.value, found.source) == (value, source)


@pytest.mark.parametrize("written", ["no", "No", "NO", "false", "False"])
def test_no_means_no(written: str) -> None:
    """However a person writes it, No is false and not a country."""
    assert resolved(f"  SYNC_ONLY: {written}\n").values["SYNC_ONLY"] is False


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("  SYNC_ONLY: Maybe\n", "SYNC_ONLY is 'Maybe'; Yes or No is needed"),
        ("  SHARE: a lot\n", "SHARE is 'a lot'; a number is needed"),
        ("  MODE: quick\n", "MODE is 'quick'; one of fast, slow is needed"),
    ],
)
def test_a_value_of_the_wrong_type_is_a_problem(line: str, message: str) -> None:
    """The problem stands at the value, and says what would fit."""
    (problem,) = refused(line)

    assert (problem.code, str(problem.place)[:18], problem.message) == (
        "V021",
        "env/staging.yaml:3",
        message,
    )


def test_a_label_is_not_an_api_name() -> None:
    """Whoever writes the label of a field is told what its API name may be."""
    (problem,) = refused("  VALUE_FIELD: Deal value\n")

    assert "perhaps Deal_value__c" in (problem.hint or "")


def test_an_override_of_the_wrong_type_is_named() -> None:
    """A wrong value in the process is told with the variable it came from."""
    (problem,) = refused("", {"COSELL_SHARE": "a lot"})

    assert "COSELL_SHARE" in problem.place.file


def test_a_variable_nobody_declares_is_a_problem() -> None:
    """A slip in a name does not silently leave the default in force."""
    (problem,) = refused("  SYNC_ONY: No\n")

    assert (problem.code, problem.hint) == ("V020", "did you mean SYNC_ONLY?")


def test_a_variable_without_a_value_is_a_problem() -> None:
    """What has no default must be given."""
    (problem,) = refused(
        declarations="variables: v1\ndeclare: { X: { display_name: The x, type: text } }\n"
    )

    assert (problem.code, problem.hint) == ("V022", "run: cosell env set X VALUE")


def test_every_problem_is_told_at_once() -> None:
    """Three slips, three problems, one reading."""
    lines = "  SYNC_ONLY: Maybe\n  SHARE: lots\n  MODUS: fast\n"

    assert len(refused(lines)) == 3


def test_a_name_is_declared_once() -> None:
    """Two solutions in a project cannot mean different things by one name."""
    file, _ = load_environment("environment: v1\n", file="env/staging.yaml")

    with pytest.raises(Unsound) as caught:
        resolve((*declared(), *declared()[:1]), file, {}, environment="staging")

    assert [one.code for one in caught.value.problems] == ["V024"]


def test_one_underscore_too_few_is_a_warning() -> None:
    """Microsoft's pages print sync_with_partner_center_c, which no org has."""
    (warning,) = resolved("  VALUE_FIELD: deal_value_c\n").warnings

    assert warning.hint == "write deal_value__c"


def test_connections_may_be_bound_by_the_process_alone() -> None:
    """An environment file need not name a connection that variables of the process bind."""
    environment = resolved("", {"COSELL_CONNECTION_PARTNER_CENTER_EVENTS_BASE_URL": "https://x"})

    assert environment.connections["partner_center_events"].get("base_url") == "https://x"


def test_an_unbound_connection_says_what_it_lacks() -> None:
    """Asking for a connection nobody bound gives one without settings, not a crash."""
    assert resolved().connection("salesforce").get("client_id") is None


def test_a_connection_may_use_another_connector() -> None:
    """Two orgs are two connections of one connector."""
    text = "environment: v1\nconnections: { other_org: { connector: salesforce } }\n"
    file, _ = load_environment(text, file="env/staging.yaml")

    environment = resolve((), file, {}, environment="staging")

    assert environment.connections["other_org"].connector == "salesforce"


def test_a_setting_nothing_asks_for_is_a_warning() -> None:
    """A slip in the name of a setting is told."""
    text = "environment: v1\nconnections: { salesforce: { client_ident: x } }\n"
    file, _ = load_environment(text, file="env/staging.yaml")

    (warning,) = resolve((), file, {}, environment="staging").warnings

    assert warning.hint == "did you mean 'client_id'?"
