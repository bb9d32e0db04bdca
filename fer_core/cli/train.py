"""`train`, `pretrain` and `tune`: fit a named model, a backbone for such models, or search for good settings."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import numpy as np
from rich.markup import escape
from rich.progress import Progress
from rich.table import Table
from typer import Argument, Option

from fer_core.cli.data import NOTES
from fer_core.cli.output import AsJson, Fer2013, print_json, progress_bar, say, stderr, stdout, warn
from fer_core.data import FaceDataset, load_fer2013, load_utkface
from fer_core.files import checked_name, name_from
from fer_core.measuring.results import load_predictions
from fer_core.metrics.core import METRICS, measure_models
from fer_core.metrics.paper import PAPER_VARIANTS, paper_overall
from fer_core.models import ModelSpec, model_names, model_spec, network_names
from fer_core.models.spec import WEIGHTS
from fer_core.runs.data import DataSettings, load_training_data
from fer_core.store.datasets import list_datasets
from fer_core.store.folders import CARD, SHIPPED, open_model, promoted
from fer_core.store.stored_model import StoredModel
from fer_core.training.augmentation import AUGMENTATIONS
from fer_core.training.data import TrainingData
from fer_core.training.recipe import WITHOUT_RECIPE, chosen_recipe, fine_tuning_recipe, recipe_for
from fer_core.tuning.plan import STORAGE_VARIABLE, TUNABLE, USUAL, SearchSpace, TuningPlan, tunable
from fer_core.types import FerError

_NETWORKS = network_names()
Span = tuple[float, float]
Pictures = Annotated[
    str | None, Option(help="Learn from this folder or zip of class folders, or data set of your own, see `data add`.")
]
Crops = Annotated[bool, Option(help="The own pictures are face crops already.")]


def train(
    name: Annotated[str | None, Argument(help=f"One of: {', '.join(model_names())}.")] = None,
    epochs: Annotated[int | None, Option(min=1, help="Passes over the data; default: the recipe's.")] = None,
    seed: Annotated[int | None, Option(min=0, help="Instead of the recipe's; stored as NAME_seedN.")] = None,
    subset: Annotated[
        int | None, Option(min=70, help="Use only this many faces of each split, as a trial; stored as NAME_trial.")
    ] = None,
    data: Fer2013 = None,
    pictures: Pictures = None,
    crops: Crops = False,
    run: Annotated[Path | None, Option(help="Folder of the run; an interrupted run resumes from it.")] = None,
    weights: Annotated[
        str | None,
        Option(help=f"Start from these: {', '.join(WEIGHTS)} or a stored model of the same network."),
    ] = None,
    ship: Annotated[bool, Option(help="Store in trained_models/ instead of your own models.")] = False,
    recipe: Annotated[str, Option(help="How to fit: own, or paper (plain, as the paper describes it).")] = "own",
    augmentation: Annotated[
        str | None, Option(help=f"Instead of the recipe's, one of: {', '.join(AUGMENTATIONS)}.")
    ] = None,
    patience: Annotated[
        int | None, Option(min=0, help="Stop after this many epochs without a lower validation loss; 0: never.")
    ] = None,
    papers_split: Annotated[
        bool, Option(help="Learn all of Training, validate on PrivateTest and test on PublicTest, as the paper does.")
    ] = False,
    unlabelled: Annotated[
        Path | None, Option(help="UTKFace as Parquet: more faces, which the recipe's teachers answer.")
    ] = None,
    paper: Annotated[
        bool, Option(help="Train all of the paper's models that are not stored yet, and compare them with the paper.")
    ] = False,
) -> None:
    """Fit a named model on FER2013, convert it, measure it and store it.

    With --pictures it learns from your own pictures instead, of the seven expressions or of classes of your own, by the
    recipe of the Fine-tune page, and is stored as NAME_PICTURES.

    You can interrupt it at any time: the same command resumes at the last finished epoch.
    """
    if (name is None) != paper:
        raise FerError("Expected the name of a model, or --paper for all of the paper's, and not both.")
    if paper and run is not None:
        raise FerError("Leave out --run with --paper: each of its models has a folder of its own.")
    specs = _specs(PAPER_VARIANTS if name is None else (name,), weights)
    changed = [chosen_recipe(spec, fits=recipe, augmentation=augmentation, patience=patience) for spec in specs]
    if ship and (subset is not None or pictures is not None):
        raise FerError("A model of a subset or of own pictures cannot be shipped: leave out --ship, or the other one.")
    if pictures is not None:
        if subset is not None or data is not None or unlabelled is not None or paper or papers_split or changed[0][1]:
            raise FerError(
                "Leave out --data, --subset, --unlabelled, --paper, --papers-split, --recipe, --augmentation and "
                "--patience with --pictures: they are about FER2013."
            )
        if specs[0].architecture in WITHOUT_RECIPE:
            raise FerError(f"Expected a network to train on own pictures: {', '.join(_NETWORKS)}. Received: {name}")
        loaded = load_training_data(_own_data(pictures, crops), stderr.print)
        warn(*loaded.warnings, *loaded.skipped[:NOTES])
        parts, own = loaded.data, name_from(Path(pictures).stem)
        checked_name(f"{specs[0].name}_{own}", "model")
        changed = [(fine_tuning_recipe(specs[0], len(parts.training), epochs or recipe_for(specs[0]).epochs), own)]
    else:
        parts = _of_fer2013(data, subset, unlabelled, papers_split=papers_split)
        split = "papers_split" if papers_split else ""
        changed = [(fit, "_".join(filter(None, (words, split)))) for fit, words in changed]
    stderr.print("Starting Keras …")
    from fer_core.training.train import named_spec, train_named

    root, naming = SHIPPED if ship else promoted(), dict[str, Any](seed=seed, trial=subset is not None)
    stored: dict[str, StoredModel] = {}
    for spec, (fit, ending) in zip(specs, changed, strict=True):
        start = named_spec(spec, ending=ending)
        target = named_spec(start, **naming).name
        try:
            if paper and (root / target / CARD).is_file():
                stored[spec.name] = open_model(root / target)
                say(f"{target} is stored already.")
                continue
            with progress_bar() as bar:
                log = lambda text, bar=bar: bar.log(escape(text))  # noqa: E731
                model = stored[spec.name] = train_named(
                    start,
                    parts,
                    root=root,
                    recipe=fit if ending else None,
                    epochs=epochs,
                    run=run,
                    callbacks=[_epoch_bar(bar)],
                    say=log,
                    ship=ship,
                    **naming,
                )
        except FerError as error:
            if not paper:
                raise
            warn(f"{target}: {error}")
            continue
        _say_stored(model, parts, own=pictures is not None, ship=ship)
    if paper:
        _beside_the_paper(stored)


def _specs(names: Iterable[str], weights: str | None) -> list[ModelSpec]:
    """Return what to build, with other initial weights if they are given; a FerError if it cannot start from them."""
    specs = [model_spec(name) for name in names]
    return specs if weights is None else [spec.with_weights(weights) for spec in specs]


def _say_stored(model: StoredModel, parts: TrainingData, *, own: bool, ship: bool) -> None:
    size = f"{model.size_bytes / 1e6:.1f} MB" if model.servable else "not served"
    accuracy = "not measured: there are no test splits"
    if own and model.card.served:
        share = model.card.served["holdout_accuracy"][model.card.served["storage"]]
        accuracy = f"accuracy on the {len(parts.holdout)} faces of the hold-out {share:.4f}"
    elif score := model.card.score("public_test"):
        accuracy = f"PublicTest accuracy by FER2013's label {score.accuracy:.4f}"
    say(f"Stored {model.folder} – {accuracy} ({size})")
    if not ship and (SHIPPED / model.name).is_dir():
        warn(
            f"Every page and command now uses it instead of the {model.name} that comes with FER Lab. To undo this, "
            f"delete {model.folder}."
        )


def _beside_the_paper(stored: dict[str, StoredModel]) -> None:
    """Print the ten rows of the paper's tables beside the models that are stored, by the paper's variant."""
    answers, complaints = load_predictions(list(stored.values()), "PublicTest", "plain")
    for complaint in complaints:
        warn(complaint)
    measured = measure_models(answers) if answers else {}
    by_variant = {variant: measured[model.name] for variant, model in stored.items() if model.name in measured}
    columns = {key: METRICS[key].title for key in ("accuracy", "macro_f1")}
    table = Table("Model", "Figure", *(f"{title}, {of}" for title in columns.values() for of in ("paper", "here")))
    for row in paper_overall(answers, by_variant).to_dict("records"):
        cells = [str(row["title"]), str(row["reported"]).removeprefix("reported, figure ")]
        for key in columns:
            ours = "–" if np.isnan(row[f"{key}_measured"]) else f"{row[f'{key}_measured']:.4f}"
            cells += [f"{row[f'{key}_reported']:.4f}", f"{ours} ({row[f'{key}_low']:.3f}–{row[f'{key}_high']:.3f})"]
        table.add_row(*(cell.removesuffix(" (nan–nan)") for cell in cells))
    stdout.print(table)


def pretrain(
    backbone: Annotated[str, Argument(help="Its name in keras.applications, for example VGG16.")],
    data: Annotated[Path, Option(help="Parquet table with the columns age, gender (0 male, 1 female) and jpeg.")],
    size: Annotated[
        int | None, Option(min=32, help="Side of its input in pixels; default: that of the named models.")
    ] = None,
    epochs: Annotated[int | None, Option(min=1, help="Passes over the faces.")] = None,
    subset: Annotated[
        int | None, Option(min=20, help="Use only this many faces, as a trial; stored separately.")
    ] = None,
    faces: Annotated[
        bool, Option("--faces", help="Learn what a network from VGGFace2 says of these faces and of FER2013's.")
    ] = False,
    fer2013: Fer2013 = None,
) -> None:
    """Pretrain a backbone on UTKFace's age and gender for `train --weights utkface`, or with --faces for `faces`.

    You can interrupt it at any time: the same command resumes at the last finished epoch.
    """
    from fer_core.files import home

    known = load_utkface(data)
    if subset is not None:
        known = known.subset(np.arange(min(subset, len(known))))
    folder = home() / "backbones" / "trials" if subset is not None else None
    from fer_core.training.pretrain import ages_and_genders, features_of_faces
    from fer_core.training.pretrain import pretrain as train_backbone

    if faces:
        own = TrainingData.of(load_fer2013(fer2013)).training.images[:subset]
        say(f"Computing features of {len(own) + len(known):,} faces and their mirror images, once")
        pretext = features_of_faces(np.concatenate([own, known.images]))
    else:
        pretext = ages_and_genders(known)
    with progress_bar() as bar:
        log = lambda text: bar.log(escape(text))  # noqa: E731
        given: dict[str, Any] = {"size": size, "epochs": epochs, "folder": folder}
        path = train_backbone(backbone, pretext, callbacks=[_epoch_bar(bar)], say=log, **given)
    say(f"Stored {path} ({path.stat().st_size / 1e6:.1f} MB)")


def _own_data(pictures: str, crops: bool) -> DataSettings:
    """Return the data that `--pictures` names: a data set of one's own, unless there is such a file or folder."""
    added = not Path(pictures).exists() and pictures in {dataset.name for dataset in list_datasets()}
    return DataSettings("dataset" if added else "folder", path=pictures, whole_image=crops)


