"""Run folders in every state, a FER2013 that is large enough to learn from, and pictures of faces: all made up."""

from __future__ import annotations

import io
import shutil
import time
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

from fer_core.files import home, read_json, write_json
from fer_core.labels import EXPRESSIONS
from fer_core.models import model_spec
from fer_core.runs.data import DataSettings
from fer_core.runs.run import PLAN, RESULT, Run, RunPlan, read_run
from fer_core.runs.status import STATUS, Status, write_status
from fer_core.store import folders
from fer_core.store.stored_model import PREDICTIONS
from fer_core.training.recipe import recipe_for
from tests.app.conftest import change_card
from tests.bad_inputs import encoded, good_input
from tests.data.conftest import make_zip
from tests.made_up_store import predictions

EACH = 20
"""Training faces of every expression; a tenth of them is the hold-out."""


def made_run(
    state: str, title: str = "A try", message: str = "As made.", *, epochs: int = 0, age: int = 0, start: str = "random"
) -> Run:
    """Make a run's folder without a process; `age` in seconds orders the list, `start` are the weights."""
    spec = replace(model_spec("compact_cnn"), weights_from=start)
    plan = RunPlan(title, spec, replace(recipe_for(spec), epochs=5), DataSettings(faces=500))
    folder = home() / "runs" / f"{state}-{age}"
    folder.mkdir(parents=True)
    write_json(folder / PLAN, {"created": time.time() - age, **asdict(plan)})
    lines = ["epoch,accuracy,loss,val_accuracy,val_loss"]
    lines += [f"{epoch},0.{2 + epoch}1,1.9,0.{2 + epoch}5,1.8" for epoch in range(epochs)]
    (folder / "history.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    (folder / "log.txt").write_text("12:00  Loading the faces\n", encoding="utf-8")
    write_status(folder, Status(state, message, epoch=epochs, epochs=5, seconds=83.0, peak_memory=1_500_000_000))
    long_ago = {**read_json(folder / STATUS), "updated": time.time() - 100}
    write_json(folder / STATUS, long_ago)
    return read_run(folder)


def with_result(run: Run, measured: bool = True) -> Run:
    """Give a run a result that can be served: the shipped default model's files."""
    target, spec = run.folder / RESULT / run.plan.spec.name, run.plan.spec
    shutil.copytree(folders.SHIPPED / folders.DEFAULT_MODEL, target)
    change_card(target, name=spec.name, title=spec.title)
    if not measured:  # as where FER2013 is not at hand
        training = read_json(target / folders.CARD)["training"]
        change_card(target, metrics={}, training={**training, "holdout_faces": 12})
        predictions(1.0).head(0).to_parquet(target / PREDICTIONS, index=False)
    return run


def write_faces(folder: Path, *, each: int = EACH) -> None:
    """Write `fer2013.csv` with training faces of noise of every expression, and a test face of each in both splits."""
    generator = np.random.default_rng(0)
    lines = ["emotion,pixels,Usage"]
    for usage, count in (("Training", each), ("PublicTest", 1), ("PrivateTest", 1)):
        for label in range(len(EXPRESSIONS)):
            for pixels in generator.integers(0, 256, (count, 2304)):
                lines.append(f"{label},{' '.join(map(str, pixels))},{usage}")
    folder.mkdir(parents=True)
    (folder / "fer2013.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")


def portrait(turn: float = 0.0, mirrored: bool = False) -> bytes:
    """Return the sample portrait, turned and mirrored, as a PNG file."""
    image = Image.open(io.BytesIO(good_input())).rotate(turn)
    return encoded(ImageOps.mirror(image) if mirrored else image, "PNG")


def zipped(**files: bytes) -> bytes:
    """Return a zip of files; two underlines in a name stand for a slash."""
    return make_zip(io.BytesIO(), ((name.replace("__", "/"), content) for name, content in files.items())).getvalue()
