"""`tune`: search for good settings with many short trainings."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Any

import typer
from rich.table import Table

from fer_core.cli.output import AsJson, fails_clearly, print_json, progress_bar, stdout, warn
from fer_core.models import model_spec, network_names
from fer_core.runs.data import DataSettings
from fer_core.training.recipe import recipe_for
from fer_core.tuning.plan import STORAGE_VARIABLE, TUNABLE, SearchSpace, TuningPlan
from fer_core.types import FerError

_NETWORKS = network_names()
Span = tuple[float, float]


@fails_clearly
def tune(
    model: Annotated[str | None, typer.Argument(help=f"For a new study, one of: {', '.join(_NETWORKS)}.")] = None,
    study: Annotated[
        str | None, typer.Option(help="The study's name; an existing study is continued. Default: MODEL.")
    ] = None,
    trials: Annotated[int, typer.Option(min=1, help="Trials that the study will have in all.")] = 20,
    epochs: Annotated[int, typer.Option(min=1, help="Epochs per trial.")] = 6,
    faces: Annotated[int, typer.Option(help="Training faces of FER2013 per trial.")] = 3000,
    balanced: Annotated[bool, typer.Option(help="Use the same number of each expression where possible.")] = False,
    pictures: Annotated[str | None, typer.Option(help="Learn from this folder or zip of class folders.")] = None,
    crops: Annotated[bool, typer.Option(help="The own pictures are face crops already.")] = False,
    vary: Annotated[list[str] | None, typer.Option(help=f"Repeatable, of {', '.join(TUNABLE)}. Default: all.")] = None,
    learning_rate: Annotated[Span | None, typer.Option(help="Lowest and highest.")] = None,
    strength: Annotated[Span | None, typer.Option(help="Lowest and highest, of augmentation, from 0 to 2.")] = None,
    label_smoothing: Annotated[Span | None, typer.Option(help="Lowest and highest.")] = None,
    open_layers: Annotated[list[int] | None, typer.Option(help="Last layers with weights to train; several.")] = None,
    seed: Annotated[int, typer.Option(help="Seed of the sampling.")] = 0,
    storage: Annotated[
        str | None,
        typer.Option(envvar=STORAGE_VARIABLE, help="URL of a database, if several computers share a study."),
    ] = None,
    as_json: AsJson = False,
    submit: Annotated[bool, typer.Option(help="Finally, queue a full training with the best settings.")] = False,
) -> None:
    """Search for good settings with many short trainings, ranked by their accuracy on the hold-out.

    A study that was stopped is continued by the same command. Run the command on several computers with the same
    --storage to share the work.
    """
    from fer_core.tuning.study import create_study, open_storage, open_study

    database = open_storage(storage)
    if model is None:
        if study is None:
            raise FerError(f"Expected a model, or an existing --study. Models: {', '.join(_NETWORKS)}.")
        work = open_study(study, database)
    else:
        spec, data = model_spec(model), DataSettings("fer2013", faces, balanced)
        if pictures is not None:
            data = DataSettings("folder", path=pictures, whole_image=crops)
        recipe = recipe_for(spec)
        spans = {"learning_rate": learning_rate, "strength": strength, "label_smoothing": label_smoothing}
        given: dict[str, Any] = {name: span for name, span in spans.items() if span is not None}
        if open_layers:
            given["open_layers"] = tuple(open_layers)
        space = replace(SearchSpace.around(spec, recipe, vary or TUNABLE), **given)
        work = create_study(TuningPlan(study or model, spec, recipe, data, epochs, space, seed), database)
    try:
        _work(work, trials)
    except KeyboardInterrupt:
        warn(f"Stopped. Finished trials are kept; continue with `tune --study {work.name}`.")
    run = None
    if submit:
        from fer_core.runs import queue

        run = queue.submit(work.best_plan()).id
    _show(work, run, as_json)


def _work(study: Any, trials: int) -> None:
    with progress_bar() as bar:
        task = bar.add_task(study.name, total=trials, completed=study.ended())
        bar.log("Starting Keras")
        from fer_core.tuning import worker

        def say(text: str) -> None:
            bar.log(text)
            bar.update(task, completed=study.ended())

        def on_epoch(trial: int, epoch: int, accuracy: float) -> None:
            bar.update(task, description=f"Trial {trial}, epoch {epoch}/{study.plan.epochs}: {accuracy:.3f}")

        worker.tune(study, trials, say=say, on_epoch=on_epoch)


def _show(study: Any, run: str | None, as_json: bool) -> None:
    rows = study.trials()
    if as_json:
        filled = rows.astype(object).where(rows.notna(), None)
        print_json({"study": study.name, "run": run, "trials": filled.to_dict("records")})
        return
    best = rows.dropna(subset=["accuracy"]).sort_values("accuracy", ascending=False).head(5)
    table = Table("Trial", "State", "Hold-out accuracy", *study.plan.space.varied)
    for row in best.to_dict("records"):
        values = [row[name] for name in study.plan.space.varied]
        words = [f"{value:.3g}" if isinstance(value, float) else str(value) for value in values]
        table.add_row(str(row["trial"]), row["state"], f"{row['accuracy']:.3f}", *words)
    stdout.print(table)
    if run is not None:
        stdout.print(f"Queued run: {run}")
