"""Recipes: what is refused, what survives JSON, and how they are adapted and summarized."""

from dataclasses import replace

import pytest

from fer_core.models import ModelSpec, model_spec
from fer_core.training.augmentation import AUGMENTATIONS, Augmentation, augmentation_named
from fer_core.training.recipe import (
    Recipe,
    chosen_recipe,
    fine_tuning_recipe,
    named_recipe,
    recipe_for,
    recipe_summary,
)
from fer_core.types import FerError
from tests.training.conftest import PLAIN


@pytest.mark.parametrize(
    "wrong",
    [
        *({"epochs": 0}, {"batch_size": 0}, {"optimizer": "magic"}, {"schedule": "up"}, {"loss": "none"}, {"ema": 1.0}),
        *({"class_weights": "some"}, {"peak_learning_rate": 0.0}, {"label_smoothing": 1.0}, {"teaching": 0.0}),
        *({"target": "votes", "loss": "focal"}, {"target": "both", "class_weights": "balanced"}),
        {"early_stopping": 3},
    ],
)
def test_nonsense_is_refused(wrong):
    with pytest.raises(FerError, match=r"Expected|Choose one|Choose target='labels'"):
        replace(PLAIN, **wrong)


def test_it_survives_json():
    for changes in ({"augmentation": Augmentation()}, {"ema": 0.0, "early_stopping": 4, "teachers": ("one", "two")}):
        recipe = replace(PLAIN, **changes)
        values = {**recipe.as_dict(), "teachers": list(recipe.teachers)}
        if values["augmentation"]:
            values["augmentation"]["scale"] = list(values["augmentation"]["scale"])
        assert Recipe.from_dict(values) == recipe
        assert Recipe.from_dict({**values, "temperature": 1.0, "growing": []}) == recipe, "of an earlier version"


def test_it_is_adapted_to_few_faces_and_stored_weights():
    frozen, compact = model_spec("mobilenetv2_frozen"), model_spec("compact_cnn")
    assert fine_tuning_recipe(frozen, 25_838, 20) == recipe_for(frozen)
    few = fine_tuning_recipe(compact, 60, 15)
    assert few.batch_size < recipe_for(compact).batch_size
    warm = fine_tuning_recipe(ModelSpec.from_dict({**compact.as_dict(), "weights_from": "compact_cnn"}), 2000, 15)
    assert warm.peak_learning_rate < recipe_for(compact).peak_learning_rate / 5


def test_a_recipe_can_be_the_papers_or_changed():
    frozen, modified = model_spec("vgg16_frozen"), model_spec("vgg16_modified")
    recipe, ending = chosen_recipe(modified, fits="paper")
    assert (recipe.label_smoothing, recipe.ema, recipe.schedule, recipe.mixed_precision) == (0, 0, "constant", False)
    assert recipe.early_stopping and recipe.augmentation.scale != (1, 1) and ending == "as_the_paper"
    assert chosen_recipe(frozen, fits="paper")[0].augmentation is None, "section 3.4.1 has none"
    assert chosen_recipe(modified) == (recipe_for(modified), "")
    recipe, ending = chosen_recipe(modified, augmentation="abstract", patience=3)
    assert (recipe.augmentation.shift, recipe.early_stopping, recipe.ema) == (4, 3, 0)
    assert ending == "abstract_patience_3"
    for wrong in ({"fits": "theirs"}, {"augmentation": "wild"}):
        with pytest.raises(FerError, match=f"Received: {next(iter(wrong.values()))}"):
            chosen_recipe(modified, **wrong)


def test_a_model_with_an_ending_or_other_weights_keeps_its_own_recipe():
    known = {name: named_recipe(model_spec(name)) for name in ("compact_cnn_votes", "mobilenet_faces", "compact_cnn")}
    assert known["compact_cnn_votes"].target == known["mobilenet_faces"].target == "both"
    for name, named in (
        ("compact_cnn_votes_clahe", "compact_cnn_votes"),
        ("compact_cnn_face", "compact_cnn"),
        ("mobilenet_faces_noise", "mobilenet_faces"),
        ("mobilenet_faces_noise_random", "mobilenet_faces"),
    ):
        assert named_recipe(model_spec(name)) == known[named], name
    other = model_spec("compact_cnn_votes").with_weights("compact_cnn_student")
    assert chosen_recipe(other) == (known["compact_cnn_votes"], "")
    utk = model_spec("vgg16_modified_clahe_utk")
    assert named_recipe(utk) == recipe_for(utk) != recipe_for(model_spec("vgg16_modified")), "by its weights"


@pytest.mark.parametrize("change", [{"fits": "paper"}, {"augmentation": "off"}, {"patience": 0}])
def test_what_is_not_fitted_has_no_recipe_to_change(change):
    for name in ("class_prior", "hog_linear", "compact_cnn_ensemble"):
        assert chosen_recipe(model_spec(name))[1] == ""
        with pytest.raises(FerError, match="leave out --recipe, --augmentation and --patience"):
            chosen_recipe(model_spec(name), **change)


def test_every_augmentation_has_its_name():
    spec = model_spec("compact_cnn")
    kinds = {name: augmentation_named(name, spec) for name in AUGMENTATIONS}
    assert kinds["off"] is None
    assert kinds["mirror"].only_mirrors
    assert kinds["weak"].rotation < kinds["medium"].rotation < kinds["strong"].rotation
    assert (kinds["abstract"].rotation, kinds["abstract"].shift > 0, kinds["abstract"].scale) == (15, True, (1, 1))
    assert (kinds["section 3.4.2"].rotation, kinds["section 3.4.2"].shift, kinds["section 3.4.2"].flip) == (15, 0, True)
    assert kinds["robust"] == recipe_for(spec).augmentation
    assert kinds["robust"].degraded > 0


def test_the_summary_names_what_is_trained_and_how():
    assert "mirrored, degraded" in recipe_summary(model_spec("compact_cnn"), recipe_for(model_spec("compact_cnn")))
    assert named_recipe(model_spec("compact_cnn")).augmentation.degraded == 0, "as it was trained"
    spec = model_spec("mobilenetv2_frozen")
    summary = recipe_summary(spec, fine_tuning_recipe(spec, 2000, 15))
    for words in ("MobileNetV2", "adamw, learning rate 0.002 (cosine), batches of 256", "faces mirrored"):
        assert words in summary
