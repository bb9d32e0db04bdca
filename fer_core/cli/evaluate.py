"""`evaluate`: measure stored models again."""

from __future__ import annotations

from math import isnan
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import pandas as pd
import typer
from rich import box
from rich.table import Table

from fer_core.cli.models import stored_models
from fer_core.cli.output import AsJson, fails_clearly, print_json, progress_bar, stdout, warn
from fer_core.data import FaceDataset, load_fer2013
from fer_core.faces import DEGRADATIONS
from fer_core.metrics.calibration import WANTED
from fer_core.metrics.core import metric_titles
from fer_core.store.card import ModelCard
from fer_core.store.folders import load_model, update_model
from fer_core.store.stored_model import StoredModel
from fer_core.types import FerError

if TYPE_CHECKING:
    from fer_core.measuring.measure import Measurements


@fails_clearly
def evaluate(
    names: Annotated[list[str] | None, typer.Argument(help="Models to measure.", metavar="NAME…")] = None,
    every: Annotated[bool, typer.Option("--all", help="Measure all models.")] = False,
    data: Annotated[Path | None, typer.Option(help="FER2013: CSV, folder or zip.")] = None,
    degraded: Annotated[bool, typer.Option("--degraded", help="Measure on degraded faces too: noise, blur …")] = False,
    mapped: Annotated[bool, typer.Option("--map", help="Make the map of the test faces too.")] = False,
    save: Annotated[bool, typer.Option("--save", help="Keep the results in the models' folders.")] = False,
    as_json: AsJson = False,
) -> None:
    """Measure models on PublicTest and PrivateTest, plain and with flip, with 95 % intervals.

    Predictions are judged by FER2013's label and by what most annotators say. Without FER+'s votes, the latter is taken
    from the model's stored predictions, if they are of the same faces. For a model that is kept for comparison only,
    the metrics are computed from its stored predictions.

    With --degraded, also measure accuracy and mean confidence on 1,000 test faces with noise, blur, low resolution, low
    brightness and contrast, and occlusion, in five strengths each. Without it, --json has the results on degraded faces
    that are stored with the model; "degraded_from" says which ones they are.

    With --map, also arrange the test faces in two dimensions by the model's features (PCA, then t-SNE), for the Dataset
    page. This takes a minute or two and needs the model's Keras weights.

    --save replaces the stored predictions, results and map, and adds what is measured on the hold-out: the score by
    which the default model is chosen, and the confidence below which the model says "not sure".
    """
    from fer_core.measuring.measure import measure_again, save_measurements

    stored = stored_models()
    if not names and not every:
        known = ", ".join(model.name for model in stored) or "none"
        raise FerError(f"Name the models to measure, or use --all. Trained models here: {known}.")
    chosen = stored if every else [load_model(name) for name in names or []]
    dataset = load_fer2013(data)
    measured: dict[str, Measurements] = {}
    maps: dict[str, pd.DataFrame] = {}
    with progress_bar() as bar:
        for model in bar.track(chosen, description="Measuring"):
            try:
                found = measure_again(model, dataset, degraded, holdout=save)
                if save:
                    save_measurements(model, found)
                if mapped and (places := _arranged(model, dataset)) is not None:
                    maps[model.name] = places
                    if save:
                        update_model(model, face_map=places)
            except FerError as error:
                warn(f"{model.name} is skipped: {error}")
                continue
            warn(*found.notes)
            measured[model.name] = found
            _compare_with_card(model.name, found.metrics, model.card)
    if not measured:
        raise FerError("No model could be measured.")
    if as_json:
        by_name = {model.name: model for model in chosen}
        print_json({name: _as_json(by_name[name], found, maps.get(name)) for name, found in measured.items()})
        return
    for name, found in measured.items():
        stdout.print(_metrics_table(name, found.metrics))
        if found.holdout:
            stdout.print(_holdout_line(found.holdout["holdout_score"]))
            stdout.print(_not_sure_line(found.holdout["not_sure"]))
        if found.degraded is not None:
            stdout.print(degraded_table(name, found.degraded))
        if name in maps:
            stdout.print(map_line(maps[name]))
    stdout.print("* on the test faces whose pixels do not occur in Training")


def degraded_table(name: str, table: pd.DataFrame) -> Table:
    """Return a table of one model with a column for each strength, at most 80 columns wide."""
    clean = table[table["kind"] == "clean"].iloc[0]
    lines = [("accuracy", "accuracy"), ("mean confidence", "confidence")]
    words = f"{name} on {clean['faces']:,} degraded faces; clean: {clean['accuracy']:.1%} accuracy, "
    voted = int(clean["faces_plurality"])
    if voted:
        lines.insert(1, ("by most annotators", "accuracy_plurality"))
        words += f"{clean['accuracy_plurality']:.1%} by most annotators, "
    printed = Table(
        title=f"{words}{clean['confidence']:.1%} confidence",
        box=box.SIMPLE_HEAD,
        title_justify="left",
        title_style="bold",
    )
    printed.add_column("Strength")
    for strength in range(1, 6):
        printed.add_column(str(strength), justify="right")
    for kind, degradation in DEGRADATIONS.items():
        rows = table[table["kind"] == kind].sort_values("strength")
        printed.add_row(degradation.title, style="bold")
        printed.add_row(f"  {degradation.unit}", *(f"{level:g}" for level in degradation.levels), style="dim")
        for heading, column in lines:
            printed.add_row(f"  {heading}", *(f"{value:.1%}" for value in rows[column]))
    if voted:
        printed.caption = (
            f"Accuracy is by FER2013's label; by most annotators over the {voted:,} faces on which they have one clear "
            "answer. Mean confidence is over all faces."
        )
        printed.caption_justify = "left"
    return printed


