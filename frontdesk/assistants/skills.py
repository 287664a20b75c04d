"""An assistant's skills: what the prompt lists of them, and their limits. Characters, not tokens."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import cast

LOAD_SKILL = "load_skill"
MOST_SKILLS = 50  # the prompt lists each in every turn
LONGEST_NAME = 100
LONGEST_WHEN = 500
LONGEST_CONTENT = 20_000
MOST_CHARACTERS = 200_000  # of all contents of an assistant: every version holds them


@dataclass(frozen=True, slots=True)
class Skill:
    """What is known of a skill before it is loaded."""

    id: int
    name: str
    when_to_use: str


def skills_of(value: object) -> tuple[Skill, ...]:
    """The skills in a snapshot, or in a row's JSON; one from before there were skills has none."""
    rows = json.loads(value) if isinstance(value, str | bytes) else value
    return tuple(
        Skill(cast(int, row["id"]), str(row["name"]), str(row["when_to_use"]))
        for row in cast("list[Mapping[str, object]]", rows or [])
    )


def named(skills: tuple[Skill, ...], name: str) -> Skill | None:
    """The skill that a model means: it writes the name as it read it, give or take case and spaces."""
    wanted = " ".join(name.split()).casefold()
    return next((skill for skill in skills if skill.name.casefold() == wanted), None)
