"""`evaluate`: measure stored models again; and `compare`: the gain of one way of training over another."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import pandas as pd
from rich.table import Table
from typer import Argument, Option

from fer_core.cli.models import stored_models
from fer_core.cli.output import AsJson, Fer2013, print_json, progress_bar, stdout, titled_table, warn
from fer_core.columns import TEST_SPLITS, VIEWS, percent
from fer_core.data import FaceDataset, load_fer2013, training_and_holdout
from fer_core.faces import DEGRADATIONS
from fer_core.files import records
from fer_core.labels import EXPRESSIONS
from fer_core.measuring.results import load_predictions
from fer_core.metrics.calibration import WANTED
from fer_core.metrics.core import metric_titles
from fer_core.metrics.significance import SCORE_IN_WORDS
from fer_core.store.datasets import OwnDataset, find_dataset
from fer_core.store.folders import load_model, update_model
from fer_core.store.stored_model import StoredModel
from fer_core.types import FerError

if TYPE_CHECKING:
    from fer_core.measuring.measure import Measurements


def evaluate(
    names: Annotated[list[str] | None, Argument(help="Models to measure.", metavar="NAME…")] = None,
    every: Annotated[bool, Option("--all", help="Measure all models.")] = False,
    data: Fer2013 = None,
    on: Annotated[str | None, Option(help="Measure on this data set of your own instead, see `data add`.")] = None,
    degraded: Annotated[bool, Option("--degraded", help="Measure on degraded faces too: noise, blur …")] = False,
    mapped: Annotated[bool, Option("--map", help="Make the map of the test faces too.")] = False,
    save: Annotated[bool, Option("--save", help="Keep the results in the models' folders.")] = False,
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

    With --on, measure on a data set of your own: its split Test, else Validation, else all its faces. What is measured
    is kept with the data set, and the pages show it. A data set of own classes measures models of the same classes.

    --save replaces the stored predictions, results and map, and adds what is measured on the hold-out: the score by
    which the default model is chosen, and the confidence below which the model says "not sure".
    """
    from fer_core.measuring.measure import measure_again, save_measurements

    own = None if on is None else find_dataset(on)
    classes = own.classes if own else EXPRESSIONS
    stored = stored_models(classes)
    chosen = stored if every else [load_model(name, classes=classes) for name in names or []]
    if not names and not every:
        known = ", ".join(model.name for model in stored) or "none"
        raise FerError(f"Name the models to measure, or use --all. Trained models here: {known}.")
    if own:
        if mapped or save or data is not None:
            raise FerError("Leave out --data, --map and --save with --on: they are about FER2013.")
        _evaluate_on(own, chosen, as_json, degraded=degraded)
        return
    dataset = load_fer2013(data)
    measured: dict[str, Measurements] = {}
    maps: dict[str, pd.DataFrame] = {}
    with progress_bar() as bar:
        for model in bar.track(chosen, description="Measuring"):
            try:
                results = measure_again(model, dataset, degraded, holdout=save)
                if save:
                    save_measurements(model, results)
            except FerError as error:
                warn(f"{model.name} is skipped: {error}")
                continue
            try:
                if mapped:
                    from fer_core.training.face_map import stored_face_map

                    maps[model.name] = stored_face_map(model, dataset)
                    if save:
                        update_model(model, face_map=maps[model.name])
            except FerError as error:
                warn(str(error))
            warn(*results.notes)
            measured[model.name] = results
            _compare_with_card(model, results.metrics)
    if not measured:
        raise FerError("No model could be measured.")
    if as_json:
        print_json({m.name: _as_json(m, measured[m.name], maps.get(m.name)) for m in chosen if m.name in measured})
        return
    for name, results in measured.items():
        _print(name, results, maps.get(name))
    stdout.print("* on the test faces whose pixels do not occur in Training")


