import sqlite3
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from threading import Barrier
from types import SimpleNamespace

import pytest

from fer_core import visitors
from fer_core.jobs import run_python
from fer_core.labels import EXPRESSIONS
from fer_core.quiz import rooms
from fer_core.quiz.rooms import NAME_LENGTH, Person, Room, Rooms
from fer_core.quiz.rounds import FACES
from fer_core.types import FerError
from fer_core.visitors import Limits, Visitor


@pytest.fixture
def clock():
    return SimpleNamespace(now=0.0)


@pytest.fixture
def house(clock, tmp_path):
    return Rooms(tmp_path / "quiz.db", lambda: clock.now)


KEY = "the lecturer's browser"


def opened(house, seed=7, face=0):
    """Open a room whose class is at a face."""
    code = house.open(KEY, seed=seed)
    house.go(code, KEY, face=face, asking=True)
    return code


def said(house, code, key, face, expression, turn=1):
    return house.answer(code, key, turn=turn, face=face, expression=expression)


def names(house, code):
    return [person.name for person in house.look(code).people]


def test_codes_can_be_read_aloud_and_typed_as_one_likes(house):
    for seed in range(rooms.MOST_ROOMS):
        code = house.open(KEY, seed=seed)
        assert len(code) == 4
        assert not set(code) & set("AEIOUY01")
    assert house.look(f" {code[:2].lower()} {code[2:]}").code == code
    for wrong in ("", "\x00\u202e", "A" * 500):
        assert house.look(wrong) is None
        with pytest.raises(FerError, match="no room with the code") as error:
            house.join(wrong, "Ada")
        assert len(str(error.value)) < 120 and str(error.value).isprintable()


def test_only_the_face_that_the_class_is_at_can_be_answered_and_once(house):
    code = opened(house)
    ada, bo = house.join(code, "Ada"), house.join(code, "Bo")
    assert said(house, code, ada, 0, "sad")
    assert not said(house, code, ada, 0, "happy"), "a second answer to the same face"
    assert not said(house, code, ada, 1, "happy"), "a later face"
    assert not said(house, code, ada, 0, "happy", turn=2), "another round"
    assert not said(house, code, "nobody", 0, "happy")
    assert not said(house, "ZZZZ", ada, 0, "happy")
    assert [answers[0] for answers in house.look(code).answers if answers] == ["sad"]
    house.go(code, KEY, face=0, asking=False)
    assert not said(house, code, bo, 0, "fear"), "the votes are on show"
    house.go(code, "a student", face=2, asking=True)
    assert house.look(code).face == 0
    house.go(code, KEY, face=2, asking=True)
    assert not said(house, code, bo, 0, "fear"), "the class has gone on"
    assert said(house, code, bo, 2, "fear")
    everybody = (Person("Ada", ("sad",)), Person("Bo", (None, None, "fear")))
    assert house.look(code) == Room(code, "FER2013", 7, 1, 2, True, everybody)
    assert house.join(code, "Cy", key=bo) == bo, "who joins again with the same key is the same person"
    house.go(code, KEY, face=FACES, asking=True)
    assert not house.look(code).asking
    assert not said(house, code, ada, FACES, "fear")
    with pytest.raises(ValueError, match="Received: 'bored'"):
        said(house, code, ada, 0, "bored")


def test_a_second_device_leads_with_the_secret_word(house):
    assert house.led(KEY) is None
    code = house.open(KEY, seed=7)
    assert house.led(KEY)[0] == code
    word = house.led(KEY)[1]
    with pytest.raises(FerError, match="No room has this secret word"):
        house.lead(word[:-1], "tablet")
    assert house.lead(f" {word[:4]}-{word[4:].lower()}", "tablet") == code
    house.go(code, "tablet", face=1, asking=True)
    assert (house.look(code).face, house.led("tablet")) == (1, (code, word))
    newer = house.open(KEY, seed=8)
    assert house.led(KEY)[0] == newer
    house.end(newer, KEY)
    assert house.led(KEY)[0] == code


def test_names(house):
    code = opened(house)
    for name in ("Ada", "ada", " Ada\n", "", "  ", "Ada 2", "x" * 99, "a\u202eb"):
        house.join(code, name)
    expected = ["Ada", "ada 2", "Ada 3", "Guest 1", "Guest 2", "Ada 2 2", "x" * NAME_LENGTH, "a b"]
    assert names(house, code) == expected


def test_starting_again_keeps_the_people_only(house):
    code = opened(house)
    ada = house.join(code, "Ada")
    said(house, code, ada, 0, "sad")
    house.restart(code, "guess", 8)
    assert house.look(code).turn == 1
    house.restart(code, KEY, 8)
    assert house.look(code) == Room(code, "FER2013", 8, 2, people=(Person("Ada"),))
    house.go(code, KEY, face=0, asking=True)
    assert not said(house, code, ada, 0, "sad"), "an answer to the round before"
    assert said(house, code, ada, 0, "sad", turn=2)


