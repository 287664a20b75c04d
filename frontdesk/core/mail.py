"""E-mail of the installation itself (invitations), by the operator's SMTP server.

Mail of conversations goes by channels, with the accounts of their organizations; this is not it.
"""

from __future__ import annotations

from dataclasses import dataclass
from email.message import EmailMessage
from urllib.parse import unquote, urlsplit

import aiosmtplib

from .addresses import is_loopback, parse_address
from .errors import Unavailable
from .settings import Settings
from .smtp_url import PORTS

SECONDS = 30.0  # for the whole of one sending


class MailRefused(Exception):
    """The server will never take this message: its sentence, without addresses of others."""


@dataclass(frozen=True)
class Mail:
    """How to send: `smtp://user:password@host:587` (STARTTLS) or `smtps://…:465`; None where nothing is sent.

    `base_url` is the installation's public address, for links.
    """

    base_url: str
    smtp_url: str | None = None
    sender: str = ""

    @property
    def is_on(self) -> bool:
        return self.smtp_url is not None

    async def send(self, message: EmailMessage) -> None:
        """Raises `MailRefused` for a recipient that does not exist, `Unavailable` for all that may pass."""
        assert self.smtp_url
        url = urlsplit(self.smtp_url)
        host = url.hostname or "localhost"
        del message["From"]
        message["From"] = self.sender
        try:
            await aiosmtplib.send(
                message,
                hostname=host,
                port=url.port or PORTS[url.scheme],
                username=unquote(url.username) if url.username else None,
                password=unquote(url.password) if url.password else None,
                use_tls=url.scheme == "smtps",
                start_tls=_wants_tls(url.scheme, host, url.username),
                timeout=SECONDS,
            )
        except aiosmtplib.SMTPRecipientsRefused as error:
            # 4xx is "not now" (greylisting, a full mailbox); only 5xx is final (RFC 5321, 4.2.1).
            codes = [refused.code for refused in error.recipients]
            if codes and min(codes) >= 500:
                raise MailRefused(f"The mail server refused the address ({codes[0]}).") from error
            raise Unavailable("The mail server asks to try again later.") from error
        except (aiosmtplib.SMTPException, OSError, TimeoutError) as error:
            raise Unavailable(f"The mail server could not be used ({type(error).__name__}).") from error


def _wants_tls(scheme: str, host: str, username: str | None) -> bool | None:
    """A password is never sent in the clear, but on this machine; None is: if the server offers it."""
    if scheme == "smtps":
        return False
    address = parse_address(host)
    is_here = host == "localhost" or (address is not None and is_loopback(address))
    return True if username and not is_here else None


def make_mail(settings: Settings) -> Mail:
    """How the installation itself writes to people."""
    url = settings.smtp_url.get_secret_value() if settings.smtp_url else None
    return Mail(settings.public_url(), url, settings.smtp_from or "")