def _evaluate_on(dataset: OwnDataset, models: list[StoredModel], as_json: bool, *, degraded: bool) -> None:
    """Measure models on a data set of one's own, plain and with flip, and on degraded faces if that is asked for."""
    from fer_core.measuring.measure import scores
    from fer_core.measuring.robustness import own_degraded

    measured: dict[str, dict[str, Any]] = {}
    with progress_bar() as bar:
        for view in bar.track(VIEWS, description=f"Measuring on {dataset.tests_in_words}"):
            answers, complaints = load_predictions(models, dataset.name, view)
            warn(*(complaints if view == VIEWS[0] else []))
            if answers is None:
                continue
            for name, probabilities in answers.probabilities.items():
                measured.setdefault(name, {})[view] = scores(answers.labels, probabilities, dataset.classes)
    if not measured:
        raise FerError("No model could be measured.")
    tables = {model.name: own_degraded(model, dataset, measure=degraded) for model in models if model.name in measured}
    if as_json:
        more = {name: {"degraded": records(table)} if len(table) else {} for name, table in tables.items()}
        print_json({name: {dataset.name: views, **more[name]} for name, views in measured.items()})
        return
    for name, views in measured.items():
        stdout.print(_metrics_table(name, {dataset.tests_in_words: views}))
        if degraded:
            stdout.print(degraded_table(name, tables[name]))


def _print(name: str, results: Measurements, places: pd.DataFrame | None) -> None:
    stdout.print(_metrics_table(name, results.metrics))
    if results.holdout:
        stdout.print(_holdout_lines(**results.holdout))
    if results.degraded is not None:
        stdout.print(degraded_table(name, results.degraded))
    if places is not None:
        stdout.print(map_line(places))


def degraded_table(name: str, table: pd.DataFrame) -> Table:
    """Return a table of one model with a column for each strength, at most 80 columns wide."""
    clean = table[table["kind"] == "clean"].iloc[0]
    voted = int(clean["faces_plurality"])
    lines = {"accuracy": "accuracy", "accuracy_plurality": "by most annotators", "confidence": "mean confidence"}
    if not voted:
        del lines["accuracy_plurality"]
    shares = {line.removeprefix("mean "): percent(clean[column], ".1%") for column, line in lines.items()}
    words = ", ".join(f"{share} {line}" for line, share in shares.items())
    printed = titled_table(f"{name} on {clean['faces']:,} degraded faces; clean: {words}")
    printed.add_column("Strength")
    for strength in range(1, 6):
        printed.add_column(str(strength), justify="right")
    for kind, degradation in DEGRADATIONS.items():
        rows = table[table["kind"] == kind].sort_values("strength")
        printed.add_row(degradation.title, style="bold")
        printed.add_row(f"  {degradation.unit}", *(f"{level:g}" for level in degradation.levels), style="dim")
        for column, heading in lines.items():
            printed.add_row(f"  {heading}", *(percent(value, ".1%") for value in rows[column]))
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


def _as_json(model: StoredModel, results: Measurements, places: pd.DataFrame | None) -> dict[str, Any]:
    degraded, source = results.degraded, "measured now"
    if degraded is None:
        source = "stored with the model"
        try:
            degraded = model.degraded()
        except FerError as error:
            warn(str(error))
    more: dict[str, Any] = {}
    if degraded is not None and not degraded.empty:
        more = {"degraded": records(degraded), "degraded_from": source}
    if places is not None:
        more["map"] = records(places)
    return {**results.metrics, **more, **results.holdout}


def _holdout_lines(holdout_score: dict[str, float], not_sure: dict[str, Any]) -> str:
    shares = {part: percent(share, ".1%") for part, share in holdout_score.items()}
    score = (
        f"Hold-out: {shares['score']}, {SCORE_IN_WORDS}: {shares['label']}, {shares['plurality']} and "
        f"{shares['recall']}, and {shares['label_degraded']}, {shares['plurality_degraded']} and "
        f"{shares['recall_degraded']} on degraded faces."
    )
    threshold = f"No confidence is reached from which on {percent(WANTED)} of the answers are what most annotators say."
    if not_sure:
        answered, right = (percent(not_sure[name], ".1%") for name in ("answered", "accuracy"))
        threshold = (
            f"Not sure below {percent(not_sure['below'])}: of the faces of the hold-out with one clear answer of the "
            f"annotators, {answered} get an answer, and {right} of these answers are what most annotators say."
        )
    return f"{score}\n{threshold}"


def _compare_with_card(model: StoredModel, measured: dict[str, Any]) -> None:
    """Warn where the accuracy differs from the card by more than another processor's rounding can explain."""
    for split, views in measured.items():
        for view, values in views.items():
            stored = model.card.score(split, view)
            if stored is not None and abs(stored.accuracy - values["accuracy"]) > 0.001:
                text = f"measured {values['accuracy']:.4f}, but the card says {stored.accuracy}"
                warn(f"{model.name}, {split}, {view}: {text}.")


