"""Pictures that somebody brings, with expression, split and groups: class folders, a table, or telling file names."""

from __future__ import annotations

import os
import re
import zipfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from functools import partial
from itertools import chain, pairwise
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from fer_core.data import spellings
from fer_core.data.folders import MAX_BYTES, entries, extract_zip, files_in
from fer_core.data.images import IMAGE_SUFFIXES
from fer_core.files import usable_path
from fer_core.labels import EXPRESSIONS, checked_classes
from fer_core.names import normal_name, readable
from fer_core.tables import read_table, shortened
from fer_core.types import FerError
from fer_core.visitors import TemporaryFolder, room

FILE, PICTURE, LABEL, SPLIT = "file", "jpeg", "expression", "split"
"""Columns of a table: file name, encoded picture (Parquet only), expression and split. All others are groups."""

LAYOUT: Final = (
    "Expected pictures and one table, CSV or Parquet, with the column file (the name of each picture) and a column for "
    "each division, such as gender or age, and expression if it is known; or file names as UTKFace has them "
    "(age_gender_ethnicity_….jpg); or a folder for each expression."
)
CLASSES: Final = (
    "Expected a folder for each expression (happy, sad … or RAF-DB's and AffectNet's numbers), in train/ and test/ or "
    "not; or a table with the columns file and expression; or file names of JAFFE or KDEF."
)
MAX_GROUPS: Final = 12  # values of a column, above which numbers are divided into three groups and texts left out
AGES: Final = (10, 20, 40, 60)  # lower ends of the bands of a column `age`, in years, but the first
GENDERS: Final = ("male", "female")  # by UTKFace's codes
ETHNICITIES: Final = ("White", "Black", "Asian", "Indian", "other")  # by its codes, as its authors name them
_TOLD: Final = ("", ".heic", ".heif")  # endings of files that are read, or get a sentence, in a class folder
_UNKNOWN: Final = "unknown"  # name of the group of empty cells
_UTKFACE: Final = re.compile(r"(\d{1,3})_([01])_([0-4])_[^/\\]*$")


@dataclass(frozen=True, eq=False)
class GroupedPictures:
    """Pictures with the groups of the people on them.

    Attributes:
        sources, names: `n` encoded pictures, paths of files or bytes; and their file names, for messages.
        groups, orders: `n` rows with a column of texts for each division, and its groups in a sensible order.
        labels: `(n,)` int64 class indices, -1 where unknown.
        classes: what the labels tell apart: the seven expressions, or classes of their own.
        splits: `(n,)` each one of `spellings.SPLITS`; empty texts if the pictures are not divided.
        skipped: one sentence for each file, row or column that is left out.
    """

    sources: tuple[Path | bytes, ...]
    names: tuple[str, ...]
    groups: pd.DataFrame
    orders: dict[str, list[str]]
    labels: NDArray[np.int64]
    splits: NDArray[np.str_]
    skipped: tuple[str, ...]
    classes: tuple[str, ...] = EXPRESSIONS

    def __len__(self) -> int:
        return len(self.sources)


@contextmanager
def open_grouped(
    place: Path, *, labelled: bool = False, numbers: str | None = None, own_classes: bool = False
) -> Iterator[GroupedPictures]:
    """Read a folder, a zip of it, or a Parquet table that holds its pictures; a FerError says why that is not possible.

    A zip is unpacked into a temporary folder, which is deleted when the block ends.

    Args:
        labelled: whether the expressions must be known. Folders may then be numbered, and a CSV may be named.
        numbers: what numbers stand for, as in `spellings.read_expressions`.
        own_classes: names that are not all expressions are classes of their own, in the order of the alphabet; those of
            folders are the outermost that differ, splits apart. Otherwise pictures of other names have the label -1.
    """
    given: dict[str, Any] = {"labelled": labelled, "numbers": numbers, "own_classes": own_classes}
    read: Callable[[Path, str], GroupedPictures] = partial(_read_folder, **given)
    if usable_path(place).is_dir():
        yield read(place, place.name)
    elif place.suffix.lower() == ".parquet" or (labelled and place.suffix.lower() == ".csv"):
        yield _from_table(_read_table(place), place.parent, place.name, **given)
    elif place.is_file() and (place.suffix.lower() == ".zip" or zipfile.is_zipfile(place)):
        with closing(TemporaryFolder()) as folder:
            yield read(extract_zip(place, folder.path, max_bytes=min(MAX_BYTES, room())), place.name)
    else:
        received = "an unknown type of file" if place.is_file() else "nothing at that place"
        expected = CLASSES if labelled else LAYOUT
        raise FerError(f"{place.name[:80]} is no folder, zip or Parquet table. {expected} Received: {received}")


