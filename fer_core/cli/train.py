"""`train`: fit a named model and store it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.progress import Progress

from fer_core.cli.output import complain, escaped, fails_clearly, progress_bar, stdout
from fer_core.data import FerDataset, load_fer2013, load_ferplus
from fer_core.models import model_names, model_spec
from fer_core.store import SHIPPED, promoted
from fer_core.types import FerError


@fails_clearly
def train(
    name: Annotated[str, typer.Argument(help=f"One of: {', '.join(model_names())}.")],
    epochs: Annotated[int | None, typer.Option(min=1, help="Passes over the data; default: the recipe's.")] = None,
    seed: Annotated[int | None, typer.Option(help="Another seed than the recipe's; stored as NAME_seedN.")] = None,
    subset: Annotated[
        int | None, typer.Option(min=70, help="Only that many faces of each split, to try it; stored as NAME_trial.")
    ] = None,
    data: Annotated[Path | None, typer.Option(help="FER2013: CSV, folder or zip.")] = None,
    run: Annotated[Path | None, typer.Option(help="The run's folder; a run cut off there goes on.")] = None,
    weights: Annotated[
        str | None,
        typer.Option(help="Start from these: imagenet, utkface, random or a stored model of the same network."),
    ] = None,
    ship: Annotated[bool, typer.Option(help="Store into trained_models/ instead of your own models.")] = False,
) -> None:
    """Fit a named model on FER2013, convert it, measure it and store it.

    Cut it off whenever you like: the same command goes on at the last finished epoch, with the features computed so
    far.
    """
    spec = model_spec(name)
    if weights is not None:
        spec.with_weights(weights)  # complains at once where they cannot be
    dataset = load_fer2013(data)
    if subset is not None:
        if ship:
            raise FerError(
                "A model trained on a subset is a trial and cannot be shipped: leave out --ship or --subset."
            )
        dataset = _thin_out(dataset, subset)
    from fer_core.training.named import needs_votes, train_named
    from fer_core.training.training_data import TrainingData

    learnt = TrainingData.of(dataset, load_ferplus() if needs_votes(spec) else None)
    if subset is not None:
        learnt = replace(learnt, name=f"a part of {learnt.name}")
    with progress_bar() as bar:
        model = train_named(
            spec,
            learnt,
            SHIPPED if ship else promoted(),
            epochs,
            seed,
            weights,
            subset is not None,
            run,
            lambda: epoch_bar(bar),
            lambda text: bar.log(escaped(text)),
            ship,
        )
    size = f"{model.size_bytes / 1e6:.1f} MB" if model.servable else "not served"
    accuracy = "not measured, for there are no test splits"
    if score := model.card.score("public_test"):
        accuracy = f"PublicTest accuracy {score.accuracy:.4f}"
    stdout.print(escaped(f"Stored {model.folder} – {accuracy} ({size})"), soft_wrap=True)
    if not ship and (SHIPPED / model.name).is_dir():
        complain(
            f"It stands before the {model.name} that comes with FER Lab, on every page and in every command. To go "
            f"back, delete {model.folder}."
        )


def epoch_bar(bar: Progress) -> list[Any]:
    """The callbacks that show a Keras fit; importing them imports Keras."""
    from fer_core.cli.train_progress import EpochBar

    return [EpochBar(bar)]


def _thin_out(dataset: FerDataset, faces: int) -> FerDataset:
    """Keep about every k-th face of each split."""
    import numpy as np

    kept = []
    for split in np.unique(dataset.usage):
        indices = np.flatnonzero(dataset.usage == split)
        kept.append(indices[:: max(1, len(indices) // faces)][:faces])
    return dataset.subset(np.sort(np.concatenate(kept)))
