"""What the scripts of this folder do by hand, small enough for every day, so that they do not rot."""

import pytest
import typer
from typer.testing import CliRunner

from fer_core.types import FerError
from tests.load import faults, mutations, visitors
from tests.load.mutations import KINDS, make


@pytest.mark.parametrize("kind", sorted(set(KINDS) - {"keras"}))  # which imports TensorFlow
def test_a_damaged_file_is_read_or_is_one_sentence(home, tmp_path, kind):
    for number in range(3):
        given = make(kind, 1, number)
        folder = tmp_path / str(number)
        folder.mkdir()
        try:
            sentences = KINDS[kind].read(given, folder)
        except FerError as error:
            sentences = [str(error)]
        assert all("\n" not in text and 20 < len(text) < 700 for text in sentences), given.what


def test_the_scripts_take_their_options():
    kept = "All limits are kept"
    calls = (faults, "--only nothing", kept), (mutations, "--count 0", kept), (visitors, "--help", "--megabytes")
    for script, options, text in calls:
        app = typer.Typer()
        app.command()(script.main)
        assert text in CliRunner().invoke(app, options.split()).stdout
