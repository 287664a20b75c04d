"""Files: signed addresses that expire, whichever store is behind them.

What a client may do stands in the address itself (method, key, type, size, end), under an HMAC of the installation's
secret: no request has to look anything up to refuse a changed one.
"""

from __future__ import annotations

import base64
import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Protocol
from urllib.parse import urlencode

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from .aws_signature import Signer
from .bucket_store import BucketStore
from .clock import Clock
from .disk_store import DiskStore
from .errors import Fault, Forbidden, Invalid, NotFound
from .file_kinds import MB, MEDIA_TYPE, PURPOSES, SHOWN, Key, read_key
from .settings import Settings

UPLOAD_SECONDS = 3600  # within which an upload must begin
# Addresses of one hour are the same, so that a browser's cache knows them; each is valid for one to two hours.
DOWNLOAD_STEP = 3600


class Store(Protocol):
    """Where the bytes lie. Signed addresses are None where they lead through our own server."""

    bucket: str

    def sign_upload(self, key: str, file_type: str, size: int, now: datetime, seconds: int) -> str | None: ...

    def sign_download(
        self, key: str, now: datetime, seconds: int, *, file_type: str, disposition: str
    ) -> str | None: ...

    async def size(self, key: str, now: datetime) -> int | None: ...

    async def read(self, key: str, now: datetime, most: int) -> bytes | None:
        """All bytes; None where there is no such file. Raises PayloadTooLarge where it has more than `most`."""
        ...

    async def remove(self, key: str, now: datetime) -> None: ...

    async def remove_drafts(self) -> None: ...


@dataclass(frozen=True, slots=True)
class Upload:
    """What the address of an upload allows."""

    key: Key
    file_type: str
    file_size: int
    expires_at: datetime


class Files:
    """The addresses of one installation's files. `base_url` is where clients reach our own server."""

    def __init__(
        self, store: Store, secret: str, clock: Clock, base_url: str = "", *, most_bytes: int = 100 * MB,
        further_types: tuple[str, ...] = (),
    ) -> None:  # fmt: skip
        self.store, self.clock, self.base_url = store, clock, base_url
        self.most_bytes, self.further_types = most_bytes, frozenset(further_types)
        self._secret = HKDF(algorithm=SHA256(), length=32, salt=None, info=b"frontdesk files").derive(secret.encode())

    @property
    def disk(self) -> DiskStore | None:
        """The folder, where our own server takes and sends the bytes."""
        return self.store if isinstance(self.store, DiskStore) else None

    def s3_path(self, key: str) -> str:
        return f"s3://{self.store.bucket}/{key}"

    def check(self, purpose: str, file_type: str, file_size: int) -> None:
        """Raises Invalid where such a file may not be uploaded."""
        rule = PURPOSES[purpose]
        further = self.further_types if purpose == "conversation-file" else frozenset[str]()
        faults = []
        if file_type not in rule.types | further or not MEDIA_TYPE.fullmatch(file_type):
            faults.append(
                Fault("file_type", "enum", f"is not taken for a {purpose}", allowedValues=[*sorted(rule.types)])
            )
        most = min(rule.most_bytes, self.most_bytes)
        if not 0 < file_size <= most:
            faults.append(Fault("file_size", "maximum", f"must be from 1 to {most} bytes for a {purpose}", limit=most))
        if faults:
            raise Invalid(faults)

    def sign_upload(self, upload: Upload) -> str:
        """Where to PUT the bytes until `expires_at`."""
        now, text = self.clock.now(), upload.key.text
        left = max(1, int((upload.expires_at - now).total_seconds()))
        url = self.store.sign_upload(text, upload.file_type, upload.file_size, now, left)
        if url is not None:
            return url
        asked = {"type": upload.file_type, "size": str(upload.file_size), "expires": _seconds(upload.expires_at)}
        return f"{self.base_url}{upload.key.path}?{urlencode(asked | {'signature': self._sign('PUT', text, asked)})}"

    def read_upload(self, text: str, query: Mapping[str, str]) -> Upload:
        """What a PUT to this address may do. Raises NotFound for what is no key, Forbidden for a signature that is
        not ours or has expired."""
        key = self._key(text)
        asked = {name: query.get(name, "") for name in ("type", "size", "expires")}
        self._verify("PUT", text, asked, query)
        ends = datetime.fromtimestamp(int(asked["expires"]), UTC)
        return Upload(key, asked["type"], int(asked["size"]), ends)

    def download_url(self, key: Key) -> str:
        """Where to GET a file: for ever where its purpose is public, else for one to two hours."""
        if key.is_public:
            return self.base_url + key.path
        step = timedelta(seconds=DOWNLOAD_STEP)
        begun = datetime.fromtimestamp(self.clock.now().timestamp() // DOWNLOAD_STEP * DOWNLOAD_STEP, UTC)
        asked = {"expires": _seconds(begun + 2 * step)}
        return f"{self.base_url}{key.path}?{urlencode(asked | {'signature': self._sign('GET', key.text, asked)})}"

    def read_download(self, text: str, query: Mapping[str, str]) -> Key:
        """The key that a GET may read. Raises as `read_upload`."""
        key = self._key(text)
        if not key.is_public:
            self._verify("GET", text, {"expires": query.get("expires", "")}, query)
        return key

    def is_shown(self, file_type: str) -> bool:
        """Whether a browser may show it in place; anything else is offered for saving."""
        return file_type in SHOWN

    def _key(self, text: str) -> Key:
        key = read_key(text)
        if key is None:
            raise NotFound("There is no such file.")
        return key

    def _sign(self, method: str, key: str, asked: Mapping[str, str]) -> str:
        said = "\n".join([method, key, *(f"{name}={value}" for name, value in asked.items())])
        return base64.urlsafe_b64encode(hmac.digest(self._secret, said.encode(), "sha256")).decode().rstrip("=")

    def _verify(self, method: str, key: str, asked: Mapping[str, str], query: Mapping[str, str]) -> None:
        given = query.get("signature", "").encode("utf-8", "replace")
        if not hmac.compare_digest(self._sign(method, key, asked).encode(), given):
            raise Forbidden("The address of this file is not complete, or was changed.")
        if int(asked["expires"]) <= self.clock.now().timestamp():
            raise Forbidden("The address of this file has expired; ask for a new one.")


def _seconds(moment: datetime) -> str:
    return str(int(moment.timestamp()))


def make_files(settings: Settings, clock: Clock) -> Files:
    """The store that the settings name: a bucket, or the folder `files` of the data folder."""
    store: Store = DiskStore(settings.data / "files")
    if settings.s3_endpoint:
        assert settings.s3_bucket
        assert settings.s3_access_key
        assert settings.s3_secret_key
        signer = Signer(settings.s3_access_key, settings.s3_secret_key.get_secret_value(), settings.s3_region)
        store = BucketStore(settings.s3_endpoint, settings.s3_bucket, signer)
    return Files(
        store, settings.secret(), clock, settings.public_url(), most_bytes=settings.file_max_mb * MB,
        further_types=settings.file_types,
    )  # fmt: skip
