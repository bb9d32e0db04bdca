"""The README agrees with the stored models and with the package's layers."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from fer_core.cli.models import markdown_table
from fer_core.store.folders import list_models, load_model
from tests.test_floors import LEVEL

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
DOCUMENTS = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]
SECTION = re.compile(r"(README|[\w/]+\.md), \*([^*]+)\*|\*([^*]+)\* in (?:the )?(README|[\w/]+\.md)")
DOCUMENT = re.compile(r"\b(?:docs/\w+|CONTRIBUTING|README)\.md\b")


def test_table_of_models_is_up_to_date(home):
    table = markdown_table(list_models()[0])
    assert table in README, f"Put this into the README (fer-lab models --markdown):\n{table}"


def test_the_defaults_threshold_is_up_to_date():
    found = load_model().card.not_sure
    text = " ".join(README.split())
    assert f"the model's threshold: {100 * found.below:.0f} % for the default" in text
    assert f"the default then answers for {100 * found.answered:.1f} % of these faces" in text


def test_the_tree_shows_every_room_above_those_that_import_it():
    lines = re.findall(r"^[├└]── (.+?)/?  ", README, re.MULTILINE)
    rooms = [room for line in lines for room in line.split(", ")]
    assert set(rooms) == set(LEVEL)
    assert rooms == sorted(rooms, key=LEVEL.get)


def test_every_command_of_the_readme_exists():
    from typer.main import get_command

    from fer_core.cli import app

    commands = re.findall(r"^fer-lab (\w+)", README, re.MULTILINE)
    assert set(commands) == set(get_command(app).commands)


def texts() -> list[tuple[str, str]]:
    """Return every document, and every text in the code of pages and package, with the path of its file."""
    found = [(path, path.read_text(encoding="utf-8")) for path in DOCUMENTS]
    for path in (ROOT / "app.py", *(ROOT / "pages").rglob("*.py"), *(ROOT / "fer_core").rglob("*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        constants = (node.value for node in ast.walk(tree) if isinstance(node, ast.Constant))
        found += [(path, value) for value in constants if isinstance(value, str)]
    return [(str(path.relative_to(ROOT)), " ".join(text.split())) for path, text in found]


def headings(document: Path) -> list[str]:
    return re.findall(r"^#+ (.+)$", document.read_text(encoding="utf-8"), re.MULTILINE)


def lost_sections(text: str) -> list[str]:
    """Return the sections that a text names and that are not there."""
    found = [(first or second, name or other) for first, name, other, second in SECTION.findall(text)]
    files = [(ROOT / ("README.md" if document == "README" else document), name) for document, name in found]
    return [name for file, name in files if not file.is_file() or name not in headings(file)]


@pytest.mark.parametrize(
    ("text", "lost"),
    [
        ("Name a server (README, *Data and settings*).", []),
        ("Name a server (README, *Live camera over a network*).", ["Live camera over a network"]),
        ("See *A shared server* in docs/deploy.md, or *Moon* in the README.", ["Moon"]),
        ("See docs/nowhere.md, *Models*.", ["Models"]),
    ],
)
def test_a_section_that_is_not_there_is_noticed(text, lost):
    assert lost_sections(text) == lost


def test_every_section_and_document_that_a_text_names_exists():
    named = [(path, text) for path, text in texts() if SECTION.search(text)]
    assert "pages/parts/live.py" in {path for path, _ in named}
    assert [(path, lost) for path, text in named if (lost := lost_sections(text))] == []
    documents = {(path, name) for path, text in texts() for name in DOCUMENT.findall(text)}
    assert [(path, name) for path, name in documents if not (ROOT / name).is_file()] == []


def test_every_link_between_the_documents_leads_somewhere():
    for document in DOCUMENTS:
        for target, anchor in re.findall(r"\]\((?!https?:)([^)#]*)#?([^)]*)\)", document.read_text(encoding="utf-8")):
            file = document.parent / target if target else document
            assert file.exists(), f"{document.name}: {target}"
            anchors = [name.lower().replace(" ", "-") for name in headings(file)] if anchor else []
            assert not anchor or anchor in anchors, f"{document.name}: {target}#{anchor}"
