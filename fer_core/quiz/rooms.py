"""Quiz rooms: a class answers the same faces, and its answers are counted together.

Rooms are in an SQLite file of the data folder, so that all copies of the app count together. Ending a room removes all
of it from the file.
"""

from __future__ import annotations

import secrets
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final, NamedTuple

import cv2
import numpy as np

from fer_core.files import home
from fer_core.labels import EXPRESSIONS
from fer_core.quiz.rounds import FACES
from fer_core.types import FerError, Image
from fer_core.visitors import visitor

LETTERS: Final = "BCDFGHJKLMNPQRSTVWXZ"
"""Of codes. Without vowels no code is a word, and none has an I or O that could be read as 1 or 0."""

CODE_LENGTH: Final = 4
NAME_LENGTH: Final = 30
MOST_ROOMS: Final = 50
MOST_PEOPLE: Final = 300
"""Of one room."""

FILE: Final = "quiz.db"
LOCK_SECONDS: Final = 30.0
"""For which a change waits for the changes of others."""

IDLE_SECONDS: Final = 3 * 3600.0
"""After so long without an answer, a new person or a new round, there is no such room any more. The next change of any
room, or the next start of the app, removes it from the file."""


@dataclass(frozen=True)
class Person:
    """A person in a room.

    Attributes:
        name: as typed, or made unique with a number.
        answers: to the first faces of the round, in order.
    """

    name: str
    answers: tuple[str, ...] = ()


@dataclass(frozen=True)
class Room:
    """A room as it is at one moment. It holds no secrets, so a page can show all of it.

    Attributes:
        code: what people type to join.
        seed: of the round.
        turn: number of the round in this room, from 1.
        people: in the order in which they joined.
    """

    code: str
    seed: int
    turn: int
    people: tuple[Person, ...] = ()


