"""The README agrees with the stored models and with the package's layers."""

from __future__ import annotations

import ast
import re
from pathlib import Path

from fer_core.cli.models import markdown_table
from fer_core.store.folders import list_models, load_model
from tests.test_floors import LEVEL, ROOT, production_files

README = (ROOT / "README.md").read_text(encoding="utf-8")
MODELS, CONTRIBUTING, COMMANDS = (
    (ROOT / "docs" / name).read_text(encoding="utf-8") for name in ("models.md", "CONTRIBUTING.md", "commands.md")
)
DOCUMENTS = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
SECTION = re.compile(r"(README|[\w/]+\.md), \*([^*]+)\*|\*([^*]+)\* in (?:the )?(README|[\w/]+\.md)")
DOCUMENT = re.compile(r"\b(?:docs/\w+|README)\.md\b")


def test_table_of_models_and_the_defaults_threshold_are_up_to_date(home):
    table = markdown_table(list_models()[0])
    assert table in MODELS, f"Put this into docs/models.md (fer-lab models --markdown):\n{table}"
    rows = re.findall(r"^\| `.+", README, re.MULTILINE)
    assert len(rows) >= 4 and set(rows) <= set(table.splitlines())
    assert rows[0] == table.splitlines()[2]  # the default
    threshold, text = load_model().card.not_sure, " ".join(MODELS.split())
    assert f"the model's threshold: {100 * threshold.below:.0f} % for the default" in text
    assert f"the default then answers for {100 * threshold.answered:.1f} % of these faces" in text


def test_the_tree_shows_every_room_above_those_that_import_it_and_every_command_exists():
    from typer.main import get_command

    from fer_core.cli import app

    lines = re.findall(r"^[├└]── (.+?)/?  ", CONTRIBUTING, re.MULTILINE)
    rooms = [room for line in lines for room in line.split(", ")]
    assert set(rooms) == set(LEVEL)
    assert rooms == sorted(rooms, key=LEVEL.get)
    assert set(re.findall(r"^fer-lab (\w+)", COMMANDS, re.MULTILINE)) == set(get_command(app).commands)


def texts() -> list[tuple[str, str]]:
    """Return every document, and every text in the code of pages and package, with the path of its file."""
    found = [(path, path.read_text(encoding="utf-8")) for path in DOCUMENTS]
    for path in production_files():
        nodes = ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        values = (node.value for node in nodes if isinstance(node, ast.Constant))
        found += [(path, value) for value in values if isinstance(value, str)]
    return [(str(path.relative_to(ROOT)), " ".join(text.split())) for path, text in found]


def headings(document: Path) -> list[str]:
    return re.findall(r"^#+ (.+)$", document.read_text(encoding="utf-8"), re.MULTILINE)


def lost_sections(text: str) -> list[str]:
    """Return the sections that a text names and that are not there."""
    found = [(first or second, name or other) for first, name, other, second in SECTION.findall(text)]
    files = [(ROOT / ("README.md" if document == "README" else document), name) for document, name in found]
    return [name for file, name in files if not file.is_file() or name not in headings(file)]


def test_every_section_and_document_that_a_text_names_exists():
    assert lost_sections("(README, *Limits*), (README, *Live camera over a network*)") == ["Live camera over a network"]
    assert lost_sections("*A shared server* in docs/deploy.md, *Moon* in the README") == ["Moon"]
    assert lost_sections("See docs/nowhere.md, *Models*.") == ["Models"]
    named = [(path, text) for path, text in texts() if SECTION.search(text)]
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
