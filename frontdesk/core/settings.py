"""What the operator sets, all of it by environment variables; every default suits a laptop."""

import os
import secrets
from email.utils import getaddresses, parseaddr
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, AliasChoices, Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from frontdesk.core.halt import Halt
from frontdesk.core.quota import Quota, parse_quota
from frontdesk.core.smtp_url import read_smtp_url

PACKAGE = Path(__file__).resolve().parents[1]
CHECKOUT = PACKAGE.parent


def default_data_folder() -> Path:
    """`data` of the checkout; for an installed package the user's data folder (XDG)."""
    if (CHECKOUT / "pyproject.toml").is_file():
        return CHECKOUT / "data"
    home = os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share"
    return Path(home) / "frontdesk"


def default_cache_folder() -> Path:
    """The user's cache folder (XDG): models are kept there, so that a second clone does not fetch them again."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "frontdesk"


def without_trailing_slash(url: str | None) -> str | None:
    return url.rstrip("/") if url else None


Url = Annotated[str | None, AfterValidator(without_trailing_slash)]


class Settings(BaseSettings):
    """Each field is read from the variable of its name with `FRONTDESK_` before it, or from its alias."""

    model_config = SettingsConfigDict(env_prefix="FRONTDESK_", env_ignore_empty=True, extra="ignore", frozen=True)

    host: str = Field("127.0.0.1", description="the address to listen on; 0.0.0.0 is all of the machine's")
    port: int = Field(8080, ge=0, le=65535, description="the port; 0 takes any free one")
    base_url: Url = Field(None, description="the public address, when a proxy stands in front")
    data: Path = Field(default_factory=default_data_folder, description="the data folder; unset: `data` here")
    cache: Path = Field(default_factory=default_cache_folder, description="the models' folder; unset: the user's cache")
    database_url: SecretStr | None = Field(
        None, validation_alias="DATABASE_URL", description="postgresql://…; unset: the embedded PostgreSQL"
    )
    postgres_bin: Path | None = Field(None, description="a bin folder of PostgreSQL 15 or newer")
    pool_size: int = Field(10, ge=1, description="database connections of one process at most")
    http_processes: int = Field(1, ge=1, le=64, description="HTTP processes of `frontdesk run`")
    workers: int = Field(1, ge=1, le=64, description="worker processes of `frontdesk run`")

    demo: bool | None = Field(None, description="unset: yes with the embedded database, no with DATABASE_URL")
    secret_key: SecretStr | None = Field(None, description="at least 32 characters; else made in the data folder")
    egress_allow: Annotated[tuple[str, ...], NoDecode] = Field((), description="private hosts and CIDRs, by comma")
    rate_limit: str = Field("1000/3600", description="requests/seconds of an organization's API keys; 0 is no limit")
    address_limits: bool = Field(True, description="0 switches the web chat's limits per address off (for load tests)")

    file_max_mb: int = Field(100, ge=1, le=5000, description="the largest file taken, in MB; some purposes take less")
    file_types: Annotated[tuple[str, ...], NoDecode] = Field(
        (), description="media types taken in conversations besides the usual ones, by comma"
    )
    s3_endpoint: Url = Field(
        None, description="an S3-compatible store for files; unset: the folder `files` of the data"
    )
    s3_bucket: str | None = Field(None, description="its bucket")
    s3_region: str = Field("us-east-1", description="its region")
    s3_access_key: str | None = Field(None, description="the access key's id")
    s3_secret_key: SecretStr | None = Field(None, description="the access key's secret")

    fake_provider: Url = Field(None, description="a recorder that stands in for all providers of channels (for trials)")
    smtp_url: SecretStr | None = Field(None, description="the mail server: smtp://user:password@host:587, or smtps://…")
    smtp_from: str | None = Field(None, description="the sender of invitations: Frontdesk <desk@example.com>")

    model: str | None = Field(None, description="`none`, `local`, or the model of the installation's provider")
    openai_api_key: SecretStr | None = Field(
        None, validation_alias="OPENAI_API_KEY", description="the installation's key at OpenAI"
    )
    anthropic_api_key: SecretStr | None = Field(
        None, validation_alias="ANTHROPIC_API_KEY", description="the installation's key at Anthropic"
    )
    google_api_key: SecretStr | None = Field(
        None,
        validation_alias=AliasChoices("GOOGLE_API_KEY", "GEMINI_API_KEY"),
        description="the installation's key at Google",
    )
    openai_base_url: Url = Field(None, description="an OpenAI-compatible server: Ollama, vLLM, …")
    model_file: Path | None = Field(None, description="a copy of the built-in model on this machine")
    openai_base_key: SecretStr | None = Field(None, description="the key of FRONTDESK_OPENAI_BASE_URL, if it needs one")
    model_mirror: str | None = Field(None, description="a path or URL to fetch the built-in model from first")
    searxng_url: Url = Field(None, description="a SearXNG server that gives JSON: assistants may search the web by it")

    @field_validator("egress_allow", "file_types", mode="before")
    @classmethod
    def split_by_comma(cls, value: object) -> object:
        return tuple(part.strip() for part in value.split(",") if part.strip()) if isinstance(value, str) else value

    @field_validator("smtp_url")
    @classmethod
    def accept_smtp_only(cls, value: SecretStr | None) -> SecretStr | None:
        if value:
            read_smtp_url(value.get_secret_value())
        return value

    @field_validator("smtp_from")
    @classmethod
    def accept_one_sender(cls, value: str | None) -> str | None:
        if value and (len(getaddresses([value])) != 1 or "@" not in parseaddr(value)[1]):
            raise ValueError("must be one address, such as Frontdesk <desk@example.com>")
        return value

    @model_validator(mode="after")
    def want_a_sender(self) -> Self:
        if self.smtp_url and not self.smtp_from:
            raise ValueError("FRONTDESK_SMTP_URL needs FRONTDESK_SMTP_FROM")
        return self

    @field_validator("rate_limit")
    @classmethod
    def refuse_other_quotas(cls, value: str) -> str:
        parse_quota(value)
        return value

    @field_validator("data", "cache", "postgres_bin")
    @classmethod
    def make_absolute(cls, value: Path | None) -> Path | None:
        return value.expanduser().absolute() if value else value

    @field_validator("database_url")
    @classmethod
    def accept_postgresql_only(cls, value: SecretStr | None) -> SecretStr | None:
        if value and urlsplit(value.get_secret_value()).scheme not in ("postgres", "postgresql"):
            raise ValueError("must begin with postgresql://")
        return value

    @field_validator("secret_key")
    @classmethod
    def refuse_short_secret(cls, value: SecretStr | None) -> SecretStr | None:
        if value and len(value.get_secret_value()) < 32:
            raise ValueError("must have at least 32 characters")
        return value

    @field_validator("searxng_url")
    @classmethod
    def accept_a_plain_address(cls, value: str | None) -> str | None:
        parts = urlsplit(value or "http://none")
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.username or parts.query:
            raise ValueError("must be an address such as http://searxng:8080, without user and password")
        return value

    @property
    def quota(self) -> Quota:
        """What organizations without a limit of their own may do."""
        return parse_quota(self.rate_limit)

    @field_validator("s3_endpoint")
    @classmethod
    def accept_http_only(cls, value: str | None) -> str | None:
        if value and (urlsplit(value).scheme not in ("http", "https") or not urlsplit(value).hostname):
            raise ValueError("must be an address such as https://s3.eu-west-1.amazonaws.com")
        return value

    @model_validator(mode="after")
    def want_the_whole_store(self) -> Self:
        if self.s3_endpoint and not (self.s3_bucket and self.s3_access_key and self.s3_secret_key):
            raise ValueError("FRONTDESK_S3_ENDPOINT needs FRONTDESK_S3_BUCKET, _S3_ACCESS_KEY and _S3_SECRET_KEY")
        return self

    @property
    def is_embedded(self) -> bool:
        return self.database_url is None

    @property
    def external_url(self) -> str:
        """DATABASE_URL; only where the database is not the embedded one."""
        assert self.database_url
        return self.database_url.get_secret_value()

    @property
    def wants_demo(self) -> bool:
        return self.is_embedded if self.demo is None else self.demo

    def public_url(self, port: int | None = None) -> str:
        """The address that others use, without a slash at its end; `port` is the one really taken."""
        return self.base_url or self.local_url(port)

    def local_url(self, port: int | None = None) -> str:
        """The address by which this machine reaches its own HTTP process."""
        host = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(self.host, self.host)
        return f"http://{host}:{port or self.port}"

    def secret(self) -> str:
        """The installation's secret, from which tokens are signed and keys encrypted: set, or made once.

        Raises Halt when it can be neither read nor made."""
        if self.secret_key:
            return self.secret_key.get_secret_value()
        try:
            return read_or_make_secret(self.data / "secret.key")
        except OSError as error:
            raise Halt(f"The secret key in {self.data} cannot be read or made: {error.strerror}.") from error


def read_or_make_secret(path: Path) -> str:
    """Two processes that start at once get the same key: the link fails for the second."""
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        draft = path.with_name(f".{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            with os.fdopen(descriptor, "w") as file:
                file.write(secrets.token_urlsafe(48))
                file.flush()
                os.fsync(file.fileno())
            os.link(draft, path)
        except FileExistsError:
            pass
        finally:
            draft.unlink()
    return path.read_text().strip()


@lru_cache
def settings() -> Settings:
    """The process's settings, read once. Raises Halt with one sentence that names each wrong variable."""
    try:
        return Settings()
    except ValidationError as error:
        said = (f"{variable(e['loc'])}: {e['msg'].removeprefix('Value error, ')}" for e in error.errors())
        raise Halt("; ".join(said) + ".") from None


def variable(location: tuple[int | str, ...]) -> str:
    field = str(location[0]) if location else "settings"
    return field if field.isupper() else f"FRONTDESK_{field.upper()}"
