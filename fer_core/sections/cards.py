"""A model's card for people, as Markdown in Hugging Face's form: what it is for, what it can do, and whom it fails."""

from __future__ import annotations

import json
import math
import tomllib
from pathlib import Path
from typing import Any, Final

from fer_core.columns import TEST_SPLITS, YARDSTICKS, percent
from fer_core.faces import DEGRADATIONS
from fer_core.fairness.faces import stored_faces
from fer_core.fairness.groups import MINIMUM
from fer_core.files import records
from fer_core.labels import EXPRESSIONS
from fer_core.measuring.results import load_predictions
from fer_core.measuring.robustness import robustness_summary, robustness_table
from fer_core.metrics.paper import OTHER_WEIGHTS, reported
from fer_core.models.registry import origin
from fer_core.models.spec import PRETRAINED, WEIGHTS, ModelSpec
from fer_core.store.card import ModelCard, Score
from fer_core.store.stored_model import StoredModel
from fer_core.training.recipe import Recipe, fit_summary
from fer_core.types import FerError

FILE: Final = "README.md"

TEXTS: Final[dict[str, Any]] = tomllib.loads(Path(__file__).with_name("cards.toml").read_text("utf-8"))


def model_readme(model: StoredModel) -> str:
    """Return the card of a stored model as Markdown, with Hugging Face's metadata in front.

    All numbers come from the model's folder. Sections about results are left out if nothing was measured.
    """
    return f"{_metadata(model.card)}\n{model_text(model)}"


def model_text(model: StoredModel) -> str:
    """Return the same card without the metadata, as pages show it."""
    card = model.card
    size = f"{card.input_size} × {card.input_size}"
    parameters = "" if card.parameters is None else f", {card.parameters:,} parameters"
    own = "It was trained on pictures of the person who trained it, which stay on that computer."
    trained_on = own if str(card.training.get("data", "")).startswith("own ") else TEXTS["data"]
    if card.added:
        trained_on = TEXTS["added"]
    what = "seven expressions" if card.classes == EXPRESSIONS else f"{len(card.classes)} classes of its own"
    sections = {
        "": f"# {card.title}\n\n`{card.name}` predicts which of {what} a face shows: "
        f"{', '.join(card.classes)}. Input: a gray face of {size} pixels, framed as in FER2013{parameters}. "
        f"{'It was made elsewhere and measured here, by FER Lab.' if card.added else 'It belongs to FER Lab.'}",
        "Uses": TEXTS["uses"],
        "How to use it": _how_to_use(model),
        "Data": _paragraphs(trained_on, TEXTS["backbones"].get(origin(card.weights_from))),
        "Training": "" if card.added else _training(card),
        "Results": _results(card),
        "By expression": _by_expression(card),
        "On degraded faces": _degraded(model),
        "On changed faces": _consistency(model),
        "Whom it fails": _fails(model),
        "Limits": TEXTS["limits"],
    }
    return _paragraphs(*(f"## {title}\n\n{text}" if title else text for title, text in sections.items() if text)) + "\n"


def _metadata(card: ModelCard) -> str:
    """Return the YAML block that Hugging Face reads. JSON values are YAML values."""
    free = origin(card.weights_from) not in {"imagenet", *PRETRAINED}
    values: dict[str, Any] = {
        "license": "unknown" if card.added else "mit" if free else "other",
        **({} if free else {"license_name": "mit-with-non-commercial-data"}),
        "pipeline_tag": "image-classification",
        **({} if card.added else {"library_name": "keras"}),
        "tags": ["facial-expression-recognition", "fer2013", "litert"],
        "datasets": ["fer2013"],
        "metrics": ["accuracy", "f1", "roc_auc"],
    }
    results = [
        {
            "task": {"type": "image-classification", "name": "Facial expression recognition"},
            "dataset": {"type": "fer2013", "name": f"FER2013, by {YARDSTICKS[by]}", "split": split},
            "metrics": [
                {"type": "accuracy", "value": round(score.accuracy, 4)},
                {"type": "f1", "name": "Macro F1", "value": round(score.macro_f1, 4)},
            ],
        }
        for split, by, score in _scores(card)
    ]
    if results:
        values["model-index"] = [{"name": card.name, "results": results}]
    lines = [f"{key}: {json.dumps(value, ensure_ascii=False)}" for key, value in values.items()]
    return "\n".join(["---", *lines, "---", ""])


