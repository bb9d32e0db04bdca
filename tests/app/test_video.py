from __future__ import annotations

from fer_core.files import cache_folder
from fer_core.inference.face_table import video_columns
from tests.app.conftest import charts, said
from tests.clips import film, moving_head, scene, sound_only
from tests.waiting import until


def finished(app):
    """Run the page again, as its fragment would, until the analysis is done."""
    until(lambda: not app.get("progress") or not app.run().get("progress"), every=0.3)
    return app


def analysed(app, name: str, content: bytes):
    app.file_uploader(key="v_upload").upload(name, content).run()
    app.button(key="v_start").click().run()
    return finished(app)


def test_the_sample_has_results_before_any_click_whatever_the_link_says(page):
    app = finished(page(v_rate="often", v_source="Nowhere", v_model="no_such_model"))
    assert app.title[0].value == "Video"
    assert "Made from one still picture" in said(app)
    assert len(app.get("video")) == 1
    assert "The sample clip: 20 frames over 2.0 seconds, " in said(app)
    assert app.subheader[0].value.startswith("Face 1: happy ")
    assert [words.split(" ")[0] for words in charts(app)] == ["Share", "The", "Probabilities"]
    assert "happy" in charts(app)[0]
    assert list(app.dataframe[0].value.columns) == list(video_columns())
    assert [button.key for button in app.get("download_button")] == ["v_csv", "v_parquet", "v_video"]


def test_model_and_rate_from_a_link(page, from_utkface, never_sure):
    app = finished(page(v_rate="2", v_model=never_sure))
    assert "non-commercial research" in said(app)
    assert "Not sure in 100 % of this time: no expression reaches 100 %" in said(app)
    assert app.subheader[0].value.startswith("Face 1: happy ")
    assert app.get_by_key("v_model").value == from_utkface
    assert app.dataframe[0].value["seconds"].nunique() == 4


def test_an_uploaded_film_with_two_faces(page, yunet_file):
    content = film([scene((5 + 4 * k, 20), (320, 40), scale=0.9) for k in range(6)])
    app = analysed(page(v_source="Upload"), "two [of] them.mp4", content)
    assert "two [of] them.mp4: 6 frames over 0.6 seconds, 2 faces" in said(app)
    assert app.get_by_key("v_face").options == ["1", "2"]
    app.get_by_key("v_face").set_value(2).run()
    assert app.subheader[0].value == "Face 2: happy 100 % of 0.6 seconds"
    assert "All faces together: happy" in said(app)
    # away and back: the results are still there
    app.switch_page("pages/predict.py").run()
    app.switch_page("pages/video.py").run()


def test_each_upload_takes_the_place_of_the_one_before(page):
    """Files that are no films, films without and with a face, and an analysis that is stopped."""
    app = page(v_source="Upload")
    assert app.button(key="v_start").disabled
    for name, content, says in (
        ("notes.mp4", b"no film", "notes.mp4 is not a video"),
        ("empty.mov", b"", "empty.mov is empty"),
        ("sound.mp4", sound_only(), "sound.mp4 holds no frames"),
    ):
        app = analysed(app, name, content)
        assert says in app.warning[0].value.replace("\\", "")
        assert not app.get("video")
    app = analysed(app, "wall.mp4", film([scene()] * 3))
    assert "No face was found" in app.info[0].value
    assert not charts(app)
    assert len(app.get("download_button")) == 3
    assert len(app.dataframe[0].value) == 3
    app = analysed(app, "face.mp4", film(moving_head(4)))
    assert "face.mp4: 4 frames" in said(app)
    assert any((path / "annotated.mp4").is_file() for path in cache_folder("visits").iterdir())
    app.file_uploader(key="v_upload").upload("long.mp4", film(moving_head(1) * 500)).run()
    app.button(key="v_start").click().run()
    while not app.get("progress"):
        app.run()
    app.button(key="v_stop").click().run()
    app = finished(app)
    assert app.info[0].value.startswith("Stopped after ")
    assert 0 < len(app.dataframe[0].value) < 500
