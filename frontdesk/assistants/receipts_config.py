"""`advanced_options.receipts`: how a reply is checked that says something was done (rule 16 of a turn)."""

from __future__ import annotations

from typing import Literal

from frontdesk.assistants.section import Section

ReceiptMode = Literal["rules", "rules_and_model", "off"]


class Receipts(Section):
    """`rules` read English and Spanish; with `rules_and_model` the assistant's model reads each reply once more."""

    mode: ReceiptMode = "rules"