def map_line(table: pd.DataFrame) -> str:
    """Return how many faces the map has, and how far it agrees with the features, in a sentence."""
    from fer_core.training.face_map import NEIGHBOURS

    return (
        f"Map of {len(table):,} faces: of the {NEIGHBOURS} faces with the most similar features, "
        f"{table['kept'].mean():.1f} on average are among the {NEIGHBOURS} nearest on the map."
    )


def _arranged(model: StoredModel, dataset: FaceDataset) -> pd.DataFrame | None:
    """Return the map of a model; None, with a warning, if it cannot be made."""
    from fer_core.training.face_map import stored_face_map

    try:
        return stored_face_map(model, dataset)
    except FerError as error:
        warn(str(error))
        return None


def _rows(table: pd.DataFrame) -> list[dict[str, Any]]:
    """Return the rows for `--json`; missing values are None."""
    rows = table.to_dict("records")
    return [{str(key): None if pd.isna(value) else value for key, value in row.items()} for row in rows]


def _as_json(model: StoredModel, found: Measurements, places: pd.DataFrame | None) -> dict[str, Any]:
    more: dict[str, Any] = {}
    if found.degraded is not None:
        more = {"degraded": _rows(found.degraded), "degraded_from": "measured now"}
    elif not (kept := _stored_degraded(model)).empty:
        more = {"degraded": _rows(kept), "degraded_from": "stored with the model"}
    if places is not None:
        more["map"] = _rows(places)
    return {**found.metrics, **more, **found.holdout}


def _stored_degraded(model: StoredModel) -> pd.DataFrame:
    """Return the stored results on degraded faces; of a damaged file, warn and return none."""
    try:
        return model.degraded()
    except FerError as error:
        warn(str(error))
        return pd.DataFrame()


def _holdout_line(scores: dict[str, float]) -> str:
    return (
        f"Hold-out: {scores['score']:.1%}, the mean of accuracy by FER2013's label, accuracy by most annotators and "
        f"mean recall by most annotators: {scores['label']:.1%}, {scores['plurality']:.1%} and {scores['recall']:.1%}, "
        f"and {scores['label_degraded']:.1%}, {scores['plurality_degraded']:.1%} and {scores['recall_degraded']:.1%} "
        f"on degraded faces."
    )


def _not_sure_line(found: dict[str, Any]) -> str:
    if not found:
        return f"No confidence is reached from which on {WANTED:.0%} of the answers are what most annotators say."
    return (
        f"Not sure below {found['below']:.0%}: of the other {found['answered']:.1%} of the hold-out, "
        f"{found['accuracy']:.1%} of the answers are what most annotators say."
    )


def _compare_with_card(name: str, measured: dict[str, Any], card: ModelCard) -> None:
    """Warn where the accuracy differs from the card by more than another processor's rounding can explain."""
    for split, views in measured.items():
        for view, values in views.items():
            stored = card.score(split, view)
            if stored is not None and abs(stored.accuracy - values["accuracy"]) > 0.001:
                said = f"measured {values['accuracy']:.4f}, but the card says {stored.accuracy}"
                warn(f"{name}, {split}, {view}: {said}.")


def _metrics_table(name: str, splits: dict[str, Any]) -> Table:
    """Return a table of one model with one row for each metric, at most 80 columns wide."""
    views = [(split, view, values) for split, by_view in splits.items() for view, values in by_view.items()]
    table = Table(title=name, box=box.SIMPLE_HEAD, title_justify="left", title_style="bold")
    table.add_column("")
    for split, view, _ in views:
        table.add_column(f"{split}\n{view}")
    titles = metric_titles() | {"ece": "Calibration error", "accuracy_without_leaked": "Accuracy, no leaks*"}
    for key, title in titles.items():
        _add_rows(table, title, key, [values for _, _, values in views])
    voted = [values["by"].get("plurality") for _, _, values in views]
    if all(voted):
        table.add_row("By most annotators", style="bold")
        for key in ("accuracy", "macro_f1", "ece"):
            _add_rows(table, f"  {titles[key]}", key, voted)
        table.add_row("  Faces", *(f"{values['n']:,}" for values in voted))
    return table


def _add_rows(table: Table, title: str, key: str, columns: list[dict[str, Any]]) -> None:
    table.add_row(title, *("–" if values[key] is None else f"{values[key]:.4f}" for values in columns))
    if f"{key}_interval" in columns[0]:
        intervals = [values[f"{key}_interval"] for values in columns]
        texts = ["–" if isnan(low) else f"{low:.3f}–{high:.3f}" for low, high in intervals]
        table.add_row("  95 % interval", *texts, style="dim")
