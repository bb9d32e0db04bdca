import subprocess
import sys
from pathlib import Path

from fer_core import metrics

HEAVY = ("tensorflow", "keras", "torch", "streamlit", "plotly", "sklearn", "scipy", "statsmodels", "pandas")
ROOT = Path(__file__).parents[2]


def test_importing_is_light():
    code = f"import sys, fer_core.metrics, fer_core.metrics.paper; print([m for m in {HEAVY} if m in sys.modules])"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert out.stdout.strip() == "[]"


def test_imports_only_from_the_ground_floor():
    for file in (ROOT / "fer_core" / "metrics").rglob("*.py"):
        for line in file.read_text(encoding="utf-8").splitlines():
            if line.strip().startswith(("from fer_core", "import fer_core")):
                module = line.split()[1]
                assert module.startswith(("fer_core.metrics", "fer_core.labels", "fer_core.types")), (file, line)


def test_all_is_sorted_and_complete():
    assert len(set(metrics.__all__)) == len(metrics.__all__)
    assert all(hasattr(metrics, name) for name in metrics.__all__)
