"""Quiz rooms: a class answers face by face, as its lecturer leads, and its answers are counted together.

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
from typing import Any, Final

from fer_core.files import home
from fer_core.labels import EXPRESSIONS
from fer_core.quiz.rounds import FACES, FER2013, Said
from fer_core.types import FerError
from fer_core.visitors import visitor

LETTERS: Final = "BCDFGHJKLMNPQRSTVWXZ"  # without vowels no code is a word, and no I or O is read as 1 or 0
CODE_LENGTH: Final = 4
WORD_LENGTH: Final = 12  # of the lecturer's secret word: 52 bits
NAME_LENGTH: Final = 30
MOST_ROOMS: Final = 50
MOST_PEOPLE: Final = 300  # of one room
LOCK_SECONDS: Final = 30.0  # for which a change waits for the changes of others
IDLE_SECONDS: Final = 3 * 3600.0
"""After so long without an answer, a new person or a new round, there is no such room any more. The next change of any
room, or the next start of the app, removes it from the file."""

_NONE: Final = "-"  # in the file: the person gave no answer to this face
_TABLES: Final = ("people", "leaders", "owners", "rooms")
_VERSION: Final = 2  # of the tables; older ones, whose rooms last three hours, are replaced


@dataclass(frozen=True)
class Person:
    """A person in a room: the name, as typed or made unique, and the answers to the first faces; None for no answer."""

    name: str
    answers: tuple[str | None, ...] = ()


@dataclass(frozen=True)
class Room:
    """A room as it is at one moment, without its secret word.

    Attributes:
        code, of, seed: of the room; the data set and the number of its round.
        turn: number of the round in this room, from 1.
        face: place of the face that the class is at, from 0; -1 before the first, `FACES` after the last.
        asking: whether answers to this face are taken; afterwards they are compared.
        people: in the order in which they joined.
    """

    code: str
    of: str
    seed: int
    turn: int
    face: int = -1
    asking: bool = False
    people: tuple[Person, ...] = ()

    @property
    def answers(self) -> list[Said]:
        """The answers of each person."""
        return [person.answers for person in self.people]


class Rooms:
    """All rooms of a server. Every method may be called from any thread, and from any process that has the same file.

    A `FerError` of a method says that the room is not there or full, or that the file cannot be read or written.

    Args:
        path: the file; by default `quiz.db` in the user's data folder. A damaged one is replaced by an empty one.
        clock: returns seconds; for tests.
    """

    def __init__(self, path: Path | None = None, clock: Callable[[], float] = time.time) -> None:
        self._path, self._clock = path or home() / "quiz.db", clock
        try:
            self._create()
        except sqlite3.OperationalError as error:
            raise FerError(f"The rooms of the quiz cannot be kept in {self._path} ({error}).") from error
        except sqlite3.DatabaseError:
            self._replace()

    def open(self, key: str, *, seed: int, of: str = FER2013) -> str:
        """Open a room with a round of a data set, which the holder of `key` leads, and return its code."""
        here = visitor()
        with self._changing() as data:
            if here and here.limits:
                own = _count(data, "owners WHERE visitor = ?", here.name)
                if own >= here.limits.rooms:
                    raise FerError(
                        f"Too many of your rooms are open on this server. Expected at most {here.limits.rooms:g} at a "
                        f"time; end one, or wait three hours. Received: {own + 1}"
                    )
            if _count(data, "rooms") >= MOST_ROOMS:
                raise FerError(f"All {MOST_ROOMS} rooms of this server are in use. End one, or try again later.")
            code = _letters(CODE_LENGTH)
            while _count(data, "rooms WHERE code = ?", code):
                code = _letters(CODE_LENGTH)
            values = (code, of, seed, _letters(WORD_LENGTH), self._clock())
            data.execute("INSERT INTO rooms VALUES (?, ?, ?, 1, -1, 0, ?, ?)", values)
            data.execute("INSERT INTO leaders VALUES (?, ?)", (code, key))
            if here:
                data.execute("INSERT INTO owners VALUES (?, ?)", (code, here.name))
            return code

    def led(self, key: str) -> tuple[str, str] | None:
        """Return the code and the secret word of the room that the holder of `key` leads, the newest of several."""
        query = "SELECT code FROM leaders WHERE key = ? ORDER BY rowid DESC"
        with self._reading() as data:
            rooms = (self._find(data, code) for (code,) in data.execute(query, (key,)).fetchall())
            return next(((room["code"], room["word"]) for room in rooms if room), None)

    def lead(self, word: str, key: str) -> str:
        """Let the holder of `key` lead the room of a secret word, too, and return its code."""
        letters = "".join(letter for letter in word.upper() if letter.isalpha())
        with self._changing() as data:
            room = data.execute("SELECT code FROM rooms WHERE word = ?", (letters,)).fetchone()
            if room is None:
                raise FerError(
                    "No room has this secret word. The device that opened the room shows the word beside the room's "
                    f"code. Expected {WORD_LENGTH} letters. Received: {len(letters)}"
                )
            data.execute("INSERT INTO leaders VALUES (?, ?)", (room["code"], key))
            return str(room["code"])

    def look(self, code: str) -> Room | None:
        """Return a room as it is now; None if there is none of that code. This does not count as activity."""
        with self._reading() as data:
            room = self._find(data, code)
            if room is None:
                return None
            rows = data.execute("SELECT name, answers FROM people WHERE code = ? ORDER BY rowid", (room["code"],))
            about: dict[str, Any] = {name: room[name] for name in ("code", "of", "seed", "turn", "face")}
            return Room(**about, asking=bool(room["asking"]), people=tuple(map(_person, rows)))

    def person(self, code: str, key: str) -> Person | None:
        """Return the person who holds this key; None if the room or the person is not there."""
        with self._reading() as data:
            room = self._find(data, code)
            return _person_at(data, room["code"], key) if room else None

    def join(self, code: str, name: str, *, key: str | None = None) -> str:
        """Add a person and return the key with which the person answers.

        Args:
            code: of the room.
            name: any text, of which the first `NAME_LENGTH` printable characters are kept. Without any, the person is
                called Guest and a number. A name that is taken gets a number.
            key: of the person, who may be in the room already; a new one by default.
        """
        with self._changing() as data:
            room = self._find(data, code)
            if room is None:
                raise FerError(no_room(code))
            if key and _person_at(data, room["code"], key):
                return key
            names = [row["name"] for row in data.execute("SELECT name FROM people WHERE code = ?", (room["code"],))]
            if len(names) >= MOST_PEOPLE:
                raise FerError(f"The room {room['code']} is full: it holds {MOST_PEOPLE} people.")
            key = key or secrets.token_urlsafe(12)
            free = _free_name(name, {name.casefold() for name in names})
            data.execute("INSERT INTO people VALUES (?, ?, ?, '')", (room["code"], key, free))
            self._active(data, room["code"])
            return key

    def answer(self, code: str, key: str, *, turn: int, face: int, expression: str) -> bool:
        """Keep a person's answer to the face that the class is at; return whether it was kept.

        An answer to a face that the person has answered, to another face, of an earlier round or after the class has
        gone on is not kept, so a second window or a reload cannot change an answer.

        Raises:
            ValueError: `expression` is none of the seven.
        """
        if expression not in EXPRESSIONS:
            raise ValueError(f"Expected one of {', '.join(EXPRESSIONS)}. Received: {expression!r}")
        with self._changing() as data:
            room = self._find(data, code)
            person = _person_at(data, room["code"], key) if room else None
            if room is None or person is None or not room["asking"] or (turn, face) != (room["turn"], room["face"]):
                return False
            if face < len(person.answers):
                return False
            missed = [None] * (face - len(person.answers))
            answers = " ".join(answer or _NONE for answer in (*person.answers, *missed, expression))
            data.execute("UPDATE people SET answers = ? WHERE code = ? AND key = ?", (answers, room["code"], key))
            self._active(data, room["code"])
            return True

    def leave(self, code: str, key: str) -> None:
        """Forget a person and the person's answers."""
        with self._changing() as data:
            data.execute("DELETE FROM people WHERE code = ? AND key = ?", (tidy_code(code), key))

    def go(self, code: str, key: str, *, face: int, asking: bool) -> None:
        """Take the class to a face, from -1 to `FACES`, if the holder of `key` leads the room."""
        with self._changing() as data:
            if self._leads(data, code, key):
                change = "UPDATE rooms SET face = ?, asking = ? WHERE code = ?"
                data.execute(change, (face, asking and 0 <= face < FACES, tidy_code(code)))
                self._active(data, tidy_code(code))

    def restart(self, code: str, key: str, seed: int) -> None:
        """Start another round with the same people and without their answers, if the holder of `key` leads the room."""
        with self._changing() as data:
            if self._leads(data, code, key):
                change = "UPDATE rooms SET seed = ?, turn = turn + 1, face = -1, asking = 0 WHERE code = ?"
                data.execute(change, (seed, tidy_code(code)))
                data.execute("UPDATE people SET answers = '' WHERE code = ?", (tidy_code(code),))
                self._active(data, tidy_code(code))

    def end(self, code: str, key: str) -> None:
        """Forget a room, its people and their answers, if the holder of `key` leads it."""
        with self._changing() as data:
            if self._leads(data, code, key):
                _forget(data, tidy_code(code))

    def _create(self) -> None:
        with closing(self._connect()) as data:
            if data.execute("PRAGMA user_version").fetchone()[0] != _VERSION:
                for table in _TABLES:
                    data.execute(f"DROP TABLE IF EXISTS {table}")
                data.execute(f"PRAGMA user_version = {_VERSION}")
            columns = "code TEXT PRIMARY KEY, of TEXT, seed INT, turn INT, face INT, asking INT, word TEXT, active REAL"
            data.execute(f"CREATE TABLE IF NOT EXISTS rooms ({columns})")
            data.execute("CREATE TABLE IF NOT EXISTS people (code TEXT, key TEXT, name TEXT, answers TEXT)")
            data.execute("CREATE TABLE IF NOT EXISTS leaders (code TEXT, key TEXT)")
            data.execute("CREATE TABLE IF NOT EXISTS owners (code TEXT PRIMARY KEY, visitor TEXT)")
            data.execute("CREATE INDEX IF NOT EXISTS people_by_room ON people (code, key)")
        with self._transaction():
            pass  # forgets idle rooms

    def _replace(self) -> None:
        """Put an empty file in the place of a damaged one."""
        try:
            for name in (self._path, f"{self._path}-journal"):
                Path(name).unlink(missing_ok=True)
            self._create()
        except (OSError, sqlite3.Error) as error:
            raise FerError(f"The rooms of the quiz cannot be kept in {self._path} ({error}).") from error

    def _connect(self) -> sqlite3.Connection:
        data = sqlite3.connect(self._path, timeout=LOCK_SECONDS, isolation_level=None)
        data.row_factory = sqlite3.Row
        data.execute("PRAGMA secure_delete = ON")  # what is forgotten is overwritten
        data.execute("PRAGMA synchronous = OFF")  # a class answers at once; a power cut ends the class anyway
        return data

    @contextmanager
    def _reading(self) -> Iterator[sqlite3.Connection]:
        with self._explained("read"), closing(self._connect()) as data:
            data.execute("BEGIN")
            yield data

    @contextmanager
    def _changing(self) -> Iterator[sqlite3.Connection]:
        """Yield the data for a change that no other process sees half of."""
        with self._explained("changed"), self._transaction() as data:
            yield data

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        with closing(self._connect()) as data:
            data.execute("BEGIN IMMEDIATE")
            for (code,) in data.execute("SELECT code FROM rooms WHERE active < ?", (self._oldest(),)).fetchall():
                _forget(data, code)
            yield data
            data.execute("COMMIT")

    @contextmanager
    def _explained(self, what: str) -> Iterator[None]:
        """Turn errors of the file into FerErrors, and replace a damaged file."""
        try:
            yield
        except sqlite3.OperationalError as error:
            raise FerError(f"The room cannot be {what} ({error}). Try again.") from error
        except sqlite3.DatabaseError as error:
            if type(error) is not sqlite3.DatabaseError:  # others are errors of the program
                raise
            self._replace()
            raise FerError("The file of the quiz rooms was damaged, so all rooms are lost. Open a new one.") from error

    def _find(self, data: sqlite3.Connection, code: str) -> Any:
        """Return the row of a room, with its secret word; None if there is none, or it was idle for too long."""
        query = "SELECT * FROM rooms WHERE code = ? AND active >= ?"
        return data.execute(query, (tidy_code(code), self._oldest())).fetchone()

    def _leads(self, data: sqlite3.Connection, code: str, key: str) -> bool:
        room = self._find(data, code)
        return room is not None and _count(data, "leaders WHERE code = ? AND key = ?", room["code"], key) > 0

    def _active(self, data: sqlite3.Connection, code: str) -> None:
        data.execute("UPDATE rooms SET active = ? WHERE code = ?", (self._clock(), code))

    def _oldest(self) -> float:
        return self._clock() - IDLE_SECONDS


