"""Signing in at the authorization server of an MCP server: OAuth 2.1 with PKCE, by the official SDK.

The SDK's flow is one coroutine that waits for a person; ours is two requests that may reach two processes, with days of
refreshing afterwards. So its parts are driven one by one: `begin` discovers, registers and gives the address for the
browser, `finish` spends the code that came back, `refresh` spends a refresh token. Nothing here stores anything.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Literal
from urllib.parse import parse_qs, urlsplit

import httpx2
from mcp.client.auth import OAuthClientProvider, OAuthFlowError
from mcp.client.auth.utils import extract_scope_from_www_auth, union_scopes, validate_authorization_response_iss
from mcp.shared.auth import (
    AuthorizationCodeResult,
    OAuthClientInformationFull,
    OAuthClientMetadata,
    OAuthMetadata,
    OAuthToken,
    ProtectedResourceMetadata,
)
from pydantic import AnyUrl, BaseModel

from frontdesk.assistants.mcp_challenge import Challenge
from frontdesk.assistants.mcp_offer import words_of
from frontdesk.assistants.mcp_secrets import OauthSecrets
from frontdesk.assistants.mcp_tools import Oauth2Config
from frontdesk.core.addresses import is_loopback, parse_address
from frontdesk.core.egress import EgressRefused, Guard
from frontdesk.core.vault import origin_of

SECONDS = 20.0  # for all exchanges of one step: a person waits
RENEWAL_SECONDS = 15.0  # a customer waits
MOST_BYTES = 200_000  # of one document
LONGEST_SAID = 300
# RFC 6749, 5.2: answers after which only a person can help. Anything else may pass.
FINAL = frozenset({
    "invalid_grant", "invalid_client", "unauthorized_client", "unsupported_grant_type", "invalid_scope",
    "invalid_request", "access_denied",
})  # fmt: skip

Code = Literal["sign_in_refused", "sign_in_failed", "sign_in_broken", "token_url_differs"]


class SignInFailed(Exception):
    """A step that did not come off: a code, and a clause for people. `sign_in_refused` stays so until a new sign-in.

    `error` is the authorization server's own code (RFC 6749, 5.2), where it gave one that is final.
    """

    def __init__(self, code: Code, clause: str, error: str | None = None) -> None:
        super().__init__(clause)
        self.code, self.clause, self.error = code, clause, error


@dataclass(frozen=True, slots=True)
class Application:
    """Who we are for authorization servers: where they send people back to, and our name."""

    redirect_uri: str
    metadata_url: str | None = None

    @classmethod
    def at(cls, public_url: str) -> Application:
        """`metadata_url` is our name where it can be read: a client id metadata document stands behind https only."""
        document = f"{public_url}/mcp-oauth/client.json" if public_url.startswith("https://") else None
        return cls(f"{public_url}/mcp-oauth/callback", document)

    def metadata(self) -> OAuthClientMetadata:
        host = urlsplit(self.redirect_uri).hostname or ""
        address = parse_address(host)
        is_here = host == "localhost" or (address is not None and is_loopback(address))
        return OAuthClientMetadata(
            client_name="Frontdesk",
            redirect_uris=[AnyUrl(self.redirect_uri)],
            application_type="native" if is_here else "web",
        )


class Begun(BaseModel):
    """A sign-in that waits for its person. It holds what the end needs, the verifier among it: keep it sealed."""

    authorization_url: str
    state: str
    verifier: str
    scope: str | None
    client: OAuthClientInformationFull
    metadata: OAuthMetadata | None
    resource: ProtectedResourceMetadata | None


class _Waiting(Exception):
    """Raised through the SDK's flow at the point where it would wait for a person."""


class _Storage:
    """What the SDK may know at its start; what it would store is read off its context instead."""

    def __init__(self, tokens: OAuthToken | None, client: OAuthClientInformationFull | None) -> None:
        self._tokens, self._client = tokens, client

    async def get_tokens(self) -> OAuthToken | None:
        return self._tokens

    async def set_tokens(self, tokens: OAuthToken) -> None:
        pass

    async def get_client_info(self) -> OAuthClientInformationFull | None:
        return self._client

    async def set_client_info(self, client_info: OAuthClientInformationFull) -> None:
        pass


