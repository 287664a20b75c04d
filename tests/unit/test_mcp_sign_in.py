"""The rules of sign-ins at MCP servers that need no server: who we are, which secret goes where, what a save keeps."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from mcp.shared.auth import OAuthClientInformationFull, OAuthMetadata, OAuthToken

from frontdesk.assistants.mcp_challenge import Challenge
from frontdesk.assistants.mcp_elicitation import defaults_of
from frontdesk.assistants.mcp_secrets import opened, settle
from frontdesk.assistants.mcp_sign_in import Application, is_downgrade, tokens_of, with_method
from frontdesk.assistants.mcp_tools import McpTools, mcp_warnings
from frontdesk.core.errors import Invalid
from frontdesk.core.vault import Vault

NOW = datetime(2026, 1, 5, 12, tzinfo=UTC)
VAULT = Vault("k" * 32)
SIGNED: dict[str, Any] = {
    "client_id": "me", "token_url": "https://login.example.com/token", "access_token": "access-token-1111",
    "refresh_token": "refresh-token-2222", "expires_at": "2026-01-05T13:00:00+00:00",
}  # fmt: skip


def servers(**config: Any) -> McpTools:
    entry = {"id": "shop", "name": "Shop", "url": "https://shop.example.com/mcp", "authentication_type": "oauth2"}
    return McpTools.model_validate([{**entry, "oauth2_config": config or None}])


@pytest.mark.parametrize(("url", "kind", "has_document"), [
    ("https://desk.example.com", "web", True), ("http://desk.example.com", "web", False),
    ("http://127.0.0.1:8080", "native", False), ("http://[::1]:8080", "native", False),
    ("https://localhost", "native", True),
])  # fmt: skip
def test_who_we_are_depends_on_where_we_are(url: str, kind: str, has_document: bool) -> None:
    application = Application.at(url)
    assert application.metadata().application_type == kind
    assert (application.metadata_url is not None) is has_document
    assert str((application.metadata().redirect_uris or [""])[0]) == f"{url}/mcp-oauth/callback"


@pytest.mark.parametrize(("given", "offered", "used"), [
    (None, None, "client_secret_basic"), (None, ["client_secret_post"], "client_secret_post"),
    (None, ["client_secret_post", "client_secret_basic"], "client_secret_basic"),
    (None, ["private_key_jwt"], "client_secret_basic"), ("client_secret_post", None, "client_secret_post"),
])  # fmt: skip
def test_a_secret_is_shown_in_a_way_that_the_other_side_takes(
    given: str | None, offered: list[str] | None, used: str
) -> None:
    url = "https://login.example.com/"
    metadata = OAuthMetadata.model_validate(
        {"issuer": url, "authorization_endpoint": url, "token_endpoint": url,
         "token_endpoint_auth_methods_supported": offered}
    )  # fmt: skip
    client = OAuthClientInformationFull(client_id="me", client_secret="s", token_endpoint_auth_method=given)
    assert with_method(client, metadata).token_endpoint_auth_method == used
    assert with_method(OAuthClientInformationFull(client_id="me"), metadata).token_endpoint_auth_method is None


@pytest.mark.parametrize(("server", "url", "is_one"), [
    ("https://a.example", "http://b.example/token", True), ("https://a.example", "https://b.example/token", False),
    ("http://127.0.0.1", "http://127.0.0.1/token", False),
])  # fmt: skip
def test_tokens_of_a_server_on_https_go_over_https(server: str, url: str, is_one: bool) -> None:
    assert is_downgrade(server, ["https://c.example", url]) is is_one


@pytest.mark.parametrize(("seconds", "expires"), [
    (None, None), (60, NOW + timedelta(seconds=60)), (-5, NOW), (10**12, NOW + timedelta(seconds=10**8)),
])  # fmt: skip
def test_when_a_token_runs_out(seconds: int | None, expires: datetime | None) -> None:
    found = tokens_of(OAuthToken(access_token="a", expires_in=seconds), NOW)["expires_at"]
    assert found == (expires.isoformat() if expires else None)


@pytest.mark.parametrize(("config", "moment", "is_run_out"), [
    ({}, NOW, False), ({"expires_at": None}, NOW, False), ({"expires_at": "2026-01-05T12:00:29"}, NOW, True),
    ({"expires_at": "2026-01-05T12:00:31"}, NOW, False), ({"expires_at": "2026-01-05T14:00:29+02:00"}, NOW, True),
    ({"access_token": None}, NOW, True), ({"expires_at": "0001-01-01T00:00:00+14:00"}, NOW, True),
    ({"expires_at": "9999-12-31T23:59:59-14:00"}, NOW, False),
], ids=str)  # fmt: skip
def test_a_token_is_renewed_a_little_before_it_runs_out(config: Any, moment: datetime, is_run_out: bool) -> None:
    settled = settle(servers(**{**SIGNED, **config}), None, {}, VAULT.seal)
    (server,) = McpTools.model_validate(settled.servers).root
    assert opened(server, settled.sealed, VAULT).is_run_out(moment) is is_run_out


def save(change: dict[str, Any], status: str | None = "sign_in_again") -> dict[str, Any]:
    """What is stored when a page sends back what it has read, with changes."""
    first = settle(servers(**SIGNED), None, {}, VAULT.seal)
    oauth: Any = first.servers[0]["oauth2_config"]
    stored = McpTools.model_validate([{**first.servers[0], "oauth2_config": {**oauth, "status": status}}])
    again = settle(servers(**{**oauth, **change}), stored, first.sealed, VAULT.seal)
    return again.servers[0]["oauth2_config"]  # type: ignore[return-value]


@pytest.mark.parametrize(("change", "expected"), [
    ({}, ("2026-01-05T13:00:00+00:00", "sign_in_again")),
    ({"status": "signed_in", "expires_at": None}, ("2026-01-05T13:00:00+00:00", "sign_in_again")),
    ({"access_token": "••••••••0000"}, ("2026-01-05T13:00:00+00:00", "sign_in_again")),
    ({"access_token": "new", "expires_at": None}, (None, "signed_in")),
    ({"refresh_token": "new"}, ("2026-01-05T13:00:00+00:00", "signed_in")),
    ({"access_token": None}, (None, "sign_in_again")), ({"access_token": None, "refresh_token": None}, (None, None)),
], ids=str)  # fmt: skip
def test_what_belongs_to_a_token_follows_it(change: dict[str, Any], expected: tuple[str | None, str | None]) -> None:
    found = save(change)
    assert (found["expires_at"], found["status"]) == expected


def test_a_refresh_token_goes_where_it_came_from_only() -> None:
    with pytest.raises(Invalid) as caught:
        save({"token_url": "https://evil.example/token"})
    assert list(caught.value.errors) == ["mcp_tools.0.oauth2_config.refresh_token"]


@pytest.mark.parametrize(("config", "codes"), [
    ({}, ["mcp_sign_in_needed"]), ({"access_token": "a", "status": "signed_in"}, []),
    ({"refresh_token": "a", "status": "sign_in_again"}, ["mcp_sign_in_again"]),
    ({"access_token": "a", "status": "scope_missing"}, ["mcp_sign_in_again"]),
], ids=str)  # fmt: skip
def test_what_has_to_be_signed_in_to_is_a_warning(config: Any, codes: list[str]) -> None:
    assert [one["code"] for one in mcp_warnings(servers(**config)) if "sign_in" in str(one["code"])] == codes


@pytest.mark.parametrize(("challenge", "wants_more"), [
    (Challenge(), False), (Challenge(403, 'Bearer error="insufficient_scope"'), True), (Challenge(403, "no"), False),
], ids=str)  # fmt: skip
def test_a_server_that_wants_more_says_so(challenge: Challenge, wants_more: bool) -> None:
    assert challenge.wants_more is wants_more


@pytest.mark.parametrize(("schema", "answer"), [
    ({"properties": {"size": {"default": "M"}, "note": {}}, "required": ["size"]}, {"size": "M"}),
    ({"properties": {"size": {"default": "M"}, "note": {}}, "required": ["note"]}, None),
    ({"properties": {"yes": {"type": "boolean"}}}, None), ({}, None), ({"properties": [1], "required": "x"}, None),
    ({"properties": {"yes": {"default": False}}, "required": ["yes"]}, {"yes": False}),
], ids=str)  # fmt: skip
def test_a_form_is_answered_by_its_own_defaults_or_not_at_all(schema: Any, answer: Any) -> None:
    assert defaults_of(schema) == answer
