import io
import json
import zipfile

import numpy as np
import pytest
from PIL import Image

from fer_core.data import sample_portrait
from fer_core.faces import FallbackDetector
from fer_core.inference import FaceAnalyzer, pictures
from fer_core.inference.pictures import (
    PictureResult,
    picture_columns,
    result_columns,
    result_row,
    results_csv,
    results_table,
)
from fer_core.labels import EXPRESSIONS
from fer_core.store.folders import DEFAULT_MODEL, load_model
from fer_core.types import Face


@pytest.fixture(scope="module")
def analyzer():
    return FaceAnalyzer(load_model("compact_cnn").classifier())


def test_faces_are_numbered_as_one_reads():
    """Two rows, in which the faces are not at one height; the largest one comes third."""
    boxes = [(10, 20, 40, 40), (100, 8, 40, 40), (180, 5, 80, 80), (5, 100, 40, 40), (90, 112, 40, 40)]
    faces = [Face(box, 1.0) for box in boxes]
    assert pictures.reading_order([faces[k] for k in (2, 4, 0, 3, 1)]) == faces
    assert pictures.reading_order([]) == []


@pytest.mark.detector
def test_one_smiling_face_on_the_sample_and_none_on_gray(analyzer):
    (result,) = analyzer.analyze(sample_portrait())
    assert result.expression == "happy"
    row = dict(zip(result_columns(), result_row(result), strict=True))
    if result.face.landmarks is not None:
        assert row["x"] < row["left_eye_x"] < row["nose_x"] < row["right_eye_x"] < row["x"] + row["width"]
        assert row["y"] < row["left_eye_y"] < row["nose_y"] < row["right_mouth_y"] < row["y"] + row["height"]
        assert [row[name] for name in ANGLES] == pytest.approx([6, 0, 3], abs=3)  # tilted a little, else straight
    assert row["detector_score"] == pytest.approx(result.face.score, abs=1e-4)
    assert result.crop.shape == (48, 48)
    assert result.activation.shape == (6, 6, 7)
    assert result.probabilities.sum() == pytest.approx(1, abs=1e-4)
    assert len(FaceAnalyzer(analyzer.classifier, FallbackDetector()).analyze(sample_portrait())) == 1
    assert analyzer.analyze(np.full((300, 400, 3), 128, np.uint8)) == []


def test_a_model_that_takes_the_face_as_one_piece_tells_no_places():
    classifier = load_model("vgg16_frozen_faces").classifier()
    assert classifier.predict(np.zeros((1, 48, 48), np.uint8)).activation.shape == (1, 1, 1, 7)
    (result,) = FaceAnalyzer(classifier).analyze(sample_portrait())
    assert result.activation is None


def test_whole_image_is_one_face_and_equals_the_classifier(analyzer):
    face = np.random.default_rng(0).integers(0, 256, (48, 48), dtype=np.uint8)
    (result,) = analyzer.analyze(np.repeat(face[:, :, None], 3, axis=2), whole_image=True)
    expected = analyzer.classifier.predict(face[None]).probabilities[0]
    np.testing.assert_allclose(result.probabilities, expected, atol=0.02)


@pytest.mark.detector
def test_results_keep_the_order_of_the_faces(analyzer):
    (found,) = analyzer.analyze(sample_portrait())
    corner = Face((0.0, 0.0, 60.0, 80.0), 1.0)
    first, second = analyzer.classify(sample_portrait(), [corner, found.face])
    assert first.face is corner
    np.testing.assert_allclose(second.probabilities, found.probabilities, atol=1e-5)


ANGLES = ("roll", "yaw", "pitch")


@pytest.fixture(scope="module")
def results() -> list[PictureResult]:
    """One picture with a face, and one that cannot be used."""
    faces = FaceAnalyzer(load_model().classifier()).analyze(sample_portrait(), whole_image=True)
    good = PictureResult("astronaut.png", DEFAULT_MODEL, tuple(faces))
    return [good, PictureResult("bad.jpg", DEFAULT_MODEL, error="bad.jpg is empty (0 bytes).")]


def test_json_csv_and_table(results):
    good, bad = json.loads(pictures.results_json(results))
    assert list(good) == ["file", "error", "faces", "model"]
    (face,) = good["faces"]
    assert list(face) == ["box", "expression", "probabilities", "sure", "detector_score", *ANGLES, "landmarks"]
    assert [face[name] for name in (*ANGLES, "landmarks")] == [None] * 4  # nothing was detected
    assert (face["sure"], face["detector_score"]) == (results[0].faces[0].sure, 1.0)
    assert list(good["faces"][0]["probabilities"]) == list(EXPRESSIONS)
    assert bad == {"file": "bad.jpg", "error": "bad.jpg is empty (0 bytes).", "faces": [], "model": DEFAULT_MODEL}
    lines = results_csv(results).splitlines()
    assert lines[0] == ",".join([*picture_columns(), "model"])
    assert lines[1].startswith("astronaut.png,,1,")
    assert lines[2].startswith("bad.jpg,bad.jpg is empty (0 bytes).,,")
    assert all(line.count(",") == len(picture_columns()) for line in lines)
    (row,) = results_table(results).to_dict("records")
    assert (row["File"], row["Face"], row["Model"]) == ("astronaut.png", 1, DEFAULT_MODEL)
    assert row["Probability"] == max(row[name] for name in EXPRESSIONS)


def test_a_zip_of_annotated_pictures_has_safe_names(results):
    names = ("../../face.png", "лицо 表情 😀.png", "<b>x</b>.png")
    content = pictures.annotated_zip((name, sample_portrait(), results[0].faces) for name in names)
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        written = archive.namelist()
        assert written[:2] == ["001-face-annotated.png", "002-лицо 表情 😀-annotated.png"]
        assert not any(".." in name or "/" in name or "<" in name for name in written)
        assert Image.open(io.BytesIO(archive.read(written[0]))).format == "PNG"


def test_names_in_csv_are_text_for_a_spreadsheet(results):
    odd = [PictureResult("=1+1.jpg", DEFAULT_MODEL, results[0].faces), PictureResult("@x.jpg", "m", error="-2")]
    lines = results_csv([*odd, PictureResult(b"\xe9.jpg".decode("utf-8", "surrogateescape"), "m")]).splitlines()
    assert lines[1].startswith("'=1+1.jpg,,1,")
    assert lines[2].startswith("'@x.jpg,'-2,,")
    assert lines[3] == "%E9.jpg" + "," * len(picture_columns()) + "m"
    assert results_table(odd)["File"].tolist() == ["'=1+1.jpg"]
    x = lines[1].split(",")[picture_columns().index("x")]
    assert float(x) == round(results[0].faces[0].face.box[0], 1)
