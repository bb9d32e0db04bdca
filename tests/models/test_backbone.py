"""Where the backbone's weights come from, and the sentence where they cannot be had."""

from __future__ import annotations

import keras
import numpy as np
import pytest

from fer_core.models.backbone import MOBILENETV2_FILE, mobilenetv2_backbone, weights_digest
from fer_core.types import FerError
from tests.conftest import require


@pytest.fixture
def no_download(monkeypatch):
    def refuse(*args, **kwargs):
        raise Exception("URL fetch failure on https://example.org: None -- no network")

    monkeypatch.setattr("keras.src.applications.mobilenet_v2.file_utils.get_file", refuse)


def test_local_folder_is_read(no_download):
    folder = require("FER_BACKBONE_DIR", "needs MobileNetV2's ImageNet weights")
    ours = mobilenetv2_backbone(96, "imagenet")
    plain = keras.applications.MobileNetV2((96, 96, 3), include_top=False, weights=None)
    assert weights_digest(ours) != weights_digest(plain)
    plain.load_weights(folder / MOBILENETV2_FILE)
    assert weights_digest(ours) == weights_digest(plain)
    for a, b in zip(ours.get_weights(), plain.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("folder", [None, "empty", "gone"])
def test_without_file_and_network_one_sentence(no_download, folder, tmp_path, monkeypatch):
    (tmp_path / "empty").mkdir()
    if folder is None:
        monkeypatch.delenv("FER_BACKBONE_DIR", raising=False)
    else:
        monkeypatch.setenv("FER_BACKBONE_DIR", str(tmp_path / folder))
    with pytest.raises(FerError, match=r"could not be downloaded .*no network.* set FER_BACKBONE_DIR") as caught:
        mobilenetv2_backbone(96, "imagenet")
    assert "\n" not in str(caught.value)


def test_damaged_file_is_named(no_download, tmp_path, monkeypatch):
    monkeypatch.setenv("FER_BACKBONE_DIR", str(tmp_path))
    (tmp_path / MOBILENETV2_FILE).write_bytes(b"not weights")
    with pytest.raises(FerError, match=rf"{MOBILENETV2_FILE} cannot be read"):
        mobilenetv2_backbone(96, "imagenet")


def test_unknown_source_is_refused():
    with pytest.raises(FerError, match="Expected imagenet or random"):
        mobilenetv2_backbone(96, "somewhere")
