"""The quiz: people name the expression on ten faces and compare themselves with the label, annotators and models."""

from fer_core.quiz.qr_code import qr_code
from fer_core.quiz.rooms import NAME_LENGTH, Person, Room, Rooms, no_room, tidy_code
from fer_core.quiz.rounds import FACES, QuizFace, Round, draw_round
from fer_core.quiz.tally import (
    YOU,
    Agreement,
    agreement,
    answer_counts,
    class_table,
    expression_table,
    face_table,
    own_table,
    people_table,
    together,
)
from fer_core.quiz.yardsticks import ANNOTATORS, LABEL, MODELS, Said, Yardsticks, model_answers, yardsticks

__all__ = [
    "ANNOTATORS",
    "FACES",
    "LABEL",
    "MODELS",
    "NAME_LENGTH",
    "YOU",
    "Agreement",
    "Person",
    "QuizFace",
    "Room",
    "Rooms",
    "Round",
    "Said",
    "Yardsticks",
    "agreement",
    "answer_counts",
    "class_table",
    "draw_round",
    "expression_table",
    "face_table",
    "model_answers",
    "no_room",
    "own_table",
    "people_table",
    "qr_code",
    "tidy_code",
    "together",
    "yardsticks",
]
