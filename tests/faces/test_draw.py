import io
import itertools
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image as Pillow
from PIL import ImageColor

from fer_core import faces
from fer_core.faces import Evidence, crop_face, draw_faces, evidence_for, framing_transform, heatmap_on_crop
from fer_core.labels import COLORS, EXPRESSIONS, expression_index
from fer_core.types import Face, FaceResult, FerError, Image

from .scenes import wall


def result(image: Image, box: tuple[float, float, float, float], expression: str = "happy") -> FaceResult:
    face = Face(box, 0.9)
    probabilities = np.full(7, 0.01, np.float32)
    probabilities[EXPRESSIONS.index(expression)] = 0.94
    crop, transform = crop_face(image, face)
    return FaceResult(face, crop, transform, probabilities)


def test_box_and_label_show_in_the_expressions_colour():
    photo = wall(640, 480)
    before = photo.copy()
    drawn = draw_faces(photo, [result(photo, (200, 150, 120, 160), "surprise")])
    np.testing.assert_array_equal(photo, before)
    assert drawn.shape == photo.shape
    color = ImageColor.getrgb(COLORS["surprise"])
    painted = (drawn == color).all(axis=2)
    assert painted[150:310, 198:208].any(axis=1).mean() > 0.9  # the box's left line
    assert painted[115:150, 200:300].mean() > 0.3  # the label's plate above it
    np.testing.assert_array_equal(drawn[200:260, 230:290], photo[200:260, 230:290])  # the face stays free


def test_labels_of_neighbours_do_not_cover_each_other():
    """Six faces in a row, 476 pixels wide: what is between the boxes' left edges belongs to one face."""
    photo = wall(476, 160)
    drawn = draw_faces(photo, [result(photo, (8 + 78 * k, 60 + 3 * (k % 2), 50, 60), "surprise") for k in range(6)])
    for k in range(1, 6):
        gap = np.s_[:, 78 * k + 2 : 78 * k + 6]  # left of a box
        np.testing.assert_array_equal(drawn[gap], photo[gap])
        assert (drawn[:60, 78 * k + 8 : 78 * k + 58] != photo[:60, 78 * k + 8 : 78 * k + 58]).any()


def test_a_label_has_its_number_and_no_expressions_colour_if_the_model_is_not_sure():
    photo = wall(640, 480)
    sure = result(photo, (200, 150, 120, 160), "surprise")
    np.testing.assert_array_equal(draw_faces(photo, [sure]), draw_faces(photo, [sure], numbers=[1]))
    assert not np.array_equal(draw_faces(photo, [sure]), draw_faces(photo, [sure], numbers=[7]))
    at_the_threshold, below_it = (replace(sure, not_sure_below=value) for value in (sure.confidence, 0.95))
    assert (at_the_threshold.answer, below_it.answer) == ("surprise", "not sure")
    assert below_it.expression == sure.expression
    np.testing.assert_array_equal(draw_faces(photo, [at_the_threshold]), draw_faces(photo, [sure]))
    drawn = draw_faces(photo, [below_it])
    assert not (drawn == ImageColor.getrgb(COLORS["surprise"])).all(axis=2).any()
    assert (drawn == 255).all(axis=2)[115:150, 200:260].mean() > 0.3  # the label's plate is white


def test_names_that_the_font_lacks_are_drawn_without_accents_or_as_the_number_alone():
    photo = wall(640, 480)
    face = result(photo, (200, 150, 120, 160))

    def named(name: str) -> Image:
        classes = tuple(name if each == "happy" else each for each in EXPRESSIONS)
        return draw_faces(photo, [replace(face, classes=classes)])

    np.testing.assert_array_equal(named("müde"), named("mude"))
    np.testing.assert_array_equal(named("痛み"), named("błogi"))
    labels = [(named(name) != photo).any(axis=(0, 2)).sum() for name in ("痛み", "mude")]
    assert labels[0] < 135 < labels[1]  # the box has a width of 120


@pytest.mark.parametrize("box", [(-50, -60, 90, 110), (600, 440, 90, 100), (0, 0, 640, 480), (300, 200, 0.5, 0.5)])
def test_labels_stay_inside_and_nothing_crashes(box):
    photo = wall(640, 480)
    drawn = draw_faces(photo, [result(photo, box, "surprise")])
    assert drawn.shape == photo.shape
    assert (drawn == ImageColor.getrgb(COLORS["surprise"])).all(axis=2).sum() > 500


def test_small_pictures_are_enlarged_unless_told_otherwise():
    tiny = wall(48, 48)
    one = [result(tiny, (5, 0, 37, 48))]
    assert draw_faces(tiny, one).shape == (320, 320, 3)
    assert draw_faces(tiny, one, enlarge=False).shape == (48, 48, 3)
    assert draw_faces(wall(1200, 800), one, largest=600).shape == (400, 600, 3)
    assert draw_faces(wall(400, 600), one, largest=600).shape == (600, 400, 3)
    assert draw_faces(wall(1, 1), [], enlarge=False).shape == (1, 1, 3)