class _Flow(OAuthClientProvider):
    """The SDK's flow, stopped where a person comes in, and its two kinds of token requests."""

    def __init__(self, server_url: str, application: Application, config: Oauth2Config, secrets: OauthSecrets) -> None:
        self.config, self.secrets, self.challenge = config, secrets, httpx2.Response(401)
        self.waiting: Begun | None = None
        client = client_of(config, secrets, application)
        # Only its scopes matter to the flow: a refresh is ours, under a lock of ours.
        token = OAuthToken(access_token=secrets.access_token or "none", scope=" ".join(config.scopes) or None)
        storage = _Storage(token if config.scopes else None, client)
        super().__init__(
            server_url, application.metadata(), storage, self._show, self._answer, application.metadata_url
        )

    async def begin(self, http: httpx2.AsyncClient, challenge: Challenge) -> Begun:
        """Everything up to the address for the browser. Raises the errors of the SDK and of the HTTP client."""
        request = http.build_request("POST", self.context.server_url)
        self.challenge = httpx2.Response(
            challenge.status,
            headers={"www-authenticate": challenge.header} if challenge.header else {},
            request=request,
        )
        flow = self.async_auth_flow(request)
        try:
            await anext(flow)  # the request that was refused; it has been sent already
            outgoing = await flow.asend(self.challenge)
            while True:
                outgoing = await flow.asend(await http.send(outgoing))
        except (_Waiting, StopAsyncIteration):
            pass
        finally:
            await flow.aclose()
        if self.waiting is None:
            raise OAuthFlowError("the server asks for nothing that a sign-in could give")
        return self.waiting

    async def exchange(self, http: httpx2.AsyncClient, code: str, verifier: str) -> OAuthToken:
        request = await self._exchange_token_authorization_code(code, verifier)
        await self._handle_token_response(await http.send(request))
        assert self.context.current_tokens is not None
        return self.context.current_tokens

    async def renew(self, http: httpx2.AsyncClient) -> OAuthToken:
        response = await http.send(await self._refresh_token())
        if response.status_code != 200:
            raise _refusal(response)
        if not await self._handle_refresh_response(response) or self.context.current_tokens is None:
            raise OAuthFlowError("the answer holds no token")
        return self.context.current_tokens

    def token_url(self) -> str:
        return self._get_token_endpoint()

    async def _perform_authorization_code_grant(self) -> tuple[str, str]:
        context, wanted = self.context, " ".join(self.config.scopes)
        if wanted and not Challenge(self.challenge.status_code, self._said()).wants_more:
            # What was granted, or chosen by hand, is asked for again, with what the server demands besides.
            context.client_metadata.scope = union_scopes(wanted, extract_scope_from_www_auth(self.challenge))
        assert context.client_info is not None
        self._check_endpoints(context.client_info)
        context.client_info = with_method(context.client_info, context.oauth_metadata)
        _, verifier = await super()._perform_authorization_code_grant()
        url = self._shown
        self.waiting = Begun(
            authorization_url=url, state=parse_qs(urlsplit(url).query)["state"][0], verifier=verifier,
            scope=context.client_metadata.scope, client=context.client_info, metadata=context.oauth_metadata,
            resource=context.protected_resource_metadata,
        )  # fmt: skip
        raise _Waiting

    def _said(self) -> str:
        return str(self.challenge.headers.get("www-authenticate", ""))

    def _check_endpoints(self, client: OAuthClientInformationFull) -> None:
        """Codes and tokens of a server on https go over https only, and a secret only to where it belongs."""
        metadata = self.context.oauth_metadata
        used = [self.token_url(), str(metadata.authorization_endpoint) if metadata else ""]
        if is_downgrade(self.context.server_url, used):
            raise OAuthFlowError("its authorization server is not reached by https")
        there = origin_of(self.token_url())
        if client.issuer is None and self.secrets.client_secret is not None:
            bound = origin_of(self.config.token_url or self.context.server_url)
            if there != bound:
                clause = f"its tokens come from {there}, and the client secret was stored for {bound}; enter token_url"
                raise SignInFailed("token_url_differs", clause)

    async def _show(self, authorization_url: str) -> None:
        self._shown = authorization_url

    async def _answer(self) -> AuthorizationCodeResult:
        """Lets the SDK go on to where it gives us the verifier; the real code is checked and spent by `finish`."""
        metadata, query = self.context.oauth_metadata, parse_qs(urlsplit(self._shown).query)
        issuer = str(metadata.issuer) if metadata is not None else None
        return AuthorizationCodeResult(code="none yet", state=query["state"][0], iss=issuer)


def is_downgrade(server_url: str, urls: list[str]) -> bool:
    """Whether a server on https would have its codes and tokens sent over an open connection."""
    return server_url.startswith("https:") and any(url.startswith("http:") for url in urls)


def client_of(
    config: Oauth2Config, secrets: OauthSecrets, application: Application
) -> OAuthClientInformationFull | None:
    """The client that is known already: registered by us at `issuer`, or entered by a person (no issuer)."""
    if config.client_id is None:
        return None
    return OAuthClientInformationFull(
        client_id=config.client_id,
        client_secret=secrets.client_secret,
        redirect_uris=[AnyUrl(application.redirect_uri)],
        token_endpoint_auth_method=config.token_endpoint_auth_method,
        issuer=config.issuer,
    )


def with_method(client: OAuthClientInformationFull, metadata: OAuthMetadata | None) -> OAuthClientInformationFull:
    """The client with a way to show its secret, where none was said: Basic is the rule (RFC 7591, 2)."""
    if client.token_endpoint_auth_method is not None or client.client_secret is None:
        return client
    offered = (metadata.token_endpoint_auth_methods_supported if metadata else None) or ["client_secret_basic"]
    is_basic = "client_secret_basic" in offered or "client_secret_post" not in offered
    return client.model_copy(
        update={"token_endpoint_auth_method": "client_secret_basic" if is_basic else "client_secret_post"}
    )


