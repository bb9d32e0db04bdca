"""What a network learns: FER2013's labels, FER+'s votes, or both with a head for each; and the blend of two heads."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Final

import keras
import numpy as np
from keras import ops
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar
from scipy.special import softmax

from fer_core.data import FaceDataset, FerPlusVotes
from fer_core.labels import NUM_CLASSES
from fer_core.measuring.measure import degraded_copies, score_copies
from fer_core.models.networks import outputs_of
from fer_core.training.recipe import Recipe
from fer_core.types import FerError

VOTES_HEAD: Final = "votes_head"

SHARES: Final = tuple(step / 20 for step in range(21))  # what `choose_blend` tries
CORRECTIONS: Final = tuple(step / 10 for step in range(11))
LABEL_FLOOR: Final = 0.655
"""Accuracy by FER2013's label on the hold-out that a blend keeps if it can.

A reader who always gave the annotators' most frequent answer would be right by the label on 65.4 and 65.6 % of the test
splits, 65.7 % of the training part and 66.3 % of the hold-out, of the faces with one clear answer. The bound was set by
the test splits: it rests on their labels, though on no model's answers. By the hold-out's own 66.3 % another blend
would have been chosen.
"""


def make_targets(
    labels: NDArray[np.int64],
    votes: FerPlusVotes | None,
    target: str,
    smoothing: float = 0.0,
    *,
    classes: int = NUM_CLASSES,
) -> NDArray[np.float32]:
    """Return the targets that the loss compares the network's output with, `(n, classes)`, or `(n, 14)` for both.

    Labels come first. `smoothing` spreads a share of each over all classes; votes are soft already. A face without a
    vote for any of the seven has shares of zero, which add nothing to the loss. A `FerError` is raised if votes are
    needed and there are none.
    """
    one_hot = np.eye(classes, dtype=np.float32)[labels] * (1 - smoothing) + smoothing / classes
    if target == "labels":
        return one_hot
    if votes is None:
        raise FerError(
            "This recipe learns from FER+'s votes, and these faces have none. Use FER2013. Get the votes with "
            "`fer-lab data download`, or set the environment variable FERPLUS_PATH to FER+'s fer2013new.csv."
        )
    return votes.shares() if target == "votes" else np.concatenate([one_hot, votes.shares()], axis=1)


def make_loss(recipe: Recipe) -> keras.losses.Loss:
    """Build a recipe's loss over the targets of `make_targets` and probabilities."""
    if recipe.loss == "focal":
        return keras.losses.CategoricalFocalCrossentropy(alpha=1.0, gamma=recipe.focusing)
    return CrossEntropy(name="cross_entropy")


def make_metrics(recipe: Recipe) -> list[str | keras.metrics.Metric]:
    """Return the metrics of a fit: `accuracy` by the target, and `votes_accuracy` as well if there are two."""
    if recipe.target == "labels":
        return ["accuracy"]
    votes = [PluralityAccuracy("votes_accuracy", NUM_CLASSES)] if recipe.target == "both" else []
    return [PluralityAccuracy(), *votes]


def with_votes_head(network: keras.Model) -> keras.Model:
    """Return a model that shares the network's layers and has a second head for the votes.

    It answers `(batch, 14)` float32: those of the network's last layer, the softmax layer `head`, then those of
    `votes_head`.
    """
    features = network.get_layer("head").input
    votes = keras.layers.Dense(NUM_CLASSES, activation="softmax", dtype="float32", name=VOTES_HEAD)(features)
    both = keras.layers.Concatenate(dtype="float32", name="both_heads")([network.output, votes])
    return keras.Model(network.input, both)


def heads_of(two_heads: keras.Model) -> NDArray[np.float32]:
    """Return the weights of both heads of `with_votes_head`, as `StoredModel.heads` does."""
    weights = [two_heads.get_layer(name).get_weights() for name in ("head", VOTES_HEAD)]
    return np.stack([np.vstack([kernel, bias]) for kernel, bias in weights]).astype(np.float32)


