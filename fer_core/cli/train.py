"""`train` and `pretrain`: fit a named model and store it, or a backbone for such models."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Annotated

import numpy as np
import typer

from fer_core.cli.output import escaped, fails_clearly, progress_bar, stderr, stdout, warn
from fer_core.data import FaceDataset, load_fer2013, load_utkface
from fer_core.models import model_names, model_spec
from fer_core.store.folders import SHIPPED, promoted
from fer_core.types import FerError


@fails_clearly
def train(
    name: Annotated[str, typer.Argument(help=f"One of: {', '.join(model_names())}.")],
    epochs: Annotated[int | None, typer.Option(min=1, help="Passes over the data; default: the recipe's.")] = None,
    seed: Annotated[int | None, typer.Option(min=0, help="Instead of the recipe's; stored as NAME_seedN.")] = None,
    subset: Annotated[
        int | None,
        typer.Option(min=70, help="Use only this many faces of each split, as a trial; stored as NAME_trial."),
    ] = None,
    data: Annotated[Path | None, typer.Option(help="FER2013: CSV, folder or zip.")] = None,
    run: Annotated[Path | None, typer.Option(help="Folder of the run; an interrupted run resumes from it.")] = None,
    weights: Annotated[
        str | None,
        typer.Option(
            help="Start from these: imagenet, vggface2, utkface, random or a stored model of the same network."
        ),
    ] = None,
    ship: Annotated[bool, typer.Option(help="Store in trained_models/ instead of your own models.")] = False,
    unlabelled: Annotated[
        Path | None, typer.Option(help="UTKFace as Parquet: more faces, which the recipe's teachers answer.")
    ] = None,
) -> None:
    """Fit a named model on FER2013, convert it, measure it and store it.

    You can interrupt it at any time: the same command resumes at the last finished epoch.
    """
    spec = model_spec(name)
    if weights is not None:
        spec.with_weights(weights)  # raises an error at once if it cannot start from them
    dataset = load_fer2013(data)
    if subset is not None:
        if ship:
            raise FerError(
                "A model trained on a subset is a trial and cannot be shipped: leave out --ship or --subset."
            )
        dataset = _thin_out(dataset, subset)
    from fer_core.training.data import TrainingData

    parts = TrainingData.of(dataset)
    if subset is not None:
        parts = replace(parts, name=f"a part of {parts.name}")
    if unlabelled is not None:
        faces = load_utkface(unlabelled).images
        parts = replace(parts, unlabelled=faces if subset is None else faces[:subset])
    stderr.print("Starting Keras …")
    from fer_core.cli.train_progress import EpochBar
    from fer_core.training.train import train_named

    with progress_bar() as bar:
        model = train_named(
            spec,
            parts,
            root=SHIPPED if ship else promoted(),
            epochs=epochs,
            seed=seed,
            weights=weights,
            trial=subset is not None,
            run=run,
            callbacks=[EpochBar(bar)],
            say=lambda text: bar.log(escaped(text)),
            ship=ship,
        )
    size = f"{model.size_bytes / 1e6:.1f} MB" if model.servable else "not served"
    accuracy = "not measured: there are no test splits"
    if score := model.card.score("public_test"):
        accuracy = f"PublicTest accuracy by FER2013's label {score.accuracy:.4f}"
    stdout.print(escaped(f"Stored {model.folder} – {accuracy} ({size})"), soft_wrap=True)
    if not ship and (SHIPPED / model.name).is_dir():
        warn(
            f"Every page and command now uses it instead of the {model.name} that comes with FER Lab. To undo this, "
            f"delete {model.folder}."
        )


@fails_clearly
def pretrain(
    backbone: Annotated[str, typer.Argument(help="Its name in keras.applications, for example VGG16.")],
    data: Annotated[Path, typer.Option(help="Parquet table with the columns age, gender (0 male, 1 female) and jpeg.")],
    size: Annotated[
        int | None, typer.Option(min=32, help="Side of its input in pixels; default: that of the named models.")
    ] = None,
    epochs: Annotated[int | None, typer.Option(min=1, help="Passes over the faces.")] = None,
    subset: Annotated[
        int | None, typer.Option(min=20, help="Use only this many faces, as a trial; stored separately.")
    ] = None,
) -> None:
    """Pretrain a backbone on UTKFace's age and gender, for `train --weights utkface`.

    You can interrupt it at any time: the same command resumes at the last finished epoch.
    """
    from fer_core.files import home

    faces = load_utkface(data)
    if subset is not None:
        faces = faces.subset(np.arange(min(subset, len(faces))))
    folder = home() / "backbones" / "trials" if subset is not None else None
    from fer_core.cli.train_progress import EpochBar
    from fer_core.training import pretrain as pretraining

    with progress_bar() as bar:
        path = pretraining.pretrain(
            backbone, faces, size, epochs, folder, [EpochBar(bar)], lambda text: bar.log(escaped(text))
        )
    stdout.print(escaped(f"Stored {path} ({path.stat().st_size / 1e6:.1f} MB)"), soft_wrap=True)


def _thin_out(dataset: FaceDataset, faces: int) -> FaceDataset:
    """Keep about this many faces of each split, evenly spaced."""
    kept = []
    for split in np.unique(dataset.usage):
        indices = np.flatnonzero(dataset.usage == split)
        kept.append(indices[:: max(1, len(indices) // faces)][:faces])
    return dataset.subset(np.sort(np.concatenate(kept)))
