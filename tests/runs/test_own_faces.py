"""Own pictures: one face of each, and a zip whose files are deleted again."""

import io
from pathlib import Path

import numpy as np
import pytest

from fer_core.data import read_image
from fer_core.faces import crop_face, default_detector
from fer_core.files import cache_folder
from fer_core.runs.own_pictures import read_own_faces, read_own_zip
from fer_core.types import FerError
from tests.app.made_up_runs import portrait, zipped

FILES = {"happy__a": portrait(), "happy__b": portrait(8), "sad__c": portrait(0, True), "sad__d": portrait(8, True)}


@pytest.fixture
def temporary(home) -> Path:
    """The folder of temporary folders."""
    return cache_folder("visits")


def test_a_zip_is_unpacked_only_until_it_is_closed(home, temporary):
    found = read_own_zip(io.BytesIO(zipped(**FILES)), "../my [faces].zip", whole_image=False)
    assert [found.name(place) for place in range(4)] == ["happy/a", "happy/b", "sad/c", "sad/d"]
    assert found.dataset.labels.tolist() == [3, 3, 4, 4]
    image = read_image(portrait())
    np.testing.assert_array_equal(found.dataset.images[0], crop_face(image, default_detector().detect(image)[0])[0])
    np.testing.assert_array_equal(found.picture(0), image)
    assert [path.name for path in temporary.glob("*/*")] == ["my faces.zip"]
    found.close()
    assert not list(temporary.iterdir())
    assert not (home / "uploads").exists()
    with pytest.raises(FerError, match="does not exist"):
        found.picture(0)


@pytest.mark.parametrize(
    ("content", "sentence"),
    [(b"no zip", "is not a zip"), (zipped(happy__a=portrait()), "only one class"), (zipped(), "empty zip")],
)
def test_a_zip_that_cannot_be_used_leaves_nothing(home, temporary, content, sentence):
    with pytest.raises(FerError, match=sentence):
        read_own_zip(io.BytesIO(content), "mine.zip", whole_image=False)
    assert not list(temporary.iterdir())


def test_a_folder_stays_where_it_is(home, tmp_path):
    for name, content in FILES.items():
        path = tmp_path / name.replace("__", "/")
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(content)
    found = read_own_faces(tmp_path, whole_image=True)
    found.close()
    assert len(found.dataset) == 4
    assert found.picture(3).shape == read_image(portrait()).shape
