"""How a model is fitted: one dataclass with the reason beside each value. Keras-free."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any, Final

from fer_core.models import ModelSpec
from fer_core.training.augmentation import Augmentation
from fer_core.types import FerError

OPTIMIZERS: Final = ("sgd", "adam", "adamw")
SCHEDULES: Final = ("one_cycle", "cosine", "constant", "reduce_on_plateau")
LOSSES: Final = ("cross_entropy", "focal")
CLASS_WEIGHTS: Final = ("none", "balanced")
TARGETS: Final = ("labels", "votes", "both")


@dataclass(frozen=True)
class Recipe:
    """Everything that `fit` needs besides the model and the data.

    Attributes:
        epochs: passes over the training part; the schedule ends exactly there.
        batch_size: faces a step.
        optimizer: `sgd` (Nesterov), `adam` or `adamw`.
        peak_learning_rate: the highest; where the schedule goes from there, it says.
        schedule: `one_cycle`: up during `warmup`, then down to zero along a half cosine; `cosine`: down at once;
            `constant`; `reduce_on_plateau`: a fifth of it whenever the hold-out loss has not fallen for three epochs.
        warmup: share of all steps with a linearly rising rate (`one_cycle`).
        momentum: of SGD.
        weight_decay: on kernels only, decoupled, times the learning rate.
        label_smoothing: share of a label spread over all seven: FER2013's labels are wrong about one time in ten
            (Barsoum et al. 2016).
        ema: momentum of the average of weights that is kept as the result, less in fits of few steps, where so long an
            average would still hold the random start; 0 keeps the last weights.
        early_stopping: stop when the hold-out loss has not fallen for so many epochs, and keep the best epoch's
            weights; 0 never. Not together with `ema`.
        loss: `cross_entropy`, or `focal` (Lin et al. 2017), which weighs faces down that are right already.
        focusing: focal loss's exponent.
        class_weights: `none`, or `balanced`: each class counts as much as any other, however rare.
        seed: of initial weights, order and augmentation.
        mixed_precision: compute in bfloat16, keep weights in float32.
        augmentation: how the faces vary; None leaves them as they are.
        target: what is learnt: FER2013's `labels`; the shares of FER+'s `votes` over the seven expressions; or `both`,
            with a head each on one trunk. One head between the two is then served, as the hold-out decides (see
            `fer_core.training.targets.blend`).
        teachers: stored models whose mean answer to the same faces is learnt too (see `Teaching`). They need their
            Keras weights.
        temperature: that softens their answers.
        teaching: weight of their loss beside that of the labels, which counts 1.

    Raises:
        FerError: on creation, if a value is none of these.
    """

    epochs: int
    batch_size: int = 128
    optimizer: str = "sgd"
    peak_learning_rate: float = 0.1
    schedule: str = "one_cycle"
    warmup: float = 0.1
    momentum: float = 0.9
    weight_decay: float = 5e-4
    label_smoothing: float = 0.1
    ema: float = 0.998
    early_stopping: int = 0
    loss: str = "cross_entropy"
    focusing: float = 2.0
    class_weights: str = "none"
    seed: int = 0
    mixed_precision: bool = True
    augmentation: Augmentation | None = field(default_factory=Augmentation)
    target: str = "labels"
    teachers: tuple[str, ...] = ()
    temperature: float = 2.0
    teaching: float = 1.0

    def __post_init__(self) -> None:
        if self.epochs < 1 or self.batch_size < 1:
            raise FerError(
                f"Expected at least one epoch and one face a batch. Received: epochs={self.epochs}, "
                f"batch_size={self.batch_size}"
            )
        for name, allowed in _CHOICES.items():
            if getattr(self, name) not in allowed:
                raise FerError(
                    f"Unknown {name}. Expected one of: {', '.join(allowed)}. Received: {getattr(self, name)}"
                )
        if not self.peak_learning_rate > 0 or not 0 <= self.label_smoothing < 1 or not 0 <= self.ema < 1:
            raise FerError(
                f"Expected a learning rate above 0, label smoothing and ema from 0 to below 1. Received: "
                f"{self.peak_learning_rate}, {self.label_smoothing}, {self.ema}"
            )
        if not self.temperature > 0 or not self.teaching > 0:
            raise FerError(
                f"Expected a temperature and a weight of teaching above 0. Received: {self.temperature}, "
                f"{self.teaching}"
            )
        if self.target != "labels" and (self.loss != "cross_entropy" or self.class_weights != "none"):
            raise FerError("Focal loss and class weights need labels as the target. Choose target='labels'.")
        if self.early_stopping and self.ema:
            raise FerError(
                "Early stopping keeps the best epoch's weights, ema the average of the last ones. Choose one: set ema "
                "or early_stopping to 0."
            )

    def as_dict(self) -> dict[str, Any]:
        """Return plain JSON types, for cards and run folders."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Recipe:
        """Build from `as_dict`'s result.

        Raises:
            TypeError: a key is unknown or missing.
        """
        kept = dict(values)
        if isinstance(kept.get("augmentation"), dict):
            drawn = kept["augmentation"]
            kept["augmentation"] = Augmentation(**{**drawn, "scale": tuple(drawn["scale"])})
        kept["teachers"] = tuple(kept.get("teachers", ()))
        return cls(**kept)


def uses_features(spec: ModelSpec, recipe: Recipe) -> bool:
    """Whether a fit runs on kept features of a frozen backbone: only where a face looks the same in every epoch."""
    one_head = recipe.target == "labels" and not recipe.teachers
    return spec.frozen and one_head and (recipe.augmentation is None or recipe.augmentation.only_mirrors)


_CHOICES = {
    "optimizer": OPTIMIZERS,
    "schedule": SCHEDULES,
    "loss": LOSSES,
    "class_weights": CLASS_WEIGHTS,
    "target": TARGETS,
}
