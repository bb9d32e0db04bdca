from __future__ import annotations

import time

from fer_core.files import cache_folder
from fer_core.inference.face_table import FACE_COLUMNS
from tests.clips import film, moving_head, scene, sound_only
from tests.conftest import require

PATIENCE = 120.0


def charts(app) -> list[str]:
    return [chart.proto.alt for chart in app.get("plotly_chart")]


def captions(app) -> str:
    return "\n".join(caption.value.replace("\\", "") for caption in app.caption)


def finished(app):
    """Run the page again, as its fragment would, until the analysis is done."""
    deadline = time.monotonic() + PATIENCE
    while app.get("progress") and time.monotonic() < deadline:
        time.sleep(0.3)  # the analysis works in a thread of this very process
        app.run()
    assert not app.get("progress")
    return app


def uploaded(open_app, name: str, content: bytes, **query):
    app = open_app("video", v_source="Upload", **query)
    assert app.button(key="v_start").disabled
    app.file_uploader(key="v_upload").upload(name, content).run()
    assert not app.get("progress")
    app.button(key="v_start").click().run()
    assert not app.exception
    return finished(app)


def test_the_sample_has_results_before_any_click(open_app):
    app = finished(open_app("video"))
    assert not app.exception
    assert app.title[0].value == "Video"
    assert "Made from one still picture" in captions(app)
    assert len(app.get("video")) == 1
    assert "The sample clip: 100 frames over 8.0 seconds, " in captions(app)
    assert app.subheader[0].value.startswith("Face 1: happy ")
    assert [words.split(" ")[0] for words in charts(app)] == ["Share", "The", "Seven"]
    assert all("happy" in words for words in charts(app)[:1])
    assert list(app.dataframe[0].value.columns) == list(FACE_COLUMNS)
    assert [button.key for button in app.get("download_button")] == ["v_csv", "v_parquet", "v_video"]


def test_model_and_rate_from_a_link(open_app, from_utkface):
    app = finished(open_app("video", v_rate="2", v_model="Second model"))
    assert not app.exception
    assert "non-commercial research" in captions(app)
    assert app.get_by_key("v_model").value == from_utkface
    assert app.dataframe[0].value["seconds"].nunique() == 16


def test_nonsense_in_the_url_is_ignored(open_app):
    app = finished(open_app("video", v_rate="often", v_source="Nowhere", v_model="no_such_model"))
    assert not app.exception
    assert len(app.get("video")) == 1


def test_an_uploaded_film_with_two_faces(open_app):
    require("FER_YUNET_MODEL", "needs YuNet's weights")
    content = film([scene((5 + 4 * k, 20), (320, 40), scale=0.9) for k in range(6)])
    app = uploaded(open_app, "two [of] them.mp4", content)
    assert not app.exception
    assert "two [of] them.mp4: 6 frames over 0.6 seconds, 2 faces" in captions(app)
    assert app.get_by_key("v_face").options == ["1", "2"]
    app.get_by_key("v_face").set_value(2).run()
    assert app.subheader[0].value == "Face 2: happy 100 % of 0.6 seconds"
    assert "All faces together: happy" in captions(app)
    # away and back: the results are still there
    app.switch_page("pages/predict.py").run()
    app.switch_page("pages/video.py").run()
    assert not app.exception


def test_a_film_without_faces(open_app):
    app = uploaded(open_app, "wall.mp4", film([scene()] * 3))
    assert not app.exception
    assert "No face was found" in app.info[0].value
    assert not charts(app)
    assert len(app.get("download_button")) == 3
    assert len(app.dataframe[0].value) == 3


def test_files_that_are_no_films(open_app):
    for name, content, says in (
        ("notes.mp4", b"no film", "notes.mp4 is not a video"),
        ("empty.mov", b"", "empty.mov is empty"),
        ("sound.mp4", sound_only(), "sound.mp4 holds no frames"),
    ):
        app = uploaded(open_app, name, content)
        assert not app.exception
        assert says in app.warning[0].value.replace("\\", "")
        assert not app.get("video")


def test_a_stopped_analysis_keeps_what_is_done(open_app):
    app = open_app("video", v_source="Upload")
    app.file_uploader(key="v_upload").upload("long.mp4", film(moving_head(1) * 500)).run()
    app.button(key="v_start").click().run()
    while not app.get("progress"):
        app.run()
    app.button(key="v_stop").click().run()
    app = finished(app)
    assert not app.exception
    assert app.info[0].value.startswith("Stopped after ")
    assert 0 < len(app.dataframe[0].value) < 500


def test_another_upload_takes_the_place_of_the_first(open_app):
    app = uploaded(open_app, "first.mp4", film(moving_head(4)))
    (first,) = (path for path in cache_folder("visits").iterdir() if path.is_dir())
    assert (first / "annotated.mp4").is_file()
    app.file_uploader(key="v_upload").upload("second.mp4", film(moving_head(3))).run()
    app.button(key="v_start").click().run()
    app = finished(app)
    assert "second.mp4: 3 frames" in captions(app)


def test_without_any_model_says_how_to_get_one(open_app, no_models):
    app = open_app("video")
    assert not app.exception
    assert "fer-lab train" in app.info[0].value