class Rooms:
    """All rooms of a server. Every method may be called from any thread, and from any process that has the same file.

    Args:
        path: the file; by default `quiz.db` in the user's data folder. A damaged one is replaced by an empty one.
        clock: returns seconds; for tests.

    Raises:
        FerError: on creation, if the file cannot be written.
    """

    def __init__(self, path: Path | None = None, clock: Callable[[], float] = time.time) -> None:
        self._path, self._clock = path or home() / FILE, clock
        try:
            self._create()
        except sqlite3.OperationalError as error:
            raise FerError(f"The rooms of the quiz cannot be kept in {self._path} ({error}).") from error
        except sqlite3.DatabaseError:
            self._path.unlink(missing_ok=True)
            self._create()

    def open(self, seed: int) -> tuple[str, str]:
        """Open a room and return its code and the secret that controls it.

        Args:
            seed: of the first round.

        Raises:
            FerError: too many rooms are open, on the server or of the current visitor; or the disk is full.
        """
        here = visitor()
        with self._changing() as data:
            if here and here.limits:
                own = _count(data, "SELECT COUNT(*) FROM owners WHERE visitor = ?", here.name)
                if own >= here.limits.rooms:
                    raise FerError(
                        f"Too many of your rooms are open on this server. Expected at most {here.limits.rooms:g} at a "
                        f"time; end one, or wait three hours. Received: {own + 1}"
                    )
            if _count(data, "SELECT COUNT(*) FROM rooms") >= MOST_ROOMS:
                raise FerError(f"All {MOST_ROOMS} rooms of this server are in use. End one, or try again later.")
            code = _new_code()
            while _count(data, "SELECT COUNT(*) FROM rooms WHERE code = ?", code):
                code = _new_code()
            secret = secrets.token_urlsafe(16)
            data.execute("INSERT INTO rooms VALUES (?, ?, 1, ?, ?)", (code, seed, secret, self._clock()))
            if here:
                data.execute("INSERT INTO owners VALUES (?, ?)", (code, here.name))
            return code, secret

    def look(self, code: str) -> Room | None:
        """Return a room as it is now; None if there is none of that code. This does not count as activity."""
        with self._reading() as data:
            found = self._find(data, code)
            if found is None:
                return None
            rows = data.execute("SELECT name, answers FROM people WHERE code = ? ORDER BY rowid", (found.code,))
            return Room(found.code, found.seed, found.turn, tuple(_person(*row) for row in rows))

    def person(self, code: str, key: str) -> Person | None:
        """Return the person who holds this key; None if the room or the person is not there."""
        with self._reading() as data:
            found = self._find(data, code)
            return _at(data, found.code, key) if found else None

    def join(self, code: str, name: str, *, key: str | None = None) -> str:
        """Add a person and return the key with which the person answers.

        Args:
            code: of the room.
            name: any text, of which the first `NAME_LENGTH` printable characters are kept. Without any, the person is
                called Guest and a number. A name that is taken gets a number.
            key: of the person, who may be in the room already; a new one by default.

        Raises:
            FerError: there is no such room, it is full, or the disk is.
        """
        with self._changing() as data:
            found = self._find(data, code)
            if found is None:
                raise FerError(no_room(code))
            if key and _at(data, found.code, key):
                return key
            names = [row[0] for row in data.execute("SELECT name FROM people WHERE code = ?", (found.code,))]
            if len(names) >= MOST_PEOPLE:
                raise FerError(f"The room {found.code} is full: it holds {MOST_PEOPLE} people.")
            key = key or secrets.token_urlsafe(12)
            free = _free_name(name, {name.casefold() for name in names})
            data.execute("INSERT INTO people VALUES (?, ?, ?, '')", (found.code, key, free))
            self._active(data, found.code)
            return key

    def answer(self, code: str, key: str, turn: int, face: int, expression: str) -> bool:
        """Keep a person's answer to the next face; return whether it was kept.

        An answer to a face that is already answered, to a later face or of an earlier round is not kept, so a second
        window or a reload cannot change an answer.

        Args:
            code: of the room.
            key: of the person.
            turn: of the room's round that the person sees.
            face: place of the face in the round, from 0.
            expression: one of `labels.EXPRESSIONS`.

        Raises:
            ValueError: unknown expression.
            FerError: the disk is full.
        """
        if expression not in EXPRESSIONS:
            raise ValueError(f"Expected one of {', '.join(EXPRESSIONS)}. Received: {expression!r}")
        with self._changing() as data:
            found = self._find(data, code)
            person = _at(data, found.code, key) if found else None
            if found is None or person is None or turn != found.turn:
                return False
            if face != len(person.answers) or face >= FACES:
                return False
            answers = " ".join((*person.answers, expression))
            data.execute("UPDATE people SET answers = ? WHERE code = ? AND key = ?", (answers, found.code, key))
            self._active(data, found.code)
            return True

    def leave(self, code: str, key: str) -> None:
        """Forget a person and the person's answers."""
        with self._changing() as data:
            data.execute("DELETE FROM people WHERE code = ? AND key = ?", (tidy_code(code), key))

    def restart(self, code: str, secret: str, seed: int) -> bool:
        """Start another round with the same people and without their answers; return whether the secret fits."""
        with self._changing() as data:
            found = self._owned(data, code, secret)
            if found is None:
                return False
            data.execute("UPDATE rooms SET seed = ?, turn = turn + 1 WHERE code = ?", (seed, found.code))
            data.execute("UPDATE people SET answers = '' WHERE code = ?", (found.code,))
            self._active(data, found.code)
            return True

    def end(self, code: str, secret: str) -> bool:
        """Forget a room, its people and their answers; return whether the secret fits."""
        with self._changing() as data:
            found = self._owned(data, code, secret)
            if found is not None:
                _forget(data, found.code)
            return found is not None

    def __len__(self) -> int:
        """Return the number of open rooms."""
        with self._reading() as data:
            return _count(data, "SELECT COUNT(*) FROM rooms WHERE active >= ?", self._oldest())

    def _create(self) -> None:
        with closing(self._connect()) as data:
            columns = "code TEXT PRIMARY KEY, seed INT, turn INT, secret TEXT, active REAL"
            data.execute(f"CREATE TABLE IF NOT EXISTS rooms ({columns})")
            data.execute("CREATE TABLE IF NOT EXISTS people (code TEXT, key TEXT, name TEXT, answers TEXT)")
            data.execute("CREATE TABLE IF NOT EXISTS owners (code TEXT PRIMARY KEY, visitor TEXT)")
            data.execute("CREATE INDEX IF NOT EXISTS people_by_room ON people (code, key)")
        with self._changing():
            pass  # forgets idle rooms

    def _connect(self) -> sqlite3.Connection:
        data = sqlite3.connect(self._path, timeout=LOCK_SECONDS, isolation_level=None)
        data.execute("PRAGMA secure_delete = ON")  # what is forgotten is overwritten
        data.execute("PRAGMA synchronous = OFF")  # a class answers at once; a power cut ends the class anyway
        return data

    @contextmanager
    def _reading(self) -> Iterator[sqlite3.Connection]:
        try:
            with closing(self._connect()) as data:
                data.execute("BEGIN")
                yield data
        except sqlite3.OperationalError as error:
            raise FerError(f"The room cannot be read ({error}). Try again.") from error

    @contextmanager
    def _changing(self) -> Iterator[sqlite3.Connection]:
        """Yield the data for a change that no other process sees half of."""
        try:
            with closing(self._connect()) as data:
                data.execute("BEGIN IMMEDIATE")
                for (code,) in data.execute("SELECT code FROM rooms WHERE active < ?", (self._oldest(),)).fetchall():
                    _forget(data, code)
                yield data
                data.execute("COMMIT")
        except sqlite3.OperationalError as error:
            raise FerError(f"The room cannot be changed ({error}). Try again.") from error

    def _find(self, data: sqlite3.Connection, code: str) -> _Found | None:
        query = "SELECT code, seed, turn, secret FROM rooms WHERE code = ? AND active >= ?"
        row = data.execute(query, (tidy_code(code), self._oldest())).fetchone()
        return _Found(*row) if row else None

    def _owned(self, data: sqlite3.Connection, code: str, secret: str) -> _Found | None:
        found = self._find(data, code)
        return found if found and secrets.compare_digest(found.secret.encode(), secret.encode()) else None

    def _active(self, data: sqlite3.Connection, code: str) -> None:
        data.execute("UPDATE rooms SET active = ? WHERE code = ?", (self._clock(), code))

    def _oldest(self) -> float:
        return self._clock() - IDLE_SECONDS