def _person_at(data: sqlite3.Connection, code: str, key: str) -> Person | None:
    row = data.execute("SELECT name, answers FROM people WHERE code = ? AND key = ?", (code, key)).fetchone()
    return _person(row) if row else None


def _person(row: sqlite3.Row) -> Person:
    return Person(row["name"], tuple(None if answer == _NONE else answer for answer in row["answers"].split()))


def _count(data: sqlite3.Connection, rows: str, *values: object) -> int:
    return int(data.execute(f"SELECT COUNT(*) FROM {rows}", values).fetchone()[0])


def _forget(data: sqlite3.Connection, code: str) -> None:
    for table in _TABLES:
        data.execute(f"DELETE FROM {table} WHERE code = ?", (code,))


def tidy_code(code: str) -> str:
    """Return a code as rooms have it: capital letters without spaces."""
    return "".join(code.split()).upper()[:CODE_LENGTH]


def no_room(code: str) -> str:
    """Return the sentence for a code of which there is no room."""
    shown = "".join(letter for letter in code.strip() if letter.isprintable())[:12]
    return f"There is no room with the code {shown or '(none)'}. Check the code, or ask who gave it to you."


def _letters(number: int) -> str:
    return "".join(secrets.choice(LETTERS) for _ in range(number))


def _free_name(name: str, taken: set[str]) -> str:
    """Return a name that nobody has: the typed one, or with a number."""
    printable = "".join(letter if letter.isprintable() else " " for letter in name)
    typed = " ".join(printable.split())[:NAME_LENGTH].strip()
    candidate, number = typed or "Guest 1", 1
    while candidate.casefold() in taken:
        number += 1
        candidate = f"{typed or 'Guest'} {number}"
    return candidate
