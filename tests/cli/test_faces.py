"""`faces`: the training of the network that checks windows."""

from __future__ import annotations

from PIL import Image
from skimage import data

from tests.made_up_store import write_fer2013


def test_too_few_pictures_to_train_with_get_a_sentence(fer, home, tmp_path, monkeypatch):
    write_fer2013(home / "fer2013", monkeypatch)
    Image.fromarray(data.coffee()).save(tmp_path / "coffee.png")
    result = fer("faces", "train", tmp_path)
    assert result.exit_code == 1
    assert "Received: 1 pictures, which make 1 scenes" in result.stderr
