import re
from dataclasses import replace

import pytest
import yaml

from fer_core.sections.cards import model_readme, model_text
from fer_core.store.folders import DEFAULT_MODEL, SHIPPED, list_models, load_model, promoted
from tests.made_up_store import add_models

NAMES = sorted(path.name for path in SHIPPED.iterdir() if (path / "card.json").is_file())


def sections(text: str) -> dict[str, str]:
    parts = re.split(r"^## (.+)\n", text, flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


@pytest.fixture
def without_groups(monkeypatch):
    """Leave out the comparison of groups, which takes a second for each model."""
    monkeypatch.setattr("fer_core.sections.cards._fails", lambda _: "")


@pytest.mark.parametrize("name", NAMES)
def test_shipped_cards_are_up_to_date(name, monkeypatch):
    """Only the default's comparison of groups is computed here, because it takes a second."""
    stored = (SHIPPED / name / "README.md").read_text(encoding="utf-8")
    if name == DEFAULT_MODEL:
        assert model_readme(load_model(name)) == stored, "Write them again: fer-lab models --cards"
        return
    monkeypatch.setattr("fer_core.sections.cards._fails", lambda _: "computed elsewhere")
    ours, theirs = sections(model_readme(load_model(name))), sections(stored)
    assert ours.pop("Whom it fails")
    assert "permutation test" in theirs.pop("Whom it fails")
    assert ours == theirs, "Write them again: fer-lab models --cards"


def test_metadata_has_the_measured_numbers(without_groups):
    model = load_model()
    _, block, text = model_readme(model).split("---\n", 2)
    metadata = yaml.safe_load(block)
    results = metadata["model-index"][0]["results"]
    assert [one["dataset"]["split"] for one in results] == ["PublicTest", "PrivateTest"] * 2
    assert results[0]["metrics"][0]["value"] == round(model.card.score("public_test").accuracy, 4)
    assert text.strip() == model_text(model).strip()
    assert 'license: "other"' in model_readme(load_model("vgg16_modified_utk")), "non-commercial research only"


def test_weakest_expressions_are_named(without_groups):
    card = load_model().card
    classes = card.metrics["public_test"]["plain"]["per_class"]
    least = min((name for name in classes if "avg" not in name), key=lambda name: classes[name]["recall"])
    found = sections(model_text(load_model()))
    assert f"Found least often (recall): {least} ({100 * classes[least]['recall']:.1f} %)" in found["By expression"]
    voted = card.score("public_test", "plain", "plurality").values["per_class"]["fear"]
    rates = " | ".join(f"{100 * voted[rate]:.1f} %" for rate in ("precision", "recall", "f1"))
    assert f"| fear | {rates} |" in found["By expression"]


def test_a_model_that_was_never_measured(home):
    add_models(promoted())
    model = next(model for model in list_models()[0] if model.name == "able")
    found = sections(model_text(model))
    assert "Results" not in found
    assert "Whom it fails" not in found, "its faces are not those of FER2013"


def test_what_the_paper_reports_may_be_within_the_interval(without_groups):
    for name, reported, inside in (("vgg16_modified_face_utk", 0.552, True), ("vgg16_modified_utk", 0.584, False)):
        model = load_model(name)
        interval = model.card.score("public_test").interval("accuracy")
        assert (interval.low <= reported <= interval.high) == inside
        assert ("within the interval on PublicTest" in sections(model_readme(model))["Results"]) == inside
    other = replace(model, card=replace(model.card, name="vgg16_modified", weights_from="random"))
    assert "The paper reports an accuracy of 58.4 % for this variant.\n" in model_readme(other)


def test_an_ensemble_was_not_fitted(without_groups):
    model = load_model("mobilenetv2_modified")
    facts = {**model.card.training, "ensemble_holdout_accuracy": {"plain": 0.7093, "flip": 0.7121}}
    recipe = {"members": ["one", "two"], "fusion": "mean of the probabilities by FER2013's label"}
    card = replace(model.card, recipe=recipe, training=facts)
    training = sections(model_text(replace(model, card=card)))["Training"]
    assert "- Members: `one`, `two`\n- Answer: mean of the probabilities" in training
    assert "- Accuracy on the hold-out: 70.9 %; with the mirror image, 71.2 %" in training
    assert not any(name in training for name in ("Starts from", "Time", "Epochs", "Target"))
    assert "The paper" not in sections(model_readme(load_model()))["Results"]
