"""FER2013 in every edition, FER+ votes, a user's own pictures, and the folders that keep them."""

from fer_core.data.aged_faces import AgedFaces, load_utkface
from fer_core.data.archive import extract_zip
from fer_core.data.class_folders import ClassFolders, read_class_folders
from fer_core.data.dataset import FACE_SIZE, SPLITS, FerDataset, split_name
from fer_core.data.download import download_fer2013
from fer_core.data.duplicates import Duplicates, find_duplicates, leaked_mask
from fer_core.data.fer2013 import DatasetMissing, find_fer2013, load_fer2013
from fer_core.data.ferplus import VOTE_COLUMNS, FerPlusVotes, load_ferplus
from fer_core.data.images import IMAGE_SUFFIXES, read_image
from fer_core.data.paths import cache_folder, home

__all__ = [
    "FACE_SIZE",
    "IMAGE_SUFFIXES",
    "SPLITS",
    "VOTE_COLUMNS",
    "AgedFaces",
    "ClassFolders",
    "DatasetMissing",
    "Duplicates",
    "FerDataset",
    "FerPlusVotes",
    "cache_folder",
    "download_fer2013",
    "extract_zip",
    "find_duplicates",
    "find_fer2013",
    "home",
    "leaked_mask",
    "load_fer2013",
    "load_ferplus",
    "load_utkface",
    "read_class_folders",
    "read_image",
    "split_name",
]
