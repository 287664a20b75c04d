"""What schemathesis loads: it must not saw off its own branch, and it needs rows that are there.

`FACTS` is JSON: `keep` has by path the ids that the run itself stands on (its key, its login); `rows` has by resource
ids that exist; `references` says which resource a field of a body names. `TALLY` is the file that gets a line per
answer.
"""

from __future__ import annotations

import itertools
import json
import os
from pathlib import Path
from typing import Any

import schemathesis
from schemathesis import Case, HookContext, Response

FACTS: dict[str, Any] = json.loads(os.environ["FACTS"])
KEEP: dict[str, list[int]] = FACTS["keep"]
ROWS: dict[str, list[int]] = FACTS["rows"]
REFERENCES: dict[str, str] = FACTS["references"]
TALLY = Path(os.environ["TALLY"])
NOBODYS = 10**9
count = itertools.count()


@schemathesis.hook
def before_call(context: HookContext, case: Case, kwargs: dict[str, Any]) -> None:
    """Every second case speaks of rows that exist: made-up ids would only ever try the 404s."""
    if next(count) % 2 == 0:
        _name_rows(case)
    if case.operation.path == "/events":
        case.query = {**(case.query or {}), "seconds": "0"}  # else it has no end
    kept = KEEP.get(case.operation.path, [])
    # A deletion of the key that the run uses would make every later answer a 401, and the test worthless.
    if case.method in ("PATCH", "DELETE") and str(case.path_parameters.get("id")) in map(str, kept):
        case.path_parameters["id"] = NOBODYS


def _name_rows(case: Case) -> None:
    ids = ROWS.get(case.operation.path.split("/")[1], [])
    if ids and "id" in case.path_parameters:
        # What is deleted must not be the row that everything else hangs on.
        case.path_parameters["id"] = ids[-1] if case.method == "DELETE" else ids[0]
    if isinstance(case.body, dict):
        for name in case.body.keys() & REFERENCES.keys():
            if found := ROWS.get(REFERENCES[name]):
                case.body[name] = found[0]


@schemathesis.hook
def after_call(context: HookContext, case: Case, response: Response) -> None:
    with TALLY.open("a", encoding="utf-8") as file:
        file.write(f"{case.method} {case.operation.path} {response.status_code}\n")
