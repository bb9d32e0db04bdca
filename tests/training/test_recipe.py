"""The weights that a run can start from, and recipes for few faces."""

from __future__ import annotations

from pathlib import Path

import pytest

from fer_core.models import ModelSpec, model_spec
from fer_core.store import folders
from fer_core.store.folders import SHIPPED
from fer_core.training.augmentation import AUGMENTATIONS, augmentation_named
from fer_core.training.initial_weights import weight_sources
from fer_core.training.recipe import fine_tuning_recipe, named_recipe, recipe_for, recipe_summary
from tests.made_up_store import add_model


@pytest.fixture
def shipped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of shipped models that holds only the default one."""
    folder = tmp_path / "shipped"
    folder.mkdir()
    (folder / folders.DEFAULT_MODEL).symlink_to(SHIPPED / folders.DEFAULT_MODEL)
    monkeypatch.setattr(folders, "SHIPPED", folder)
    return folder


def test_only_weights_that_fit_are_available(shipped, home):
    assert weight_sources(model_spec("compact_cnn")).names == ("random", folders.DEFAULT_MODEL)
    add_model(folders.promoted(), "damaged", spec={"architecture": 7})
    add_model(folders.promoted(), "kept", spec=model_spec("vgg16_modified").as_dict())
    found = weight_sources(model_spec("vgg16_modified"))
    assert found.names[:2] == ("imagenet", "random")
    assert "kept is not available" in " ".join(found.notes)
    assert "pretrain VGG16" in " ".join(found.notes)
    (shipped / "vgg16_frozen_utk").symlink_to(SHIPPED / "vgg16_frozen_utk")
    assert "utkface" in weight_sources(model_spec("vgg16_modified")).names, "taken from a shipped model"
    assert "pretrain Xception" in " ".join(weight_sources(model_spec("xception_frozen")).notes)
    weights = home / "backbones" / "xception_71_utkface.weights.h5"
    weights.parent.mkdir()
    weights.touch()
    assert "utkface" in weight_sources(model_spec("xception_frozen")).names


def test_the_recipe_is_adapted_to_few_faces_and_stored_weights():
    frozen, compact = model_spec("mobilenetv2_frozen"), model_spec("compact_cnn")
    assert fine_tuning_recipe(frozen, 25_838, 20) == recipe_for(frozen)
    few = fine_tuning_recipe(compact, 60, 15)
    assert few.batch_size < recipe_for(compact).batch_size
    warm = fine_tuning_recipe(ModelSpec.from_dict({**compact.as_dict(), "weights_from": "compact_cnn"}), 2000, 15)
    assert warm.peak_learning_rate < recipe_for(compact).peak_learning_rate / 5


def test_every_augmentation_has_its_name():
    spec = model_spec("compact_cnn")
    found = {name: augmentation_named(name, spec) for name in AUGMENTATIONS}
    assert found["off"] is None
    assert found["mirror"].only_mirrors
    assert found["weak"].rotation < found["medium"].rotation < found["strong"].rotation
    assert not found["as the paper"].only_mirrors
    assert found["robust"] == recipe_for(spec).augmentation
    assert found["robust"].degraded > 0


def test_degraded_faces_are_the_default_but_for_the_papers_variants_and_what_was_trained_before():
    for name in ("compact_cnn", "compact_cnn_distilled", "vgg16_frozen", "vgg16_modified", "vgg16_modified_noise"):
        assert named_recipe(model_spec(name)).augmentation.degraded == 0
    for name in ("compact_cnn_votes", "compact_cnn_student", "mobilenet_faces"):
        assert named_recipe(model_spec(name)).augmentation.degraded > 0
    assert recipe_for(model_spec("compact_cnn")).augmentation.degraded > 0
    assert "mirrored, degraded" in recipe_summary(model_spec("compact_cnn"), recipe_for(model_spec("compact_cnn")))


def test_the_summary_names_what_is_trained_and_how():
    spec = model_spec("mobilenetv2_frozen")
    summary = recipe_summary(spec, fine_tuning_recipe(spec, 2000, 15))
    assert "MobileNetV2" in summary
    assert "adamw, learning rate 0.002 (cosine), batches of 256" in summary
    assert "faces mirrored" in summary
