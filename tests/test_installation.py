"""What gets installed and who can reach it: bounds, lock files, the Makefile, the image and the proxy."""

import json
import os
import re
import subprocess
import sys
import tomllib
import zipfile
from functools import cache
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from PIL import Image
from typer.testing import CliRunner

from fer_core.cli import app
from fer_core.data import sample_portrait
from fer_core.extras import MODULES
from fer_core.inference import FaceAnalyzer
from fer_core.store.folders import DEFAULT_MODEL, load_model
from tests.server import serving
from tests.test_floors import ROOT
from tests.test_floors import imported as names_in

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
LIGHT, EXTRAS = PROJECT["project"]["dependencies"], PROJECT["project"]["optional-dependencies"]
DEV, BUILD = PROJECT["dependency-groups"]["dev"], PROJECT["dependency-groups"]["build"]
LOCKS = {
    "requirements.txt": LIGHT + EXTRAS["app"] + EXTRAS["train"] + BUILD,
    "requirements-serve.txt": LIGHT + EXTRAS["app"],
    "requirements-dev.txt": DEV,
    "requirements-ray.txt": LIGHT + EXTRAS["archive"],
}
NOT_IMPORTED = {
    "hatchling": "it builds the package, for the Makefile",
    "tf2onnx": "Keras imports it",
    "psycopg": "SQLAlchemy imports it, for tuning on PostgreSQL",
    "pandas-stubs": "mypy reads it",
    "types-psutil": "mypy reads it",
    **dict.fromkeys(("mypy", "ruff", "uv"), "a command of the Makefile"),
    **dict.fromkeys(("pytest-rerunfailures", "pytest-timeout", "pytest-xdist"), "pytest imports it"),
}


distributions = cache(packages_distributions)  # it reads the list of files of every package


@cache
def locked(name: str) -> list[tuple[Requirement, list[str]]]:
    """Return every requirement of a lock file with what follows it on its lines."""
    text = (ROOT / name).read_text(encoding="utf-8").replace("\\\n", " ")
    lines = [line.split(" --") for line in text.splitlines() if line and not line.startswith("#")]
    return [(Requirement(first), more) for first, *more in lines]


