"""`frontdesk assistants`: a file into a fresh installation, and the same bytes out of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.process.frontdesk_process import command

pytestmark = pytest.mark.process
FILE = """\
assistant:
  name: Eva
  assistant_type: conversation
  ai_model_name: Installation default
  instructions: |
    Say hello.
    We close at 18:00.
  schedule_config:
    enabled: true
    weekly:
    - {days: [mon], from: 09:00, to: 18:00}
skills:
- name: Returns
  when_to_use: Something is sent back.
  content: Within 30 days.
format: 1
"""


class House:
    """A database of its own, and the command line."""

    def __init__(self, url: str, data: Path) -> None:
        self.url, self.data, self.file = url, data, data / "eva.yaml"

    def run(self, *words: str) -> tuple[int, str, str]:
        done = command(*words, data=self.data, DATABASE_URL=self.url, FRONTDESK_SECRET_KEY="s" * 32)
        return done.returncode, done.stdout, done.stderr

    def assistants(self, *words: str) -> tuple[int, str, str]:
        return self.run("assistants", *words, "--organization", "1")


@pytest.fixture
def house(empty_database_url: str, tmp_path: Path) -> House:
    house = House(empty_database_url, tmp_path)
    code, _, said = house.run("organizations", "create", "--name", "Luna", "--owner-email", "ana@example.com")
    assert code == 0, said
    house.file.write_text(FILE)
    return house


def test_a_file_is_planned_applied_and_comes_back_the_same(house: House) -> None:
    code, said, _ = house.assistants("plan", str(house.file))
    assert (code, said.splitlines()[-1].endswith("the assistant is new.")) == (0, True)
    assert house.assistants("export", "--name", "Eva")[0] != 0  # a plan makes nothing
    assert house.assistants("apply", str(house.file))[0] == 0
    code, first, _ = house.assistants("export", "--name", "Eva")
    assert code == 0
    house.file.write_text(first)
    assert house.assistants("apply", str(house.file))[1].endswith(": no change.\n")
    house.file.write_text(first.replace("Say hello.", "Say goodbye.").replace("30 days", "60 days"))
    _, planned, _ = house.assistants("plan", str(house.file))
    assert planned.splitlines()[:-1] == [
        "~ assistant.instructions", "    @@ -1,2 +1,2 @@", "    -Say hello.", "    +Say goodbye.",
        "     We close at 18:00.",
        '~ skills.Returns.content: "Within 30 days." -> "Within 60 days."',
    ]  # fmt: skip
    assert house.assistants("export", "--name", "Eva")[1] == first


def test_a_wrong_file_is_one_sentence_and_nothing_is_made(house: House) -> None:
    house.file.write_text(FILE.replace("content: Within 30 days.", "content: ''"))
    code, _, said = house.assistants("apply", str(house.file))
    assert (code, said.splitlines()[-1]) == (78, "frontdesk: skills.Returns.content must not be empty.")
    assert house.assistants("export", "--name", "Eva")[0] == 78
    house.file.write_text("a: [")
    assert "eva.yaml: line 1" in house.assistants("apply", str(house.file))[2]
