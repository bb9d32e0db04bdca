"""How models are fitted: one dataclass, and the recipe of each named model. Nothing here imports Keras."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, replace
from typing import Any, Final

from fer_core.files import name_from
from fer_core.models import ModelSpec
from fer_core.models.backbones import backbone_named
from fer_core.models.registry import EXTRAS
from fer_core.models.spec import PRETRAINED, WEIGHTS
from fer_core.training.augmentation import AS_THE_PAPER, MIRROR_ONLY, ROBUST, Augmentation, augmentation_named
from fer_core.types import FerError

OPTIMIZERS: Final = ("sgd", "adam", "adamw")
SCHEDULES: Final = ("one_cycle", "cosine", "constant", "reduce_on_plateau")
LOSSES: Final = ("cross_entropy", "focal")
CLASS_WEIGHTS: Final = ("none", "balanced")

WITHOUT_RECIPE: Final = ("class_prior", "hog_linear", "ensemble")  # architectures that are not fitted in epochs


@dataclass(frozen=True)
class Recipe:
    """Everything that `fit` needs besides the model and the data.

    Attributes:
        epochs: passes over the training part; the schedule ends with the last one.
        batch_size: faces in a step.
        optimizer: `sgd` (with Nesterov momentum), `adam` or `adamw`.
        peak_learning_rate: the maximum learning rate.
        schedule: `one_cycle`: linearly up during `warmup`, then along half a cosine down to zero; `cosine`: down from
            the start; `constant`; `reduce_on_plateau`: a fifth of the rate whenever the validation loss has not
            fallen for three epochs.
        warmup: share of the steps in which the rate rises (`one_cycle`).
        momentum: of SGD.
        weight_decay: decoupled, times the learning rate, on kernels only.
        label_smoothing: share of each label that is spread over all classes. FER2013's labels are noisy: where
            FER+'s ten annotators have one clear answer, it is the label for 65 % of the faces of the test splits.
        ema: momentum of the moving average of the weights, which becomes the result. It is reduced in short fits,
            where the average would still contain the initial weights. 0 keeps the last weights.
        early_stopping: stop when the validation loss has not fallen for this many epochs, and keep the weights of the
            best epoch; 0 never stops. Not together with `ema`.
        loss: `cross_entropy`, or `focal` (Lin et al. 2017), which gives less weight to faces that are already correct.
        focusing: exponent of the focal loss.
        class_weights: `none`, or `balanced`, which gives every class the same total weight.
        seed: of the initial weights, the order of the faces and the augmentation.
        mixed_precision: compute in bfloat16 and keep the weights in float32, where the machine has instructions for it.
        augmentation: how the faces vary; None leaves them unchanged.
        target: what is learned: FER2013's `labels`; the shares of FER+'s `votes` over the seven expressions; or `both`,
            with a head for each. The served model then has one head, a blend of the two (see
            `fer_core.training.targets`).
        teachers: names of stored models for distillation (see `teachers`). They need their Keras weights.
        teaching: weight of the distillation loss; the loss of the labels has weight 1.

    Raises:
        FerError: on creation, if a value cannot be used.
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
    teaching: float = 1.0

    def __post_init__(self) -> None:
        if self.epochs < 1 or self.batch_size < 1:
            raise FerError(
                f"Expected at least one epoch and one face in a batch. Received: epochs={self.epochs}, "
                f"batch_size={self.batch_size}"
            )
        for name, value, allowed in (
            ("optimizer", self.optimizer, OPTIMIZERS),
            ("schedule", self.schedule, SCHEDULES),
            ("loss", self.loss, LOSSES),
            ("class_weights", self.class_weights, CLASS_WEIGHTS),
            ("target", self.target, ("labels", "votes", "both")),
        ):
            if value not in allowed:
                raise FerError(f"Unknown {name}. Expected one of: {', '.join(allowed)}. Received: {value}")
        if not self.peak_learning_rate > 0 or not 0 <= self.label_smoothing < 1 or not 0 <= self.ema < 1:
            raise FerError(
                f"Expected a learning rate above 0, and label smoothing and ema from 0 to below 1. Received: "
                f"{self.peak_learning_rate}, {self.label_smoothing}, {self.ema}"
            )
        if not self.teaching > 0:
            raise FerError(f"Expected a weight of distillation above 0. Received: {self.teaching}")
        if self.target != "labels" and (self.loss != "cross_entropy" or self.class_weights != "none"):
            raise FerError("Focal loss and class weights need labels as the target. Choose target='labels'.")
        if self.early_stopping and self.ema:
            raise FerError(
                "Early stopping keeps the weights of the best epoch, ema the average of the last ones. Choose one: set "
                "ema or early_stopping to 0."
            )

    def as_dict(self) -> dict[str, Any]:
        """Return plain JSON types, for cards and run folders."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Recipe:
        """Build a recipe from the result of `as_dict`; raise a TypeError if a key is unknown or missing."""
        gone = ("temperature", "growing")  # settings of earlier versions, which stored runs may have
        kept = {name: value for name, value in values.items() if name not in gone}
        if isinstance(drawn := kept.get("augmentation"), dict):
            kept["augmentation"] = Augmentation(**{**drawn, "scale": tuple(drawn["scale"])})
        return cls(**{**kept, "teachers": tuple(kept.get("teachers", ()))})


def recipe_for(spec: ModelSpec) -> Recipe:
    """Return the recipe that suits a network best, for any faces with labels."""
    if spec.architecture != "transfer":
        return COMPACT
    if spec.open_layers == 0:
        return FROZEN_PRETRAINED if spec.weights_from in PRETRAINED else FROZEN
    return MODIFIED_PRETRAINED if spec.weights_from in PRETRAINED else MODIFIED


def named_recipe(spec: ModelSpec) -> Recipe:
    """Return the recipe of a named model on FER2013; other models get that of their network.

    A model with other initial weights, or with one of `EXTRAS`, has the recipe of the named model that it changes.
    """
    name = spec.name
    while name not in BY_NAME:
        ending = next((ending for ending in (*EXTRAS, spec.weights_ending) if name.endswith(f"_{ending}")), None)
        if ending is None:
            return recipe_for(spec)
        name = name.removesuffix(f"_{ending}")
    return BY_NAME[name]


def papers_recipe(spec: ModelSpec) -> Recipe:
    """Return `AS_THE_PAPER_FITS`; the paper's first stage (section 3.4.1) has no augmentation."""
    return replace(AS_THE_PAPER_FITS, augmentation=None) if spec.open_layers == 0 else AS_THE_PAPER_FITS