def with_heads(network: keras.Model, heads: NDArray[np.float32]) -> keras.Model:
    """Return a stored network with both heads that it learned with, the result of `StoredModel.heads`.

    Its head, a blend of the two, is replaced by the labels head. A `FerError` is raised if the heads are of another
    network.
    """
    both = with_votes_head(network)
    for name, head in zip(("head", VOTES_HEAD), heads, strict=True):
        layer = both.get_layer(name)
        if layer.kernel.shape != head[:-1].shape:
            raise FerError(f"Expected heads for {layer.kernel.shape[0]} features. Received: {len(head) - 1}")
        layer.set_weights([head[:-1], head[-1]])
    return both


class CrossEntropy(keras.losses.Loss):
    """Cross-entropy of any number of heads: minus the sum of target times logarithm of the answer, for each face.

    A face's targets may sum to another number than 1: to 0 for a face without votes, which then costs nothing, and to
    more where teachers' answers are added. For such targets Keras' own loss has a wrong gradient behind a softmax on
    TensorFlow, where it uses a fused kernel.
    """

    def call(self, y_true: Any, y_pred: Any) -> Any:
        answers = ops.clip(ops.cast(y_pred, "float32"), keras.config.epsilon(), 1.0)
        return -ops.sum(ops.cast(y_true, "float32") * ops.log(answers), axis=1)


class PluralityAccuracy(keras.metrics.Metric):
    """Share of the faces whose most probable answer has the most votes of the seven; faces with a tie do not count."""

    def __init__(self, name: str = "accuracy", first: int = 0) -> None:
        super().__init__(name=name)
        self.first = first  # of the seven columns of targets and answers to compare
        self.correct = self.add_weight(name="correct", initializer="zeros")
        self.faces = self.add_weight(name="faces", initializer="zeros")

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:  # noqa: ARG002
        columns = slice(self.first, self.first + NUM_CLASSES)
        targets, answers = ops.cast(y_true[:, columns], "float32"), y_pred[:, columns]
        top = ops.max(targets, axis=1, keepdims=True)
        single = ops.equal(ops.sum(ops.cast(targets >= top - 1e-6, "float32"), axis=1), 1.0)
        correct = ops.logical_and(single, ops.equal(ops.argmax(targets, axis=1), ops.argmax(answers, axis=1)))
        self.correct.assign_add(ops.sum(ops.cast(correct, "float32")))
        self.faces.assign_add(ops.sum(ops.cast(single, "float32")))

    def result(self) -> Any:
        return ops.divide_no_nan(self.correct, self.faces)


@dataclass(frozen=True)
class Blend:
    """How two heads become the one that is served.

    Both are linear layers on the same features, so that a mixture of their logits is again one linear layer. Its bias
    also corrects for how often each expression occurs in training, and its scale sets the confidence.

    Attributes:
        share: weight of the votes head, 0 to 1; that of the labels head is the rest.
        correction: 0 leaves the logits as they are. 1 subtracts the logarithm of each expression's frequency in
            training, as if all expressions were equally frequent (logit adjustment, Menon et al. 2021).
        temperature: what the logits are divided by. Below 1 it makes the answers more confident; a mixture of two heads
            that disagree is less confident than it is right.
    """

    share: float
    correction: float = 0.0
    temperature: float = 1.0

    def offset(self, frequencies: NDArray[np.floating]) -> NDArray[np.float64]:
        """Return what is subtracted from the logits, `(7,)`, with the result of `class_frequencies`."""
        return self._mixed(np.log(frequencies)) * self.correction

    def answers(self, both: NDArray[np.floating], frequencies: NDArray[np.floating]) -> NDArray[np.floating]:
        """Return the probabilities `(n, 7)` of the blended head for `(n, 14)` of `with_votes_head`."""
        logits = np.log(np.clip(both.astype(np.float64), 1e-12, None)).reshape(-1, 2, NUM_CLASSES)
        return softmax((self._mixed(logits.swapaxes(0, 1)) - self.offset(frequencies)) / self.temperature, axis=1)

    def set_head(self, network: keras.Model, two_heads: keras.Model, frequencies: NDArray[np.floating]) -> None:
        """Set the weights of the network's head so that it answers as `answers` says.

        The served network stays as small as with one head, and its class activation map stays exact.
        """
        head, votes = network.get_layer("head"), two_heads.get_layer(VOTES_HEAD)
        kernel, bias = map(self._mixed, zip(head.get_weights(), votes.get_weights(), strict=True))
        head.set_weights([kernel / self.temperature, (bias - self.offset(frequencies)) / self.temperature])

    def _mixed(self, pair: Any) -> Any:
        """Return the weighted mean of a value of the labels head and one of the votes head."""
        labels, votes = pair
        return (1 - self.share) * labels + self.share * votes