async def begin(
    guard: Guard,
    server_url: str,
    application: Application,
    config: Oauth2Config,
    secrets: OauthSecrets,
    challenge: Challenge,
) -> Begun:
    """Discover the authorization server, register there if needed, and give the address for the browser.

    Raises `SignInFailed`.
    """
    async with _http(guard) as http:
        return await _Flow(server_url, application, config, secrets).begin(http, challenge)


async def finish(
    guard: Guard, server_url: str, application: Application, begun: Begun, code: str, iss: str | None, now: datetime
) -> dict[str, object]:
    """Spend the code that the browser brought. The entry's new `oauth2_config`, in plain. Raises `SignInFailed`."""
    async with _http(guard) as http:
        flow = _Flow(server_url, application, Oauth2Config(), OauthSecrets())
        context = flow.context
        context.oauth_metadata, context.client_info = begun.metadata, begun.client
        context.protected_resource_metadata = begun.resource
        context.client_metadata.scope = begun.scope
        validate_authorization_response_iss(iss, begun.metadata)
        token = await flow.exchange(http, code, begun.verifier)
    metadata, client = begun.metadata, begun.client
    return {
        "client_id": client.client_id,
        "client_secret": client.client_secret,
        "issuer": client.issuer,
        "token_endpoint_auth_method": client.token_endpoint_auth_method,
        "token_url": flow.token_url(),
        "authorization_url": str(metadata.authorization_endpoint) if metadata else None,
        "resource": context.get_resource_url() if context.should_include_resource_param() else None,
        "scopes": (token.scope or "").split(),
        **tokens_of(token, now),
    }


async def refresh(
    guard: Guard, server_url: str, application: Application, config: Oauth2Config, secrets: OauthSecrets
) -> OAuthToken:
    """Spend the refresh token; the answer may hold another one, which replaces it. Raises `SignInFailed`."""
    url = config.token_url or server_url
    issuer = config.issuer or url
    async with _http(guard, RENEWAL_SECONDS) as http:
        flow = _Flow(server_url, application, config, secrets)
        context = flow.context
        context.current_tokens = OAuthToken(
            access_token="spent", refresh_token=secrets.refresh_token, scope=" ".join(config.scopes) or None
        )
        client = client_of(config, secrets, application) or OAuthClientInformationFull(client_id="")
        context.client_info = with_method(client, None)
        if config.token_url is not None:
            context.oauth_metadata = OAuthMetadata.model_validate(
                {"issuer": issuer, "authorization_endpoint": config.authorization_url or url, "token_endpoint": url}
            )
        if config.resource is not None:
            context.protected_resource_metadata = ProtectedResourceMetadata.model_validate(
                {"resource": config.resource, "authorization_servers": [issuer]}
            )
        return await flow.renew(http)


def tokens_of(token: OAuthToken, now: datetime) -> dict[str, str | None]:
    """The members of `oauth2_config` that a token answer sets."""
    expires = None if token.expires_in is None else now + timedelta(seconds=max(0, min(token.expires_in, 10**8)))
    return {
        "access_token": token.access_token,
        "refresh_token": token.refresh_token,
        "expires_at": None if expires is None else expires.isoformat(),
    }


@asynccontextmanager
async def _http(guard: Guard, seconds: float = SECONDS) -> AsyncIterator[httpx2.AsyncClient]:
    """Our guarded client for one step, and the step's failures in our words."""
    bounded = replace(guard, seconds=seconds, max_bytes=MOST_BYTES)
    try:
        async with asyncio.timeout(seconds), bounded.client() as http:
            yield http
    except EgressRefused:
        raise SignInFailed(
            "sign_in_failed", "its authorization server has a private address or answers too much"
        ) from None
    except (TimeoutError, httpx2.HTTPError, OSError):
        raise SignInFailed("sign_in_broken", "its authorization server could not be reached") from None
    except (OAuthFlowError, httpx2.InvalidURL, ValueError) as error:
        # The SDK's words may hold those of the other side.
        raise SignInFailed("sign_in_failed", words_of(_plain(error), LONGEST_SAID)) from None


def _plain(error: Exception) -> str:
    return str(error) if isinstance(error, OAuthFlowError) else "its authorization server answered something unreadable"


def _refusal(response: httpx2.Response) -> SignInFailed:
    error: object = None
    with suppress(ValueError):
        body = json.loads(response.content)
        error = body.get("error") if isinstance(body, dict) else None
    if response.status_code in (400, 401, 403) and error in FINAL:
        return SignInFailed(
            "sign_in_refused", f"its authorization server does not renew the sign-in ({error})", str(error)
        )
    return SignInFailed("sign_in_broken", f"its authorization server answered with HTTP {response.status_code}")
