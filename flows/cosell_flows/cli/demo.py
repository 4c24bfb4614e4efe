"""`make demo`: the story in both directions, played on the emulators, printed record by record."""

from __future__ import annotations

import argparse
import shutil
import signal
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..project import children_first, init_project, read_documents
from .console import say, warn
from .stagehands import Child, Emulated, Prefect, Seller, StoryBroke, until

STAGE = Path(".demo")
SELLER = "SELECT Username FROM User WHERE UserType = 'Standard' AND IsActive = true"


@dataclass(slots=True)
class Play:
    """Everybody on the stage, and what happened so far."""

    seller: Seller
    emulated: Emulated
    prefect: Prefect
    receiver: str
    made: dict[str, str] = field(default_factory=dict)
    checks: int = 0
    broken: list[str] = field(default_factory=list)

    def scene(self, title: str) -> None:
        """Announce a scene, and forget what was written before it."""
        say(f"\n{title}")
        for system in ("salesforce", "partner_center"):
            self.emulated.writes(system)

    def saw(self, what: str, seen: object) -> None:
        """Say what was seen, and whether it is as it should be."""
        self.checks += 1
        if seen:
            say(f"   ✔ {what}")
        else:
            self.broken.append(what)
            say(f"   ✘ NOT SEEN: {what}")

    def push(self, opportunity: str) -> str:
        """Let the flow that watches opportunities run now, as the button in Prefect's UI does."""
        return self.prefect.run("opportunity-to-partner-center", opportunity_ids=[opportunity])

    def settle(self) -> None:
        """Wait until the webhooks of what was done have been worked off."""
        until(lambda: not _pending(self.emulated), "the end of the webhooks")
        time.sleep(0.5)


def _pending(emulated: Emulated) -> int:
    from .stagehands import call

    url = emulated.ready["partner_center"]["url"].split("/v1.0/")[0]
    return int(call("GET", f"{url}/__sandbox__/deliveries")["pending"])


def main(arguments: list[str] | None = None) -> int:
    """Play the story; 0 when every scene went as it should."""
    parser = argparse.ArgumentParser(prog="make demo", description=__doc__)
    parser.add_argument("--keep", action="store_true", help="leave everything running at the end")
    keep = parser.parse_args(arguments).keep
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    began = time.monotonic()
    children: list[Child] = []
    try:
        play = _set_up(children, keep)
        _play(play)
        seconds = time.monotonic() - began
        if play.broken:
            warn(f"\n{len(play.broken)} of {play.checks} things were not as they should be:")
            for what in play.broken:
                warn(f"   ✘ {what}")
            return 1
        say(f"\nAll {play.checks} things were as they should be ({seconds:.0f} s).")
        if keep:
            _stay(play)
        return 0
    except StoryBroke as broke:
        warn(f"\nthe demo stopped: {broke}\n  its logs are in {STAGE}/")
        return 1
    except KeyboardInterrupt:
        warn("interrupted")
        return 130
    finally:
        for child in reversed(children):
            child.stop()


def _set_up(children: list[Child], keep: bool) -> Play:
    shutil.rmtree(STAGE, ignore_errors=True)
    project = STAGE / "project"
    init_project(project)
    say("Starting the emulators of Salesforce and Partner Center …")
    ports = [] if keep else ["--salesforce-port", "0", "--partner-center-port", "0"]
    sandbox = Child.start(["sandbox", *ports], env={}, log=STAGE / "sandbox.log", patience=60)
    children.append(sandbox)
    env = dict(sandbox.ready["env"])
    say(f"   Salesforce      {sandbox.ready['salesforce']['url']}")
    say(f"   Partner Center  {sandbox.ready['partner_center']['url']}")
    say("Turning the flows on, children first, and starting Prefect, the receiver and the runner …")
    for flow in children_first(read_documents(project).flows):
        say(f"   on  {flow.name}")
    serve = Child.start(
        ["--project", str(project), "serve", "--all", *([] if keep else ["--port", "0"])],
        env=env, log=STAGE / "serve.log", patience=120,
    )  # fmt: skip
    children.append(serve)
    say(f"   Receiver        {serve.ready['receiver']}")
    say(f"   Prefect UI      {serve.ready['prefect_ui']}")
    admin = Seller.sign_in(sandbox.ready, sandbox.ready["salesforce"]["username"])
    own = sandbox.ready["salesforce"]["username"]
    people = [row["Username"] for row in admin.find(SELLER) if row["Username"] != own]
    return Play(
        seller=Seller.sign_in(sandbox.ready, people[0]),
        emulated=Emulated(sandbox.ready),
        prefect=Prefect(serve.ready["prefect_api"]),
        receiver=serve.ready["receiver"],
    )