def chosen_recipe(
    spec: ModelSpec, *, fits: str = "own", augmentation: str | None = None, patience: int | None = None
) -> tuple[Recipe, str]:
    """Return a named model's recipe with changes, and an ending of its name that says what changed.

    `fits` is `own` or `paper`, `augmentation` one of `AUGMENTATIONS`, `patience` the epochs of early stopping.
    """
    if fits not in ("own", "paper"):
        raise FerError(f"Unknown recipe. Expected own or paper. Received: {fits}")
    if spec.architecture in WITHOUT_RECIPE and (fits != "own" or augmentation is not None or patience is not None):
        raise FerError(f"{spec.name} is not trained in epochs: leave out --recipe, --augmentation and --patience.")
    recipe, ending = (papers_recipe(spec), ["as_the_paper"]) if fits == "paper" else (named_recipe(spec), [])
    if augmentation is not None:
        recipe = replace(recipe, augmentation=augmentation_named(augmentation, spec))
        ending.append(name_from(augmentation))
    if patience is not None:
        recipe = replace(recipe, early_stopping=patience, ema=0.0 if patience else recipe.ema)
        ending.append(f"patience_{patience}")
    return recipe, "_".join(ending)


def fine_tuning_recipe(spec: ModelSpec, faces: int, epochs: int) -> Recipe:
    """Return the recipe of a network, adapted to few faces and epochs.

    Batches are smaller if an epoch would have fewer than four steps. A stored model gets a tenth of the learning rate:
    a higher one would undo its training.
    """
    recipe = recipe_for(spec)
    batch = recipe.batch_size
    while batch > 8 and faces < 4 * batch:
        batch //= 2
    factor = 1 if spec.weights_from in WEIGHTS else 0.1
    return replace(recipe, epochs=epochs, batch_size=batch, peak_learning_rate=recipe.peak_learning_rate * factor)