def _metrics_table(name: str, splits: dict[str, Any]) -> Table:
    """Return a table of one model with one row for each metric, at most 80 columns wide."""
    views = [(split, view, values) for split, by_view in splits.items() for view, values in by_view.items()]
    table = titled_table(name)
    table.add_column("")
    for split, view, _ in views:
        table.add_column(f"{split}\n{view}")
    titles = metric_titles() | {"ece": "Calibration error", "accuracy_without_leaked": "Accuracy, no leaks*"}
    for key, title in titles.items():
        if key in views[0][2]:
            _add_rows(table, title, key, [values for _, _, values in views])
    voted = [values.get("by", {}).get("plurality") for _, _, values in views]
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
        texts = ["–" if low is None else f"{low:.3f}–{high:.3f}" for low, high in intervals]
        table.add_row("  95 % interval", *texts, style="dim")


def compare(
    first: Annotated[str, Argument(help="A model, or several seeds of it: NAME,NAME_seed1")],
    second: Annotated[str, Argument(help="What to compare with, in the same way.")],
    on: Annotated[
        str, Option(help="holdout, PublicTest, PrivateTest or a data set of your own. Choose models on the hold-out.")
    ] = "holdout",
    data: Fer2013 = None,
    as_json: AsJson = False,
) -> None:
    """Compare the mean of one or more models with the mean of others, with paired 95 % intervals.

    The parts of the score are those by which the default model is chosen: accuracy by FER2013's label, accuracy and
    mean recall by most annotators, each on clean and on degraded faces. The intervals cover which faces were drawn;
    name several seeds of a model to see what training again changes. A data set of your own has no votes, so there is
    accuracy and mean recall by its labels, and no score.
    """
    from fer_core.measuring.measure import degraded_copies
    from fer_core.metrics.significance import PARTS, Copies, gains

    own = None if on in ("holdout", *TEST_SPLITS) else find_dataset(on)
    classes = own.classes if own else EXPRESSIONS
    sides = [[load_model(name, classes=classes) for name in names.split(",")] for names in (first, second)]
    models, titles = {model.name: model for side in sides for model in side}, PARTS
    if own is None:
        dataset = load_fer2013(data)
        faces = training_and_holdout(dataset)[1] if on == "holdout" else dataset.split(on)
        plurality = faces.plurality
        for model in models.values():
            _check_new(model, dataset, on)
    else:
        faces = own.tests()
        plurality, titles = faces.labels, {"label": "Accuracy", "recall": "Mean recall"}
    copies: dict[str, Copies] = {}
    with progress_bar() as bar:
        for name, model in bar.track(models.items(), description="Measuring"):
            classifier = model.classifier()
            degraded = degraded_copies(faces.images)
            copies[name] = {kind: classifier.predict(copy).probabilities for kind, copy in degraded.items()}
    first_copies, second_copies = ([copies[model.name] for model in side] for side in sides)
    parts = gains(first_copies, second_copies, labels=faces.labels, plurality=plurality)
    known = (*titles, *(f"{part}_degraded" for part in titles), *(["score"] if titles is PARTS else []))
    parts = parts[parts["part"].isin(known)]
    if as_json:
        print_json({"on": on, "faces": len(faces), "first": first, "second": second, "parts": records(parts)})
        return
    table = titled_table(f"{first} minus {second}, on {len(faces):,} faces of {on}")
    for heading in ("", "First", "Second", "Difference", "95 % interval"):
        table.add_column(heading, justify="right" if heading else "left")
    for row in parts.to_dict("records"):
        part = str(row["part"]).removesuffix("_degraded")
        name = titles.get(part, "Score: the mean of these") + (", degraded" if part != row["part"] else "")
        first_share, second_share = (f"{100 * row[side]:.2f}" for side in ("first", "second"))
        difference, low, high = (f"{100 * row[key]:+.2f}" for key in ("difference", "low", "high"))
        table.add_row(name, first_share, second_share, difference, f"{low} to {high}")
    stdout.print(table)


def _check_new(model: StoredModel, dataset: FaceDataset, on: str) -> None:
    """Raise a FerError if the hold-out may not be new to a model, and warn if PrivateTest is not."""
    from fer_core.measuring.measure import not_new, privatetest_note

    if on == "holdout" and (why := not_new(model.card, dataset)):
        raise FerError(f"{model.name} cannot be compared on the hold-out: {why} Compare on PublicTest with --on.")
    if on == "PrivateTest" and (note := privatetest_note(model)):
        warn(note)