def _play(play: Play) -> None:
    scenes: tuple[Callable[[Play], None], ...] = (
        _registers,
        _shares,
        _updates,
        _microsoft_accepts,
        _microsoft_sends,
        _both_edit,
        _lacks_a_solution,
        _again,
    )
    for scene in scenes:
        scene(play)


def _registers(play: Play) -> None:
    play.scene("Partner Center is told which address to call")
    state = play.prefect.run("webhook-registration", http_trigger_endpoint=play.receiver)
    play.saw(f"registered for the four referral events ({state})", state == "Completed")
    say("   … and what Partner Center holds already comes in")
    state = play.prefect.run("partner-center-to-salesforce")
    rows = play.seller.find(
        "SELECT Name, StageName FROM Opportunity WHERE Referral_Identifier__c != null"
    )
    for row in rows:
        say(f"     {row['Name']}  ({row['StageName']})")
    play.saw(f"{len(rows)} referrals became opportunities ({state})", rows)


def _shares(play: Play) -> None:
    play.scene("A seller shares a deal: help, contact, country, solution, Sync with Partner Center")
    seller = play.seller
    account = seller.make("Account", Name="Northwind Traders", BillingCountry="DK",
                          BillingStreet="Havnegade 1", BillingCity="København",
                          BillingPostalCode="1058")  # fmt: skip
    contact = seller.make("Contact", AccountId=account, FirstName="Ida", LastName="Holm",
                          Email="ida.holm@northwind.example", Phone="+4533112233")  # fmt: skip
    deal = seller.make(
        "Opportunity", Name="Northwind data platform", AccountId=account, ContactId=contact,
        StageName="Qualification", CloseDate="2027-03-31", Amount=125000.50,
        CurrencyIsoCode="DKK", How_can_Microsoft_help__c="Customer Technical Architecture",
    )  # fmt: skip
    seller.make("Microsoft_Solution__c", Opportunity__c=deal, Solution_Identifier__c="SOL-20417-KQZ",
                Solution_Name__c="Northwind Lakehouse", Type__c="3P",
                Publisher_Name__c="Fourth Coffee")  # fmt: skip
    seller.change("Opportunity", deal, Sync_with_Partner_Center__c=True)
    play.made["deal"] = deal
    play.push(deal)
    posts = [one for one in play.emulated.writes("partner_center")
             if one["method"] == "POST" and one["path"].endswith("/referrals")]  # fmt: skip
    now = seller.see("Opportunity", deal)
    referral = play.made["referral"] = str(now["Referral_Identifier__c"])
    twin = play.emulated.referral(referral)
    _show(now, "Name", "Referral_Identifier__c", "Referral_Link__c", "Audit__c")
    play.saw("two POSTs: our co-sell referral, and Microsoft's", len(posts) == 2)
    play.saw(
        "of one engagement", posts[1:] and posts[1]["body"]["engagementId"] == twin["engagementId"]
    )
    play.saw("identifier, link, audit line and ✔ were written back",
             now["Name"].startswith("✔ ") and now["Referral_Link__c"] and now["Audit__c"])  # fmt: skip
    play.saw("deal value, currency, country and help are the seller's",
             (twin["details"]["dealValue"], twin["details"]["currency"],
              twin["customerProfile"]["address"]["country"]) == (125000.50, "DKK", "DK"))  # fmt: skip
    play.settle()


def _updates(play: Play) -> None:
    play.scene("The seller changes deal value, currency and closing date")
    deal = play.made["deal"]
    play.seller.change(
        "Opportunity", deal, Amount=140000, CurrencyIsoCode="EUR", CloseDate="2027-04-30"
    )
    play.push(deal)
    writes = play.emulated.writes("partner_center")
    for write in writes:
        say(f"     {write['method']} {write['path'].rsplit('/', 1)[-1]}: {write['body']}")
    paths = sorted(one["path"] for write in writes for one in write["body"])
    play.saw("one PATCH with these three fields, and nothing else was sent",
             len(writes) == 1 and paths == ["/details/closingDateTime", "/details/currency",
                                            "/details/dealValue"])  # fmt: skip
    play.settle()


def _microsoft_accepts(play: Play) -> None:
    play.scene("Microsoft accepts its half of the co-sell")
    deal = play.made["deal"]
    play.emulated.microsoft("accept", play.made["referral"])
    # Two events tell of it, in either order: one of our referral, and one of Microsoft's.
    until(lambda: _with(play, deal, "Microsoft_CRM_Identifier__c"), "Microsoft's CRM identifier")
    until(lambda: "Microsoft accepted" in play.seller.see("Opportunity", deal)["Audit__c"],
          "that the audit says that Microsoft accepted")  # fmt: skip
    now = play.seller.see("Opportunity", deal)
    _show(now, "Microsoft_CRM_Identifier__c", "Audit__c")
    play.saw("its CRM identifier came by webhook", now["Microsoft_CRM_Identifier__c"])
    play.saw("and the audit says that Microsoft accepted", "Microsoft accepted" in now["Audit__c"])
    play.settle()


