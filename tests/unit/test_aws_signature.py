"""Signatures that a store would compute too: the S3 manual's own example, and four made once with botocore 1.44.5."""

from __future__ import annotations

from datetime import UTC, datetime
from urllib.parse import parse_qs, urlsplit

import pytest

from frontdesk.core.aws_signature import Signer

EXAMPLE = Signer("AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", "us-east-1")
OURS = Signer("AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", "eu-west-1")
URL = "https://store.example:9000/frontdesk/7/conversation-file/abc_DEF-123/Mas-fotos.pdf"
NOON = datetime(2026, 1, 5, 12, 0, tzinfo=UTC)


def signature(url: str) -> str:
    return parse_qs(urlsplit(url).query)["X-Amz-Signature"][0]


def test_the_manuals_example() -> None:
    """ "Authenticating Requests: Using Query Parameters (AWS Signature Version 4)", Amazon S3 API Reference."""
    url = EXAMPLE.presign(
        "GET", "https://examplebucket.s3.amazonaws.com/test.txt", now=datetime(2013, 5, 24, tzinfo=UTC), seconds=86400
    )
    assert url == (
        "https://examplebucket.s3.amazonaws.com/test.txt?X-Amz-Algorithm=AWS4-HMAC-SHA256"
        "&X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20130524%2Fus-east-1%2Fs3%2Faws4_request"
        "&X-Amz-Date=20130524T000000Z&X-Amz-Expires=86400&X-Amz-SignedHeaders=host"
        "&X-Amz-Signature=aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404"
    )


def test_an_upload_signs_its_type_and_size() -> None:
    headers = {"Content-Type": "application/pdf", "content-length": "48211"}
    url = OURS.presign("PUT", URL, now=NOON, seconds=3600, headers=headers)
    assert signature(url) == "581143cfad0d4b9ab13ed0fda76ffbb0cc55a4a88483c7fd17409714a42f9cb3"
    assert parse_qs(urlsplit(url).query)["X-Amz-SignedHeaders"] == ["content-length;content-type;host"]


def test_a_download_signs_what_the_store_shall_answer() -> None:
    shown = {
        "response-content-type": "application/pdf",
        "response-content-disposition": "attachment; filename*=utf-8''A%C3%B1o%20%221%22.pdf",
    }
    url = OURS.presign("GET", URL, now=NOON, seconds=900, parameters=shown)
    assert signature(url) == "4561c5254f6379f9dc225e5ac910fb91baaa4f6a39dc65660dae17470fa10f2f"


@pytest.mark.parametrize(
    ("method", "expected"),
    [
        ("HEAD", "52f95799af225fe291de7c86bf7e845dbb23eda49cfbbc7ab9c19fbed5515aac"),
        ("DELETE", "b42eb9ac883ec88e66226ace294f9a113db7d2c2ef79650f0cc7f1f536b88968"),
    ],
)
def test_our_own_requests(method: str, expected: str) -> None:
    assert signature(OURS.presign(method, URL, now=NOON, seconds=60)) == expected