def set_blended_head(
    network: keras.Model, learner: keras.Model, *, training: FaceDataset, holdout: FaceDataset
) -> dict[str, Any]:
    """Set a network's head to the blend of its own and the learner's votes head that is best on the hold-out.

    `network` is fitted, in float32, with one head; `learner` is the fitted result of `with_votes_head` with the same
    weights below the heads. Those of the hold-out are preprocessed for the network. The result says what was chosen and
    tried, for the card.
    """
    both = with_votes_head(network)
    both.get_layer(VOTES_HEAD).set_weights(learner.get_layer(VOTES_HEAD).get_weights())
    frequencies = class_frequencies(training)
    blend, tried = choose_blend(both, holdout, frequencies)
    blend.set_head(network, both, frequencies)
    chosen = {"votes_share": blend.share, "frequency_correction": blend.correction, "temperature": blend.temperature}
    return chosen | tried


def class_frequencies(training: FaceDataset) -> NDArray[np.float64]:
    """Return the frequency of each expression among the labels, and among the shares of votes, `(2, 7)`.

    One face is added to each expression, so that none has a frequency of 0.
    """
    if training.votes is None:
        raise FerError("A head for the votes needs faces with votes. Use FER2013 with FER+'s votes.")
    counts = np.stack([np.bincount(training.labels, minlength=NUM_CLASSES), training.votes.shares().sum(axis=0)]) + 1
    return counts / counts.sum(axis=1, keepdims=True)


def choose_blend(
    two_heads: keras.Model, holdout: FaceDataset, frequencies: NDArray[np.floating]
) -> tuple[Blend, dict[str, dict[str, dict[str, float]]]]:
    """Choose share, correction and temperature on the hold-out.

    The best pair of share and correction has the highest `score` of `holdout_score`, by which the default model is
    chosen as well, among those that are right by FER2013's label on at least `LABEL_FLOOR`, if there are any. The
    temperature, from 0.25 to 4, brings the mean confidence as near as possible to the mean of the accuracies in it; as
    in the score, the clean faces count as much as all degraded ones.

    Returns:
        The blend, and for the card the results of `holdout_score` for all shares with the chosen correction
        (`holdout_by_votes_share`) and for all corrections with the chosen share (`holdout_by_correction`).
    """
    answers = {name: outputs_of(two_heads, faces, 512) for name, faces in degraded_copies(holdout.images).items()}

    def blended(blend: Blend) -> dict[str, NDArray[np.floating]]:
        return {name: blend.answers(both, frequencies) for name, both in answers.items()}

    pairs = [Blend(share, correction) for share in SHARES for correction in CORRECTIONS]
    tried = {pair: score_copies(blended(pair), holdout) for pair in pairs}
    chosen = max(tried, key=lambda blend: (tried[blend]["label"] >= LABEL_FLOOR, tried[blend]["score"]))
    accuracies = [tried[chosen][part] for part in ("label", "plurality", "label_degraded", "plurality_degraded")]

    def distance(temperature: float) -> float:
        confidences = {
            name: probabilities.max(axis=1).mean()
            for name, probabilities in blended(replace(chosen, temperature=temperature)).items()
        }
        clean = confidences.pop("clean")
        return abs((clean + np.mean(list(confidences.values()))) / 2 - np.mean(accuracies))

    temperature = round(float(minimize_scalar(distance, bounds=(0.25, 4), method="bounded").x), 3)
    return replace(chosen, temperature=temperature), {
        "holdout_by_votes_share": {f"{share:.2f}": tried[Blend(share, chosen.correction)] for share in SHARES},
        "holdout_by_correction": {f"{by:.1f}": tried[Blend(chosen.share, by)] for by in CORRECTIONS},
    }
