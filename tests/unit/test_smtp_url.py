"""The address of the mail server, as the operator writes it."""

import pytest

from frontdesk.core.halt import Halt
from frontdesk.core.mail import _wants_tls
from frontdesk.core.settings import settings
from frontdesk.core.smtp_url import read_smtp_url


@pytest.fixture(autouse=True)
def unread() -> None:
    settings.cache_clear()


@pytest.mark.parametrize("url", ["smtp://mail.example", "smtp://me:p%40ss@mail.example:2525", "smtps://[::1]:465"])
def test_these_are_mail_servers(url: str) -> None:
    assert read_smtp_url(url) == url


@pytest.mark.parametrize("url", ["mail.example:25", "http://mail.example", "smtp://", "smtp://h:x", "smtp://h/path"])
def test_these_are_none(url: str) -> None:
    with pytest.raises(ValueError, match="smtp://"):
        read_smtp_url(url)


@pytest.mark.parametrize(
    ("scheme", "host", "user", "wanted"),
    [
        ("smtp", "mail.example", "me", True),
        ("smtp", "mail.example", None, None),
        ("smtp", "127.0.0.1", "me", None),
        ("smtp", "localhost", "me", None),
        ("smtps", "mail.example", "me", False),
    ],
)
def test_a_password_is_not_sent_in_the_clear(scheme: str, host: str, user: str | None, wanted: bool | None) -> None:
    assert _wants_tls(scheme, host, user) is wanted


@pytest.mark.parametrize(
    ("url", "sender", "said"),
    [
        ("smtp://mail.example", "", "FRONTDESK_SMTP_URL needs FRONTDESK_SMTP_FROM"),
        ("mail.example", "a@example.com", "FRONTDESK_SMTP_URL: must be smtp://"),
        ("smtp://mail.example", "a, b", "FRONTDESK_SMTP_FROM: must be one address"),
    ],
)
def test_a_mistake_is_one_sentence(monkeypatch: pytest.MonkeyPatch, url: str, sender: str, said: str) -> None:
    monkeypatch.setenv("FRONTDESK_SMTP_URL", url)
    monkeypatch.setenv("FRONTDESK_SMTP_FROM", sender)
    with pytest.raises(Halt, match=said):
        settings()
