"""One served head from the two that learned the labels and the votes.

Both heads are linear layers on the same features, so that a mixture of their logits is again one linear layer. Its bias
also corrects for how often each expression occurs in training, and its scale sets the confidence.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Final

import keras
import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar

from fer_core.data import FerDataset
from fer_core.labels import NUM_CLASSES
from fer_core.measuring.holdout import degraded_copies, score_copies
from fer_core.training.targets import VOTES_HEAD
from fer_core.types import FerError

SHARES: Final = tuple(step / 20 for step in range(21))
CORRECTIONS: Final = tuple(step / 10 for step in range(11))
"""What `choose_blend` tries."""


@dataclass(frozen=True)
class Blend:
    """How two heads become one.

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
        """Return what is subtracted from the logits, `(7,)`.

        Args:
            frequencies: the result of `class_frequencies`.
        """
        return self.correction * self._mixed(np.log(frequencies))

    def answers(self, both: NDArray[np.floating], frequencies: NDArray[np.floating]) -> NDArray[np.floating]:
        """Return the probabilities `(n, 7)` of the blended head.

        Args:
            both: `(n, 14)` probabilities of `targets.with_votes_head`.
            frequencies: the result of `class_frequencies`.
        """
        logits = np.log(np.clip(both.astype(np.float64), 1e-12, None)).reshape(-1, 2, NUM_CLASSES)
        mixed = (self._mixed(logits.swapaxes(0, 1)) - self.offset(frequencies)) / self.temperature
        exponentials = np.exp(mixed - mixed.max(axis=1, keepdims=True))
        return exponentials / exponentials.sum(axis=1, keepdims=True)

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


def class_frequencies(training: FerDataset) -> NDArray[np.float64]:
    """Return the frequency of each expression among the labels, and among the shares of votes, `(2, 7)`.

    One face is added to each expression, so that none has a frequency of 0.

    Raises:
        FerError: the faces have no votes.
    """
    if training.votes is None:
        raise FerError("A head for the votes needs faces with votes. Use FER2013 with FER+'s votes.")
    counts = np.stack([np.bincount(training.labels, minlength=NUM_CLASSES), training.votes.shares().sum(axis=0)]) + 1
    return counts / counts.sum(axis=1, keepdims=True)


def choose_blend(
    two_heads: keras.Model, holdout: FerDataset, frequencies: NDArray[np.floating]
) -> tuple[Blend, dict[str, dict[str, dict[str, float]]]]:
    """Choose share, correction and temperature on the hold-out.

    The best pair of share and correction has the highest `score` of `holdout_score`, by which the default model is
    chosen as well. The temperature brings the mean confidence as near as possible to the mean of the accuracies in it.

    Args:
        two_heads: the fitted result of `targets.with_votes_head`.
        holdout: its faces, preprocessed for the network, with votes.
        frequencies: the result of `class_frequencies` for the faces that it was fitted on.

    Returns:
        The blend, and for the card the results of `holdout_score` for all shares with the chosen correction
        (`holdout_by_votes_share`) and for all corrections with the chosen share (`holdout_by_correction`).
    """
    answers = {
        name: two_heads.predict(faces[..., None].astype(np.float32), batch_size=512, verbose=0)
        for name, faces in degraded_copies(holdout.images).items()
    }

    def measure(blend: Blend) -> dict[str, float]:
        blended = {name: blend.answers(both, frequencies) for name, both in answers.items()}
        return score_copies(blended, holdout)

    tried = {pair: measure(pair) for pair in (Blend(share, by) for share in SHARES for by in CORRECTIONS)}
    chosen = max(tried, key=lambda blend: tried[blend]["score"])
    accuracies = [tried[chosen][part] for part in ("label", "plurality", "label_degraded", "plurality_degraded")]
    temperature = _temperature(chosen, answers, frequencies, float(np.mean(accuracies)))
    return replace(chosen, temperature=temperature), {
        "holdout_by_votes_share": {f"{share:.2f}": tried[Blend(share, chosen.correction)] for share in SHARES},
        "holdout_by_correction": {f"{by:.1f}": tried[Blend(chosen.share, by)] for by in CORRECTIONS},
    }


def _temperature(
    blend: Blend, answers: dict[str, NDArray[np.floating]], frequencies: NDArray[np.floating], wanted: float
) -> float:
    """Return the temperature, from 0.25 to 4, with which the mean confidence comes nearest to a value.

    As in the score, the clean faces count as much as all degraded ones.
    """

    def distance(temperature: float) -> float:
        cooled = replace(blend, temperature=temperature)
        confidences = {name: cooled.answers(both, frequencies).max(axis=1).mean() for name, both in answers.items()}
        degraded = [value for name, value in confidences.items() if name != "clean"]
        return abs((confidences["clean"] + np.mean(degraded)) / 2 - wanted)

    return round(float(minimize_scalar(distance, bounds=(0.25, 4), method="bounded").x), 3)
