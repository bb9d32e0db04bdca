"""The Dataset page without a browser: its sections with and without FER2013, filters, and contested faces."""

from functools import partial

import pytest

from tests.made_up_store import write_fer2013

WITH_FACES = ["Classes", "Faces", "Preparation", "Labels and votes", "Hardest faces", "Copies", "Published results"]


@pytest.fixture
def page(opened_without_error):
    return partial(opened_without_error, "dataset")


@pytest.fixture
def made_up(own_home):
    write_fer2013(own_home / "fer2013")


@pytest.fixture
def real(monkeypatch, fer2013_path, ferplus_path):
    """FER2013 itself with FER+'s votes, which belong to no other faces."""
    monkeypatch.setenv("FER2013_PATH", str(fer2013_path))
    monkeypatch.setenv("FERPLUS_PATH", str(ferplus_path))


def said(app) -> str:
    return " ".join(block.value for block in [*app.markdown, *app.caption, *app.info])


def tabs(app) -> list[str]:
    return [tab.label for tab in app.tabs]


def test_without_fer2013_it_says_how_to_get_it_and_shows_what_needs_no_faces(page):
    app = page()
    assert "data download" in app.info[0].value
    assert tabs(app) == ["Hardest faces", "Copies", "Published results"]
    app = page(d_section="Copies")
    assert "pairs of faces with equal pixels" in said(app)
    assert not page(d_section="Published results").exception


@pytest.mark.parametrize("section", WITH_FACES)
def test_every_section_opens_by_its_url(page, made_up, section):
    app = page(d_section=section)
    assert tabs(app) == WITH_FACES
    assert not app.error


def test_classes_are_counted(page, made_up):
    app = page(d_section="Classes", d_bars="shares")
    assert [chart.proto.alt.split(";")[0] for chart in app.get("plotly_chart")] == ["Faces by expression and split"]
    assert app.dataframe[0].value["all"].sum() == 213


def test_filters_by_url(page, made_up):
    app = page(d_section="Faces", d_split="PublicTest", d_label="sad")
    assert "**15 faces**" in said(app)
    app = page(d_section="Faces", d_label="sad", d_said="disgust")
    assert "**0 faces**" in said(app)
    assert "No face passes" in said(app)


def test_filters_by_votes_and_prediction(page, real, fer2013):
    part = fer2013.split("public_test")
    differing = (part.plurality >= 0) & (part.plurality != part.labels)
    assert f"**{differing.sum():,} faces**" in said(page(d_section="Faces", d_split="PublicTest", d_differing="true"))
    app = page(d_section="Faces", d_copies="true", d_wrong="true")
    assert app.selectbox(key="d_row").options
    assert "The default model predicts" in said(app)


def test_pages_hold_24_faces_and_one_is_shown_closely(page, made_up):
    app = page(d_section="Faces", d_split="PrivateTest")
    app.number_input(key="d_page").set_value(5).run()
    assert not app.exception
    assert len(app.selectbox(key="d_row").options) == 105 - 4 * 24
    assert "The numbers of row" in said(app)


def test_labels_beside_the_annotators(page, real):
    app = page(d_section="Labels and votes", d_truth="PublicTest")
    (chart,) = app.get("plotly_chart")
    assert chart.proto.alt.startswith("FER2013’s label against what most annotators say")
    table = app.dataframe[0].value.set_index("label")
    assert table.loc["all", "faces"] == 3589
    assert table.loc["all", "same"] == pytest.approx(0.654, abs=5e-4)
    for order in ("divided", "alone", "agreed"):
        app.session_state["d_contested"] = order
        app.run()
        assert not app.exception


def test_without_votes_it_says_so(page, made_up):
    app = page(d_section="Labels and votes")
    assert "votes" in app.info[0].value
    assert not app.get("plotly_chart")


def test_accuracy_without_copies_of_every_model(page, made_up, three):
    app = page(d_section="Copies", d_copies_split="PrivateTest")
    table = app.dataframe[0].value
    assert {"The able one", "The fair one", "The weak one"} <= set(table["model"])
    assert (table["no_near_faces"] <= table["no_exact_faces"]).all()


@pytest.mark.parametrize("order", ["All models are wrong", "Confident and wrong", "Models are divided"])
def test_hardest_faces(page, made_up, three, order):
    app = page(d_section="Hardest faces", d_hardest=order, d_hard_split="PrivateTest")
    assert order in said(app)
    assert "PrivateTest, plain" in said(app)
    assert not app.error


def test_pictures_with_two_labels(page, real):
    assert "have different labels" in said(page(d_section="Copies"))
