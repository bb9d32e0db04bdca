import cv2
import numpy as np
import pandas as pd
import pytest

from fer_core.data import load_utkface
from fer_core.types import FerError


def test_utkface_table(tmp_path):
    def jpeg(level, side=64):
        return cv2.imencode(".png", np.full((side, side), level, np.uint8))[1].tobytes()

    path = tmp_path / "faces.parquet"
    table = pd.DataFrame({"age": [1, 90], "gender": [0, 1], "jpeg": [jpeg(10), jpeg(200, 30)], "file": ["a", "b"]})
    table.to_parquet(path)
    faces = load_utkface(path)
    assert faces.images.shape == (2, 48, 48)
    assert faces.images[0].mean() == pytest.approx(10, abs=1)
    assert faces.images[1].mean() == pytest.approx(200, abs=1)
    assert faces.ages.tolist() == [1, 90]
    assert faces.subset(np.array([1])).genders.tolist() == [1]
    for broken, words in (
        (table.drop(columns="age"), "Expected the columns age, gender, jpeg"),
        (table.assign(age=[1, 500]), "Row 1 .* invalid age or gender"),
        (table.assign(gender=[0, 7]), "Row 1 .* invalid age or gender"),
        (table.assign(age=["x", "2"]), "Row 0"),
        (table.assign(jpeg=[b"no", b"no"]), "picture in row 0 .* cannot be decoded"),
        (table.iloc[:0], "0 rows"),
    ):
        broken.to_parquet(path)
        with pytest.raises(FerError, match=words):
            load_utkface(path)
    path.write_text("no table")
    with pytest.raises(FerError, match="cannot be read"):
        load_utkface(path)
