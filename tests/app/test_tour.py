"""The Tour page without a browser."""

from __future__ import annotations

from PIL import Image
from streamlit.testing.v1.element_tree import Block

from fer_core.columns import percent
from pages.parts.tour import SIDE, STEPS
from tests.app.conftest import charts, pictures, said, ship, upload
from tests.bad_inputs import encoded, good_input


def heights(block) -> list[int]:
    """Return the heights in pixels that are set in a block and in the blocks within it."""
    proto = block.proto if isinstance(block, Block) else None
    own = proto.height_config.pixel_height if hasattr(proto, "height_config") else 0
    return [own, *(height for child in getattr(block, "children", {}).values() for height in heights(child))]


def test_every_step_shows_something_and_the_last_one_the_served_probability(open_app):
    app = open_app("tour")
    assert app.button(key="t_back").disabled
    for number, step in enumerate(STEPS, 1):
        if number > 1:
            app.button(key="t_next").click().run()
        assert not app.info
        assert app.title[0].value == f"Tour, step {number} of 8: {step}"
        assert charts(app) or pictures(app)
        assert all(charts(app) + pictures(app)), "each has an alternative text"
        assert "**" in said(app)
        assert any("Gray face" in alt for alt in charts(app)) == (step == "Activations"), "the diagram of the network"
        if step in ("Picture", "Align", "Crop"):  # these pictures are square, and have a height before they are loaded
            assert SIDE in heights(app.main)
    assert app.button(key="t_next").disabled
    served = open_app("predict").dataframe[0].value["happy"][0] / 100
    assert f"= {percent(served, '.1%')}" in said(app)
    assert f"The model itself says: **happy {percent(served, '.1%')}**" in said(app)
    app.button(key="t_back").click().run()
    assert app.title[0].value.endswith("7 of 8: Pooling")
    assert app.query_params["t_step"] == "Pooling"


def test_own_pictures(open_app):
    app = open_app("tour", t_source="Upload", t_step="Crop")
    assert not pictures(app)
    wall = encoded(Image.new("RGB", (200, 160), "gray"), "PNG")
    for content, sentence in ((wall, "Received: 200 × 160 pixels"), (b"no", "is not an image")):
        assert sentence in said(upload(app, "t_upload", ("wall.png", content)))
        assert not pictures(app)
    assert not upload(app, "t_upload", ("good.jpg", good_input())).info
    assert pictures(app)


def test_a_model_without_maps_gives_one_sentence(open_app):
    ship("vgg16_frozen_faces")
    app = open_app("tour", t_served="VGG16, frozen (faces)", t_step="Activations")
    assert "maps show places of the whole face" in app.info[0].value
    assert "non-commercial research" in said(app)
    assert not pictures(app)
