"""The README agrees with the stored models and with the package's layers."""

from __future__ import annotations

import re
from pathlib import Path

from fer_core.cli.models import markdown_table
from fer_core.store import list_models, load_model
from tests.test_floors import LEVEL

README = (Path(__file__).parent.parent / "README.md").read_text(encoding="utf-8")


def test_table_of_models_is_up_to_date(home):
    table = markdown_table(list_models()[0])
    assert table in README, f"Put this into the README (python -m fer_core models --markdown):\n{table}"


def test_the_defaults_threshold_is_up_to_date():
    found = load_model().card.not_sure
    text = " ".join(README.split())
    assert f"the model's threshold: {100 * found.below:.0f} % for the default" in text
    assert f"the default then answers for {100 * found.answered:.1f} % of these faces" in text


def test_the_tree_shows_every_room_above_those_that_import_it():
    rooms = re.findall(r"^[├└]── (\w+)", README, re.MULTILINE)
    assert set(rooms) == set(LEVEL)
    assert rooms == sorted(rooms, key=LEVEL.get)


def test_every_command_of_the_readme_exists():
    from typer.main import get_command

    from fer_core.cli import app

    commands = re.findall(r"^fer-lab (\w+)", README, re.MULTILINE)
    assert set(commands) == set(get_command(app).commands)
