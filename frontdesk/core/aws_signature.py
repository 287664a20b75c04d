"""AWS Signature Version 4 in an address: what lets a client put or get one object of an S3-compatible store.

The form with the signature in the query, as the S3 manual describes it ("Authenticating Requests: Using Query
Parameters"). The headers that are signed must come with the request, so the store itself refuses another type or size.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import quote, urlsplit

ALGORITHM = "AWS4-HMAC-SHA256"


@dataclass(frozen=True, slots=True)
class Signer:
    """The credentials of one store."""

    access_key: str
    secret_key: str
    region: str

    def presign(
        self, method: str, url: str, *, now: datetime, seconds: int, headers: Mapping[str, str] | None = None,
        parameters: Mapping[str, str] | None = None,
    ) -> str:  # fmt: skip
        """`url` with the signature for one method, valid for `seconds` (the standard's most is 604800)."""
        parts = urlsplit(url)
        signed = {"host": parts.netloc} | {name.lower(): value.strip() for name, value in (headers or {}).items()}
        names = ";".join(sorted(signed))
        day, moment = now.strftime("%Y%m%d"), now.strftime("%Y%m%dT%H%M%SZ")
        scope = f"{day}/{self.region}/s3/aws4_request"
        query = _query(
            {
                **(parameters or {}),
                "X-Amz-Algorithm": ALGORITHM,
                "X-Amz-Credential": f"{self.access_key}/{scope}",
                "X-Amz-Date": moment,
                "X-Amz-Expires": str(seconds),
                "X-Amz-SignedHeaders": names,
            }
        )
        lines = "".join(f"{name}:{signed[name]}\n" for name in sorted(signed))
        # The body is not signed: it is not there yet when the address is made.
        request = "\n".join([method, parts.path or "/", query, lines, names, "UNSIGNED-PAYLOAD"])
        text = "\n".join([ALGORITHM, moment, scope, hashlib.sha256(request.encode()).hexdigest()])
        signature = hmac.new(self._key(day), text.encode(), hashlib.sha256).hexdigest()
        return f"{parts.scheme}://{parts.netloc}{parts.path}?{query}&X-Amz-Signature={signature}"

    def _key(self, day: str) -> bytes:
        key = f"AWS4{self.secret_key}".encode()
        for part in (day, self.region, "s3", "aws4_request"):
            key = hmac.new(key, part.encode(), hashlib.sha256).digest()
        return key


def _query(parameters: Mapping[str, str]) -> str:
    """Sorted and escaped as the signature wants it: everything but letters, digits and `-_.~`."""
    return "&".join(f"{quote(name, safe='~')}={quote(parameters[name], safe='~')}" for name in sorted(parameters))
