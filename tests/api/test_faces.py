"""One call for pictures and videos of any kind: its table agrees with what analyses a single one."""

import doctest
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
from PIL import Image

import fer_core
import fer_core.api.faces
from fer_core.data import sample_portrait
from fer_core.inference import FaceAnalyzer
from fer_core.inference.pictures import result_columns, result_row
from fer_core.store.folders import load_model
from fer_core.types import FerError
from tests.clips import film, moving_head, scene
from tests.server import on_the_web


@pytest.fixture(scope="module")
def holiday(tmp_path_factory):
    """A picture with a face, one without, one that is broken, and a video whose face leaves."""
    folder = tmp_path_factory.mktemp("holiday")
    Image.fromarray(sample_portrait()).save(folder / "a.png")
    Image.new("RGB", (60, 60)).save(folder / "b.png")
    (folder / "c.png").write_bytes(b"no picture")
    (folder / "d.mp4").write_bytes(film([*moving_head(3), *[scene()] * 2]))
    return folder


@pytest.fixture(scope="module")
def faces(holiday, yunet_file):
    return fer_core.analyze(holiday)


def test_a_folder_has_a_row_for_each_face_and_for_what_has_none(holiday, faces):
    assert list(faces.columns) == fer_core.api.faces.columns()
    names = [name.removeprefix(f"{holiday}/") for name in faces["file"]]
    assert names == ["a.png", "b.png", "c.png", *["d.mp4"] * 5]
    assert faces["error"].notna().tolist() == [False, False, True, *[False] * 5]
    assert faces["frame"].tolist()[3:] == [0, 1, 2, 3, 4]
    assert faces["seconds"].tolist()[3:] == pytest.approx([0, 0.1, 0.2, 0.3, 0.4], abs=1e-3)
    assert faces["face"].notna().tolist() == [True, False, False, True, True, True, False, False]
    (expected,) = FaceAnalyzer(load_model().classifier()).analyze(sample_portrait())
    assert faces.loc[0, list(result_columns())].tolist() == result_row(expected)


def test_pictures_in_memory_are_the_same_as_their_file(holiday, faces):
    image = sample_portrait()
    opened = Image.open(holiday / "a.png")
    table = fer_core.analyze([image, image[..., 0], opened, (holiday / "a.png").read_bytes(), np.stack([image])[0]])
    assert table["file"].tolist() == ["picture 1", "picture 2", str(holiday / "a.png"), "picture 4", "picture 5"]
    numbers = list(result_columns()[:4])
    for row in (0, 2, 3, 4):
        assert table.loc[row, numbers].tolist() == faces.loc[0, numbers].tolist()
    whole = fer_core.analyze(image[60:180, 170:290], whole_image=True, flip=True, model="compact_cnn")
    assert whole[["model", "detector_score"]].to_numpy().tolist() == [["compact_cnn", 1.0]]
    assert whole[["roll", "nose_x"]].isna().all(axis=None)


def test_gray_arrays_with_an_axis_more_and_paths_in_columns_and_arrays(holiday, faces):
    gray = sample_portrait()[..., :1]
    table = fer_core.analyze([gray, gray[..., 0], gray[..., [0] * 5], gray[:0]])
    assert table.loc[0, "x":"neutral"].tolist() == table.loc[1, "x":"neutral"].tolist()
    assert table["error"].notna().tolist() == [False, False, True, True]
    assert "RGB (height, width, 3)" in table["error"][2]
    paths = [str(holiday / "a.png"), str(holiday / "b.png")]
    for several in (pd.Series(paths), pd.Index(paths), np.array(paths)):
        assert fer_core.analyze(several)["file"].tolist() == paths


def test_addresses_of_the_web_are_downloaded(holiday):
    with on_the_web(holiday) as address:
        table = fer_core.analyze([f"{address}/b.png", f"{address}/gone.png"])
    assert table["file"].tolist() == [f"{address}/b.png", f"{address}/gone.png"]
    assert table["error"].isna().tolist() == [True, False]
    assert "gone.png could not be downloaded" in table["error"][1]


def test_summary_timeline_and_drawing(holiday, faces):
    summary = faces.fer.summary()
    assert summary.loc["happy", ["faces", "share", "sure"]].tolist() == [4, 1.0, 4]
    assert summary["probability"].sum() == pytest.approx(1, abs=1e-4)
    video = faces[faces["file"] == str(holiday / "d.mp4")]
    assert list(video.fer.timeline(1).data[3].y) == pytest.approx(video["happy"].dropna().tolist())
    photo = faces[faces["file"] == str(holiday / "a.png")]
    drawn = np.asarray(photo.fer.draw())
    assert (drawn != sample_portrait()).any() and (drawn == np.asarray(photo.fer.draw(sample_portrait()))).all()
    for wrong in (faces.fer.timeline, faces.fer.draw, photo.fer.timeline, video.fer.draw):
        with pytest.raises(FerError, match="Select the rows of one file"):
            wrong()
    with pytest.raises(FerError, match=r"A drawing needs one picture\. Received: 2"):
        photo.fer.draw([sample_portrait()] * 2)
    with pytest.raises(AttributeError, match="This is no table of"):
        _ = pd.DataFrame({"file": []}).fer


@pytest.mark.parametrize(
    ("source", "says"),
    [
        ([], "at least one picture"),
        ("gone.jpg", "gone.jpg does not exist"),
        (np.zeros((9, 9, 3)), "Received: float64"),
        ([None], "picture 1 is no picture"),
        (7, "picture 1 is no picture"),
    ],
)
def test_what_cannot_be_used_at_all_is_an_error(source, says):
    with pytest.raises(FerError, match=says):
        fer_core.analyze(source)


def test_the_import_is_light_and_examples_are_true():
    program = "import fer_core, sys; assert not {'numpy', 'pandas', 'cv2'} & set(sys.modules); fer_core.nothing"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert "AttributeError: module 'fer_core' has no attribute 'nothing'" in done.stderr
    results = doctest.testmod(fer_core.api.faces)
    assert results.attempted > 5 and not results.failed


def test_a_model_of_other_classes_has_their_columns(own_model):
    faces = fer_core.analyze(sample_portrait(), model=own_model.name, whole_image=True)
    names = list(own_model.card.classes)
    assert list(faces.columns) == fer_core.api.faces.columns(own_model.card.classes)
    assert faces.loc[0, names].sum() == pytest.approx(1, abs=1e-4)
    assert faces["expression"].item() == faces[names].iloc[0].astype(float).idxmax()
    assert faces.fer.summary()["faces"].to_dict() == {name: int(name == faces["expression"].item()) for name in names}
    assert faces.fer.draw(sample_portrait()).size == (512, 512)
    with pytest.raises(FerError, match="own has other classes"):
        fer_core.evaluate(own_model.name, "fer2013")
