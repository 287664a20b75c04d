"""Where a call may be passed on to: numbers in the international form and SIP addresses, nothing else."""

import pytest

from frontdesk.assistants.external_handoff import ExternalHandoffTargets
from frontdesk.assistants.section import faults


def wrong(to: object, **more: object) -> dict[str, str]:
    target = {"id": "a", "name": "A", "to": to, **more}
    return {one.path: one.message for one in faults(ExternalHandoffTargets, {"targets": [target]}, "t")}  # type: ignore[dict-item]


FINE = [
    "+15550100", "+34600111222", "+123456789012345", "sip:sales@example.com", "sips:desk@pbx.example.com:5061",
    "sip:+34600111222@trunk.example.com;transport=tls", "sip:100@192.0.2.7", "sip:a@[2001:db8::1]:5060;lr;user=phone",
]  # fmt: skip
WRONG = [
    "", "call me", "600111222", "+0123456789", "+1234567890123456", "+34 600 111 222", "tel:+15550100",
    "sip:@example.com", "sip:sales", "sip:a@b c", "sip:a@example.com\nContact: x", "http://example.com",
    "sip:a@example.com?subject=x", "＋15550100",    "sip:" + "a" * 400 + "@example.com",
]  # fmt: skip


@pytest.mark.parametrize("to", FINE)
def test_what_can_be_called_is_taken(to: str) -> None:
    assert wrong(to) == {}


@pytest.mark.parametrize("to", WRONG, ids=range(len(WRONG)))
def test_what_cannot_be_called_is_refused(to: str) -> None:
    assert list(wrong(to)) == ["t.targets.0.to"]


def test_ids_are_plain_and_each_stands_once() -> None:
    assert list(wrong("+15550100", id="a b")) == ["t.targets.0.id"]
    twice = {"targets": [{"id": "a", "name": "A", "to": "+15550100"}] * 2}
    assert [one.path for one in faults(ExternalHandoffTargets, twice, "t")] == ["t.targets"]  # type: ignore[arg-type]
