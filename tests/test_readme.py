"""The README agrees with the stored models and with the package's layers."""

import re

from typer.main import get_command

from fer_core.cli import app
from fer_core.cli.models import markdown_table
from fer_core.metrics.paper import IN_PACKAGES
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
    lines = re.findall(r"^[├└]── (.+?)/?  ", CONTRIBUTING, re.MULTILINE)
    rooms = [room for line in lines for room in line.split(", ")]
    assert set(rooms) == set(LEVEL)
    assert rooms == sorted(rooms, key=LEVEL.get)
    assert set(re.findall(r"^fer-lab (\w+)", COMMANDS, re.MULTILINE)) == set(get_command(app).commands)


def test_every_document_and_section_that_a_text_names_exists():
    for path in [*DOCUMENTS, *production_files()]:
        joined = re.sub(r'"\n\s*f?"', "", path.read_text(encoding="utf-8"))  # texts over several lines
        text = " ".join(joined.split())
        for name in DOCUMENT.findall(text):
            assert (ROOT / name).is_file(), f"{path}: {name}"
        for first, section, other, second in SECTION.findall(text):
            document = (ROOT / (first or second).replace("README", "README.md")).read_text(encoding="utf-8")
            assert f"# {section or other}\n" in document, f"{path}: {section or other}"


def test_every_link_between_the_documents_leads_somewhere():
    for document in DOCUMENTS:
        for target, anchor in re.findall(r"\]\((?!https?:)([^)#]*)#?([^)]*)\)", document.read_text(encoding="utf-8")):
            file = document.parent / target if target else document
            assert file.exists(), f"{document.name}: {target}"
            headings = re.findall(r"^#+ (.+)$", file.read_text(encoding="utf-8"), re.MULTILINE) if anchor else []
            assert not anchor or anchor in {name.lower().replace(" ", "-") for name in headings}, anchor


def test_measured_packages_are_in_the_documents_to_the_digit():
    for model in IN_PACKAGES:
        (line,) = [line for line in MODELS.splitlines() if line.startswith(f"| {model['what']} |")]
        numbers = [f"{100 * value:.1f}" for key in ("public_test", "private_test") for value in model[key]]
        scores = [f"{model[f'{key}_f1']:.3f}" for key in ("public_test", "private_test")]
        assert re.findall(r"\b\d+\.\d(?:\d\d)?\b", line.split("|", 3)[3].rsplit("|", 2)[0]) == [
            *numbers[:3], scores[0], *numbers[3:], scores[1],
        ]  # fmt: skip
