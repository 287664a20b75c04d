"""An MCP server that wants a sign-in, with its authorization server, both of the official SDK, in this process.

It is a strict one: a refresh token is good for one use, and a second use of one revokes the whole grant, as a server
does that takes it for stolen. Tests read what it saw, and take tokens away.
"""

from __future__ import annotations

import asyncio
import secrets
import socket
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import httpx2
import uvicorn
from mcp.server.auth.provider import (
    AccessToken,
    AuthorizationCode,
    AuthorizationParams,
    OAuthAuthorizationServerProvider,
    RefreshToken,
    TokenError,
    construct_redirect_uri,
)
from mcp.server.auth.settings import AuthSettings, ClientRegistrationOptions
from mcp.server.mcpserver import MCPServer
from mcp.shared.auth import OAuthClientInformationFull, OAuthToken
from mcp_types import ToolAnnotations

from tests.serving import ReadyServer

SECRET = "canary-token-"  # all tokens and client secrets begin so
LIFETIME = 3600


@dataclass
class Login(OAuthAuthorizationServerProvider[AuthorizationCode, RefreshToken, AccessToken]):
    """Whoever is sent here is let in at once. `says_iss` names us in what comes back (RFC 9207)."""

    issuer: str = ""
    says_iss: str | None = None
    clients: dict[str, OAuthClientInformationFull] = field(default_factory=dict)
    codes: dict[str, AuthorizationCode] = field(default_factory=dict)
    refreshes: dict[str, RefreshToken] = field(default_factory=dict)
    spent: set[str] = field(default_factory=set)
    good: dict[str, AccessToken] = field(default_factory=dict)
    asked: list[AuthorizationParams] = field(default_factory=list)
    exchanges: int = 0
    gate: asyncio.Event | None = None  # a refresh that has been spent waits for it
    reached: asyncio.Event = field(default_factory=asyncio.Event)

    async def get_client(self, client_id: str) -> OAuthClientInformationFull | None:
        return self.clients.get(client_id)

    async def register_client(self, client_info: OAuthClientInformationFull) -> None:
        self.clients[client_info.client_id] = client_info

    async def authorize(self, client: OAuthClientInformationFull, params: AuthorizationParams) -> str:
        self.asked.append(params)
        code = secrets.token_urlsafe(24)
        self.codes[code] = AuthorizationCode(
            code=code, scopes=params.scopes or [], expires_at=time.time() + 60, client_id=client.client_id,
            **params.model_dump(exclude={"state", "scopes"}),
        )  # fmt: skip
        return construct_redirect_uri(str(params.redirect_uri), code=code, state=params.state, iss=self.says_iss)

    async def load_authorization_code(
        self, client: OAuthClientInformationFull, authorization_code: str
    ) -> AuthorizationCode | None:
        return self.codes.get(authorization_code)

    async def exchange_authorization_code(
        self, client: OAuthClientInformationFull, authorization_code: AuthorizationCode
    ) -> OAuthToken:
        del self.codes[authorization_code.code]
        return self._issue(client, authorization_code.scopes, authorization_code.resource)

    async def load_refresh_token(self, client: OAuthClientInformationFull, refresh_token: str) -> RefreshToken | None:
        if refresh_token in self.spent:
            self.revoke_all()
        return self.refreshes.get(refresh_token)

    async def exchange_refresh_token(
        self, client: OAuthClientInformationFull, refresh_token: RefreshToken, scopes: list[str]
    ) -> OAuthToken:
        self.exchanges += 1
        if self.refreshes.pop(refresh_token.token, None) is None:
            raise TokenError("invalid_grant")
        self.spent.add(refresh_token.token)
        self.reached.set()
        if self.gate is not None:
            await self.gate.wait()
        return self._issue(client, scopes, refresh_token.resource)

    def _issue(self, client: OAuthClientInformationFull, scopes: list[str], resource: str | None) -> OAuthToken:
        access, refresh = (SECRET + secrets.token_urlsafe(24) for _ in range(2))
        about = {"client_id": client.client_id, "scopes": scopes, "resource": resource}
        self.good = {access: AccessToken.model_validate({"token": access, **about})}
        self.refreshes[refresh] = RefreshToken.model_validate({"token": refresh, **about})
        return OAuthToken(access_token=access, refresh_token=refresh, expires_in=LIFETIME, scope=" ".join(scopes))

    async def load_access_token(self, token: str) -> AccessToken | None:
        return self.good.get(token)

    async def revoke_token(self, token: AccessToken | RefreshToken) -> None:
        self.revoke_all()

    def revoke_all(self) -> None:
        self.good.clear()
        self.refreshes.clear()


@dataclass
class GuardedShop:
    """A running server. `calls` are those of its tool that came through."""

    url: str
    login: Login
    calls: list[str] = field(default_factory=list)

    async def visit(self, authorization_url: str) -> dict[str, str]:
        """A person's browser at the authorization server: what it is sent back with."""
        async with httpx2.AsyncClient() as browser:
            answer = await browser.get(authorization_url)
        assert answer.status_code == 302, answer.text
        return dict(httpx2.URL(answer.headers["location"]).params)


def shop_app(shop: GuardedShop, origin: str) -> MCPServer:
    server = MCPServer(
        "Guarded", auth_server_provider=shop.login,
        # As texts: an AnyHttpUrl would have gained a slash, and an issuer is compared letter by letter.
        auth=AuthSettings.model_validate({
            "issuer_url": origin, "resource_server_url": shop.url, "required_scopes": ["shop:read"],
            "validate_token_resource": True,
            "client_registration_options": ClientRegistrationOptions(
                enabled=True, valid_scopes=["shop:read", "shop:write"], default_scopes=["shop:read"]
            ),
        }),
    )  # fmt: skip

    @server.tool(annotations=ToolAnnotations(read_only_hint=True), description="Search the shop's goods.")
    def search(query: str) -> str:
        shop.calls.append(query)
        return f"found {query}"

    return server


@asynccontextmanager
async def guarded_shop(says_iss: bool = True) -> AsyncIterator[GuardedShop]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        origin = f"http://127.0.0.1:{listener.getsockname()[1]}"
        login = Login(issuer=origin, says_iss=origin if says_iss else None)
        shop = GuardedShop(f"{origin}/mcp", login)
        app = shop_app(shop, origin).streamable_http_app()
        server = ReadyServer(uvicorn.Config(app, log_level="critical"))
        task = asyncio.create_task(server.serve(sockets=[listener]))
        await server.ready.wait()
        try:
            yield shop
        finally:
            server.end()
            await task
