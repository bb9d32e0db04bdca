"""The notebooks of docs/ run from their first cell to their last."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from fer_core.data import SPLITS
from tests.conftest import require_weights
from tests.data.conftest import csv_text
from tests.test_floors import ROOT

NOTEBOOKS = sorted((ROOT / "docs/notebooks").glob("*.ipynb"))


@pytest.mark.slow
@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_notebook_runs(path: Path, request, tmp_path):
    cells = [cell for cell in json.loads(path.read_text(encoding="utf-8"))["cells"] if cell["cell_type"] == "code"]
    code = "\n\n".join("".join(cell["source"]) for cell in cells)
    variables = {"FER_HOME": str(tmp_path), "PYTHONPATH": str(ROOT)}
    if "load_fer2013" in code:
        request.getfixturevalue("fer2013")  # before `fer2013_file`, whose data folder knows no dataset
        variables["FER2013_PATH"] = str(request.getfixturevalue("fer2013_file"))
        variables["FER_HOME"] = os.environ["FER_HOME"]
    if "mobilenetv2_frozen" in code:  # on 70 faces of Training and 24 test faces: measuring takes longer than training
        require_weights("mobilenet_v2_imagenet_notop.weights.h5")
        faces = request.getfixturevalue("fer2013")
        few = [np.flatnonzero(faces.usage == usage)[:count] for usage, count in zip(SPLITS, (70, 12, 12), strict=True)]
        (tmp_path / "fer2013.csv").write_text(csv_text(faces.subset(np.concatenate(few))), encoding="utf-8")
        variables["FER2013_PATH"] = str(tmp_path / "fer2013.csv")
    script = tmp_path / "notebook.py"
    script.write_text(code, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, script], env=os.environ | variables, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[-2000:]
