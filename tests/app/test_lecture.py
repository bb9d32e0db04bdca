"""The lecture without a browser: its screens in their order, and the overview."""

from __future__ import annotations

from fer_core.lecture.screens import SCREENS, lecture, save_lecture
from pages.parts.tour import STEPS
from tests.app.conftest import charts, pictures, said, ship


def test_next_leads_through_the_whole_lecture(page):
    save_lecture([name for name in SCREENS if name != "class"])
    ship("vgg16_frozen_utk")
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
    app.button(key="lecture_forward_picture").click().run()
    app.button(key="lecture_out_align").click().run()
    assert [screen.name for screen in lecture()][:3] == ["detect", "picture", "crop"]
    app.button(key="lecture_add_align").click().run()
    assert lecture()[-1].name == "align"
    assert not app.warning
    assert page(screen="align").button(key="stage_next").disabled
    next(button for button in app.button if button.label == "All screens in their first order").click().run()
    assert lecture() == list(SCREENS.values())


def test_without_any_model_and_without_faces_each_screen_says_so(page, no_models):
    for name in ("picture", "face", "confusion"):
        assert "no trained model" in said(page(screen=name)) or "No model has predictions" in said(page(screen=name))
    assert "shows faces of FER2013" in said(page(screen="class"))
    assert page(screen="no such screen").title[0].value == "Lecture"
