"""The names under which the demo's card lies in the data folder."""

CARD = "demo.json"
# The first worker writes this one; it takes the place of `demo.json` when all is ready, and not before.
NEXT_CARD = ".demo.next.json"
