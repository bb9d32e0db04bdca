"""The README's table is what the cards say."""

from __future__ import annotations

from pathlib import Path

from fer_core.cli.models import markdown_table
from fer_core.store import list_models


def test_table_of_models_is_up_to_date(home):
    readme = (Path(__file__).parent.parent / "README.md").read_text(encoding="utf-8")
    table = markdown_table(list_models()[0])
    assert table in readme, f"Put this into the README (python -m fer_core models --markdown):\n{table}"
