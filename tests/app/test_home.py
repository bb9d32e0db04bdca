from __future__ import annotations

import json
import shutil

import pytest

from fer_core.store import folders
from fer_core.store.folders import DEFAULT_MODEL, load_model, promoted
from fer_core.store.stored_model import PREDICTIONS, WEIGHTS
from tests.made_up_store import add_model


def words(app) -> str:
    return " ".join(
        str(element.value) for kind in (app.markdown, app.caption, app.warning, app.info) for element in kind
    )


def test_prediction_and_scoreboard_before_any_click(open_app):
    app = open_app()
    assert not app.exception
    assert app.title[0].value == "FER Lab"
    assert [heading.value for heading in app.subheader] == ["Try it", "Explore", "Teach"]
    assert "says: **happy** (" in words(app)
    assert len(app.get("image")) == 3
    assert len(app.get("plotly_chart")) == 1
    table = app.dataframe[0].value
    card = load_model(DEFAULT_MODEL).card
    row = table[table["Model"] == card.title].iloc[0]
    accuracy = card.score("public_test").accuracy
    assert row["PublicTest accuracy"].startswith(f"{accuracy * 100:.1f} %")
    assert row["Parameters"] == card.parameters
    assert row["Size"] == f"{load_model(DEFAULT_MODEL).weights.stat().st_size / 1e6:.1f} MB"


def test_every_figure_has_words_for_those_who_cannot_see_it(open_app):
    app = open_app()
    (scores,) = app.get("plotly_chart")
    assert "PublicTest" in scores.proto.alt
    portrait, evidence, crop = (image.proto.imgs[0].alt for image in app.get("image"))
    assert "happy" in portrait
    assert "happy" in evidence
    assert "48 × 48" in crop


def test_links_lead_on(open_app):
    links = {link.proto.label: link.proto for link in open_app().get("page_link")}
    assert links["Take a photo"].page == "predict"
    assert "p_source=Camera" in links["Take a photo"].query_string


def test_without_any_model_says_how_to_get_one(open_app, no_models):
    app = open_app()
    assert not app.exception
    assert f"fer-lab train {DEFAULT_MODEL}" in app.info[0].value


def test_names_broken_model_folders_and_shows_the_rest(open_app):
    broken = folders.promoted() / "half_written"
    broken.mkdir(parents=True)
    (broken / folders.CARD).write_text('{"name": "half', encoding="utf-8")
    app = open_app()
    assert not app.exception
    assert "half\\_written" in app.warning[0].value
    assert "says: **happy**" in words(app)


def test_the_next_model_steps_in_for_a_damaged_default(open_app, second_model):
    shutil.copytree(folders.promoted() / second_model, folders.promoted() / DEFAULT_MODEL)
    (folders.promoted() / DEFAULT_MODEL / WEIGHTS).write_bytes(b"not a model")
    app = open_app()
    assert not app.exception
    assert "damaged or was changed" in app.warning[0].value
    assert "Second model says: **happy**" in words(app)


@pytest.mark.parametrize("metrics", [[], None, {"public_test": {"plain": {}}}, {"public_test": 3}])
def test_card_without_numbers_costs_only_its_own_row(open_app, second_model, metrics):
    path = folders.promoted() / second_model / folders.CARD
    path.write_text(json.dumps({**json.loads(path.read_text(encoding="utf-8")), "metrics": metrics}), encoding="utf-8")
    app = open_app()
    assert not app.exception
    assert list(app.dataframe[0].value["Model"]) == [load_model(DEFAULT_MODEL).title]
    assert "The model second has no score" in words(app)


def test_a_model_trained_without_test_faces_is_noted_and_no_fault(open_app, second_model):
    path = folders.promoted() / second_model / folders.CARD
    path.write_text(json.dumps({**json.loads(path.read_text(encoding="utf-8")), "metrics": {}}), encoding="utf-8")
    app = open_app()
    assert [caption.value for caption in app.caption if "Without a score: Second model" in caption.value]
    for page in ("pages/compare.py", "pages/confusion.py"):
        assert not app.warning
        app.switch_page(page).run()
        assert not app.exception
        assert [caption.value for caption in app.caption if "Without a score: Second model" in caption.value]
    assert not app.warning


def test_says_so_when_the_lesser_detector_is_at_work(open_app, monkeypatch):
    monkeypatch.setenv("FER_YUNET_MODEL", "/nowhere/yunet.onnx")
    app = open_app()
    assert not app.exception
    assert "simpler detector" in words(app)
    app.switch_page("pages/predict.py").run()
    assert not app.exception
    assert "simpler detector" in words(app)
    assert app.subheader[0].value.startswith("Face 1: ")


def test_a_data_folder_that_cannot_be_made_costs_only_a_warning(open_app, monkeypatch, tmp_path):
    (tmp_path / "file").write_text("in the way", encoding="utf-8")
    monkeypatch.setenv("FER_HOME", str(tmp_path / "file" / "home"))
    app = open_app()
    assert not app.exception
    assert "cannot be created" in app.warning[0].value
    assert "says: **happy**" in words(app)


def test_most_annotators_can_be_the_judge(open_app):
    app = open_app()
    by_label = app.dataframe[0].value
    assert "PublicTest and PrivateTest. Judged by FER2013's own label, on 7,178 faces." in words(app)
    app.get_by_key("h_by").set_value("plurality").run()
    assert not app.exception
    table = load_model(DEFAULT_MODEL).all_predictions()
    clear = table[(table["view"] == "plain") & (table["plurality"] >= 0)]
    assert f"ten annotators gave most often, on the {len(clear):,} of 7,178 faces with one clear answer" in words(app)
    assert f"is the same on {(clear['plurality'] == clear['label']).mean():.1%} of them" in words(app)
    by_annotators = app.dataframe[0].value
    assert set(by_annotators["Model"]) == set(by_label["Model"])
    assert by_annotators["PublicTest accuracy"].tolist() != by_label["PublicTest accuracy"].tolist()


def test_damaged_predictions_cost_only_the_sentence_on_them(open_app):
    shutil.copytree(folders.SHIPPED / DEFAULT_MODEL, promoted() / DEFAULT_MODEL)
    (promoted() / DEFAULT_MODEL / PREDICTIONS).write_bytes(b"no table")
    app = open_app()
    assert not app.exception
    assert len(app.dataframe[0].value) == 1
    assert "Judged by FER2013's own label" not in words(app)


def test_rows_that_start_from_utkface_say_so(open_app):
    assert not any("non-commercial research" in caption.value for caption in open_app().caption)
    add_model(promoted(), "other", weights_from="utkface")
    assert any("non-commercial research" in caption.value for caption in open_app().caption)


def test_it_says_why_the_pages_start_with_the_default(open_app):
    score = load_model().card.holdout_score
    assert f"start with {load_model().title}" in words(open_app())
    assert f"it has the best, {score:.1%}" in words(open_app())


def test_the_default_is_not_called_the_best_beside_a_better_one(open_app, second_model):
    path = promoted() / second_model / "card.json"
    card = json.loads(path.read_text("utf-8"))
    card["served"]["holdout_score"] = {"score": 0.99}
    path.write_text(json.dumps(card), "utf-8")
    app = open_app()
    assert not app.exception
    assert "The pages start with" not in words(app)
