"""Secrets at rest: masks, origins, rotation."""

import pytest

from frontdesk.core.vault import SecretUnusable, Vault, is_mask, mask, origin_of

KEY = "k" * 40
ORIGIN = "https://api.example.com:443"


def test_opens_what_it_sealed() -> None:
    vault = Vault(KEY)
    assert vault.open(vault.seal("sk-secret", ORIGIN), ORIGIN) == "sk-secret"


def test_same_secret_looks_different_each_time() -> None:
    vault = Vault(KEY)
    assert vault.seal("sk-secret") != vault.seal("sk-secret")


@pytest.mark.parametrize("origin", ["https://evil.example.com:443", "http://api.example.com:80", ""])
def test_another_origin_does_not_open(origin: str) -> None:
    vault = Vault(KEY)
    sealed = vault.seal("sk-secret", ORIGIN)
    with pytest.raises(SecretUnusable, match="enter it again") as caught:
        vault.open(sealed, origin)
    assert "sk-secret" not in str(caught.value)


def test_rotation_opens_the_old_and_seals_with_the_new() -> None:
    old = Vault(KEY).seal("sk-secret", ORIGIN)
    rotated = Vault("n" * 40, KEY)
    assert rotated.open(old, ORIGIN) == "sk-secret"
    assert not rotated.is_current(old)
    assert rotated.is_current(rotated.seal("sk-secret", ORIGIN))


def test_a_lost_key_is_told() -> None:
    with pytest.raises(SecretUnusable, match="does not have"):
        Vault("n" * 40).open(Vault(KEY).seal("sk-secret"))


@pytest.mark.parametrize("damage", ["", "v1", "v1.zz.AAAA", "plain text"])
def test_damage_is_refused(damage: str) -> None:
    with pytest.raises(SecretUnusable):
        Vault(KEY).open(damage)


def test_a_cut_payload_is_refused() -> None:
    vault = Vault(KEY)
    with pytest.raises(SecretUnusable):
        vault.open(vault.seal("sk-secret")[:-9])


@pytest.mark.parametrize(
    ("url", "origin"),
    [
        ("https://API.Example.com/v1/", "https://api.example.com:443"),
        ("http://localhost:11434/v1", "http://localhost:11434"),
        ("https://example.com.:443", "https://example.com:443"),
        ("http://[::1]:8080/x", "http://[::1]:8080"),
        ("https://münchen.example/", "https://xn--mnchen-3ya.example:443"),
    ],
)
def test_origins(url: str, origin: str) -> None:
    assert origin_of(url) == origin


@pytest.mark.parametrize(
    "url", ["ftp://example.com", "example.com", "https://", "https://u:p@example.com", "http://x:99999"]
)
def test_what_is_no_origin(url: str) -> None:
    with pytest.raises(ValueError):
        origin_of(url)


@pytest.mark.parametrize(("secret", "shown"), [("sk-1234567890", "7890"), ("12345678901", ""), ("", "")])
def test_mask_shows_four_of_long_secrets_only(secret: str, shown: str) -> None:
    assert mask(secret) == "•" * 8 + shown
    assert is_mask(mask(secret))
