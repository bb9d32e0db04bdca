from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from types import SimpleNamespace

import cv2
import pytest

from fer_core import visitors
from fer_core.jobs import run_python
from fer_core.labels import EXPRESSIONS
from fer_core.quiz import rooms
from fer_core.quiz.rooms import NAME_LENGTH, Person, Room, Rooms, qr_code
from fer_core.quiz.rounds import FACES
from fer_core.types import FerError
from fer_core.visitors import Limits, Visitor


@pytest.fixture
def clock():
    return SimpleNamespace(now=0.0)


@pytest.fixture
def house(clock, tmp_path):
    return Rooms(tmp_path / "quiz.db", lambda: clock.now)


def names(house, code):
    return [person.name for person in house.look(code).people]


def test_codes_can_be_read_aloud_and_typed_as_one_likes(house):
    for seed in range(rooms.MOST_ROOMS):
        code, _ = house.open(seed)
        assert len(code) == 4
        assert not set(code) & set("AEIOUY01")
    assert house.look(f" {code[:2].lower()} {code[2:]}").code == code
    for wrong in ("", "\x00\u202e", "A" * 500):
        assert house.look(wrong) is None
        with pytest.raises(FerError, match="no room with the code") as error:
            house.join(wrong, "Ada")
        assert len(str(error.value)) < 120 and str(error.value).isprintable()


def test_no_answer_is_changed_skipped_or_added(house):
    code, _ = house.open(7)
    ada, bo = house.join(code, "Ada"), house.join(code, "Bo")
    assert house.answer(code, ada, 1, 0, "sad")
    assert not house.answer(code, ada, 1, 0, "happy"), "a second answer to the same face"
    assert not house.answer(code, ada, 1, 2, "happy"), "a face that was skipped"
    assert not house.answer(code, ada, 2, 1, "happy"), "another round"
    assert not house.answer(code, "nobody", 1, 0, "happy")
    assert not house.answer("ZZZZ", ada, 1, 1, "happy")
    for face in range(1, FACES):
        assert house.answer(code, ada, 1, face, "fear")
    assert not house.answer(code, ada, 1, FACES, "fear")
    assert house.answer(code, bo, 1, 0, "fear")
    assert house.join(code, "Cy", key=bo) == bo, "who joins again with the same key is the same person"
    everybody = (Person("Ada", ("sad", *["fear"] * (FACES - 1))), Person("Bo", ("fear",)))
    assert house.look(code) == Room(code, 7, 1, everybody)
    assert house.person(code, ada) == everybody[0]
    with pytest.raises(ValueError, match="Received: 'bored'"):
        house.answer(code, ada, 1, 0, "bored")


def test_names(house):
    code, _ = house.open(7)
    for name in ("Ada", "ada", " Ada\n", "", "  ", "Ada 2", "x" * 99, "a\u202eb"):
        house.join(code, name)
    expected = ["Ada", "ada 2", "Ada 3", "Guest 1", "Guest 2", "Ada 2 2", "x" * NAME_LENGTH, "a b"]
    assert names(house, code) == expected


def test_starting_again_keeps_the_people_only(house):
    code, secret = house.open(7)
    ada = house.join(code, "Ada")
    house.answer(code, ada, 1, 0, "sad")
    house.restart(code, "guess", 8)
    assert house.look(code).turn == 1
    house.restart(code, secret, 8)
    assert house.look(code) == Room(code, 8, 2, (Person("Ada"),))
    assert not house.answer(code, ada, 1, 0, "sad"), "an answer to the round before"
    assert house.answer(code, ada, 2, 0, "sad")


def test_ending_a_room_forgets_it_and_leaving_forgets_a_person(house, tmp_path):
    code, secret = house.open(7)
    ada, bo = house.join(code, "Ada Byron"), house.join(code, "Bo")
    house.leave(code, bo)
    house.leave("ZZZZ", ada)
    assert names(house, code) == ["Ada Byron"]
    assert b"Ada Byron" in (tmp_path / "quiz.db").read_bytes()
    house.end(code, "guess")
    assert house.look(code)
    house.end(code, secret)
    assert house.look(code) is None
    assert house.person(code, ada) is None
    assert not house.answer(code, ada, 1, 0, "sad")
    assert [path.name for path in tmp_path.iterdir()] == ["quiz.db"]
    assert b"Ada Byron" not in (tmp_path / "quiz.db").read_bytes()


