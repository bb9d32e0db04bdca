"""`bench`: the keys of its JSON."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from fer_core.archives.ray_engine import ray_is_installed
from fer_core.benchmarks.archive import RAY
from fer_core.benchmarks.browser import BROWSER, chromium

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.slow
def test_bench_has_the_stable_keys(home, yunet_file):
    """In a process of its own: the processes it starts must not import pytest's main module."""
    command = [sys.executable, "-m", "fer_core", "bench", "--seconds", "0.2", "--json"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT)
    assert done.returncode == 0, done.stderr[-2000:]
    numbers = json.loads(done.stdout)
    expected = {
        "classify_speedup_vs_keras_predict",
        "frame_speedup_vs_haar_keras",
        "faces_per_second",
        "large_picture_time_per_pixel",
        "startup_seconds",
        "resident_mb",
        "stream_speedup_vs_usual_loop",
        "stream_frames_per_second",
        "archive_photos_per_second_per_core",
        *(RAY if ray_is_installed() else ()),
        "feature_cache_speedup",
        "fused_normalization_speedup",
        "page_render_seconds",
        *(BROWSER if chromium() else ()),
    }
    assert expected <= set(numbers)
    assert all(value > 0 for value in numbers.values())