def _how_to_use(model: StoredModel) -> str:
    if not model.servable:
        return "It is kept for comparison: its predictions for FER2013's test faces are stored, but not its weights."
    storage, least = (model.card.served or {}).get("storage", "float32"), model.card.not_sure
    text = f"""\
```sh
fer-lab predict photo.jpg --model {model.name}
```

```python
from fer_core.store.folders import load_model

classifier = load_model("{model.name}").classifier()
probabilities = classifier.predict(faces).probabilities  # faces: (n, 48, 48) uint8 gray
```

{_served_file(model, storage)}"""
    if least is None:
        return text
    return f"""{text}

FER Lab's pages say "not sure" instead of an expression if no probability reaches {percent(least.below)}. On the
hold-out, {_percent(least.accuracy)} of the answers from there on are what most annotators say. These are the answers to
{_percent(least.answered)} of the {least.faces:,} faces on which the annotators have one clear answer."""


def _served_file(model: StoredModel, storage: str) -> str:
    size = f"{model.size_bytes / 1e6:.1f} MB"
    if takes := model.takes:
        return (
            f"The file is {model.weights.name} ({size}). It takes pictures in `{takes.colour}` on "
            f"the scale `{takes.scale}` and answers with {'logits' if takes.logits else 'probabilities'} of "
            f"{', '.join(takes.classes)}. This was given, or guessed on the hold-out. It has no class activation map."
        )
    return (
        f"The served file is LiteRT ({storage}, {size}). It needs no TensorFlow and also gives a class activation map."
    )


def _training(card: ModelCard) -> str:
    """Return how the model was fitted, as a list of what the card knows."""
    training, recipe = card.training, card.recipe
    members, ensemble = recipe.get("members"), training.get("ensemble_holdout_accuracy")
    fitted: dict[str, Any] = {
        "Starts from": {"none": "", **WEIGHTS}.get(card.weights_from, card.weights_from),
        "Trained": card.trained_part,
        "Network": _network(card.spec),
        "Fit": _fit(card),
        "Target": TEXTS["targets"].get(str(recipe.get("target", "labels")), ""),
        "Served head": _served_head(training),
        "Teachers": _names(recipe.get("teachers")),
        "Epochs, seed": f"{training['epochs']}, {training.get('seed', '–')}" if training.get("epochs") else "",
        "Time": f"{training['seconds'] / 60:,.0f} minutes" if training.get("seconds") else "",
    }
    if fitted["Time"] and training.get("device"):
        fitted["Time"] += f" on {training['device']}"
    rule = training.get("holdout")
    if rule is None and str(training.get("data", "")).startswith("FER2013"):
        rule = "stratified tenth of `fer2013.csv`; it contains the fixed list of rows, which newer models hold out"
    holdout = f"on which settings were chosen{f' ({rule})' if rule else ''}"
    given = {
        "Members": _names(members),
        "Answer": recipe.get("fusion", ""),
        "Accuracy on the hold-out": ensemble
        and f"{_percent(ensemble['plain'])}; with the mirror image, {_percent(ensemble['flip'])}",
        **({} if members else fitted),
        "Faces": _counted(training.get("faces"), training.get("data")),
        "Hold-out": _counted(training.get("holdout_faces"), holdout),
        "Code": f"commit {training['commit']}" if training.get("commit") else "",
    }
    return "\n".join(f"- {name}: {value}" for name, value in given.items() if value and value != "–")


def _network(spec: ModelSpec | None) -> str:
    """Return what the paper varies of a network: its size, batch norm, noise and preprocessing."""
    if spec is None or not spec.backbone:
        return ""
    noise = f"{spec.noise:g} of the gray range" if spec.noise else "none"
    return (
        f"{spec.backbone} at {spec.backbone_size} pixels; batch norm: {spec.batch_normalization}; noise: {noise}; "
        f"preprocessing: {spec.preprocessing}"
    )


