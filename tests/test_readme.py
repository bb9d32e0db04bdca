"""The README agrees with the stored models and with the package's layers."""

from __future__ import annotations

import re

from typer.main import get_command

from fer_core.cli import app
from fer_core.cli.models import markdown_table
from fer_core.store.folders import list_models, load_model
from tests.test_floors import LEVEL, ROOT, production_files

README = (ROOT / "README.md").read_text(encoding="utf-8")
DOCUMENTS = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]
DOCUMENT = re.compile(r"\b(?:docs/\w+|CONTRIBUTING|README)\.md\b")


def test_table_of_models_and_the_defaults_threshold_are_up_to_date(home):
    table = markdown_table(list_models()[0])
    assert table in README, f"Put this into the README (fer-lab models --markdown):\n{table}"
    threshold, text = load_model().card.not_sure, " ".join(README.split())
    assert f"the model's threshold: {100 * threshold.below:.0f} % for the default" in text
    assert f"the default then answers for {100 * threshold.answered:.1f} % of these faces" in text


def test_the_tree_shows_every_room_above_those_that_import_it_and_every_command_exists():
    lines = re.findall(r"^[├└]── (.+?)/?  ", README, re.MULTILINE)
    rooms = [room for line in lines for room in line.split(", ")]
    assert set(rooms) == set(LEVEL)
    assert rooms == sorted(rooms, key=LEVEL.get)
    assert set(re.findall(r"^fer-lab (\w+)", README, re.MULTILINE)) == set(get_command(app).commands)


def test_every_document_that_a_text_names_exists():
    for path in [*DOCUMENTS, *production_files()]:
        for name in DOCUMENT.findall(path.read_text(encoding="utf-8")):
            assert (ROOT / name).is_file(), f"{path.relative_to(ROOT)}: {name}"


def test_every_link_between_the_documents_leads_somewhere():
    for document in DOCUMENTS:
        for target, anchor in re.findall(r"\]\((?!https?:)([^)#]*)#?([^)]*)\)", document.read_text(encoding="utf-8")):
            file = document.parent / target if target else document
            assert file.exists(), f"{document.name}: {target}"
            headings = re.findall(r"^#+ (.+)$", file.read_text(encoding="utf-8"), re.MULTILINE) if anchor else []
            assert not anchor or anchor in {name.lower().replace(" ", "-") for name in headings}, anchor
