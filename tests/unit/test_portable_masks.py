"""Masks leave a file and come back, each to its own place."""

from frontdesk.core.vault import mask
from frontdesk.resources.assistants.portable_masks import with_masks, without_masks

KEY = mask("sk-abcdefgh12345678")
LIVE = [{"id": "shop", "api_key": KEY, "custom_headers": [{"name": "X-Key", "value": KEY}], "url": "https://a.example"}]


def test_a_file_has_null_for_each_secret() -> None:
    shown = without_masks(LIVE)  # type: ignore[arg-type]
    assert shown == [
        {
            "id": "shop",
            "api_key": None,
            "custom_headers": [{"name": "X-Key", "value": None}],
            "url": "https://a.example",
        }
    ]
    assert with_masks(shown, LIVE) == LIVE  # type: ignore[arg-type]


def test_an_entry_is_known_by_its_id_and_not_by_its_place() -> None:
    wanted = [{"id": "new", "api_key": None}, {"id": "shop", "api_key": None}]
    assert with_masks(wanted, LIVE) == [{"id": "new", "api_key": None}, {"id": "shop", "api_key": KEY}]  # type: ignore[arg-type]


def test_only_a_secret_comes_back_and_a_new_one_wins() -> None:
    wanted = [{"id": "shop", "api_key": "new", "url": None}]
    assert with_masks(wanted, LIVE) == [{"id": "shop", "api_key": "new", "url": None}]  # type: ignore[arg-type]