def _fit(card: ModelCard) -> str:
    """Return the recipe in words; empty for baselines, ensembles and recipes of other versions."""
    try:
        return fit_summary(Recipe.from_dict(dict(card.recipe)))
    except (FerError, TypeError, KeyError):
        return ""


def _served_head(training: Any) -> str:
    """Return how a head that learned labels and one that learned votes became one."""
    if "votes_share" not in training:
        return ""
    text = f"the weighted mean of both heads, {percent(training['votes_share'])} votes"
    if training.get("frequency_correction"):
        text += f", corrected for the frequency of each expression by {percent(training['frequency_correction'])}"
    if training.get("temperature"):
        text += f", temperature {training['temperature']:.2f}"
    return f"{text}; chosen on the hold-out"


def _counted(number: Any, what: Any) -> str:
    return f"{number:,}{f', {what}' if what else ''}" if isinstance(number, int) else ""


def _names(models: Any) -> str:
    return ", ".join(f"`{name}`" for name in models or ())


def _results(card: ModelCard) -> str:
    """Return the scores with their intervals, and what the paper reports for the same variant."""
    rows = [
        [split, YARDSTICKS[by], *(_with_interval(score, name) for name in ("accuracy", "macro_f1", "roc_auc")),
         f"{score.values.get('n', 0):,}"]
        for split, by, score in _scores(card)
    ]  # fmt: skip
    if not rows:
        return ""
    text = _table(["Split", "Judged by", "Accuracy", "Macro F1", "ROC AUC", "Faces"], rows)
    text += "\n\nThe served file, each face once, with 95 % bootstrap intervals over the faces. "
    text += "" if card.added else "Nothing was chosen on these splits."
    leaked = [
        f"{split}: {_percent(card.metrics[key]['plain']['accuracy_without_leaked'])}"
        for split, key in TEST_SPLITS.items()
        if "accuracy_without_leaked" in card.metrics.get(key, {}).get("plain", {})
    ]
    if leaked:
        text += f" Accuracy by FER2013's label without faces that are also in Training: {', '.join(leaked)}."
    variant = card.name
    for ending in OTHER_WEIGHTS:
        variant = variant.removesuffix(ending)
    if not (paper := reported(variant)):
        return text
    numbers = " and ".join(dict.fromkeys(_percent(row.accuracy) for row in paper))
    beside = [
        f"The paper reports an accuracy of {numbers} for this variant.",
        TEXTS["starts"].get(card.weights_from, ""),
    ]
    score = card.score("public_test")
    if score and any((ends := score.interval("accuracy")).low <= row.accuracy <= ends.high for row in paper):
        beside.append("What the paper reports is within the interval on PublicTest above.")
    return f"{text}\n\n{' '.join(filter(None, [*beside, TEXTS['beside_the_paper'].get(card.name, '')]))}"


def _by_expression(card: ModelCard) -> str:
    """Return precision, recall and F1 of each expression on PublicTest, by each yardstick."""
    texts = []
    for by, judge in YARDSTICKS.items():
        score = card.score("public_test", "plain", by)
        measured = score.values.get("per_class", {}) if score else {}
        classes = {name: measured[name] for name in EXPRESSIONS if name in measured}
        rows = [
            [name, *(_percent(scores[key]) for key in ("precision", "recall", "f1")), f"{scores['support']:,.0f}"]
            for name, scores in classes.items()
        ]
        if rows:
            recalls = {name: scores["recall"] for name, scores in classes.items() if scores["recall"] is not None}
            least = sorted(recalls, key=recalls.__getitem__)[:2]
            words = " and ".join(f"{name} ({_percent(recalls[name])})" for name in least)
            table = _table(["Expression", "Precision", "Recall", "F1", "Faces"], rows)
            texts.append(f"{table}\n\nOn PublicTest, by {judge}. Found least often (recall): {words}.")
    return _paragraphs(*texts)


