"""A run's and a stored model's ONNX file: made once, by a process of its own."""

from __future__ import annotations

from subprocess import CompletedProcess

import onnxruntime
import pytest

from fer_core.runs import onnx
from fer_core.store import open_model
from fer_core.types import FerError
from tests.made_up_store import add_models


@pytest.fixture
def model(home, tiny_network):
    """A made-up stored model with a tiny network's Keras file."""
    made = add_models(home / "models")[0]
    tiny_network.save(made.folder / "model.keras")
    return open_model(made.folder)


def test_a_run_is_converted_once(model, made_run, monkeypatch):
    run = made_run()
    monkeypatch.setattr(type(run), "result", lambda _: model)
    path = onnx.onnx_file(run)
    assert path == run.folder / "model.onnx"
    assert onnxruntime.InferenceSession(path).get_outputs()[0].name == "probabilities"
    monkeypatch.setattr(onnx, "WORKER", "not_a_module")
    assert onnx.onnx_file(run) == path


@pytest.fixture
def run(model, made_run, monkeypatch):
    """A run whose result is the made-up model."""
    run = made_run()
    monkeypatch.setattr(type(run), "result", lambda _: model)
    return run


def test_a_run_without_a_model_is_not_converted(made_run):
    with pytest.raises(FerError, match="A try has no model to convert: it is fitting"):
        onnx.onnx_file(made_run("fitting"))


def test_a_worker_that_fails_is_reported(run, monkeypatch):
    monkeypatch.setattr(onnx, "WORKER", "not_a_module")
    with pytest.raises(FerError, match=r"could not be converted to ONNX: .*not_a_module"):
        onnx.onnx_file(run)


def test_a_refusal_reaches_the_caller(run, monkeypatch):
    refusal = CompletedProcess([], onnx.REFUSED, stdout="a note\nThe Keras file cannot be read.\n")
    monkeypatch.setattr(onnx, "run_python", lambda *_, **__: refusal)
    with pytest.raises(FerError, match=r"^The Keras file cannot be read\.$"):
        onnx.onnx_file(run)
