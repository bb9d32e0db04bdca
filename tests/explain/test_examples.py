import numpy as np
import pytest

from fer_core.data import sample_portrait
from fer_core.explain.examples import EXAMPLES, FACE, example, thumbnail
from fer_core.faces import YuNetDetector


@pytest.mark.parametrize("title", EXAMPLES)
def test_an_example_shows_as_many_faces_as_it_says(title, yunet_file):
    picture = example(title)
    assert picture.dtype == np.uint8
    assert len(YuNetDetector(yunet_file).detect(picture)) == {"Six faces": 6, "Drawings": 7}.get(title, 1)
    assert thumbnail(title).shape == (144, 144, 3)
    assert (title == "Portrait") == np.array_equal(picture, sample_portrait())


def test_the_covered_face_is_where_the_detector_finds_it(yunet_file):
    (found,) = YuNetDetector(yunet_file).detect(sample_portrait())
    np.testing.assert_allclose(found.box, FACE.box, atol=2)
