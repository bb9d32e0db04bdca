"""Evidence in activation maps: its scale, the difference of two maps, and how it is drawn."""

from __future__ import annotations

import numpy as np
import pytest

from fer_core.faces import Evidence, evidence_for, framing_transform, heatmap_on_crop, heatmap_on_face
from fer_core.labels import expression_index
from fer_core.types import Face, FerError

from .scenes import wall

GRAY = np.full((48, 48), 100, np.uint8)
HAPPY, SAD, NEUTRAL = (expression_index(name) for name in ("happy", "sad", "neutral"))


def maps(**places: list[float]) -> np.ndarray:
    """Maps of one row; 0 for expressions without a list."""
    columns = len(next(iter(places.values())))
    made = np.zeros((1, columns, 7), np.float32)
    for name, values in places.items():
        made[0, :, expression_index(name)] = values
    return made


def positive(values: list[list[float]] | np.ndarray, limit: float) -> Evidence:
    return Evidence(np.array(values, np.float32), limit)


def strength(evidence: Evidence) -> float:
    """Return how strongly the strongest place is drawn."""
    return float(np.abs(heatmap_on_crop(GRAY, evidence).astype(float) - 100).max())


def test_all_expressions_of_a_face_share_one_scale() -> None:
    found = maps(happy=[14, 0, 0], sad=[0, 7, 0])  # the means of the seven are 2, 1 and 0
    happy, sad, fear = (evidence_for(found, name) for name in ("happy", "sad", "fear"))
    np.testing.assert_allclose(happy.values, [[14 - 2, -1, 0]])
    np.testing.assert_allclose(sad.values, [[-2, 7 - 1, 0]])
    assert happy.limit == sad.limit == fear.limit == pytest.approx(12)
    np.testing.assert_allclose(happy.shares, [[1, 0, 0]], atol=1e-6)
    np.testing.assert_allclose(sad.shares, [[0, 0.5, 0]], atol=1e-6)
    np.testing.assert_array_equal(fear.shares, [[0, 0, 0]])
    assert strength(happy) > 1.3 * strength(sad) > strength(fear) == 0


def test_what_is_added_to_all_seven_changes_nothing() -> None:
    """It cancels in the softmax."""
    found = np.random.default_rng(0).normal(size=(6, 6, 7)).astype(np.float32)
    common = np.random.default_rng(1).normal(0, 5, (6, 6, 1)).astype(np.float32)
    for against in (None, "neutral"):
        plain, moved = (
            evidence_for(found, "happy", against=against),
            evidence_for(found + common, "happy", against=against),
        )
        np.testing.assert_allclose(moved.values, plain.values, atol=1e-5)
        assert moved.limit == pytest.approx(plain.limit, abs=1e-5)


def test_one_expression_against_another() -> None:
    found = maps(happy=[4, 1, 0], neutral=[1, 3, 0], fear=[0, 0, -5], sad=[0, 0, 3])
    evidence = evidence_for(found, "happy", against="neutral")
    np.testing.assert_array_equal(evidence.values, [[3, -2, 0]])
    assert evidence.limit == 8  # fear against sad at the third place
    np.testing.assert_allclose(evidence.shares, [[3 / 8, -2 / 8, 0]])
    back = evidence_for(found, "neutral", against="happy")
    np.testing.assert_array_equal(back.values, -evidence.values)
    assert back.limit == evidence.limit


def test_the_mean_against_another_is_the_logarithm_of_the_ratio_of_their_probabilities() -> None:
    found = np.random.default_rng(2).normal(size=(6, 6, 7)).astype(np.float32)
    probabilities = np.exp(found.mean(axis=(0, 1)))
    probabilities /= probabilities.sum()
    evidence = evidence_for(found, "happy", against="sad")
    assert evidence.values.mean() == pytest.approx(np.log(probabilities[HAPPY] / probabilities[SAD]), abs=1e-6)


def test_the_limit_may_have_a_minimum() -> None:
    drop = maps(happy=[0.02, 0], sad=[-0.02, 0])
    assert evidence_for(drop, "happy").limit == pytest.approx(0.02)  # they add up to 0, so nothing is subtracted
    for against in (None, "sad"):
        evidence = evidence_for(drop, "happy", against=against, at_least=0.1)
        assert evidence.limit == 0.1
        assert 0 < evidence.shares.max() <= 0.4
    assert evidence_for(10 * drop, "happy", against="sad", at_least=0.1).limit == pytest.approx(0.4)


def test_without_any_evidence_the_face_stays_as_it_is() -> None:
    for found in (np.zeros((6, 6, 7)), np.full((6, 6, 7), np.nan), np.full((6, 6, 7), np.inf)):
        for against in (None, "sad"):
            evidence = evidence_for(found, "happy", against=against)
            assert evidence.limit == 0
            assert (heatmap_on_crop(GRAY, evidence) == 100).all()


