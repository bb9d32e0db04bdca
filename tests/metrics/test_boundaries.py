import subprocess
import sys

from tests.test_floors import ROOT

HEAVY = ("tensorflow", "keras", "torch", "streamlit", "plotly", "sklearn", "scipy", "statsmodels")


def test_importing_is_light():
    names = [path.stem for path in (ROOT / "fer_core" / "metrics").glob("[a-z]*.py")]
    code = (
        f"import sys; from fer_core.metrics import {', '.join(names)}; print([m for m in {HEAVY} if m in sys.modules])"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert out.stdout.strip() == "[]"