def _read_folder(folder: Path, shown: str, *, labelled: bool, own_classes: bool, **given: Any) -> GroupedPictures:
    given |= {"labelled": labelled, "own_classes": own_classes}
    files = files_in(folder)
    tables = [path for path in files if path.suffix.lower() in (".csv", ".parquet")]
    known = (*IMAGE_SUFFIXES, *(_TOLD if labelled else ()))
    pictures = [path for path in files if path.suffix.lower() in known]
    named = _named_by_place([path.relative_to(folder) for path in pictures], numbered=labelled, own_classes=own_classes)
    beside: list[Path] = []  # tables that are not read
    if labelled and LABEL in named:
        whole = [path for path in tables if {FILE, LABEL} <= _columns(path)]
        beside, tables = (tables, []) if len(whole) != 1 else ([], whole)  # RAF-DB has one for each split
    if len(tables) > 1:
        names = ", ".join(path.name for path in tables[:3])
        raise FerError(f"{shown[:80]} has several tables. Keep one. {LAYOUT} Received: {names}")
    if tables:
        table = _read_table(tables[0])
        return _from_table(table, tables[0].parent, tables[0].name, **given)
    if not pictures:
        raise FerError(f"{shown[:80]} has no pictures. {CLASSES if labelled else LAYOUT}")
    if labelled and LABEL not in named:
        received = ", ".join(sorted({path.parent.name for path in pictures}))[:80]
        what = "fewer than two classes" if own_classes else "no expressions"
        raise FerError(f"The folders of {shown[:80]} name {what}. {CLASSES}{_hint(own_classes)} Received: {received}")
    read = _from_table(pd.DataFrame(named), folder, shown, **given)
    notes = [f"The folder {name} has no pictures." for name in _empty_classes(folder)] if labelled else []
    notes += [f"The table {path.name} is not read: the folders name the expressions." for path in beside]
    return replace(read, skipped=(*read.skipped, *notes))


def _named_by_place(paths: list[Path], *, numbered: bool, own_classes: bool) -> dict[str, list[str]]:
    """Return the columns of a table that the folders and names of pictures tell; the class folder is the lowest known.

    `numbered` says whether a number can be a class folder. In some data sets it is a person. With `own_classes`, if
    not all are expressions, the class is the outermost folder.
    """
    folders = [path.parent.parts for path in paths]
    splits = [next(filter(None, map(spellings.split_of, parts)), "") for parts in folders]
    inner = [[part for part in parts if not spellings.split_of(part)] for parts in folders]
    in_words = any(map(spellings.is_word, chain.from_iterable(inner)))
    known = spellings.is_word if in_words or not numbered else spellings.is_number
    classes = [next(filter(known, reversed(parts)), parts[-1] if parts else "") for parts in inner]
    if not any(map(known, classes)):
        classes = [spellings.expression_in_file_name(path.name) for path in paths] if numbered else []
    if own_classes and not ({*classes} - {""} and all(spellings.index_of(name) >= 0 for name in classes if name)):
        while len({parts[0] for parts in inner if parts}) == 1:  # a folder around all
            inner = [parts[1:] for parts in inner]
        classes = [readable(parts[0]) if parts else "" for parts in inner]
    named = {FILE: [readable(path.as_posix()) for path in paths]}
    return named | ({LABEL: classes, SPLIT: splits} if any(classes) else {})


def _empty_classes(folder: Path) -> list[str]:
    """Return the folders named after an expression that have no files, relative to the folder; two levels are read."""
    outer = [path for path in entries(folder) if path.is_dir()]
    inside = sorted(outer + [path for each in outer for path in entries(each) if path.is_dir()])
    named = (path for path in inside if spellings.is_word(path.name) or spellings.is_number(path.name))
    return [readable(path.relative_to(folder).as_posix()) for path in named if not files_in(path)]