class _Found(NamedTuple):
    """A row of the table of rooms, with its secret."""

    code: str
    seed: int
    turn: int
    secret: str


def _at(data: sqlite3.Connection, code: str, key: str) -> Person | None:
    row = data.execute("SELECT name, answers FROM people WHERE code = ? AND key = ?", (code, key)).fetchone()
    return _person(*row) if row else None


def _person(name: str, answers: str) -> Person:
    return Person(name, tuple(answers.split()))


def _count(data: sqlite3.Connection, query: str, *values: object) -> int:
    return int(data.execute(query, values).fetchone()[0])


def _forget(data: sqlite3.Connection, code: str) -> None:
    data.execute("DELETE FROM people WHERE code = ?", (code,))
    data.execute("DELETE FROM owners WHERE code = ?", (code,))
    data.execute("DELETE FROM rooms WHERE code = ?", (code,))


def tidy_code(code: str) -> str:
    """Return a code as rooms have it: capital letters without spaces."""
    return "".join(code.split()).upper()[:CODE_LENGTH]


def no_room(code: str) -> str:
    """Return the sentence for a code of which there is no room."""
    shown = "".join(letter for letter in code.strip() if letter.isprintable())[:12]
    return f"There is no room with the code {shown or '(none)'}. Check the code, or ask who gave it to you."


def _new_code() -> str:
    return "".join(secrets.choice(LETTERS) for _ in range(CODE_LENGTH))


def _free_name(name: str, taken: set[str]) -> str:
    """Return a name that nobody has: the typed one, or with a number."""
    typed = "".join(letter if letter.isprintable() else " " for letter in name)
    wanted = " ".join(typed.split())[:NAME_LENGTH].strip()
    candidate, number = wanted or "Guest 1", 1
    while candidate.casefold() in taken:
        number += 1
        candidate = f"{wanted or 'Guest'} {number}"
    return candidate


_CELL = 8


def qr_code(link: str) -> Image:
    """Return the QR code of a link, `(side, side)` uint8 gray with a white margin and cells of 8 pixels.

    Raises:
        ValueError: the link is empty.
    """
    if not link:
        raise ValueError(f"Expected a link. Received: {link!r}")
    parameters = cv2.QRCodeEncoder.Params()
    parameters.mode = cv2.QRCodeEncoder_MODE_BYTE
    code = cv2.QRCodeEncoder.create(parameters).encode(link)
    return np.pad(np.kron(code, np.ones((_CELL, _CELL), np.uint8)), 2 * _CELL, constant_values=255)
