"""CONTRIBUTING's recipes, carried out: a backbone of Keras without named models, one with them, and a new page."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from fer_core.models import model_names, model_spec
from fer_core.store import folders
from fer_core.store.stored_model import StoredModel
from pages import PAGES
from tests.data.conftest import make_dataset
from tests.test_contributing_dataset import page as open_page
from tests.test_floors import ROOT

BACKBONE = "MobileNetV3Small"


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StoredModel]:
    """The only model of a store: trained by name for one epoch, from random weights."""
    from fer_core.training.data import TrainingData
    from fer_core.training.train import train_named

    assert not any(model_spec(name).backbone == BACKBONE for name in model_names())
    folder = tmp_path_factory.mktemp("contributor")
    noise = make_dataset(126)
    training, tests = noise.split("Training"), noise.subset(noise.usage != "Training")
    data = TrainingData(training.subset(np.arange(21)), training.subset(np.arange(21, 42)), tests)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FER_HOME", str(folder / "home"))
        patch.delenv("FER2013_PATH", raising=False)
        patch.setattr(folders, "SHIPPED", folder / "nothing")
        yield train_named(model_spec(f"{BACKBONE.lower()}_modified_random"), data, root=folders.promoted(), epochs=1)


@pytest.mark.slow
def test_any_backbone_is_trained_by_its_name_and_says_what_was_trained(trained):
    assert trained.card.spec.backbone == BACKBONE
    open_weights = 576 * 96 + 96 * 576 + 576 * 144 + 144 + 144 * 576 + 576 + 25 * 576 + 96 * 576
    head = 576 * 7 + 7 + 2 * 576
    assert trained.card.trained_part.startswith("head and last 6 layers with weights: ")
    assert trained.card.training["open_weights"] == open_weights + head


@pytest.mark.slow
@pytest.mark.parametrize("page", [name for name, *_ in PAGES])
def test_a_model_on_any_backbone_opens_on_every_page(trained, page):
    app = open_page(page, {})
    assert not app.error
    if page == "tour":  # every step of it, and not the sentence that another model is needed
        app.get_by_key("t_step").set_value("Normalise").run()
        assert not app.exception
        assert not app.info
        assert "this network scales by itself" in " ".join(one.value for one in app.markdown)


def test_a_backbone_is_an_entry_of_one_table(tmp_path):
    """In a copy of the code: give a backbone a named model, and find it wherever backbones are listed."""
    for part in ("fer_core", "pages"):
        shutil.copytree(ROOT / part, tmp_path / part, ignore=shutil.ignore_patterns("__pycache__"))
    table = tmp_path / "fer_core" / "models" / "backbones.py"
    text = table.read_text(encoding="utf-8")
    others = '    **dict.fromkeys(("MobileNetV3Small", "MobileNetV3Large"), Backbone(_UNCHANGED)),\n'
    words = '"MobileNetV3 Small", True, size=64, epochs=3, milliseconds=2.0'
    entry = f'    "MobileNetV3Small": Backbone(_UNCHANGED, ("frozen",), {words}),\n'
    assert others in text
    table.write_text(text.replace(others, others + entry), encoding="utf-8")
    facts = run_program(USES_A_BACKBONE, tmp_path, {"PYTHONPATH": str(tmp_path)}).splitlines()[-1]
    assert json.loads(facts) == ["mobilenetv3small_frozen", "MobileNetV3 Small, frozen", 64, True, True, True, 3, False]


USES_A_BACKBONE = """
import json, pandas as pd, sys
from fer_core.measuring.scoreboard import front_models
from fer_core.models import model_spec, network_names, networks_by_input
from fer_core.runs.estimate import estimate
from fer_core.training.recipe import pretraining_recipe, recipe_for
name = networks_by_input()['MobileNetV3 Small']
spec, other = model_spec(name), model_spec('mobilenetv3large_frozen')
shorter = estimate(spec, recipe_for(spec), faces=1000).seconds < estimate(other, recipe_for(other), faces=1000).seconds
board = pd.DataFrame({'name': list('abcdefgh'), 'model': list('abcdefgh')})
shown = 'h' in front_models(board, {'h': 'MobileNetV3Small'})
epochs = pretraining_recipe('MobileNetV3Small').epochs
known = name in network_names()
print(json.dumps([name, spec.title, spec.backbone_size, known, shorter, shown, epochs, 'keras' in sys.modules]))
"""


def run_program(program: str, folder: Path, variables: dict[str, str]) -> str:
    command, environment = [sys.executable, "-c", program], os.environ | variables
    done = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout


def test_a_page_is_a_script_and_a_line(tmp_path):
    """In a copy of the app: write `pages/NAME.py`, add it to `PAGES`, open it."""
    shutil.copy(ROOT / "app.py", tmp_path)
    shutil.copytree(ROOT / "pages", tmp_path / "pages", ignore=shutil.ignore_patterns("__pycache__"))
    (tmp_path / "pages" / "hello.py").write_text(HELLO, encoding="utf-8")
    navigation = tmp_path / "pages" / "__init__.py"
    line = '    ("hello", "Hello", "waving_hand", "A page of a contributor."),\n'
    text = navigation.read_text(encoding="utf-8")
    navigation.write_text(text.replace("PAGES: Final = (\n", f"PAGES: Final = (\n{line}"), encoding="utf-8")
    variables = {"PYTHONPATH": f"{tmp_path}{os.pathsep}{ROOT}", "FER_HOME": str(tmp_path / "home")}
    assert "Hello 4 faces" in run_program(OPENS_HELLO, tmp_path, variables)


HELLO = """
import streamlit as st
from pages.parts.head import head
head("Hello", "One sentence.")
faces = st.slider("Faces", 1, 9, key="x_faces", bind="query-params")
st.write(f"{faces} faces")
"""

OPENS_HELLO = """
from streamlit.testing.v1 import AppTest
app = AppTest.from_file('app.py', default_timeout=120)
app.query_params['x_faces'] = '4'
app.run()
app.switch_page('pages/hello.py').run()
print(app.exception, app.title[0].value, app.markdown[-1].value)
"""
