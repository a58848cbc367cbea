"""How a command answers.

Printed    `printing` of tables, facts and JSON, to a `terminal`; `counting` shows how far it is
Written    `writing` of reports
In words   `account` of the ledger, what a file has `changed`, what is `on_trial`, a request worth `proposing`, `status_report`
"""
