"""The lecture without a browser: its screens in their order, and the overview."""

from __future__ import annotations

from fer_core.sections.screens import SCREENS, lecture, save_lecture
from pages.parts.tour import STEPS
from tests.app.conftest import charts, pictures, said, ship


def test_next_leads_through_the_whole_lecture(page):
    save_lecture([name for name in SCREENS if name != "class"])
    ship("vgg16_frozen_faces")
    app = page(screen="picture")
    assert app.button(key="stage_back").disabled
    for place, screen in enumerate(lecture()):
        assert app.query_params["screen"] == screen.name
        assert (words := app.title[0].value)
        assert not screen.sentence or words == screen.sentence
        assert not app.info
        assert charts(app) or pictures(app) or screen.name == "home"
        assert all(charts(app) + pictures(app)), "each has an alternative text"
        assert screen.notes[0] in said(app)
        if place < len(lecture()) - 1:
            app.button(key="stage_next").click().run()
    assert app.button(key="stage_next").disabled
    app.button(key="stage_back").click().run()
    assert app.query_params["screen"] == lecture()[-2].name


def test_a_step_of_the_tour_is_the_one_of_its_page(page, open_app):
    assert [name for name in SCREENS if name.title() in STEPS] == [step.lower() for step in STEPS]
    assert charts(page(screen="softmax")) == charts(open_app("tour", t_step="Softmax"))


def test_screens_are_moved_left_out_and_put_back(page):
    app = page()
    order = app.multiselect(key="lecture_order")
    assert order.value == list(SCREENS)
    order.set_value(["detect", "picture"]).run()
    assert [screen.name for screen in lecture()] == ["detect", "picture"]
    assert [link.proto.label for link in app.get("page_link")] == [
        "**Start**",
        "**1. Find the face**",
        "**2. A picture is numbers**",
    ]
    assert not app.warning
    assert page(screen="picture").button(key="stage_next").disabled
    order.set_value([]).run()
    assert lecture() == list(SCREENS.values())


def test_without_any_model_and_without_faces_each_screen_says_so(page, no_models):
    for name in ("picture", "face", "confusion"):
        assert "no trained model" in said(page(screen=name)) or "No model has predictions" in said(page(screen=name))
    assert "shows faces of FER2013" in said(page(screen="class"))
    assert page(screen="no such screen").title[0].value == "Lecture"
