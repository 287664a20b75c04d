"""What a call can have done, whether a claim has its receipt, and what is left of a reply without it."""

import pytest
from pydantic_ai.exceptions import UnexpectedModelBehavior

from frontdesk.assistants.claims import claims_in
from frontdesk.runtime.claim_judge import read_verdict, shown
from frontdesk.runtime.receipt_check import HONEST, OBJECTION
from frontdesk.runtime.receipts import Evidence, Receipt, doubts, sentences_of, without

UPDATE = Receipt("update_contact", True, True, '{"phone": "5550009"}')
EARLIER = Receipt("update_contact", True, False, '{"phone": "5550009"}')


def found(text: str, *receipts: Receipt, team: str = "", asked: str = "") -> list[str]:
    return [doubt.sentence for doubt in doubts(text, Evidence(receipts, [team] if team else [], asked))]


@pytest.mark.parametrize(
    ("tool", "sentence"),
    [
        ("update_contact", "I have changed your number."),
        ("update_contact", "I have noted your number."),
        ("add_note", "I have noted it."),
        ("add_note", "I have passed it on to the team."),
        ("create_reservation", "Your table is booked."),
        ("create_deal", "I have created your request."),
        ("send_conversation_message", "I have sent you a message."),
        ("send_image", "I have sent you the picture."),
        ("update_reservation", "Your booking has been cancelled."),
        ("execute_automation", "I have refunded it."),
        ("book_at_our_api", "I have booked it."),
        ("mcp_mail__send", "Te he enviado el correo."),
    ],
)
def test_a_call_of_this_turn_is_a_receipt_for_its_kind(tool: str, sentence: str) -> None:
    assert found(sentence, Receipt(tool, True, True)) == []


@pytest.mark.parametrize(
    ("tool", "sentence"),
    [
        ("add_note", "I have booked your visit."),
        ("update_contact", "I have sent you an e-mail."),
        ("send_image", "I have changed your address."),
        ("create_reservation", "A confirmation has been sent to your e-mail."),
        ("get_contact", "I have changed your number."),
    ],
)
def test_a_call_of_another_kind_is_none(tool: str, sentence: str) -> None:
    assert found(sentence, Receipt(tool, tool != "get_contact", True)) == [sentence]


@pytest.mark.parametrize(
    ("sentence", "asked", "is_backed"),
    [
        ("Yes, I have changed it.", "Really?", True),
        ("I have changed it to 555 0009.", "Which one?", True),
        ("I have changed it.", "Change my e-mail too.", False),
        ("I have changed it to 555 0010.", "Now 5550010.", False),
        ("Yes, I have changed it to 5550010.", "Now 5550010.", False),
        ("Your number has been changed.", "Thanks", True),
        ("Your name has been changed to Gomez.", "My name is Gomez", False),
    ],
)
def test_an_earlier_call_counts_where_it_is_what_is_meant(sentence: str, asked: str, is_backed: bool) -> None:
    assert (found(sentence, EARLIER, asked=asked) == []) is is_backed


def test_a_state_may_have_been_looked_up() -> None:
    order = Receipt("get_order", False, True, '{"status": "shipped", "updated_at": "2026-01-05"}')
    assert found("Your order has been shipped.", order) == []
    assert found("I have shipped your order.", order) != []
    assert found("Your order has been updated.", order) != []
    assert found("Your visit is booked.", Receipt("find_reservations", False, True, '{"data": [{"id": 1}]}')) == []
    assert found("Your visit is booked.", Receipt("find_reservations", False, True, '{"data": []}')) != []
    assert found("Your visit is booked.", Receipt("get_available_slots", False, True, '[{"id": 1}]')) != []


def test_what_a_person_of_the_team_has_done_may_be_repeated() -> None:
    assert found("Your visit is booked.", team="I have booked you for Monday.") == []
    assert found("Your visit is booked.", team="I can book you for Monday.") != []


@pytest.mark.parametrize(
    ("text", "rest"),
    [
        ("I have booked it. We open at nine on Monday.", "X. We open at nine on Monday."),
        ("We open at nine on Monday.\n\nI have booked it.\n", "We open at nine on Monday.\n\nX."),
        ("I have booked it. We open at nine. I have sent it.", "X. We open at nine."),
        ("I have booked it. See you on Monday at nine!", None),
        ("I have booked it. It begins at nine on Monday.", None),
        ("I have booked it.", None),
        ("Te he reservado la cita. ¿Necesitas algo más de mí?", None),
    ],
)
def test_what_is_left_must_stand_by_itself(text: str, rest: str | None) -> None:
    assert without(text, doubts(text, Evidence()), "X.") == rest


def test_sentences_keep_their_places() -> None:
    text = "Hello Dr. Ruiz. I am here!\n- one\n- two. three\n"
    assert [text[a:b] for a, b in sentences_of(text)] == ["Hello Dr. Ruiz.", "I am here!", "- one", "- two. three"]


def test_our_own_sentences_claim_nothing() -> None:
    assert [claims_in(line) for line in HONEST.values()] == [(), ()]
    assert "{said}" in OBJECTION


def test_a_verdict_names_sentences_or_none() -> None:
    text = "Ich habe gebucht. Bis bald."
    assert [doubt.sentence for doubt in read_verdict("1", text)] == ["Ich habe gebucht."]
    assert read_verdict("None.", text) == []
    assert "1. Ich habe gebucht." in shown(text, Evidence([UPDATE]))
    for answer in ("7", "I am not sure", ""):
        with pytest.raises(UnexpectedModelBehavior):
            read_verdict(answer, text)
