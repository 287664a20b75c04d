"""Which models see images, and how an image reaches one."""

import base64

import pytest
from pydantic_ai.messages import BinaryContent, ModelRequest, UserPromptPart
from pydantic_ai.models import ModelRequestParameters

from tests.contract.test_model_keys import House, house
from tests.flow.pictures import png

__all__ = ("house",)


@pytest.mark.parametrize("sees", [True, False])
async def test_a_models_row_says_whether_it_sees(house: House, sees: bool) -> None:
    model = await house.model(supports_images=sees)
    resolved = await house.catalogue().resolve(await house.config(model, "organization"))
    assert resolved.supports_images is sees
    assert resolved.facts["supports_images"] is sees


@pytest.mark.parametrize(
    ("settings", "sees"),
    [({"openai_api_key": "sk-1"}, True), ({"anthropic_api_key": "sk-1"}, True), ({"model": "local"}, False)],
    ids=["openai", "anthropic", "built-in"],
)
async def test_the_installations_default_sees_where_its_provider_does(
    house: House, settings: dict[str, str], sees: bool
) -> None:
    config = await house.config(await house.default_model())
    assert (await house.catalogue(**settings).resolve(config)).supports_images is sees


async def test_an_image_is_sent_as_bytes_with_its_type(house: House) -> None:
    config = await house.config(await house.model(supports_images=True), "organization")
    model = (await house.catalogue().resolve(config)).model
    data = png()
    request = ModelRequest([UserPromptPart(["[image: a.png]", BinaryContent(data, media_type="image/png")])])
    async with model.request_stream([request], None, ModelRequestParameters()) as stream:
        async for _ in stream:
            pass
    sent = str(house.scene.bodies[0]["messages"])
    assert f"data:image/png;base64,{base64.b64encode(data).decode()}" in sent
    assert "[image: a.png]" in sent