def _microsoft_sends(play: Play) -> None:
    play.scene("Microsoft sends a deal of its own")
    sent = play.emulated.microsoft("create", None, name="Wingtip Toys modern workplace")
    soql = f"SELECT Id FROM Opportunity WHERE Referral_Identifier__c = '{sent['id']}'"
    rows = until(lambda: play.seller.find(soql), "the opportunity of Microsoft's referral")
    deal = rows[0]["Id"]
    now = play.seller.see("Opportunity", deal)
    _show(now, "Name", "StageName", "Amount", "CurrencyIsoCode", "CloseDate", "Audit__c")
    roles = play.seller.find(
        f"SELECT Contact.Name FROM OpportunityContactRole WHERE OpportunityId = '{deal}'"
    )
    play.saw("it arrived with account and contact, on hold",
             now["AccountId"] and roles and now["StageName"] == "Prospecting")  # fmt: skip
    play.settle()
    say("   The seller moves it out of the on-hold stage")
    play.seller.change("Opportunity", deal, StageName="Qualification")
    play.push(deal)
    twin = play.emulated.referral(sent["id"])
    play.saw(f"it is accepted in Partner Center ({twin['status']}/{twin['substatus']})",
             (twin["status"], twin["substatus"]) == ("Active", "Accepted"))  # fmt: skip
    play.settle()


def _both_edit(play: Play) -> None:
    play.scene("Both sides edit the same deal, in different fields")
    deal, referral = play.made["deal"], play.made["referral"]
    play.seller.change("Opportunity", deal, Amount=150000)
    play.emulated.microsoft("update", referral, details={"notes": "Customer wants a pilot in May."})
    until(lambda: (_with(play, deal, "Description") or {}).get("Description", "").endswith("in May."),
          "Microsoft's note in Salesforce")  # fmt: skip
    play.push(deal)
    now, twin = play.seller.see("Opportunity", deal), play.emulated.referral(referral)
    _show(now, "Amount", "Description")
    play.saw("both edits survived on both sides",
             now["Amount"] == twin["details"]["dealValue"] == 150000
             and now["Description"] == twin["details"]["notes"])  # fmt: skip
    play.settle()


def _lacks_a_solution(play: Play) -> None:
    play.scene("A seller shares a deal and forgets the solution")
    account = play.seller.make("Account", Name="Tailspin Toys", BillingCountry="GB")
    deal = play.seller.make("Opportunity", Name="Tailspin migration", AccountId=account,
                            StageName="Qualification", CloseDate="2027-02-28", Amount=40000,
                            CurrencyIsoCode="GBP", Sync_with_Partner_Center__c=True)  # fmt: skip
    play.push(deal)
    now = play.seller.see("Opportunity", deal)
    _show(now, "Name", "Audit__c")
    play.saw("the audit says so in a seller's words, with ✘",
             now["Name"].startswith("✘ ") and "solution" in (now["Audit__c"] or ""))  # fmt: skip
    play.saw("nothing was made in Partner Center", not play.emulated.writes("partner_center"))


def _again(play: Play) -> None:
    play.scene("The same again, with nothing changed")
    whole = ("opportunity-to-partner-center", "solutions-to-partner-center",
             "partner-center-to-salesforce")  # fmt: skip
    play.prefect.run_at_once(*whole)
    play.settle()
    play.emulated.writes("partner_center")
    play.emulated.writes("salesforce")
    play.prefect.run_at_once(*whole)
    writes = play.emulated.writes("partner_center") + play.emulated.writes("salesforce")
    for write in writes:
        say(f"     {write['method']} {write['path']}: {write['body']}")
    play.saw("not one write, on either side", not writes)


def _stay(play: Play) -> None:
    say("\nEverything keeps running. Ctrl-C stops it.")
    say(
        f"   Prefect UI      {play.prefect.api.removesuffix('/api')}   (Runs, Deployments, Artifacts)"
    )
    say(f"   Receiver        {play.receiver}")
    say(f"   Salesforce      {play.seller.url}")
    say(f"   The project     {STAGE / 'project'}")
    try:
        signal.pause()
    except KeyboardInterrupt:
        say("stopping …")


def _with(play: Play, deal: str, name: str) -> dict[str, Any] | None:
    now = play.seller.see("Opportunity", deal)
    return now if now.get(name) else None


def _show(record: dict[str, Any], *names: str) -> None:
    for name in names:
        value = str(record.get(name)).split("\n", 1)[0]
        say(f"     {name:<28} {value}")


if __name__ == "__main__":
    sys.exit(main())