def imported(*places: str) -> set[str]:
    """Return the names of the distributions that Python files import."""
    paths = (path for place in places for path in ROOT.glob(place))
    modules = {name.split(".")[0] for path in paths for name in names_in(path)}
    others = modules - sys.stdlib_module_names - {"fer_core", "pages", "tests"}
    known = distributions()
    return {canonicalize_name(name) for module in others for name in known.get(module, [module])}


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    subprocess.run([sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", folder], cwd=ROOT, check=True)
    (path,) = folder.iterdir()
    return path


@pytest.fixture(scope="module")
def installed(wheel: Path) -> Path:
    """The wheel, unpacked into a folder from which it can be imported."""
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(wheel.parent / "site")
    return wheel.parent / "site"


def test_the_wheel_has_the_package_the_app_and_the_models_in_front(wheel, installed):
    assert wheel.stat().st_size <= 20e6
    tracked = subprocess.check_output(["git", "ls-files", "fer_core", "pages"], cwd=ROOT, text=True).split()
    wanted = [name if name.startswith("fer_core/") else f"fer_core/_app/{name}" for name in tracked]
    wanted += ["fer_core/_app/app.py", "fer_core/_app/.streamlit/config.toml"]
    assert [name for name in wanted if not (installed / name).is_file()] == []
    assert not [path for path in installed.rglob("*") if path.name in ("secrets.toml", "tests", "__pycache__")]
    models = {path.parent.name for path in installed.glob("fer_core/_app/trained_models/*/card.json")}
    rows = re.findall(r"^\| `(\w+)`", (ROOT / "README.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert {*rows, DEFAULT_MODEL} - models == {"vgg16_modified_face_utk"}  # as the README says


BASE = """
import json, sys
from importlib.abc import MetaPathFinder
from fer_core.extras import MODULES

class WithoutExtras(MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in MODULES:
            raise ModuleNotFoundError(f"No module named {name}", name=name)

sys.meta_path.insert(0, WithoutExtras())
import fer_core.cli
assert len(fer_core.analyze("photo.png")) == 1
assert fer_core.evaluate("hog_linear").faces == 3589
from typer.testing import CliRunner
done = [CliRunner().invoke(fer_core.cli.app, words) for words in json.load(sys.stdin)]
print(json.dumps([fer_core.__file__, *([one.exit_code, one.stdout, one.stderr] for one in done)]))
"""


def test_the_base_predicts_in_an_empty_folder_and_names_the_extra_that_a_command_lacks(installed, tmp_path, home):
    Image.fromarray(sample_portrait()).save(tmp_path / "photo.png")
    lacking = {"app": "app", "report": "app", "tune compact_cnn": "train"}
    lacking["predict photo.png --out table --engine ray"] = "archive"
    words = ["--help", "models --json", "predict photo.png --json", *lacking]
    child = subprocess.run(
        [sys.executable, "-c", BASE],
        input=json.dumps([text.split() for text in words]),
        env={**os.environ, "PYTHONPATH": str(installed)},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    file, *done = json.loads(child.stdout)
    assert Path(file).is_relative_to(installed)
    assert [code for code, _, _ in done] == [0, 0, 0] + [1] * len(lacking)
    assert DEFAULT_MODEL in {row["name"] for row in json.loads(done[1][1])}
    (face,) = json.loads(done[2][1])[0]["faces"]
    (expected,) = FaceAnalyzer(load_model().classifier()).analyze(sample_portrait())
    assert list(face["probabilities"].values()) == pytest.approx(expected.probabilities.tolist(), abs=1e-5)
    for extra, (_, _, said) in zip(lacking.values(), done[3:], strict=True):
        assert re.fullmatch(rf'Error: \w+ is not installed. Run `pip install "fer-lab\[{extra}\]"`\s*', said)


def test_the_app_starts_from_the_wheel(installed, tmp_path):
    with serving(tmp_path, root=installed, FER_HOME=str(tmp_path)) as (server, _):
        assert f"{installed}/fer_core/_app/app.py" in server.cmdline()


def test_either_build_of_opencv_works():
    """Both builds write the folder `cv2`, so one environment cannot have both. Windows, the difference, are unused."""
    files = [*ROOT.glob("fer_core/**/*.py"), *ROOT.glob("pages/**/*.py")]
    called = {name for path in files for name in re.findall(r"\bcv2\.(\w+)", path.read_text(encoding="utf-8"))}
    assert "resize" in called
    assert not [
        name for name in called if re.search("Window|imshow|waitKey|select|Trackbar|Mouse|Overlay|StatusBar", name)
    ]
    for name in ("requirements.txt", "requirements-serve.txt"):
        assert "opencv-python" in (ROOT / name).read_text(encoding="utf-8").splitlines()[1], "the reason, by make lock"


def test_every_extra_module_is_of_its_extra():
    known = distributions()
    for module, extra in MODULES.items():
        named = {canonicalize_name(Requirement(text).name) for text in EXTRAS[extra]}
        assert named & {canonicalize_name(name) for name in known.get(module, [module])}, module


def test_what_the_app_imports_is_listed_with_an_upper_bound_and_what_is_listed_is_imported():
    installed = [*LOCKS["requirements.txt"], *EXTRAS["onnx"], *EXTRAS["archive"]]
    for text in [*installed, *DEV]:
        assert any(limit.operator in ("==", "~=", "<", "<=") for limit in Requirement(text).specifier), text
    listed = {canonicalize_name(Requirement(text).name) for text in installed}
    assert imported("app.py", "pages/**/*.py", "fer_core/**/*.py") - {"playwright"} <= listed
    everything = listed | {canonicalize_name(Requirement(text).name) for text in DEV}
    needed = imported("app.py", "pages/**/*.py", "fer_core/**/*.py", "tests/**/*.py", ".github/*.py")
    assert everything - needed == set(NOT_IMPORTED)


def test_lock_files_have_the_same_exact_versions_with_hashes_and_no_address():
    seen: dict[str, str] = {}
    for name in LOCKS:
        assert "://" not in (ROOT / name).read_text(encoding="utf-8")
        for requirement, hashes in locked(name):
            version = seen.setdefault(requirement.name, str(requirement.specifier))
            assert re.fullmatch(r"==[^*,]+", version), requirement
            assert version == str(requirement.specifier), requirement
            assert re.fullmatch(r"(hash=sha256:[0-9a-f]{64} *)+", "".join(hashes)), requirement


@pytest.mark.parametrize("python", ["3.11", "3.12", "3.13"])
@pytest.mark.parametrize("system", [("linux", "Linux"), ("darwin", "Darwin"), ("win32", "Windows")])
@pytest.mark.parametrize("name", LOCKS)
def test_a_lock_file_has_each_listed_library_within_its_bounds(name, system, python):
    environment = {"python_version": python, "python_full_version": f"{python}.4"}
    environment |= {"sys_platform": system[0], "platform_system": system[1]}
    chosen = [line for line, _ in locked(name) if line.marker is None or line.marker.evaluate(environment)]
    versions = {canonicalize_name(line.name): str(line.specifier)[2:] for line in chosen}
    assert len(versions) == len(chosen)
    for text in LOCKS[name]:
        wanted = Requirement(text)
        assert wanted.specifier.contains(versions[canonicalize_name(wanted.name)]), f"Run make lock: {text}"


@pytest.mark.parametrize(
    ("given", "host", "warned"),
    [([], "localhost", False), (["HOST=127.0.0.1"], "127.0.0.1", False), (["HOST=0.0.0.0"], "0.0.0.0", True)],
)
def test_make_run_listens_on_this_computer_unless_told_otherwise(monkeypatch, given, host, warned):
    """The words of `make run` are given to the command, which would become Streamlit."""
    words = ["make", "--no-print-directory", "--just-print", "--old-file=.venv/.installed", "run", *given]
    line = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=True).stdout.split()
    started: list[list[str]] = []
    monkeypatch.setattr(os, "execve", lambda _program, words, _variables: started.append(words))
    said = CliRunner().invoke(app, line[1:]).stderr
    assert line[0] == ".venv/bin/fer-lab"
    (words,) = started
    assert words[2:] == f"streamlit run {ROOT}/app.py --server.address {host} --server.port 8501".split() + line[-2:]
    assert ("open to the network" in said) == ("start, stop and delete trainings" in said) == warned


def test_every_start_of_the_app_names_who_can_reach_it():
    files = [ROOT / "Makefile", ROOT / "Dockerfile", *ROOT.glob(".github/**/*.*")]
    files += [path for room in ("fer_core", "pages", "tests") for path in ROOT.glob(f"{room}/**/*.py")]
    texts = {path: path.read_text("utf-8", "ignore") for path in files if path != Path(__file__)}
    starts = {path for path, text in texts.items() if re.search(r'streamlit", "run"', text)}
    assert len(starts) >= 2
    assert not [path for path in starts if "--server.address" not in texts[path]]


def test_the_image_holds_no_secrets_and_installs_from_a_lock_file():
    assert "**/secrets.toml" in (ROOT / ".dockerignore").read_text().splitlines()
    dockerfile = (ROOT / "Dockerfile").read_text()
    assert "secrets" not in dockerfile
    (copied,) = re.findall(r"^COPY (requirements.*) \./$", dockerfile, re.MULTILINE)
    assert set(copied.split()) <= set(LOCKS)
    assert re.findall(r"pip install.*", dockerfile) == ["pip install --require-hashes -r $lock"]


def test_one_number_says_how_large_an_upload_may_be():
    settings = tomllib.loads((ROOT / ".streamlit/config.toml").read_text(encoding="utf-8"))
    megabytes = settings["server"]["maxUploadSize"]
    assert f"max_size {megabytes + 1}MiB" in (ROOT / "deploy/Caddyfile").read_text()
    assert f"zips and videos of {megabytes} MB" in (ROOT / "docs/deploy.md").read_text(encoding="utf-8")
