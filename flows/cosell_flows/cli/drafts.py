"""The drafts of `cosell new`. NAME and WORDS are filled in; everything else is to be changed."""

from __future__ import annotations

FLOW = """\
# yaml-language-server: $schema=../../schemas/flow.v1.json
#
# A flow: what starts it, what it is given, its steps. Say here, for whoever reads it next, what it
# is for. `cosell show NAME` tells what it does, `cosell check` what is wrong with it.
flow: v1
id: NAME # the name of this file
name: WORDS
description: Say in a sentence what it is for.

triggers:
  - { id: by_hand, type: manual } # cosell run NAME, or the button in the Prefect UI
  # - { id: nightly, type: schedule, cron: "0 6 * * 1-5", timezone: Europe/Rome }
  # - { id: often, type: schedule, every: 15m }

inputs: # what it is given; required, unless there is a default
  amounts:
    type: array
    items: { type: decimal }
    default: [120.50, 80]
    title: Amounts

# uses: # what it depends on, for whoever reads it: connections, environment variables, mappings
#   connections: [salesforce]

# defaults: # how often a call is tried again, and after which classes of failure
#   retry: { attempts: 4, delay: 2s, on: [rate_limited, unavailable, locked] }

steps:
  - id: each
    foreach: inputs.amounts # a bare expression: no braces
    as: amount
    result: "{{ steps.kept.output.it | default(none) }}"
    steps:
      - id: kept
        when: amount >= 100 # otherwise this step is skipped
        set: { it: "{{ amount }}" } # one {{ }} alone keeps its type: this stays a number

  # A call of another system, once `uses` names the connection:
  # - id: deals
  #   action: salesforce.query
  #   with: { q: "SELECT Id, Name FROM Opportunity WHERE Amount > 100 LIMIT 10" }

outputs:
  large: { type: array, value: "{{ steps.each.output.results | select | list }}" }
"""

TEST = """\
# yaml-language-server: $schema=../../schemas/test.v1.json
#
# Tests of NAME: `cosell test NAME` runs them, without a network. Each case says what the flow is
# given, what the other systems answer, and what is expected.
test: v1
flow: NAME
cases:
  - name: only large amounts are kept
    inputs: { amounts: [99.99, 100, 250.5] }
    # mock: # what a call gives out; a list is answered in order
    #   salesforce.query:
    #     - fail: rate_limited
    #     - return: { records: [{ Id: 006E00000012345 }] }
    expect:
      status: succeeded
      ran: [each, kept]
      outputs: { large: [100, 250.5] }

  - name: without amounts there is nothing to keep
    inputs: { amounts: [] }
    expect: { not_ran: [kept], outputs: { large: [] } }
"""

MAPPING = """\
# yaml-language-server: $schema=../../schemas/mapping.v1.json
#
# A mapping: which field on the left mirrors which on the right, and who wins. A flow plans with it
# (sync.plan) and applies the plan (sync.apply).
mapping: v1
id: NAME # the name of this file
left: { connection: partner_center, object: Referral, key: id, version: eTag, moment: updatedDateTime }
right: { connection: salesforce, object: Opportunity, key: Id, version: SystemModstamp }
defaults: { direction: both, conflict: newest, blank: ignore } # blank: clear lets an empty field win
brakes: { max_changed: 25%, max_created: 200, max_deleted: 0, when_all_changed: stop }

fields:
  - { left: details.notes, right: Description, label: Notes }
  - { left: [status, substatus], right: StageName, table: stages, label: Stage }
  # A name that differs from org to org is an environment variable:
  # - { left: details.dealValue, right: "{{ env.DEAL_VALUE_FIELD }}", type: money }
  # One way only, and only when the record is made:
  # - { left: name, right: Name, direction: left_to_right, when: create }

tables: # values that mean the same; the first row that fits counts, `*` is any other value
  stages:
    - { left: [Closed, Won], right: Closed Won }
    - { left: [Closed, "*"], right: Closed Lost }
    - { left: [New, Pending], right: Prospecting }
    - { left: [Active, Accepted], right: "*" }
"""

CONNECTOR = """\
# yaml-language-server: $schema=../../schemas/connector.v1.json
#
# A REST system: what it can be asked to do. Put a link to the vendor's page beside each operation.
# Which account is used, and its secrets, stand in env/<environment>.yaml under `connections`.
connector: v1
id: NAME # the name of this folder
title: WORDS
description: Say in a sentence what the system holds.
base_url: https://api.example.com/v1

# How a call proves who it comes from: api_key, basic, bearer, client_credentials, refresh_token, jwt_bearer
auth: [{ type: api_key, header: X-Api-Key }]

operations:
  list_items: # a flow calls it as NAME.list_items
    summary: Items, page by page.
    method: GET
    path: /items
    effect: read
    parameters:
      updated_since: { in: query, type: datetime, required: false, description: Leave empty for all. }
    paging: { items: /data, next: /links/next } # JSON Pointers into the answer
    output:
      items: items

  change_item:
    summary: Change parts of an item.
    method: PATCH
    path: /items/{id}
    effect: write
    idempotent: true # the second time does no harm; with false, it is not sent again unasked
    parameters:
      id: { in: path }
      changes: { in: body, type: object, description: Names and new values. }

# Where a failure keeps its parts, and which class it is for `retry.on` and `error.class`
errors:
  code: [/error/code]
  message: [/error/message]
  classes:
    - { code: [TRY_LATER], class: rate_limited }

rate_limit: { concurrent: 4 }
"""
