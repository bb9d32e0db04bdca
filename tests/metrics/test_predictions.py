import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest

from fer_core.metrics.calibration import brier_score, fit_temperature, log_loss, reliability
from fer_core.metrics.confusion import confusion_matrix
from fer_core.metrics.core import bootstrap_intervals, evaluate
from fer_core.metrics.curves import class_auc, macro_auc_interval, pr_curves, roc_curves
from fer_core.metrics.ensembles import fit_exponent
from fer_core.metrics.predictions import as_probabilities, joined
from fer_core.metrics.significance import compare_all
from tests.test_floors import ROOT

HEAVY = ("tensorflow", "keras", "torch", "streamlit", "plotly", "sklearn", "scipy", "statsmodels", "kagglehub")
GOOD_LABELS, GOOD = [0, 6], np.full((2, 7), 1 / 7)


def _with(value: float) -> np.ndarray:
    proba = GOOD.copy()
    proba[1, 2] = value
    return proba


BAD = {
    "empty labels": ([], GOOD, r"y_true of shape \(n,\) with n >= 1. Received: shape \(0,\)"),
    "float labels": ([0.0, 1.0], GOOD, "integer type. Received: float64"),
    "boolean labels": ([True, False], GOOD, "integer type. Received: bool"),
    "label 7": ([0, 7], GOOD, "in 0..6. Received: values from 0 to 7"),
    "label -1": ([-1, 3], GOOD, "Received: values from -1 to 3"),
    "one column": (GOOD_LABELS, GOOD[:, :1], r"shape \(n, classes\) with n >= 1. Received: shape \(2, 1\)"),
    "a label that has no column": ([0, 6], np.full((2, 6), 1 / 6), "in 0..5. Received: values from 0 to 6"),
    "no rows": ([], np.empty((0, 7)), "Received: shape"),
    "one row too few": ([0, 1, 2], GOOD, "equal length. Received: 3 labels, 2 rows"),
    "nan": (GOOD_LABELS, _with(np.nan), "finite numbers in .*nan.* in row 1"),
    "negative": (GOOD_LABELS, _with(-0.5), "no negative number in .*-0.5 in row 1"),
    "sum": (GOOD_LABELS, _with(0.9), "sum to 1 within 0.001. Received: a sum of 1.75714 in row 1"),
    "text": (GOOD_LABELS, np.full((2, 7), "x"), "real number type"),
}


TAKE_A_PAIR = (
    *(evaluate, bootstrap_intervals, confusion_matrix, class_auc, macro_auc_interval, roc_curves, pr_curves),
    *(reliability, fit_temperature, log_loss, brier_score),
    lambda y, p: compare_all(y, {"a": p, "b": p}),
    lambda y, p: fit_exponent(y, [p, p], [0, 1], [0.5, 0.5]),
)


@pytest.mark.parametrize("case", BAD)
@pytest.mark.parametrize("function", TAKE_A_PAIR)
def test_bad_input_is_refused_by_name(function, case):
    labels, proba, message = BAD[case]
    with pytest.raises(ValueError, match=message):
        function(labels, proba)


def test_rows_are_rescaled_and_half_precision_is_accepted():
    rng = np.random.default_rng(0)
    half = rng.dirichlet(np.ones(7), 500).astype(np.float16)
    checked = as_probabilities(half)
    assert checked.dtype == np.float64
    np.testing.assert_allclose(checked.sum(axis=1), 1, rtol=0, atol=1e-15)


def test_inputs_are_not_changed(sample):
    labels, proba = sample(50)
    for array in (labels, proba):
        array.setflags(write=False)
    for function in TAKE_A_PAIR:
        function(labels, proba)


def test_models_of_other_classes_are_not_together(answers):
    with pytest.raises(ValueError, match="Expected probabilities of 2 classes"):
        replace(answers, classes=("calm", "confused"))


def test_only_models_with_all_splits_are_joined(answers, other):
    both = joined([answers, other.only(["weak", "able"])])
    assert both.names == ["able", "weak"]
    assert both.where == "PublicTest and PrivateTest, plain, judged by FER2013's label"
    assert len(both.probabilities["able"]) == 210 == both.split_faces
    for array in (answers.probabilities["able"], answers.labels, both.labels):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 1


def test_importing_is_light():
    names = ", ".join(path.stem for path in (ROOT / "fer_core" / "metrics").glob("[a-z]*.py"))
    code = f"import sys; from fer_core.metrics import {names}; print([m for m in {HEAVY} if m in sys.modules])"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert out.stdout.strip() == "[]"
