"""Datasets and pictures: FER2013, FER+ votes, UTKFace, a user's own pictures."""

from fer_core.data.class_folders import ClassFolders, read_class_folders
from fer_core.data.dataset import (
    FACE_SIZE,
    SPLITS,
    VOTE_COLUMNS,
    Duplicates,
    FaceDataset,
    FerPlusVotes,
    find_duplicates,
    leaked_mask,
)
from fer_core.data.download import download_fer2013, download_ferplus
from fer_core.data.fer2013 import DatasetMissing, find_fer2013, load_fer2013
from fer_core.data.ferplus import load_ferplus
from fer_core.data.folders import extract_zip
from fer_core.data.holdout import holdout_rule, training_and_holdout
from fer_core.data.images import IMAGE_SUFFIXES, SAMPLE_CREDIT, read_image, sample_portrait
from fer_core.data.utkface import UTKFaceDataset, load_utkface

__all__ = [
    "FACE_SIZE",
    "IMAGE_SUFFIXES",
    "SAMPLE_CREDIT",
    "SPLITS",
    "VOTE_COLUMNS",
    "ClassFolders",
    "DatasetMissing",
    "Duplicates",
    "FaceDataset",
    "FerPlusVotes",
    "UTKFaceDataset",
    "download_fer2013",
    "download_ferplus",
    "extract_zip",
    "find_duplicates",
    "find_fer2013",
    "holdout_rule",
    "leaked_mask",
    "load_fer2013",
    "load_ferplus",
    "load_utkface",
    "read_class_folders",
    "read_image",
    "sample_portrait",
    "training_and_holdout",
]