def test_bad_input_is_refused() -> None:
    for shape in ((6, 6), (6, 6, 6), (0, 6, 7)):
        with pytest.raises(ValueError, match=r"rows, columns, 7"):
            evidence_for(np.zeros(shape), "happy")
    with pytest.raises(ValueError, match="Unknown expression"):
        evidence_for(np.zeros((6, 6, 7)), "bored")
    with pytest.raises(ValueError, match="Unknown expression"):
        evidence_for(np.zeros((6, 6, 7)), "happy", against="bored")
    with pytest.raises(ValueError, match="two different expressions"):
        evidence_for(np.zeros((6, 6, 7)), "happy", against="Happiness")
    for values in (np.zeros((6, 6, 7)), np.zeros((0, 6))):
        with pytest.raises(ValueError, match=r"shape \(rows, columns\)"):
            Evidence(values, 1.0)
    for limit in (-1.0, float("nan"), float("inf")):
        with pytest.raises(ValueError, match="finite limit"):
            positive([[1]], limit)
    with pytest.raises(FerError, match="RGB"):
        heatmap_on_face(GRAY, framing_transform(Face((0, 0, 40, 40), 1.0)), evidence=positive([[1]], 1))


def test_only_positive_evidence_glows() -> None:
    values = np.zeros((6, 6), np.float32)
    values[4, 4], values[1, 1] = 2.0, -5.0
    drawn = heatmap_on_crop(GRAY, positive(values, 2.0))
    assert drawn.shape == (240, 240, 3)
    assert drawn.dtype == np.uint8
    assert (drawn[:100, :100] == 100).all()
    assert drawn[180, 180].astype(int).max() > 170


def test_two_sided_evidence_is_blue_for_and_orange_against() -> None:
    values = np.zeros((6, 6), np.float32)
    values[4, 4], values[1, 1] = 4.0, -2.0
    drawn = heatmap_on_crop(GRAY, Evidence(values, 4.0, two_sided=True)).astype(int)
    red, _, blue = drawn[180, 180] - 100
    assert blue > 60
    assert red < 0
    red_against, _, blue_against = drawn[60, 60] - 100
    assert red_against > 30
    assert blue_against < 0
    assert abs(drawn[180, 180] - 100).max() > 1.3 * abs(drawn[60, 60] - 100).max()
    assert (drawn[180:, :20] == 100).all()


def test_strongest_place_is_drawn_as_strongly_as_its_value_says() -> None:
    """Smoothing lowers a peak of one cell; the picture must not."""
    one = np.zeros((6, 6), np.float32)
    one[2, 2] = 1.0
    everywhere = np.ones((6, 6), np.float32)
    for limit in (1.0, 2.0):
        assert strength(positive(one, limit)) == pytest.approx(strength(positive(everywhere, limit)), abs=1)


def test_other_shapes_of_crops_and_maps() -> None:
    assert heatmap_on_crop(GRAY[:, :40], positive([[1]], 1), size=96).shape == (96, 80, 3)
    assert heatmap_on_crop(GRAY, positive(np.ones((12, 3)), 1), size=20).shape == (20, 20, 3)


@pytest.mark.parametrize("tilt", [0.0, 30.0])
@pytest.mark.parametrize("two_sided", [False, True])
def test_heatmap_is_where_the_model_saw_the_evidence(tilt: float, two_sided: bool) -> None:
    photo = np.full((480, 640, 3), 100, np.uint8)
    angle = np.radians(tilt)
    level = np.array([[-30, -30], [30, -30], [0, 0], [-20, 30], [20, 30]])
    turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    face = Face((260.0, 160.0, 120.0, 160.0), 1.0, (level @ turn + (320, 240)).astype(np.float32))
    values = np.zeros((6, 6), np.float32)
    values[1, 4] = 3.0  # above the middle, right of it, as the face sees itself
    drawn = heatmap_on_face(photo, framing_transform(face), evidence=Evidence(values, 3.0, two_sided))
    side = (120 / 0.77 + 160 / 1.03) / 2
    expected = np.array([1.5, -1.5]) * side / 6 @ turn + (320, 240)
    change = np.abs(drawn.astype(float) - 100).sum(axis=2)
    rows, columns = np.nonzero(change > 0.7 * change.max())
    assert np.hypot(columns.mean() - expected[0], rows.mean() - expected[1]) < 4
    np.testing.assert_array_equal(
        heatmap_on_face(photo, framing_transform(face), evidence=positive(-values, 3.0)), photo
    )


def test_heatmap_of_a_face_at_or_beyond_the_border() -> None:
    photo = wall(200, 100)
    evidence = positive(np.ones((6, 6)), 1)
    for box in ((-40.0, -50.0, 60.0, 80.0), (190.0, 90.0, 60.0, 80.0), (900.0, 900.0, 60.0, 80.0)):
        assert heatmap_on_face(photo, framing_transform(Face(box, 1.0)), evidence=evidence).shape == photo.shape
