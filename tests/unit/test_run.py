"""What `frontdesk run` decides before anything heavy is loaded, and what it prints."""

import itertools
from pathlib import Path

import pytest

from frontdesk.commands.banner import banner
from frontdesk.commands.run import hand_over_card
from frontdesk.core.settings import Settings
from frontdesk.models.installation import wants_built_in

VARIABLES = ("OPENAI_API_KEY", "ANTHROPIC_API_KEY", "GEMINI_API_KEY", "GOOGLE_API_KEY", "FRONTDESK_OPENAI_BASE_URL")
CARD = {
    "chat_url": "http://127.0.0.1:8080/chat/wc_1",
    "api_key": "fd_1",
    "login": {"email": "demo@example.com", "password": None},
}


@pytest.mark.parametrize(
    ("model", "given"),
    [*itertools.product((None, "none", "local", "openai:gpt-x", "llama"), (None, *VARIABLES))],
)
def test_the_built_in_model_is_wanted_when_nothing_else_is_chosen(
    monkeypatch: pytest.MonkeyPatch, model: str | None, given: str | None
) -> None:
    for name in (*VARIABLES, "FRONTDESK_MODEL"):
        monkeypatch.delenv(name, raising=False)
    if given:
        monkeypatch.setenv(given, "http://127.0.0.1:1/v1")
    if model:
        monkeypatch.setenv("FRONTDESK_MODEL", model)
    settings = Settings()
    chosen = {"none": False, "local": True, "openai:gpt-x": False}
    assert wants_built_in(settings) == chosen.get(str(model), given is None)


def test_the_banner_says_where_everything_is() -> None:
    said = banner(Settings(), "http://127.0.0.1:8080", CARD, "OpenAI gpt-x")
    for word in ("/chat/wc_1", "/docs", "fd_1", "demo@example.com", "OpenAI gpt-x", str(Settings().data), "Ctrl-C"):
        assert word in said
    assert "the password that you have set" in said


def test_without_a_demo_the_banner_names_no_credentials() -> None:
    said = banner(Settings(), "http://127.0.0.1:8080", {}, "")
    assert "API key" not in said
    assert "Model" in said


def test_the_prepared_card_replaces_the_old_one(tmp_path: Path) -> None:
    (tmp_path / "demo.json").write_text('{"api_key": "old"}')
    (tmp_path / ".demo.next.json").write_text('{"api_key": "new"}')
    assert hand_over_card(tmp_path) == {"api_key": "new"}
    assert [path.name for path in tmp_path.iterdir()] == ["demo.json"]