def pretraining_recipe(backbone: str, source: str = "utkface", *, epochs: int | None = None) -> Recipe:
    """Return the recipe that pretrains a backbone for one of `PRETRAINED`; `epochs` instead of its own."""
    known = backbone_named(backbone)
    drawn = replace(WARPED, flip=source == "utkface")  # for `faces`, mirror images are faces of their own
    epochs = known.epochs if epochs is None else epochs
    return replace(PRETRAINING, epochs=epochs, peak_learning_rate=known.learning_rate, augmentation=drawn)


def recipe_summary(spec: ModelSpec, recipe: Recipe) -> str:
    """Return one line that says how a network will be fitted."""
    return f"{spec.title}: trains {spec.trained}; {fit_summary(recipe)}."


def fit_summary(recipe: Recipe) -> str:
    """Return how a recipe fits, in words."""
    more = {
        f", label smoothing {recipe.label_smoothing:g}": recipe.label_smoothing,
        ", averaged weights": recipe.ema,
        f", early stopping after {recipe.early_stopping} epochs": recipe.early_stopping,
    }
    smoothing = "".join(words for words, given in more.items() if given)
    augmented = "no augmentation"
    if (kinds := recipe.augmentation) is not None:
        changes = {", degraded": kinds.degraded, ", zoomed": kinds.scale != (1.0, 1.0), ", shifted": kinds.shift}
        others = "".join(words for words, given in changes.items() if given)
        varied = f"faces augmented (±{kinds.rotation:.0f}°, mirrored{others} …)"
        augmented = "faces mirrored" if kinds.only_mirrors else varied
    return (
        f"{recipe.optimizer}, learning rate {recipe.peak_learning_rate:g} "
        f"({recipe.schedule.replace('_', ' ')}), batches of {recipe.batch_size}{smoothing}; {augmented}"
    )


def uses_features(spec: ModelSpec, recipe: Recipe) -> bool:
    """Whether a fit runs on cached features: the backbone is frozen and a face looks the same in every epoch."""
    one_target = recipe.target == "labels" and not recipe.teachers
    return spec.frozen and one_target and (recipe.augmentation is None or recipe.augmentation.only_mirrors)


COMPACT = Recipe(epochs=64, augmentation=ROBUST)
"""64 epochs took from 57 to 174 minutes on two cores. The validation accuracy was stable over the last ten. Without
degraded faces, accuracy falls from 69 to 26 % under noise with a standard deviation of 26 gray levels."""

LABELS_AND_VOTES = replace(COMPACT, target="both")
"""For what most people would say, and for faces from cameras. With the seeds 0, 1 and 2, the mean of the four
accuracies in the score on the hold-out is 71.9, 71.7 and 71.7 %, without the two mean recalls."""

FACES = replace(
    LABELS_AND_VOTES,
    epochs=12,
    batch_size=64,
    peak_learning_rate=0.01,
    weight_decay=1e-4,
    augmentation=replace(ROBUST, crop=48, degraded=0.3),  # two draws leave half of the faces sharp and free of noise
)
"""For a backbone that knows faces already: a low rate, and few epochs. A step takes 0.3 s on two cores that compute in
bfloat16, and 1.5 s on two with AVX2 alone."""