def _degraded(model: StoredModel) -> str:
    tables = {words: robustness_table([model], by=by)[0] for by, words in YARDSTICKS.items()}
    summaries = {words: robustness_summary(table).iloc[0] for words, table in tables.items() if len(table)}
    if not summaries:
        return ""
    kinds = {"clean": "clean", **{kind: degradation.title for kind, degradation in DEGRADATIONS.items()}}
    rows = [[title, *(_percent(row[kind]) for row in summaries.values())] for kind, title in kinds.items()]
    first = next(iter(summaries.values()))
    faces = " and ".join(f"{row['faces']:,.0f}" for row in summaries.values())
    return (
        f"{_table(['Faces', *(f'by {words}' for words in summaries)], rows)}\n\nAccuracy on {faces} test faces; each "
        f"kind is the mean over five strengths. Mean confidence on degraded faces: {_percent(first['confidence'])}."
    )


def _consistency(model: StoredModel) -> str:
    """Return how often the model says the same of changed faces, and between which groups that differs most."""
    try:
        table = model.consistency()
    except FerError as error:
        return str(error)
    if table.empty:
        return ""
    everyone, grouped = table[table["group"] == ""], table[(table["group"] != "") & (table["faces"] >= MINIMUM)]
    rows = []
    for row in records(everyone):
        cells = [row["change"], f"{_percent(row['value'])} ({100 * row['low']:.1f} – {_percent(row['high'])})"]
        groups = grouped[grouped["change"] == row["change"]].sort_values("value")
        ends = (groups.iloc[0], groups.iloc[-1]) if len(groups) else ()
        rows.append([*cells, *(f"{end['by']} {end['group']}: {_percent(end['value'])}" for end in ends)])
    head = ["Change", "Same prediction", *(("Least often", "Most often") if len(grouped) else ())]
    return (
        f"{_table(head, rows)}\n\nHow often the prediction stays the same, on {everyone['faces'].iloc[0]:,} faces of "
        f"{table['data'].iloc[0]}, which have no labels of expressions. Nothing was chosen by it."
    )


def _fails(model: StoredModel) -> str:
    """Return where the model is right least often, from its stored predictions and the properties of the faces."""
    answers, _ = load_predictions([model], "PublicTest", "plain")
    if answers is None:
        return ""
    try:
        faces = stored_faces(answers, model.name)
        worst = faces.where_it_fails().iloc[0]
    except FerError:
        return ""
    rows = [
        [
            title,
            f"{gap['highest']}: {_percent(gap['highest_value'])}",
            f"{gap['lowest']}: {_percent(gap['lowest_value'])}",
            f"{100 * gap['gap']:.1f} points ({100 * gap['low']:.1f} to {100 * gap['high']:.1f})",
            f"{gap['p_holm']:.3f}",
        ]
        for name, title in faces.divisions.items()
        for gap in records(faces.compare(name).gaps.query("rate == 'accuracy'"))
    ]
    return (
        f"{_table(['Faces divided by', 'Most often right', 'Least often right', 'Gap', 'p'], rows)}\n\nAccuracy on "
        f"PublicTest by FER2013's label, in groups of at least {MINIMUM} faces. p: permutation test with Holm's "
        "correction over all rates of a division. A small decision tree over these properties finds the most errors "
        f"where {worst['where']}: {percent(worst['value'])} of {worst['faces']:,} faces that did not grow the tree "
        f"({percent(worst['low'])} to {percent(worst['high'])})."
    )


def _percent(share: float | None) -> str:
    return percent(share, ".1%")


def _scores(card: ModelCard) -> list[tuple[str, str, Score]]:
    """Return split, yardstick and score of all that was measured, plain."""
    scores = [(split, by, card.score(key, "plain", by)) for by in YARDSTICKS for split, key in TEST_SPLITS.items()]
    return [(split, by, score) for split, by, score in scores if score is not None]


def _with_interval(score: Score, metric: str) -> str:
    ends = score.interval(metric)
    interval = "" if math.isnan(ends.low) else f" ({100 * ends.low:.1f} – {_percent(ends.high)})"
    return _percent(score[metric]) + interval


def _table(head: list[str], rows: list[list[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(cell.replace('|', '/') for cell in line)} |" for line in lines)


def _paragraphs(*texts: str | None) -> str:
    return "\n\n".join(filter(None, texts))