def _read_table(path: Path) -> pd.DataFrame:
    try:
        table = read_table(path).rename(columns=lambda name: str(name).strip().lower())
    except FerError as error:
        raise FerError(f"{error} {LAYOUT}") from error
    others = {name: next((n for n in names if n in table), name) for name, names in spellings.COLUMNS.items()}
    return table.rename(columns={other: name for name, other in others.items() if name not in table})


def _columns(path: Path) -> set[str]:
    """Return the columns of a table; none if it cannot be read."""
    try:
        return {*_read_table(path)}
    except FerError:
        return set()


def _from_table(
    table: pd.DataFrame, folder: Path, shown: str, *, labelled: bool, numbers: str | None, own_classes: bool
) -> GroupedPictures:
    columns = ", ".join(map(str, table.columns))[:120] or "no columns"
    if labelled and LABEL not in table:
        raise FerError(f"The table {shown[:80]} has no column of expressions. {CLASSES} Received: {columns}")
    if table.columns.duplicated().any() or table.empty or not {FILE, PICTURE} & set(table.columns):
        raise FerError(f"The table {shown[:80]} cannot be used. {LAYOUT} Received: {len(table)} rows, {columns}")
    row_numbers = pd.Series([f"row {k}" for k in range(1, len(table) + 1)], index=table.index)
    names = _texts(table[FILE]) if FILE in table else row_numbers
    sources: list[Path | bytes | None] = (
        _inside(folder, names)
        if PICTURE not in table
        else [value if isinstance(value, bytes) else None for value in table[PICTURE]]
    )
    kept = np.array([source is not None for source in sources])
    skipped = [f"{name[:80]}: there is no such picture." for name in names[~kept]]
    if not kept.any():
        raise FerError(f"No row of {shown[:80]} names a picture that is there. {LAYOUT} Received: {names.iloc[0][:80]}")
    empty = pd.Series([""] * len(table), index=table.index)
    named = _texts(table.get(LABEL, empty))[kept]
    labels, unknown, classes = _labels(named, shown, numbers, own_classes)
    if labelled and len(present := sorted({*labels[labels >= 0].tolist()})) == 1:
        raise FerError(
            f"{shown[:80]} has only one class, {classes[present[0]]!r}. Expected at least two.{_hint(own_classes)}"
        )
    splits = _texts(table.get(SPLIT, empty))[kept].map(spellings.split_of)
    divided = (splits != "")[labels >= 0]
    if labelled and divided.any() and not divided.all():
        raise FerError(
            f"{(~divided).sum():,} of {len(divided):,} pictures in {shown[:80]} are in no split, the others are. "
            "Expected train, validation or test for each picture, or for none."
        )
    divisions = table.drop(columns=[FILE, PICTURE, LABEL, SPLIT], errors="ignore")
    if names.map(lambda name: bool(_UTKFACE.search(name))).all():
        codes = names.str.extract(_UTKFACE).astype(int)
        words = {"gender": np.array(GENDERS)[codes[1]], "ethnicity": np.array(ETHNICITIES)[codes[2]]}
        divisions = pd.DataFrame({"age": codes[0], **words})
    groups, orders, left_out = _divided(divisions[kept].reset_index(drop=True))
    if labelled and (nameless := int((named == "").sum())):
        unknown.append(f"{nameless:,} pictures without a class are left out.")
    notes = (*unknown, *left_out, *skipped)
    pictures = tuple(source for source in sources if source is not None)
    return GroupedPictures(pictures, tuple(names[kept]), groups, orders, labels, splits.to_numpy(str), notes, classes)


def _hint(own_classes: bool) -> str:
    return "" if own_classes else " For names of your own, as in a pain study: fer-lab data add --own-classes."


def _texts(values: pd.Series) -> pd.Series:
    """Return cells as texts, without blanks around them; a cell without a value is empty."""
    return values.astype(object).where(values.notna(), "").map(str).str.strip()