BY_NAME: Final = {  # recipes of named models that differ from that of their network
    "compact_cnn": replace(COMPACT, augmentation=Augmentation()),
    # the same network, distilled from the first: a born-again network (Furlanello et al. 2018). Another generation,
    # taught by both for 72 epochs (seed 2), was no better: 70.3 % against 70.6 % on the hold-out in int8. A stronger
    # teacher is needed for more.
    "compact_cnn_distilled": Recipe(
        epochs=84,  # more than the teacher's: distillation gains from long schedules (Beyer et al. 2022)
        peak_learning_rate=0.05,  # half, because the loss is four times that of the labels alone
        seed=1,  # another initialization and order than the teacher's
        teachers=("compact_cnn",),
        teaching=3.0,  # a quarter of the loss is left to the labels, which are noisy
    ),
    "compact_cnn_votes": LABELS_AND_VOTES,
    # Two teachers teach both heads; the best by FER2013's label teaches the labels head. By the mean of the four
    # accuracies in the score on the hold-out it had 72.5 %, and 72.8 % with seed 0, against 71.9, 71.7 and 71.7 % of
    # three seeds without teachers.
    # Trained further as a noisy student (Xie et al. 2020), for 14 epochs on UTKFace's faces as well and with two
    # MobileNets among four teachers, it scored 73.5 % by all six numbers, and without that 73.6 %.
    "compact_cnn_student": replace(
        LABELS_AND_VOTES,
        epochs=80,
        peak_learning_rate=0.05,  # it starts from one of its teachers
        seed=2,
        teachers=("compact_cnn_votes_seed1", "compact_cnn_votes_seed2", "compact_cnn_distilled"),
        teaching=3.0,
    ),
    "mobilenet_faces": FACES,
    # for a teacher of the next, which is asked about sharp faces only
    "mobilenet_faces_sharp": replace(FACES, epochs=8, augmentation=Augmentation(crop=48)),
    # it starts from `mobilenet_faces`; its teachers' answers are those on the face before it is degraded
    "mobilenet_faces_student": replace(
        FACES,
        epochs=8,
        seed=1,
        teachers=("mobilenet_faces_sharp", "compact_cnn_student", "compact_cnn_distilled"),
        teaching=3.0,
    ),
}

FROZEN = Recipe(
    epochs=20,  # a linear head is a convex problem: the validation loss is flat after 20 epochs of a falling rate
    batch_size=256,
    optimizer="adamw",
    schedule="cosine",
    peak_learning_rate=2e-3,
    weight_decay=0.3,
    label_smoothing=0.0,
    ema=0.0,
    augmentation=MIRROR_ONLY,  # so that features can be cached
)
FROZEN_PRETRAINED = replace(FROZEN, epochs=30, peak_learning_rate=5e-2, weight_decay=0.01)
"""Chosen on the hold-out for VGG16, whose features from UTKFace are small: with 4,000 training faces its loss on 1,200
faces of the hold-out is 1.671, against 1.688 at a rate of 0.01 and 1.673 at 0.2."""

MODIFIED = Recipe(
    epochs=15,
    batch_size=64,
    optimizer="adam",
    peak_learning_rate=3e-4,
    weight_decay=0.0,
    ema=0.99,
    augmentation=AS_THE_PAPER,
)
# plain, with early stopping (the paper's section 3.5, which names neither an optimizer nor its settings)
AS_THE_PAPER_FITS = replace(
    MODIFIED, epochs=30, schedule="constant", label_smoothing=0.0, ema=0.0, early_stopping=5, mixed_precision=False
)
MODIFIED_PRETRAINED = replace(MODIFIED, epochs=8)  # limited by computing time: the validation accuracy was still rising

WARPED: Final = Augmentation(48, 15.0, (0.85, 1.15), 3.0, True, 0.15, 0.3, 0.25)

PRETRAINING: Final = Recipe(
    epochs=20,
    batch_size=64,
    optimizer="adamw",
    peak_learning_rate=1e-3,
    weight_decay=1e-2,
    label_smoothing=0.0,
    ema=0.0,
    augmentation=WARPED,
)
"""For backbones. `fer_core.models.backbones` has the epochs and the learning rate of each backbone."""
