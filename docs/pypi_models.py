"""Let the model in the PyPI package facial_emotion_recognition answer for the test faces of FER2013, as a table.

    pip install facial_emotion_recognition==0.3.4 opencv-python-headless
    python docs/pypi_models.py fer2013.csv
    fer-lab models add facial_emotion_recognition facial_emotion_recognition.csv

The package prepares each face itself. It names one expression, and prints the accuracy that its authors found.
"""

import csv
import sys
from pathlib import Path

import numpy as np
import torch
from facial_emotion_recognition import EmotionRecognition

torch.set_num_threads(1)
load = torch.load
torch.load = lambda file: load(file, map_location="cpu")  # the file was written on a GPU
network = EmotionRecognition(device="cpu")
with Path(sys.argv[1]).open() as faces, Path("facial_emotion_recognition.csv").open("w", newline="") as table:
    writer = csv.writer(table)
    writer.writerow(["row", "expression"])
    for row, face in enumerate(csv.DictReader(faces)):
        if face["Usage"] != "Training":
            picture = np.array(face["pixels"].split(), np.uint8).reshape(48, 48)
            writer.writerow([row, network._predict(picture).lower()])
