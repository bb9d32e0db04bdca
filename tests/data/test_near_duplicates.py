from dataclasses import replace

import numpy as np
import pytest

from fer_core.data import find_duplicates
from fer_core.data.near_duplicates import LEAST, find_same_pictures, known_same_pictures, same_pictures_by_row
from fer_core.types import FerError


@pytest.fixture
def faces():
    """Noise; the same face brighter; nearly the same; another; two black pictures and a white one."""
    rng = np.random.default_rng(0)
    one, other = rng.integers(0, 200, (2, 48, 48))
    near = np.clip(one + rng.normal(0, 25, one.shape), 0, 255)
    black, white = np.zeros((48, 48)), np.full((48, 48), 255)
    return np.stack([one, one + 40, near, other, black, white, black]).astype(np.uint8)


def test_pairs_are_those_that_correlate(faces):
    found = find_same_pictures(faces)
    expected = np.corrcoef(faces[:4].reshape(4, -1))
    assert found.pairs.tolist() == [[0, 1], [0, 2], [1, 2], [4, 6]]
    assert expected[0, 2] > LEAST > expected[0, 3]
    np.testing.assert_allclose(found.correlation[:3], [expected[0, 1], expected[0, 2], expected[1, 2]], atol=1e-5)
    assert found.exact.tolist() == [False, False, False, True]  # a brighter copy has other pixels


def test_partners_are_looked_for_in_both_directions(faces):
    found, everyone = find_same_pictures(faces), np.arange(7)
    assert np.flatnonzero(found.partners(everyone, np.array([0, 4]), exact=False)).tolist() == [1, 2, 6]
    assert np.flatnonzero(found.partners(everyone, everyone, exact=True)).tolist() == [4, 6]
    for count in (0, 1):
        assert find_same_pictures(faces[:count]).pairs.shape == (0, 2)


def test_known_pairs_are_those_of_fer2013(fer2013):
    known = known_same_pictures()
    assert (known.pairs[:, 0] < known.pairs[:, 1]).all()
    first, second = (fer2013.images[known.pairs[:, side]].reshape(len(known.pairs), -1) for side in (0, 1))
    assert ((first == second).all(axis=1) == known.exact).all()
    groups = find_duplicates(fer2013).groups
    equal = {(int(a), int(b)) for group in groups for k, a in enumerate(group) for b in group[k + 1 :]}
    assert {tuple(pair) for pair in known.pairs[known.exact].tolist()} == equal
    part = np.random.default_rng(1).permutation(np.unique(known.pairs))[:600]
    again = same_pictures_by_row(fer2013.subset(np.sort(part)))
    inside = known.pairs[np.isin(known.pairs, part).all(axis=1)]
    assert sorted(again.pairs.tolist()) == sorted(inside.tolist())


def test_saved_pairs_are_read_again_and_unknown_rows_refused(tmp_path, fer2013):
    some = fer2013.subset(np.arange(400))
    saved = same_pictures_by_row(some, tmp_path / "pairs.npz")
    with np.load(tmp_path / "pairs.npz") as arrays:
        assert arrays["pairs"].tolist() == saved.pairs.tolist()
    with pytest.raises(FerError, match="unknown row"):
        same_pictures_by_row(replace(some, rows=np.full(400, -1)))