def _of_fer2013(data: Path | None, subset: int | None, unlabelled: Path | None, *, papers_split: bool) -> TrainingData:
    dataset = load_fer2013(data)
    parts = TrainingData.of(dataset if subset is None else _thin_out(dataset, subset), papers_split=papers_split)
    if subset is not None:
        parts = replace(parts, name=f"a part of {parts.name}")
    if unlabelled is not None:
        parts = replace(parts, unlabelled=load_utkface(unlabelled).images[:subset])
    return parts


def _thin_out(dataset: FaceDataset, faces: int) -> FaceDataset:
    """Keep about this many faces of each split, evenly spaced."""
    splits = [np.flatnonzero(dataset.usage == split) for split in np.unique(dataset.usage)]
    kept = [indices[:: max(1, len(indices) // faces)][:faces] for indices in splits]
    return dataset.subset(np.sort(np.concatenate(kept)))


def _epoch_bar(bar: Progress) -> Any:
    """Return a Keras callback that shows the epoch, the accuracy so far and the remaining time of the whole fit."""
    import keras

    class EpochBar(keras.callbacks.Callback):
        def on_train_begin(self, logs: dict[str, float] | None = None) -> None:  # noqa: ARG002
            self.task = bar.add_task("Starting", total=None)

        def on_epoch_begin(self, epoch: int, logs: dict[str, float] | None = None) -> None:  # noqa: ARG002
            self.epoch, steps = epoch, self.params["steps"]
            bar.update(self.task, total=steps * self.params["epochs"], completed=epoch * steps)

        def on_train_batch_end(self, batch: int, logs: dict[str, float] | None = None) -> None:
            if batch % 10 == 0:
                accuracy = float((logs or {}).get("accuracy", 0.0))
                text = f"Epoch {self.epoch + 1}/{self.params['epochs']}, training accuracy {accuracy:.3f}"
                bar.update(self.task, completed=self.epoch * self.params["steps"] + batch + 1, description=text)

        def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
            values = ", ".join(f"{name} {float(value):.4f}" for name, value in (logs or {}).items())
            bar.log(f"Epoch {epoch + 1}: {values}")

    return EpochBar()


def tune(
    model: Annotated[str | None, Argument(help=f"For a new study, one of: {', '.join(_NETWORKS)}.")] = None,
    study: Annotated[
        str | None, Option(help="The study's name; an existing study is continued. Default: MODEL.")
    ] = None,
    trials: Annotated[int, Option(min=1, help="Trials that the study will have in all.")] = 20,
    epochs: Annotated[int, Option(min=1, help="Epochs per trial.")] = 6,
    faces: Annotated[int, Option(help="Training faces of FER2013 per trial.")] = 3000,
    balanced: Annotated[bool, Option(help="Use the same number of each expression where possible.")] = False,
    pictures: Pictures = None,
    crops: Crops = False,
    vary: Annotated[
        list[str] | None, Option(help=f"Repeatable, of {', '.join(TUNABLE)}. Default: all but patience.")
    ] = None,
    learning_rate: Annotated[Span | None, Option(help="Lowest and highest.")] = None,
    strength: Annotated[Span | None, Option(help="Lowest and highest, of augmentation, from 0 to 2.")] = None,
    label_smoothing: Annotated[Span | None, Option(help="Lowest and highest.")] = None,
    open_layers: Annotated[
        list[int] | None, Option(help="Last layers with weights to train: one number, or several to vary.")
    ] = None,
    patience: Annotated[
        list[int] | None, Option(help="Epochs of early stopping, 0 for none: one number, or several to vary.")
    ] = None,
    seed: Annotated[int, Option(help="Seed of the sampling.")] = 0,
    storage: Annotated[
        str | None, Option(envvar=STORAGE_VARIABLE, help="URL of a database, if several computers share a study.")
    ] = None,
    as_json: AsJson = False,
    submit: Annotated[bool, Option(help="Finally, queue a full training with the best settings.")] = False,
    export: Annotated[Path | None, Option(help="Write the existing --study to this file, and try nothing.")] = None,
) -> None:
    """Search for good settings with many short trainings, ranked by their accuracy on the hold-out.

    A single --open-layers or --patience holds for all trials.

    A study that was stopped is continued by the same command. Run the command on several computers with the same
    --storage to share the work.
    """
    from fer_core.tuning.study import create_study, export_study, open_storage, open_study

    if model is not None and export is not None:
        raise FerError("--export writes an existing study: name it with --study, and leave out the model.")
    database = open_storage(storage)
    if model is None:
        if study is None:
            raise FerError(f"Expected a model, or an existing --study. Models: {', '.join(_NETWORKS)}.")
        work = open_study(study, database)
        if export is not None:
            export_study(work.name, database, path=export)
            return
    else:
        spec, data = model_spec(model), DataSettings("fer2013", faces, balanced)
        if pictures is not None:
            data = _own_data(pictures, crops)
        recipe, possible = recipe_for(spec), tunable(spec)
        spans = {"learning_rate": learning_rate, "strength": strength, "label_smoothing": label_smoothing}
        given: dict[str, Any] = {name: span for name, span in spans.items() if span is not None}
        choices = {"open_layers": open_layers, "patience": patience}
        given |= {name: tuple(values) for name, values in choices.items() if values}
        if unused := [f"--{name.replace('_', '-')}" for name in given if name not in possible]:
            raise FerError(f"{spec.name} cannot be tuned by {', '.join(unused)}: leave it out.")
        space = replace(SearchSpace.around(spec, recipe, vary or USUAL), **given)
        work = create_study(TuningPlan(study or model, spec, recipe, data, epochs, space, seed), database)
    try:
        _work(work, trials)
    except KeyboardInterrupt:
        warn(f"Stopped. Finished trials are kept; continue with `tune --study {work.name}`.")
    run = None
    if submit:
        from fer_core.runs import queue

        run = queue.submit(work.best_plan()).id
    rows = work.trials()
    if as_json:
        filled = rows.astype(object).where(rows.notna(), None)
        print_json({"study": work.name, "run": run, "trials": filled.to_dict("records")})
        return
    best = rows.dropna(subset=["accuracy"]).sort_values("accuracy", ascending=False).head(5)
    table = Table("Trial", "State", "Hold-out accuracy", *work.plan.space.varied)
    for row in best.to_dict("records"):
        values = (row[name] for name in work.plan.space.varied)
        words = [f"{value:.3g}" if isinstance(value, float) else str(value) for value in values]
        table.add_row(str(row["trial"]), row["state"], f"{row['accuracy']:.3f}", *words)
    stdout.print(table)
    if run is not None:
        stdout.print(f"Queued run: {run}")


def _work(study: Any, trials: int) -> None:
    """Make the trials that a study lacks, with a progress bar."""
    with progress_bar() as bar:
        task = bar.add_task(study.name, total=trials, completed=study.ended())
        bar.log("Starting Keras")
        from fer_core.tuning import worker

        def report(text: str) -> None:
            bar.log(text)
            bar.update(task, completed=study.ended())

        def on_epoch(trial: int, epoch: int, accuracy: float) -> None:
            bar.update(task, description=f"Trial {trial}, epoch {epoch}/{study.plan.epochs}: {accuracy:.3f}")

        worker.tune(study, trials, say=report, on_epoch=on_epoch)