def test_an_idle_room_is_forgotten_and_looking_at_it_does_not_keep_it(house, clock):
    code, _ = house.open(7)
    ada = house.join(code, "Ada")
    clock.now = rooms.IDLE_SECONDS - 1
    house.answer(code, ada, 1, 0, "sad")
    clock.now += rooms.IDLE_SECONDS
    assert house.look(code)
    clock.now += 1
    assert house.look(code) is None
    other, _ = house.open(8)
    house.leave(other, "nobody")
    clock.now = 0
    assert house.look(code) is None, "it is gone from the file as well"


def test_copies_of_the_app_count_together(house, tmp_path):
    code, _ = house.open(7)
    ada = house.join(code, "Ada")
    program = (
        "import sys; from pathlib import Path; from fer_core.quiz.rooms import Rooms; code = sys.argv[2]; "
        "house = Rooms(Path(sys.argv[1]), lambda: 0.0); key = house.join(code, 'Ada'); "
        "print(house.answer(code, key, 1, 0, 'fear'), house.answer(code, sys.argv[3], 1, 0, 'sad'))"
    )
    done = run_python("-c", program, str(tmp_path / "quiz.db"), code, ada)
    assert done.stdout.split() == ["True", "True"], done.stderr
    assert house.look(code).people == (Person("Ada", ("sad",)), Person("Ada 2", ("fear",)))


def test_a_damaged_file_is_replaced_and_a_useless_place_explained(tmp_path):
    path = tmp_path / "quiz.db"
    path.write_bytes(b"not a database at all" * 100)
    house = Rooms(path)
    assert house.look(house.open(1)[0])
    with pytest.raises(FerError, match="rooms of the quiz cannot be kept in"):
        Rooms(tmp_path / "nowhere" / "quiz.db")


def test_rooms_and_people_are_limited(house, monkeypatch):
    def come(secret: str) -> None:
        visitor = Visitor.of(secret, Limits(rooms=2))
        monkeypatch.setattr(visitors, "_asked", [lambda: visitor])

    monkeypatch.setattr(rooms, "MOST_ROOMS", 3)
    monkeypatch.setattr(rooms, "MOST_PEOPLE", 2)
    come("eve")
    (code, secret), _ = house.open(1), house.open(2)
    with pytest.raises(FerError, match=r"Expected at most 2 at a time.*Received: 3"):
        house.open(3)
    come("anna")
    house.open(4)
    with pytest.raises(FerError, match="All 3 rooms of this server are in use"):
        house.open(5)
    house.join(code, "Ada")
    house.join(code, "Bo")
    with pytest.raises(FerError, match="full: it holds 2 people"):
        house.join(code, "Cy")
    house.end(code, secret)
    come("eve")
    house.open(6)


def test_many_people_at_once(house):
    """Sixteen threads join under one name, and answer once for themselves and once for Bo: the first answer counts."""
    code, _ = house.open(7)
    bo = house.join(code, "Bo")
    start = Barrier(16)

    def play(number: int) -> tuple[int, bool]:
        start.wait()
        key = house.join(code, "Ada")
        first = house.answer(code, bo, 1, 0, EXPRESSIONS[number % 7])
        kept = [house.answer(code, key, 1, face, EXPRESSIONS[face % 7]) for face in (0, 0, 1, 1, 2, 3)]
        return sum(kept), first

    with ThreadPoolExecutor(16) as threads:
        played = list(threads.map(play, range(16)))
    assert [kept for kept, _ in played] == [4] * 16
    firsts = [number for number, (_, first) in enumerate(played) if first]
    assert [EXPRESSIONS[number % 7] for number in firsts] == list(house.person(code, bo).answers)
    assert len(set(names(house, code))) == 17
    assert {person.answers for person in house.look(code).people[1:]} == {tuple(EXPRESSIONS[:4])}


@pytest.mark.parametrize("host", ["http://localhost:8501", f"https://{'a' * 120}.org"])
def test_opencv_reads_the_link_again(host):
    code = qr_code(link := f"{host}/quiz?q_room=BCDF")
    assert code.shape[0] == code.shape[1]
    assert cv2.QRCodeDetector().detectAndDecode(code)[0] == link