def test_ending_a_room_forgets_it_and_leaving_forgets_a_person(house, tmp_path):
    code = opened(house)
    ada, bo = house.join(code, "Ada Byron"), house.join(code, "Bo")
    house.leave(code, bo)
    house.leave("ZZZZ", ada)
    assert names(house, code) == ["Ada Byron"]
    assert b"Ada Byron" in (tmp_path / "quiz.db").read_bytes()
    house.end(code, "guess")
    assert house.look(code)
    house.end(code, KEY)
    assert house.look(code) is None
    assert house.led(KEY) is None
    assert house.person(code, ada) is None
    assert not said(house, code, ada, 0, "sad")
    assert [path.name for path in tmp_path.iterdir()] == ["quiz.db"]
    assert b"Ada Byron" not in (tmp_path / "quiz.db").read_bytes()


def test_an_idle_room_is_forgotten_and_looking_at_it_does_not_keep_it(house, clock):
    code = opened(house)
    ada = house.join(code, "Ada")
    clock.now = rooms.IDLE_SECONDS - 1
    said(house, code, ada, 0, "sad")
    clock.now += rooms.IDLE_SECONDS
    assert house.look(code)
    clock.now += 1
    assert house.look(code) is None
    other = house.open(KEY, seed=8)
    house.leave(other, "nobody")
    clock.now = 0
    assert house.look(code) is None, "it is gone from the file as well"


def test_copies_of_the_app_count_together(house, tmp_path):
    code = opened(house)
    ada = house.join(code, "Ada")
    program = (
        "import sys; from pathlib import Path; from fer_core.quiz.rooms import Rooms; code = sys.argv[2]; "
        "house = Rooms(Path(sys.argv[1]), lambda: 0.0); key = house.join(code, 'Ada'); "
        "at = {'turn': 1, 'face': 0}; "
        "print(house.answer(code, key, expression='fear', **at), "
        "house.answer(code, sys.argv[3], expression='sad', **at))"
    )
    done = run_python("-c", program, str(tmp_path / "quiz.db"), code, ada)
    assert done.stdout.split() == ["True", "True"], done.stderr
    assert house.look(code).people == (Person("Ada", ("sad",)), Person("Ada 2", ("fear",)))


def test_a_damaged_or_older_file_is_replaced_and_a_useless_place_explained(tmp_path):
    path = tmp_path / "quiz.db"
    path.write_bytes(b"not a database at all" * 100)
    house = Rooms(path)
    assert house.look(house.open(KEY, seed=1))
    with closing(sqlite3.connect(path)) as data:
        data.execute("PRAGMA user_version = 0")
        data.execute("DROP TABLE rooms")
        data.execute("CREATE TABLE rooms (code TEXT PRIMARY KEY, seed INT, turn INT, secret TEXT, active REAL)")
    house = Rooms(path)
    assert house.look(house.open(KEY, seed=1))
    code = house.open(KEY, seed=1)
    content = path.read_bytes()
    path.write_bytes(content[:4096] + b"\xff" * (len(content) - 4096))  # its header is intact
    with pytest.raises(FerError, match="was damaged, so all rooms are lost"):
        house.look(code)
    assert house.look(house.open(KEY, seed=1))
    path.write_bytes(content[:4096] + b"\xff" * (len(content) - 4096))
    house = Rooms(path)
    assert house.look(house.open(KEY, seed=1))
    with pytest.raises(FerError, match="rooms of the quiz cannot be kept in"):
        Rooms(tmp_path / "nowhere" / "quiz.db")


def test_rooms_and_people_are_limited(house, monkeypatch):
    def come(secret: str) -> None:
        visitor = Visitor.of(secret, Limits(rooms=2))
        monkeypatch.setattr(visitors, "_asked", [lambda: visitor])

    monkeypatch.setattr(rooms, "MOST_ROOMS", 3)
    monkeypatch.setattr(rooms, "MOST_PEOPLE", 2)
    come("eve")
    code, _ = house.open(KEY, seed=1), house.open(KEY, seed=2)
    with pytest.raises(FerError, match=r"Expected at most 2 at a time.*Received: 3"):
        house.open(KEY, seed=3)
    come("anna")
    house.open(KEY, seed=4)
    with pytest.raises(FerError, match="All 3 rooms of this server are in use"):
        house.open(KEY, seed=5)
    house.join(code, "Ada")
    house.join(code, "Bo")
    with pytest.raises(FerError, match="full: it holds 2 people"):
        house.join(code, "Cy")
    house.end(code, KEY)
    come("eve")
    house.open(KEY, seed=6)


def test_many_people_at_once(house):
    """Sixteen threads join under one name, and answer twice for themselves and once for Bo: the first answer counts."""
    code = opened(house)
    bo = house.join(code, "Bo")
    start = Barrier(16)

    def play(number: int) -> tuple[int, bool]:
        start.wait()
        key = house.join(code, "Ada")
        first = said(house, code, bo, 0, EXPRESSIONS[number % 7])
        return sum(said(house, code, key, 0, expression) for expression in ("sad", "fear")), first

    with ThreadPoolExecutor(16) as threads:
        played = list(threads.map(play, range(16)))
    assert [kept for kept, _ in played] == [1] * 16
    firsts = [number for number, (_, first) in enumerate(played) if first]
    assert [EXPRESSIONS[number % 7] for number in firsts] == list(house.person(code, bo).answers)
    assert len(set(names(house, code))) == 17
    assert {person.answers for person in house.look(code).people[1:]} == {("sad",)}