def _divided(table: pd.DataFrame) -> tuple[pd.DataFrame, dict[str, list[str]], list[str]]:
    """Return columns of groups, the order of the groups, and sentences on columns and cells that cannot be used.

    A group is named as in the table. Ages, and more than `MAX_GROUPS` numbers, become bands; texts beside them are
    groups of their own.
    """
    groups: dict[str, Any] = {}
    orders: dict[str, list[str]] = {}
    notes: list[str] = []
    for name, values in table.items():
        column, texts = str(name)[:40], _texts(values)
        numbers = pd.to_numeric(texts, errors="coerce").astype(float)
        numbers = numbers.where(np.isfinite(numbers))
        if column == "age":  # -1 stands for an unknown one
            texts, numbers = texts.mask(numbers < 0, ""), numbers.mask(numbers < 0)
        bands = column == "age" or numbers.nunique() > MAX_GROUPS
        words = texts[(texts != "") & (numbers.isna() | (not bands))].drop_duplicates().sort_values()
        if not column:
            notes.append("A column without a name is left out.")
            continue
        if len(words) > MAX_GROUPS:
            notes.append(
                f"The column {column} is left out: {len(words):,} different values in it, such as "
                f"{shortened(words.iloc[0])}, cannot be groups. Expected at most {MAX_GROUPS} groups, or numbers."
            )
            continue
        if column == "age":
            names = [f"{a} to {b - 1}" for a, b in pairwise((0, *AGES))]
            cut = pd.cut(numbers, [0, *AGES, np.inf], right=False, labels=[*names, f"{AGES[-1]} or older"])
        else:
            cut = pd.qcut(numbers, 3, duplicates="drop") if bands else pd.Series(pd.Categorical([None] * len(texts)))
        if not (texts != "").all():
            blank = "empty or negative" if column == "age" else "empty"
            notes.append(f"{column}: {(texts == '').sum():,} cells are {blank}; they are the group {_UNKNOWN!r}.")
        known = [*map(str, cut.cat.categories), *words[numbers[words.index].sort_values(kind="stable").index]]
        groups[column] = cut.astype(object).map(str).where(cut.notna(), texts.where(texts != "", _UNKNOWN))
        orders[column] = [group for group in dict.fromkeys([*known, _UNKNOWN]) if (groups[column] == group).any()]
    return pd.DataFrame(groups, index=table.index), orders, notes


def _labels(
    values: pd.Series, shown: str, numbers: str | None, own_classes: bool
) -> tuple[NDArray[np.int64], list[str], tuple[str, ...]]:
    """Return class indices, -1 where unknown, a sentence for each name that is none of the classes, and the classes."""
    names = sorted({*values} - {""})
    if own_classes and numbers is None and any(spellings.index_of(name) < 0 for name in names):
        try:
            classes = checked_classes(names)
        except ValueError as error:
            raise FerError(f"The names of {shown[:80]} cannot be classes. {error}") from error
        return np.array([names.index(name) if name else -1 for name in values], np.int64), [], classes
    index, notes = spellings.read_expressions(values, shown, numbers)
    others = values[values.map(index) < 0].value_counts()
    seven = ", ".join(EXPRESSIONS)
    if len(others) and others.sum() == (values != "").sum():
        words = f"Expected one of {seven}, or nothing. Received: {shortened(others.index[0])}"
        raise FerError(f"{shown[:80]} has only unknown expressions. {words}")
    notes += [
        f"{count:,} pictures are left out: {shortened(str(name))} is none of the expressions {seven}."
        for name, count in others.items()
    ]
    return np.array([index.get(name, -1) for name in values], np.int64), notes, EXPRESSIONS


def _inside(folder: Path, names: Iterable[str]) -> list[Path | bytes | None]:
    """Return the path of the file in the folder, not elsewhere, with each name, or else with its normal form."""
    root = folder.absolute()
    files = {os.path.normpath(path): path for path in files_in(root)}  # a `..` in the folder's path stays otherwise
    known = {normal_name(name): path for name, path in files.items()} | files
    forms = ((os.path.normpath(root / name), normal_name(os.path.normpath(root / normal_name(name)))) for name in names)
    return [known.get(exact) or known.get(normal) for exact, normal in forms]
