"""The Tour page, and presentation mode, without a browser."""

from __future__ import annotations

import pytest
from PIL import Image
from streamlit.testing.v1.element_tree import Block

from fer_core.store import folders
from pages.parts.tour import SIDE, STEPS
from tests.app.conftest import SHIPPED_DEFAULT
from tests.bad_inputs import bad_inputs, encoded, good_input


def words(app) -> str:
    return "\n".join(one.value.replace("\\", "") for one in app.markdown)


def charts(app) -> list[str]:
    return [chart.proto.alt for chart in app.get("plotly_chart")]


def charts_of(app) -> list[str]:
    return [chart.proto.spec for chart in app.get("plotly_chart")]


def pictures(app) -> list[str]:
    return [image.alt for element in app.get("image") for image in element.proto.imgs]


@pytest.mark.parametrize("step", STEPS)
def test_every_step_has_a_link_and_shows_something(open_app, step):
    app = open_app("tour", t_step=step)
    assert not app.exception
    assert not app.info
    assert app.title[0].value == f"Tour, step {list(STEPS).index(step) + 1} of 8: {step}"
    assert charts(app) or pictures(app)
    assert all(charts(app))
    assert all(pictures(app))
    assert "**" in words(app)


@pytest.mark.parametrize("step", ["Picture", "Align", "Crop"])
def test_the_large_picture_has_its_height_before_it_is_loaded(open_app, step):
    def heights(block):
        children = getattr(block, "children", {}).values()
        proto = block.proto if isinstance(block, Block) else None
        own = proto.height_config.pixel_height if hasattr(proto, "height_config") else 0
        return [own, *(height for child in children for height in heights(child))]

    assert SIDE in heights(open_app("tour", t_step=step).main)  # these pictures are square


def test_next_and_back(open_app):
    app = open_app("tour")
    assert app.title[0].value.endswith("1 of 8: Picture")
    assert app.button(key="t_back").disabled
    app.button(key="t_next").click().run()
    assert app.title[0].value.endswith("2 of 8: Detect")
    assert app.query_params["t_step"] == "Detect"
    app.button(key="t_back").click().run()
    assert app.title[0].value.endswith("1 of 8: Picture")
    assert open_app("tour", t_step="Softmax").button(key="t_next").disabled


def test_the_last_step_has_the_served_probability(open_app, predict):
    said = words(open_app("tour", t_step="Softmax"))
    served = predict().dataframe[0].value["happy"][0]
    assert f"= {served:.1%}" in said
    assert f"The model itself says: **happy {served:.1%}**" in said


def test_own_pictures(open_app):
    app = open_app("tour", t_source="Upload", t_step="Crop")
    assert not pictures(app)
    wall = encoded(Image.new("RGB", (200, 160), "gray"), "PNG")
    app.file_uploader(key="t_upload").upload("wall.png", wall).run()
    assert not app.exception
    assert app.info[0].value.replace("\\", "").endswith("Received: 200 × 160 pixels")
    assert not pictures(app)
    name, content, _ = bad_inputs()["text named jpg"]
    app.file_uploader(key="t_upload").upload(name, content).run()
    assert not app.exception
    assert "notes.jpg is not an image" in app.info[0].value.replace("\\", "")
    app.file_uploader(key="t_upload").upload("good.jpg", good_input()).run()
    assert not app.exception
    assert not app.info
    assert pictures(app)


def test_a_model_without_maps_gives_one_sentence(open_app):
    (folders.SHIPPED / "vgg16_frozen_utk").symlink_to(SHIPPED_DEFAULT.parent / "vgg16_frozen_utk")
    app = open_app("tour", t_served="VGG16, frozen (UTKFace)", t_step="Activations")
    assert not app.exception
    assert "maps show places of the whole face" in app.info[0].value
    assert any("non-commercial research" in caption.value for caption in app.caption)
    assert not pictures(app)


def test_presentation_mode_by_link_and_toggle(open_app):
    usual = charts_of(open_app(h_by="Most annotators"))
    app = open_app(present="true", h_by="Most annotators")
    assert not app.exception
    assert app.toggle(key="present").value is True
    assert app.get_by_key("h_by").value == "plurality"
    assert charts_of(app)[0] != usual[0]
    app.toggle(key="present").set_value(False).run()
    assert charts_of(app)[0] == usual[0]
    assert app.query_params["h_by"] == "Most annotators"