def test_neighbours_do_not_cover_each_other():
    photo = wall(800, 600)
    boxes = [(100 + 110 * column, 200 + 150 * row, 80.0, 100.0) for row in (0, 1) for column in range(5)]
    drawn = draw_faces(photo, [result(photo, box, "sad") for box in boxes])
    for x, y, width, height in boxes:
        inside = np.s_[int(y) + 12 : int(y + height) - 12, int(x) + 12 : int(x + width) - 12]
        np.testing.assert_array_equal(drawn[inside], photo[inside])


def test_page_gets_a_small_jpeg_and_the_download_is_a_full_png():
    photo = wall(2000, 1600)
    shown = Pillow.open(io.BytesIO(faces.annotated_jpeg(photo, [], side=500)))
    assert (shown.format, max(shown.size)) == ("JPEG", 500)
    kept = Pillow.open(io.BytesIO(faces.annotated_png(photo, [])))
    np.testing.assert_array_equal(np.asarray(kept), draw_faces(photo, []))
    crop = photo[:48, :48, 0]
    tile = faces.enlarged_pixels(crop, 336)  # each pixel becomes a square
    assert tile.shape == (336, 336)
    np.testing.assert_array_equal(tile[3::7, 3::7], crop)
    np.testing.assert_array_equal(faces.enlarged_pixels(crop, 20), crop)


def test_a_photo_is_marked_and_its_largest_face_cropped(portrait, yunet):
    face = yunet.detect(portrait)[0]
    stages = faces.detection_stages(portrait, yunet)
    assert stages.faces == 1
    np.testing.assert_array_equal(stages.gray, crop_face(portrait, face)[0])
    assert stages.before.shape == stages.marked.shape == (384, 384, 3)
    assert stages.upright.shape == (192, 192, 3)
    luma = stages.upright.astype(float) @ (0.299, 0.587, 0.114)
    small = luma.reshape(48, 4, 48, 4).mean(axis=(1, 3))
    assert np.abs(small - stages.gray).mean() < 3  # the same crop, with four times the pixels


def test_a_gray_face_and_a_picture_without_a_face(fer2013, yunet):
    small = faces.detection_stages(fer2013.images[0], yunet)
    assert small.gray.shape == (48, 48)
    np.testing.assert_array_equal(small.before, fer2013.images[0])
    nothing = faces.detection_stages(np.full((30, 60), 90, np.uint8), yunet)
    assert (nothing.faces, nothing.upright, nothing.gray) == (0, None, None)
    assert nothing.marked.shape == (192, 384, 3)
    assert np.ptp(nothing.marked) == 0
    with pytest.raises(FerError):
        faces.detection_stages(np.zeros((4, 4, 2), np.uint8), yunet)


def test_landmarks_and_box_are_where_the_face_is():
    image = np.zeros((100, 200, 3), np.uint8)
    points = np.array([[60, 40], [80, 40], [70, 50], [62, 60], [78, 60]], np.float32)
    drawn = faces.marked_faces(image, [Face((50, 20, 40, 50), 0.9, points)])
    yellow = (drawn[..., 0] > 200) & (drawn[..., 2] < 120)
    scale = 384 / 200
    for x, y in points * scale:
        assert yellow[round(y), round(x)]
    rows, columns = np.nonzero(yellow)
    edges = np.array([columns.min(), columns.max(), rows.min(), rows.max()])
    assert edges / scale == pytest.approx([50, 90, 20, 70], abs=2)
    assert not image.any()


GRAY = np.full((48, 48), 100, np.uint8)


def maps(**places: list[float]) -> np.ndarray:
    """Maps of one row; 0 for expressions without a list."""
    zeros = [0.0] * len(next(iter(places.values())))
    return np.array([[places.get(name, zeros) for name in EXPRESSIONS]], np.float32).transpose(0, 2, 1)


def positive(values: object, limit: float) -> Evidence:
    return Evidence(np.array(values, np.float32), limit)


def strength(evidence: Evidence) -> float:
    """Return how strongly the strongest place is drawn."""
    return float(np.abs(heatmap_on_crop(GRAY, evidence).astype(float) - 100).max())


def test_all_expressions_of_a_face_share_one_scale_that_may_have_a_minimum():
    found = maps(happy=[14, 0, 0], sad=[0, 7, 0])  # the means of the seven are 2, 1 and 0
    happy, sad, fear = evidence = [evidence_for(found, name) for name in ("happy", "sad", "fear")]
    np.testing.assert_allclose([happy.values[0], sad.values[0]], [[14 - 2, -1, 0], [-2, 7 - 1, 0]])
    assert [one.limit for one in evidence] == pytest.approx([12] * 3)
    np.testing.assert_allclose([one.shares[0] for one in evidence], [[1, 0, 0], [0, 0.5, 0], [0, 0, 0]], atol=1e-6)
    assert strength(happy) > 1.3 * strength(sad) > strength(fear) == 0
    for against in (None, "sad"):
        assert evidence_for(found, "happy", against=against, at_least=10).limit > 10
        assert evidence_for(found, "happy", against=against, at_least=100).shares.max() == pytest.approx(0.13, abs=0.02)


