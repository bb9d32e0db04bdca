"""Datasets and pictures: FER2013, FER+ votes, UTKFace, a user's own pictures."""

from fer_core.data.dataset import SPLITS, VOTE_COLUMNS, FaceDataset, FerPlusVotes, find_duplicates, leaked_mask
from fer_core.data.download import download_fer2013, download_ferplus
from fer_core.data.fer2013 import DatasetMissing, find_fer2013, load_fer2013, load_ferplus
from fer_core.data.folders import extract_zip
from fer_core.data.holdout import holdout_rule, training_and_holdout
from fer_core.data.images import IMAGE_SUFFIXES, SAMPLE_CREDIT, read_image, sample_portrait
from fer_core.data.utkface import UTKFaceDataset, load_utkface
