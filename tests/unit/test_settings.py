"""What the operator sets, and how a mistake is answered."""

from pathlib import Path

import pytest

from frontdesk.core.halt import Halt
from frontdesk.core.quota import Quota
from frontdesk.core.settings import Settings, default_data_folder, read_or_make_secret, settings


@pytest.fixture(autouse=True)
def bare_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("DATABASE_URL", "FRONTDESK_PORT", "FRONTDESK_DATA", "OPENAI_API_KEY", "GEMINI_API_KEY"):
        monkeypatch.delenv(name, raising=False)
    settings.cache_clear()


def test_defaults_suit_a_clone() -> None:
    found = Settings()
    assert (found.host, found.port, found.is_embedded, found.wants_demo) == ("127.0.0.1", 8080, True, True)
    assert found.data == Path(__file__).resolve().parents[2] / "data"


def test_an_installed_package_keeps_its_data_in_the_users_folder(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("frontdesk.core.settings.CHECKOUT", tmp_path)
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "xdg"))
    assert default_data_folder() == tmp_path / "xdg" / "frontdesk"


def test_an_external_database_gets_no_demo_unless_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://me@db/x")
    assert not Settings().wants_demo
    monkeypatch.setenv("FRONTDESK_DEMO", "1")
    assert Settings().wants_demo


def test_lists_are_read_by_comma(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FRONTDESK_EGRESS_ALLOW", "10.0.0.0/8, crm.local,")
    assert Settings().egress_allow == ("10.0.0.0/8", "crm.local")


def test_an_empty_variable_is_an_unset_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "")
    assert Settings().is_embedded


def test_either_name_gives_the_google_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GEMINI_API_KEY", "g")
    key = Settings().google_api_key
    assert key is not None
    assert key.get_secret_value() == "g"


def test_the_rate_limit_is_requests_in_seconds_or_off(monkeypatch: pytest.MonkeyPatch) -> None:
    assert Settings().quota == Quota(1000, 3600)
    monkeypatch.setenv("FRONTDESK_RATE_LIMIT", "0")
    assert not Settings().quota
    monkeypatch.setenv("FRONTDESK_RATE_LIMIT", "true")
    with pytest.raises(Halt, match="FRONTDESK_RATE_LIMIT: must be requests/seconds"):
        settings()


def test_no_secret_is_shown() -> None:
    assert "s3cr3t" not in repr(Settings(openai_api_key="s3cr3t", OPENAI_API_KEY="s3cr3t"))  # type: ignore[call-arg]


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("FRONTDESK_PORT", "abc", "FRONTDESK_PORT: Input should be a valid integer"),
        ("FRONTDESK_PORT", "70000", "FRONTDESK_PORT: Input should be less than or equal to 65535"),
        ("DATABASE_URL", "mysql://x", "DATABASE_URL: must begin with postgresql://"),
        ("FRONTDESK_SECRET_KEY", "short", "FRONTDESK_SECRET_KEY: must have at least 32 characters"),
        ("FRONTDESK_SEARXNG_URL", "searxng:8080", "FRONTDESK_SEARXNG_URL: must be an address"),
        ("FRONTDESK_SEARXNG_URL", "http://me:pw@searxng", "FRONTDESK_SEARXNG_URL: must be an address"),
    ],
)
def test_a_mistake_is_one_sentence_that_names_the_variable(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, sentence: str
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(Halt, match="^" + sentence):
        settings()


@pytest.mark.parametrize(
    ("values", "port", "address"),
    [
        ({}, None, "http://127.0.0.1:8080"),
        ({"host": "0.0.0.0"}, 9000, "http://127.0.0.1:9000"),
        ({"host": "::"}, 9000, "http://[::1]:9000"),
        ({"base_url": "https://chat.example.com/"}, 9000, "https://chat.example.com"),
    ],
)
def test_the_public_address(
    monkeypatch: pytest.MonkeyPatch, values: dict[str, str], port: int | None, address: str
) -> None:
    for name, value in values.items():
        monkeypatch.setenv(f"FRONTDESK_{name.upper()}", value)
    assert Settings().public_url(port) == address


def test_the_secret_is_made_once_and_for_its_owner_only(tmp_path: Path) -> None:
    path = tmp_path / "new" / "secret.key"
    made = read_or_make_secret(path)
    assert len(made) >= 32
    assert read_or_make_secret(path) == made
    assert path.stat().st_mode & 0o777 == 0o600
    assert [each.name for each in path.parent.iterdir()] == ["secret.key"]


def test_a_secret_that_cannot_be_made_is_said(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("FRONTDESK_DATA", str(tmp_path / "file"))
    with pytest.raises(Halt, match="cannot be read or made"):
        Settings().secret()