def test_one_expression_against_another():
    """The mean is the logarithm of the ratio of the two probabilities."""
    found = maps(happy=[4, 1, 0], neutral=[1, 3, 0], fear=[0, 0, -5], sad=[0, 0, 3])
    powers = np.exp(found.mean(axis=(0, 1)))
    evidence = evidence_for(found, "happy", against="neutral")
    np.testing.assert_array_equal(evidence.values, [[3, -2, 0]])
    assert evidence.limit == 8  # fear against sad at the third place
    np.testing.assert_allclose(evidence.shares, [[3 / 8, -2 / 8, 0]])
    ratio = powers[expression_index("happy")] / powers[expression_index("neutral")]
    assert evidence.values.mean() == pytest.approx(np.log(ratio), abs=1e-6)
    back = evidence_for(found, "neutral", against="happy")
    np.testing.assert_array_equal(back.values, -evidence.values)
    assert back.limit == evidence.limit


def test_without_any_evidence_the_face_stays_as_it_is():
    for value, against in itertools.product((0, np.nan, np.inf), (None, "sad")):
        evidence = evidence_for(np.full((6, 6, 7), value), "happy", against=against)
        assert evidence.limit == 0
        assert (heatmap_on_crop(GRAY, evidence) == 100).all()


def test_bad_input_is_refused():
    for shape, against, message in (
        ((6, 6), None, "rows, columns, 7"),
        ((6, 6, 6), None, "rows, columns, 7"),
        ((0, 6, 7), None, "rows, columns, 7"),
        ((6, 6, 7), "bored", "Unknown expression"),
        ((6, 6, 7), "happy", "two different expressions"),
    ):
        with pytest.raises(ValueError, match=message):
            evidence_for(np.zeros(shape), "happy", against=against)


def test_positive_evidence_glows_and_two_sided_is_blue_for_and_orange_against():
    values = np.zeros((6, 6), np.float32)
    values[4, 4], values[1, 1] = 4.0, -2.0
    drawn = heatmap_on_crop(GRAY, positive(values, 4.0))
    assert (drawn.shape, drawn.dtype) == ((240, 240, 3), np.uint8)
    assert (drawn[:100, :100] == 100).all()
    assert drawn[180, 180].max() > 170
    change = heatmap_on_crop(GRAY, Evidence(values, 4.0, two_sided=True)).astype(int) - 100
    (red, _, blue), (red_against, _, blue_against) = change[180, 180], change[60, 60]
    assert (red < 0, blue > 60, red_against > 30, blue_against < 0) == (True,) * 4
    assert abs(change[180, 180]).max() > 1.3 * abs(change[60, 60]).max()
    assert not change[180:, :20].any()


def test_strongest_place_is_drawn_as_strongly_as_its_value_says():
    one = np.zeros((6, 6), np.float32)
    one[2, 2] = 1.0
    for limit in (1.0, 2.0):
        assert strength(positive(one, limit)) == pytest.approx(strength(positive(np.ones((6, 6)), limit)), abs=1)
    assert heatmap_on_crop(GRAY[:, :40], positive([[1]], 1), size=96).shape == (96, 80, 3)
    assert heatmap_on_crop(GRAY, positive(np.ones((12, 3)), 1), size=20).shape == (20, 20, 3)


@pytest.mark.parametrize("tilt", [0.0, 30.0])
@pytest.mark.parametrize("two_sided", [False, True])
def test_heatmap_is_where_the_model_saw_the_evidence(tilt, two_sided):
    photo = np.full((480, 640, 3), 100, np.uint8)
    angle = np.radians(tilt)
    level = np.array([[-30, -30], [30, -30], [0, 0], [-20, 30], [20, 30]])
    turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    face = Face((260.0, 160.0, 120.0, 160.0), 1.0, (level @ turn + (320, 240)).astype(np.float32))
    values = np.zeros((6, 6), np.float32)
    values[1, 4] = 3.0  # above the middle, right of it, as the face sees itself
    drawn = faces.heatmap_on_face(photo, framing_transform(face), evidence=Evidence(values, 3.0, two_sided))
    side = (120 / 0.77 + 160 / 1.03) / 2
    expected = np.array([1.5, -1.5]) * side / 6 @ turn + (320, 240)
    change = np.abs(drawn.astype(float) - 100).sum(axis=2)
    rows, columns = np.nonzero(change > 0.7 * change.max())
    assert np.hypot(columns.mean() - expected[0], rows.mean() - expected[1]) < 4
    nothing = positive(-values, 3.0)
    np.testing.assert_array_equal(faces.heatmap_on_face(photo, framing_transform(face), evidence=nothing), photo)


def test_heatmap_of_a_face_at_or_beyond_the_border():
    photo, evidence = wall(200, 100), positive(np.ones((6, 6)), 1)
    for box, changed in (((-40, -50, 60, 80), True), ((190, 90, 60, 80), True), ((900, 900, 60, 80), False)):
        drawn = faces.heatmap_on_face(photo, framing_transform(Face(box, 1.0)), evidence=evidence)
        assert drawn.shape == photo.shape
        assert (drawn != photo).any() == changed
