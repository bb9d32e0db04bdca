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
from streamlit.testing.v1 import AppTest

from fer_core.data import FaceDataset
from fer_core.models import model_names, model_spec
from fer_core.store import folders
from fer_core.store.stored_model import StoredModel
from pages import PAGES
from tests.test_floors import ROOT

BACKBONE = "MobileNetV3Small"


def faces(usage: str, first: int) -> FaceDataset:
    """Three faces of noise of each expression."""
    labels = np.arange(21) % 7
    images = np.random.default_rng(first).integers(0, 256, (21, 48, 48)).astype(np.uint8)
    return FaceDataset(images, labels, np.full(21, usage), first + np.arange(21))


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StoredModel]:
    """The only model of a store: trained by name for one epoch, from random weights."""
    from fer_core.training.data import TrainingData
    from fer_core.training.train import train_named

    assert not any(model_spec(name).backbone == BACKBONE for name in model_names())
    folder = tmp_path_factory.mktemp("contributor")
    tests = [faces("PublicTest", 42), faces("PrivateTest", 63)]
    parts = [np.concatenate([getattr(part, name) for part in tests]) for name in ("images", "labels", "usage", "rows")]
    data = TrainingData(faces("Training", 0), faces("Training", 21), FaceDataset(*parts))
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
    app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=120).run()
    app.switch_page(f"pages/{page}.py").run()
    assert not app.exception
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
    entry = (
        '    "MobileNetV3Small": Backbone(\n'
        '        _UNCHANGED, ("frozen",), "MobileNetV3 Small", True, size=64, epochs=3, milliseconds=2.0\n    ),\n'
    )
    assert others in text
    table.write_text(text.replace(others, others + entry), encoding="utf-8")
    program = (
        "import json, pandas as pd, sys\n"
        "from fer_core.measuring.scoreboard import front_models\n"
        "from fer_core.models import model_spec, network_names, networks_by_input\n"
        "from fer_core.runs.estimate import estimate\n"
        "from fer_core.training.recipe import pretraining_recipe, recipe_for\n"
        "name = networks_by_input()['MobileNetV3 Small']\n"
        "spec, other = model_spec(name), model_spec('mobilenetv3large_frozen')\n"
        "spec_seconds, other_seconds = (estimate(one, recipe_for(one), faces=1000).seconds for one in (spec, other))\n"
        "board = pd.DataFrame({'name': list('abcdefgh'), 'model': list('abcdefgh')})\n"
        "front = front_models(board, {'h': 'MobileNetV3Small'})\n"
        "facts = [name, spec.title, spec.backbone_size, name in network_names(), spec_seconds < other_seconds, "
        "'h' in front, pretraining_recipe('MobileNetV3Small').epochs, 'keras' in sys.modules]\n"
        "print(json.dumps(facts))\n"
    )
    done = run_program(program, tmp_path, os.environ | {"PYTHONPATH": str(tmp_path)})
    assert json.loads(done.stdout.splitlines()[-1]) == [
        "mobilenetv3small_frozen", "MobileNetV3 Small, frozen", 64, True, True, True, 3, False
    ], done.stderr[-2000:]  # fmt: skip


def run_program(program: str, folder: Path, environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", program]
    return subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, timeout=300, check=False
    )


def test_a_page_is_a_script_and_a_line(tmp_path):
    """In a copy of the app: write `pages/NAME.py`, add it to `PAGES`, open it."""
    shutil.copy(ROOT / "app.py", tmp_path)
    shutil.copytree(ROOT / "pages", tmp_path / "pages", ignore=shutil.ignore_patterns("__pycache__"))
    (tmp_path / "pages" / "hello.py").write_text(
        "import streamlit as st\n"
        "from pages.parts.head import head\n"
        'head("Hello", "One sentence.")\n'
        'faces = st.slider("Faces", 1, 9, key="x_faces", bind="query-params")\n'
        'st.write(f"{faces} faces")\n',
        encoding="utf-8",
    )
    navigation = tmp_path / "pages" / "__init__.py"
    line = '    ("hello", "Hello", "waving_hand", "A page of a contributor."),\n'
    text = navigation.read_text(encoding="utf-8")
    navigation.write_text(text.replace("PAGES: Final = (\n", f"PAGES: Final = (\n{line}"), encoding="utf-8")
    program = (
        "from streamlit.testing.v1 import AppTest\n"
        "app = AppTest.from_file('app.py', default_timeout=120)\n"
        "app.query_params['x_faces'] = '4'\n"
        "app.run()\n"
        "app.switch_page('pages/hello.py').run()\n"
        "print(app.exception, app.title[0].value, app.markdown[-1].value)\n"
    )
    environment = os.environ | {"PYTHONPATH": f"{tmp_path}{os.pathsep}{ROOT}", "FER_HOME": str(tmp_path / "home")}
    done = run_program(program, tmp_path, environment)
    assert "Hello 4 faces" in done.stdout, done.stderr[-2000:]
