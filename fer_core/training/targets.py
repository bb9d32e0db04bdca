"""What a network learns: FER2013's labels, the shares of FER+'s votes, or both with a head for each."""

from __future__ import annotations

from typing import Any, Final

import keras
import numpy as np
from keras import ops
from numpy.typing import NDArray

from fer_core.data import FerPlusVotes
from fer_core.labels import NUM_CLASSES
from fer_core.training.recipe import Recipe
from fer_core.types import FerError

VOTES_HEAD: Final = "votes_head"


def make_targets(
    labels: NDArray[np.int64], votes: FerPlusVotes | None, target: str, smoothing: float = 0.0
) -> NDArray[np.float32]:
    """Return the targets that the loss compares the network's output with.

    Args:
        labels: `(n,)` class indices.
        votes: on the same faces; not needed for `labels`.
        target: one of `fer_core.training.recipe.TARGETS`.
        smoothing: share of each label that is spread over all classes. Votes are soft already.

    Returns:
        `(n, 7)`, or `(n, 14)` for both, labels first. A face without a vote for any of the seven has shares of zero,
        which add nothing to the loss.

    Raises:
        FerError: votes are needed and there are none.
    """
    one_hot = np.eye(NUM_CLASSES, dtype=np.float32)[labels] * (1 - smoothing) + smoothing / NUM_CLASSES
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
    second = [PluralityAccuracy("votes_accuracy", NUM_CLASSES)] if recipe.target == "both" else []
    return [PluralityAccuracy(), *second]


def with_votes_head(network: keras.Model) -> keras.Model:
    """Return a model that shares the network's layers and has a second head for the votes.

    Args:
        network: its last layer is the softmax layer `head`.

    Returns:
        A model from the same input to `(batch, 14)` float32: the answers of `head`, then those of `votes_head`.
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
    """Return a stored network with both heads that it learned with; the opposite of `heads_of`.

    Args:
        network: its head, a blend of the two, is replaced by the labels head.
        heads: the result of `StoredModel.heads`.

    Raises:
        FerError: the heads are of another network.
    """
    both = with_votes_head(network)
    for name, head in zip(("head", VOTES_HEAD), heads, strict=True):
        layer = both.get_layer(name)
        if layer.kernel.shape != head[:-1].shape:
            raise FerError(f"Expected heads for {layer.kernel.shape[0]} features. Received: {len(head) - 1}")
        layer.set_weights([head[:-1], head[-1]])
    return both


class CrossEntropy(keras.losses.Loss):
    """Cross-entropy of any number of heads: minus the sum of target times logarithm of the answer.

    A face's targets may sum to another number than 1: to 0 for a face without votes, which then costs nothing, and to
    more where teachers' answers are added. For such targets Keras' own loss has a wrong gradient behind a softmax on
    TensorFlow, where it uses a fused kernel.
    """

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """Return the loss of each face, `(batch,)`; targets and answers are `(batch, 7)` or `(batch, 14)`."""
        answers = ops.clip(ops.cast(y_pred, "float32"), keras.config.epsilon(), 1.0)
        return -ops.sum(ops.cast(y_true, "float32") * ops.log(answers), axis=1)


class PluralityAccuracy(keras.metrics.Metric):
    """Share of the faces whose most probable answer has the most votes of the seven; faces with a tie do not count.

    Args:
        name: of the metric.
        first: the first of the seven columns of targets and answers to compare.
    """

    def __init__(self, name: str = "accuracy", first: int = 0) -> None:
        super().__init__(name=name)
        self.first = first
        self.correct = self.add_weight(name="correct", initializer="zeros")
        self.faces = self.add_weight(name="faces", initializer="zeros")

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:  # noqa: ARG002
        """Add a batch."""
        columns = slice(self.first, self.first + NUM_CLASSES)
        wanted, given = ops.cast(y_true[:, columns], "float32"), y_pred[:, columns]
        top = ops.max(wanted, axis=1, keepdims=True)
        single = ops.equal(ops.sum(ops.cast(wanted >= top - 1e-6, "float32"), axis=1), 1.0)
        correct = ops.logical_and(single, ops.equal(ops.argmax(wanted, axis=1), ops.argmax(given, axis=1)))
        self.correct.assign_add(ops.sum(ops.cast(correct, "float32")))
        self.faces.assign_add(ops.sum(ops.cast(single, "float32")))

    def result(self) -> Any:
        """Return the share, 0 to 1."""
        return ops.divide_no_nan(self.correct, self.faces)
