"""`models add`: measure a model or predictions that were made elsewhere, and compare them with the models here."""

from __future__ import annotations

import tempfile
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated

from typer import Argument, Exit, Option, confirm

from fer_core.added import COLOURS, SCALES
from fer_core.cli.output import Fer2013, fitted_table, say, stderr, stdout
from fer_core.columns import TEST_SPLITS, percent
from fer_core.data import load_fer2013
from fer_core.extras import missing
from fer_core.jobs import file_of_child
from fer_core.store.folders import promoted
from fer_core.types import FerError

KERAS = (".keras", ".h5", ".hdf5")


def add(
    name: Annotated[str, Argument(help="Name of the new model.")],
    file: Annotated[Path, Argument(help="CSV or Parquet with predictions; or a model: .onnx, .tflite, .keras, .h5.")],
    title: Annotated[str, Option(help="The name that people read; default: NAME.")] = "",
    on: Annotated[str, Option(help="The data set: fer2013.")] = "fer2013",
    data: Fer2013 = None,
    classes: Annotated[str, Option(help="Names of a model's outputs in their order: angry,disgust,…")] = "",
    size: Annotated[int | None, Option(min=1, max=2048, help="Side of a model's picture in pixels.")] = None,
    colour: Annotated[str | None, Option(help=f"What its picture is: {', '.join(COLOURS)}.")] = None,
    scale: Annotated[str | None, Option(help=f"Range of its picture: {', '.join(SCALES)}.")] = None,
    yes: Annotated[bool, Option("--yes", help="Accept the guess without asking.")] = False,
) -> None:
    """Measure predictions or a model file that were made elsewhere, and store them beside the models here.

    Predictions are one row a face of PublicTest or PrivateTest: its row in fer2013.csv from 0 (row), its gray levels
    (pixels) or a picture beside the table (file); with seven probabilities (angry, disgust, …) or one expression.

    A model file takes one picture and answers with seven numbers. What you do not say about it is guessed by trying the
    usual ways on the hold-out, and you are asked if the guess is right. ONNX needs ONNX Runtime. A Keras file is
    converted, which needs TensorFlow. No code in a file is run.
    """
    from fer_core.measuring.added import TABLES, add_file, add_predictions, check_new, guess, guess_table

    check_new(name)
    if on != "fer2013":
        raise FerError(f"Expected --on fer2013. Received: {on}")
    if not file.is_file():
        raise FerError(f"There is no file {file}.")
    if file.suffix.lower() in TABLES:
        model = add_predictions(name, file, load_fer2013(data), root=promoted(), title=title, source=file.name)
    else:
        content, dataset = _content(file), load_fer2013(data)
        stderr.print("Trying the usual ways to use it …")
        names = tuple(part.strip() for part in classes.split(",") if part.strip())
        guesses = guess(content, dataset, size=size, colour=colour, scale=scale, classes=names)
        table = guess_table(guesses).head(5)
        stdout.print(fitted_table(list(map(str, table)), table.to_numpy(str).tolist()))
        if not yes and not confirm("Use it as in the first row?", err=True):
            raise Exit(1)
        stderr.print("Measuring …")
        model = add_file(name, content, guesses[0].takes, dataset, root=promoted(), title=title, source=file.name)
    for split, key in TEST_SPLITS.items():
        if score := model.card.score(key):
            ends = score.interval("accuracy")
            interval = f"{percent(ends.low, '.1%')} to {percent(ends.high, '.1%')}"
            say(f"{split}: accuracy {percent(score.accuracy, '.1%')} ({interval}), macro F1 {score.macro_f1:.3f}")
    say(f"Stored {model.folder}. It is on Compare models, beside the others.")
    if model.servable:
        say(f"It predicts: fer-lab predict PHOTOS --model {name}")
        say(f"Measure it on degraded faces: fer-lab evaluate {name} --degraded --save")


def _content(file: Path) -> bytes:
    """Return the content of a model file; one of Keras is converted to LiteRT."""
    if file.suffix.lower() not in KERAS:
        return file.read_bytes()
    if find_spec("tensorflow") is None:
        raise missing("tensorflow")  # which converts it
    stderr.print("Converting …")
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder) / "model.tflite"
        worker = ("-m", "fer_core.training.export", str(file), str(target))
        file_of_child(*worker, target=target, failed=f"{file.name} could not be converted to LiteRT")
        return target.read_bytes()
