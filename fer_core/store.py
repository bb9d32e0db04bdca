"""The stored models: read and write `trained_models/<name>/` with its card, weights, predictions and history."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from fer_core.card import CARD, ModelCard
from fer_core.files import home, whole_folder
from fer_core.types import FerError

SHIPPED = Path(__file__).resolve().parent.parent / "trained_models"
DEFAULT_MODEL = "compact_cnn_distilled"
WEIGHTS, PREDICTIONS, HISTORY, KERAS = "model.tflite", "predictions.parquet", "history.csv", "model.keras"


@dataclass(frozen=True)
class StoredModel:
    """One model in the store.

    Attributes:
        name: the folder's name.
        folder: where it is.
        card: how it was trained and what was measured (`card.json`).
    """

    name: str
    folder: Path
    card: ModelCard

    @property
    def title(self) -> str:
        """The name that people read."""
        return self.card.title

    @property
    def weights(self) -> Path:
        """The LiteRT file that serves.

        Raises:
            FerError: the model is kept for comparison only.
        """
        if not self.servable:
            raise FerError(f"The model {self.name} is kept for comparison only and cannot predict new faces.")
        return self.folder / WEIGHTS

    @property
    def servable(self) -> bool:
        """Whether it can predict new faces; a model that is kept for comparison only has predictions, but no file."""
        return self.card.served is not None

    @property
    def size_bytes(self) -> int:
        """Size of the served file in bytes; 0 for a model that is not served."""
        return self.weights.stat().st_size if self.servable else 0

    def predictions(self, split: str, view: str = "plain") -> pd.DataFrame:
        """Return the stored predictions of a test split.

        Args:
            split: `public_test` or `private_test`.
            view: `plain`, or `flip` for the average with the mirror image.

        Returns:
            Columns `row` (FER2013's), `label`, `p_angry` … `p_neutral`, in FER2013's order.

        Raises:
            FerError: the model has no stored predictions, or none of that split and view.
        """
        table = self.all_predictions()
        found = table[(table["split"] == split) & (table["view"] == view)]
        if found.empty:
            raise FerError(f"The model {self.name} has no stored predictions of {split} ({view}).")
        return found.drop(columns=["split", "view"]).reset_index(drop=True)

    def all_predictions(self) -> pd.DataFrame:
        """Return the stored predictions of both splits and views, with the columns `split` and `view`.

        Raises:
            FerError: there are none.
        """
        path = self.folder / PREDICTIONS
        if not path.is_file():
            raise FerError(f"The model {self.name} has no stored predictions: {path.name} is missing from its folder.")
        return pd.read_parquet(path)

    def history(self) -> pd.DataFrame:
        """Return the curves of training, one row an epoch; empty where none are stored, as for a baseline."""
        path = self.folder / HISTORY
        return pd.read_csv(path) if path.is_file() else pd.DataFrame()


def list_models(servable: bool = False) -> tuple[list[StoredModel], list[str]]:
    """Return all stored models, default first, and one sentence for each folder that is broken.

    Args:
        servable: leave out those that are kept for comparison only.
    """
    models: list[StoredModel] = []
    warnings: list[str] = []
    roots = [SHIPPED]
    try:
        roots.append(promoted())
    except FerError as error:  # the data folder cannot be made: what is shipped still serves
        warnings.append(str(error))
    folders = {
        path.name: path
        for root in roots
        if root.is_dir()
        for path in sorted(root.iterdir())
        if path.is_dir() and not path.name.startswith(".")
    }
    for path in folders.values():
        try:
            model = open_model(path)
            if model.servable or not servable:
                models.append(model)
        except FerError as error:
            warnings.append(str(error))
    return sorted(models, key=lambda m: (m.name != DEFAULT_MODEL, m.title.lower())), warnings


def load_model(name: str = DEFAULT_MODEL) -> StoredModel:
    """Return a stored model by name.

    Raises:
        FerError: there is none of that name, or its folder is broken.
    """
    for root in (promoted(), SHIPPED):
        if name and Path(name).name == name and (root / name).is_dir():
            return open_model(root / name)
    names = ", ".join(model.name for model in list_models()[0]) or "none"
    raise FerError(f"There is no trained model of that name. Trained models here: {names}. Received: {name}")


def open_model(folder: Path) -> StoredModel:
    """Read a model's folder.

    Raises:
        FerError: card or weights are missing or damaged.
    """
    card = ModelCard.read(folder / CARD)
    needed = folder / (PREDICTIONS if card.served is None else WEIGHTS)
    if not needed.is_file() or needed.stat().st_size == 0:
        raise FerError(f"The model folder {folder.name} is skipped: {needed.name} is missing or empty.")
    return StoredModel(folder.name, folder, card)


def save_model(
    root: Path,
    card: ModelCard,
    weights: bytes,
    predictions: pd.DataFrame,
    history: pd.DataFrame,
    keras: bytes,
) -> StoredModel:
    """Write a model's folder in one step: it is seen whole or not at all.

    Args:
        root: `SHIPPED` or `promoted()`.
        card: its name becomes the folder's.
        weights: the LiteRT file's bytes; empty for a model that is not served.
        predictions: columns `row`, `split`, `view`, `label`, `p_angry` … `p_neutral`.
        history: one row an epoch; none where there are no epochs.
        keras: the `.keras` file's bytes, for warm starts; may be empty.
    """
    root.mkdir(parents=True, exist_ok=True)
    target = root / card.name
    with whole_folder(target) as work:
        for name, content in ((WEIGHTS, weights), (KERAS, keras)):
            if content:
                (work / name).write_bytes(content)
        _write(predictions, work / PREDICTIONS)
        if not history.empty:
            history.to_csv(work / HISTORY, index=False)
        card.write(work / CARD)
    return open_model(target)


def _write(predictions: pd.DataFrame, path: Path) -> None:
    """Write a table, its floats' bytes sorted by place: so they pack into two thirds, and lose nothing."""
    floats = [name for name in predictions.columns if predictions[name].dtype.kind == "f"]
    predictions.to_parquet(
        path,
        index=False,
        compression="zstd",
        compression_level=19,
        use_dictionary=[name for name in predictions.columns if name not in floats],
        use_byte_stream_split=floats,
    )


def promoted() -> Path:
    """Return the folder of the user's own models."""
    return home() / "models"
