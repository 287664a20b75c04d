"""Keys and names of files: nothing that is sent becomes a path."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from frontdesk.core.clock import FakeClock
from frontdesk.core.disk_store import DiskStore
from frontdesk.core.errors import Forbidden, NotFound
from frontdesk.core.file_kinds import PURPOSES, category_of, make_key, plain_name, read_key
from frontdesk.core.files import Files
from frontdesk.core.uploads import key_in_address

NAMES = {
    "photo.png": "photo.png", "Más fotos.JPG": "Mas-fotos.JPG", "../../etc/passwd": "passwd",
    "C:\\temp\\a b.pdf": "a-b.pdf",
    ".htaccess": "htaccess", "日本.png": "file.png", "日本": "file", "": "file", "..": "file", "a\x00b.png": "a-b.png",
    "x" * 300 + ".jpeg": "x" * 69 + ".jpeg", "con?<>|.txt": "con.txt", "-rf": "rf", "archive.tar.gz": "archive.tar.gz",
}  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
def test_a_name_keeps_what_is_harmless(name: str) -> None:
    assert plain_name(name) == NAMES[name]


@given(st.text(max_size=400), st.sampled_from([*PURPOSES]), st.integers(1, 2**31 - 1))
def test_every_name_makes_a_key_that_can_be_read_back(name: str, purpose: str, organization_id: int) -> None:
    key = make_key(organization_id, purpose, name)
    assert read_key(key.text) == key
    assert ".." not in key.text.split("/")


@given(st.text())
def test_no_text_but_a_key_is_one(text: str) -> None:
    assert read_key(text) is None


def test_keys_are_not_alike() -> None:
    assert len({make_key(1, "avatar", "a.png").text for _ in range(100)}) == 100


@pytest.mark.parametrize(
    "change",
    [
        lambda key: f"0{key}", lambda key: key + "\n", lambda key: f"/{key}",
        lambda key: key.replace("/avatar/", "/etc/"),
        lambda key: key.replace("a.png", "../a.png"), lambda key: key.replace("a.png", ".png"), lambda key: key + "/x",
        lambda key: key.replace("1/", "1//", 1), lambda key: key.upper(),
    ],
    ids=["zero", "newline", "absolute", "purpose", "parent", "hidden", "deeper", "empty part", "case"],
)  # fmt: skip
def test_a_changed_key_is_none(change: object) -> None:
    assert callable(change)
    assert read_key(change(make_key(1, "avatar", "a.png").text)) is None


@pytest.mark.parametrize(
    ("file_type", "category"),
    [("image/png", "image"), ("audio/ogg", "audio"), ("video/mp4", "video"), ("application/pdf", "file"),
     ("image/svg+xml", "file"), ("", "file")],
)  # fmt: skip
def test_a_category_follows_from_the_type(file_type: str, category: str) -> None:
    assert category_of(file_type) == category


def test_our_own_addresses_are_known_with_and_without_a_host() -> None:
    key = make_key(1, "avatar", "a.png")
    assert key_in_address(key.path) == key_in_address(f"https://desk.example.com{key.path}") == key.text
    assert [key_in_address(other) for other in ("https://example.com/a.png", "/files/x", "", None, 7)] == [None] * 5


@pytest.fixture
def files(tmp_path: object) -> Files:
    return Files(DiskStore(tmp_path), "a secret of this installation", FakeClock())  # type: ignore[arg-type]


def test_another_installations_signature_is_not_ours(files: Files, tmp_path: object) -> None:
    other = Files(DiskStore(tmp_path), "another installation's secret", FakeClock())  # type: ignore[arg-type]
    key = make_key(1, "conversation-file", "a.png")
    query = dict(part.split("=") for part in other.download_url(key).partition("?")[2].split("&"))
    with pytest.raises(Forbidden):
        files.read_download(key.text, query)


def test_downloads_of_one_hour_have_one_address(files: Files) -> None:
    key = make_key(1, "conversation-file", "a.png")
    first = files.download_url(key)
    files.clock = FakeClock(files.clock.now().replace(minute=59))
    assert files.download_url(key) == first
    files.clock = FakeClock(files.clock.now().replace(hour=13))
    assert files.download_url(key) != first


@given(st.dictionaries(st.sampled_from(["type", "size", "expires", "signature"]), st.text()))
def test_no_query_but_ours_opens_an_upload(query: dict[str, str]) -> None:
    files = Files(DiskStore("/nowhere"), "a secret of this installation", FakeClock())  # type: ignore[arg-type]
    with pytest.raises(Forbidden):
        files.read_upload(make_key(1, "avatar", "a.png").text, query)
    with pytest.raises(NotFound):
        files.read_upload("1/avatar/x", query)
