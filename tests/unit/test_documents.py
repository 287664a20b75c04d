"""The documents' own tools: what they write is true, and what they check they find."""

import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tools"))

from check_docs import anchor, faults  # noqa: E402
from make_reference import stale, write  # noqa: E402
from reference_pages import PAGES, settings_rows, table  # noqa: E402

from frontdesk.assistants.tool_keys import BUILT  # noqa: E402
from frontdesk.core.settings import Settings  # noqa: E402
from frontdesk.registry import RESOURCES  # noqa: E402
from frontdesk.runtime.endings import ENDINGS  # noqa: E402
from frontdesk.runtime.gates import GATES  # noqa: E402
from frontdesk.runtime.sentences import SENTENCES  # noqa: E402


def page(folder: Path, text: str) -> list[str]:
    (folder / "page.md").write_text(text)
    return list(faults(folder))


def test_written_pages_are_current(tmp_path: Path) -> None:
    write(tmp_path)
    assert list(stale(tmp_path)) == []


def test_a_changed_and_a_missing_page_are_stale(tmp_path: Path) -> None:
    write(tmp_path)
    (tmp_path / "rights.md").write_text("other")
    (tmp_path / "tools.md").unlink()
    assert list(stale(tmp_path)) == ["rights", "tools"]


def test_every_served_resource_has_its_rights() -> None:
    shown = PAGES["rights"]()
    assert [one.path for one in RESOURCES if one.verbs and f"| `{one.path}` |" not in shown] == []


def test_every_built_tool_has_a_section() -> None:
    assert [name for name in BUILT if f"## `{name}`" not in PAGES["tools"]()] == []


def test_every_gate_and_reason_is_explained() -> None:
    shown = PAGES["decisions"]()
    assert [name for name, _ in GATES if f"| `{name}` |" not in shown] == []
    assert [code for code in (*SENTENCES, *ENDINGS) if f"### `{code}`" not in shown] == []


def test_every_setting_is_described() -> None:
    assert [name for name, _, meaning in settings_rows(Settings) if not meaning] == []


def test_a_cell_cannot_break_its_table() -> None:
    assert table(["a"], [["x|y\nz"]]).splitlines()[-1] == r"| x\|y z |"


@pytest.mark.parametrize("text", ["[a](page.md)", "[a](https://example.com/x)", "# The way\n[a](#the-way)"])
def test_a_link_that_leads_somewhere_is_fine(tmp_path: Path, text: str) -> None:
    assert page(tmp_path, text) == []


@pytest.mark.parametrize("text", ["[a](gone.md)", "![a](no/picture.png)", "[a](page.md#nowhere)"])
def test_a_link_that_leads_nowhere_is_a_fault(tmp_path: Path, text: str) -> None:
    assert len(page(tmp_path, text)) == 1


def test_what_stands_in_a_fence_is_no_link(tmp_path: Path) -> None:
    assert page(tmp_path, "```sh\n[a](gone.md)\n```\n") == []


def test_broken_json_is_a_fault_with_its_line(tmp_path: Path) -> None:
    assert page(tmp_path, "one\n\n```json x\n{,}\n```\n")[0].startswith(f"{tmp_path}/page.md:3: the example")


def test_a_decision_record_that_no_index_names_is_a_fault(tmp_path: Path) -> None:
    why = tmp_path / "docs" / "why"
    why.mkdir(parents=True)
    (why / "README.md").write_text("[0001](0001-a.md)")
    (why / "0001-a.md").touch()
    (why / "0002-b.md").touch()
    assert [fault.partition(":")[0] for fault in faults(tmp_path)] == [str(why / "0002-b.md")]


@pytest.mark.parametrize(("heading", "address"), [("Tools and access", "tools-and-access"), ("`a_b`: c?", "a_b-c")])
def test_a_heading_has_an_address(heading: str, address: str) -> None:
    assert anchor(heading) == address
