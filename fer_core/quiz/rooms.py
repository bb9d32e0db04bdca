"""Quiz rooms: a class answers the same faces, and its answers are counted together.

Rooms are in the memory of this process only. Nothing is written to disk, and ending a room forgets all of it. With
several copies of the app behind a proxy a room lives in one copy, so the proxy must send each browser to the same copy
(sticky sessions).
"""

from __future__ import annotations

import secrets
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from fer_core.labels import EXPRESSIONS
from fer_core.quiz.rounds import FACES
from fer_core.types import FerError

LETTERS: Final = "BCDFGHJKLMNPQRSTVWXZ"
"""Of codes. Without vowels no code is a word, and none has an I or O that could be read as 1 or 0."""

CODE_LENGTH: Final = 4
NAME_LENGTH: Final = 30
MOST_ROOMS: Final = 50
MOST_PEOPLE: Final = 300
"""Of one room."""

IDLE_SECONDS: Final = 3 * 3600.0
"""After so long without an answer, a new person or a new round, a room is forgotten."""


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


@dataclass
class _Open:
    """A room that is open, with its secrets."""

    room: Room
    secret: str
    active: float
    people: dict[str, Person] = field(default_factory=dict)  # by the person's key

    def seen(self) -> Room:
        return Room(self.room.code, self.room.seed, self.room.turn, tuple(self.people.values()))


class Rooms:
    """All rooms of a server. Every method may be called from any thread.

    Args:
        clock: returns seconds; for tests.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._rooms: dict[str, _Open] = {}

    def open(self, seed: int) -> tuple[str, str]:
        """Open a room and return its code and the secret that controls it.

        Args:
            seed: of the first round.

        Raises:
            FerError: too many rooms are open.
        """
        with self._lock:
            self._forget_idle()
            if len(self._rooms) >= MOST_ROOMS:
                raise FerError(f"All {MOST_ROOMS} rooms of this server are in use. End one, or try again later.")
            code = _new_code()
            while code in self._rooms:
                code = _new_code()
            secret = secrets.token_urlsafe(16)
            self._rooms[code] = _Open(Room(code, seed, 1), secret, self._clock())
            return code, secret

    def look(self, code: str) -> Room | None:
        """Return a room as it is now; None if there is none of that code. This does not count as activity."""
        with self._lock:
            found = self._find(code)
            return found.seen() if found else None

    def person(self, code: str, key: str) -> Person | None:
        """Return the person who holds this key; None if the room or the person is not there."""
        with self._lock:
            found = self._find(code)
            return found.people.get(key) if found else None

    def join(self, code: str, name: str) -> str:
        """Add a person and return the key with which the person answers.

        Args:
            code: of the room.
            name: any text, of which the first `NAME_LENGTH` printable characters are kept. Without any, the person is
                called Guest and a number. A name that is taken gets a number.

        Raises:
            FerError: there is no such room, or it is full.
        """
        with self._lock:
            found = self._find(code)
            if found is None:
                raise FerError(no_room(code))
            if len(found.people) >= MOST_PEOPLE:
                raise FerError(f"The room {found.room.code} is full: it holds {MOST_PEOPLE} people.")
            key = secrets.token_urlsafe(12)
            found.people[key] = Person(_free_name(name, {person.name.casefold() for person in found.people.values()}))
            found.active = self._clock()
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
        """
        if expression not in EXPRESSIONS:
            raise ValueError(f"Expected one of {', '.join(EXPRESSIONS)}. Received: {expression!r}")
        with self._lock:
            found = self._find(code)
            person = found.people.get(key) if found else None
            if found is None or person is None or turn != found.room.turn:
                return False
            if face != len(person.answers) or face >= FACES:
                return False
            found.people[key] = Person(person.name, (*person.answers, expression))
            found.active = self._clock()
            return True

    def leave(self, code: str, key: str) -> None:
        """Forget a person and the person's answers."""
        with self._lock:
            if found := self._find(code):
                found.people.pop(key, None)

    def restart(self, code: str, secret: str, seed: int) -> bool:
        """Start another round with the same people and without their answers; return whether the secret fits."""
        with self._lock:
            found = self._owned(code, secret)
            if found is None:
                return False
            found.room = Room(found.room.code, seed, found.room.turn + 1)
            found.people = {key: Person(person.name) for key, person in found.people.items()}
            found.active = self._clock()
            return True

    def end(self, code: str, secret: str) -> bool:
        """Forget a room, its people and their answers; return whether the secret fits."""
        with self._lock:
            found = self._owned(code, secret)
            if found is not None:
                del self._rooms[found.room.code]
            return found is not None

    def __len__(self) -> int:
        """Return the number of open rooms."""
        with self._lock:
            self._forget_idle()
            return len(self._rooms)

    def _find(self, code: str) -> _Open | None:
        self._forget_idle()
        return self._rooms.get(tidy_code(code))

    def _owned(self, code: str, secret: str) -> _Open | None:
        found = self._find(code)
        return found if found and secrets.compare_digest(found.secret.encode(), secret.encode()) else None

    def _forget_idle(self) -> None:
        oldest = self._clock() - IDLE_SECONDS
        self._rooms = {code: room for code, room in self._rooms.items() if room.active >= oldest}


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
