"""You against the model without a browser: alone and in a room, with and without votes and models."""

from __future__ import annotations

import re

from fer_core.data import load_fer2013, load_ferplus
from fer_core.labels import EXPRESSIONS
from fer_core.quiz.rounds import FACES, draw_round
from fer_core.store.folders import load_model
from pages.parts.room import rooms
from tests.app.conftest import charts, pictures, said
from tests.made_up_store import write_fer2013


def labels_of(dataset, seed: int) -> list[str]:
    return [face.label for face in draw_round(dataset, seed)]


def next_expression(label: str) -> str:
    return EXPRESSIONS[(EXPRESSIONS.index(label) + 1) % 7]


def press(app, words: str):
    return next(button for button in app.button if button.label.endswith(words)).click().run()


def answer(app, *expressions: str):
    for expression in expressions:
        press(app, f" {expression}")
        press(app, "Next face" if any(one.label == "Next face" for one in app.button) else "See the result")
    return app


def at_face(app, number: int) -> bool:
    return f"**Face {number} of 10**" in [one.proto.text for one in app.get("progress")]


def open_room(open_app, **query: str):
    """Open a room as a lecturer; return the lecturer's screen and the code."""
    app = press(open_app("lecture", screen="class", **query), "Open a room")
    return app, app.title[1].value


def forward(app):
    return app.button(key="stage_next").click().run()


def join(page, code: str, name: str):
    app = page(q_room=code)
    app.text_input(key="quiz_name").set_value(name)
    return press(app, "Join")


def test_faces_that_are_no_round_get_one_sentence(page, own_home, monkeypatch):
    write_fer2013(own_home / "fer2013", monkeypatch)  # every picture is of one gray
    assert "A round needs 10 test faces" in page().info[0].value


def test_a_round_alone_from_the_link_to_the_result(page, made_up):
    labels = labels_of(load_fer2013(made_up), 7)
    app = page(q_seed="7")
    assert at_face(app, 1)
    assert "Without the annotators’ votes" in said(app)
    press(app, f" {labels[0]}")
    assert "The label is **:color[■]" in said(app)
    assert ":green[:material/check:]" in said(app)
    assert not charts(app)
    press(app, "Next face")
    answer(app, *labels[1:6], *map(next_expression, labels[6:]))
    assert app.header[0].value == "You 6 of 10."
    assert "is 31 % to 83 %" in said(app)
    assert charts(app) == ["Labels named: You 6 of 10."]
    press(app, "Play again with other faces")
    assert app.number_input(key="q_seed").value == 8
    assert at_face(app, 1)


def test_nothing_tells_the_answer_before_it_is_given_then_votes_and_models_do(page, real, ferplus_path):
    voted = real.with_votes(load_ferplus(ferplus_path))
    seed = next(seed for seed in range(1, 99) if draw_round(voted, seed)[0].other_votes == 2)
    face, labels = draw_round(voted, seed)[0], labels_of(voted, seed)
    app = page(q_seed=str(seed))
    assert pictures(app) == ["Face 1 of 10"]
    text = " ".join(str(element.proto) for element in app.main)  # all that the page sends to the browser
    assert len({text.count(expression) for expression in EXPRESSIONS}) == 1, "the label is named more or less often"
    assert str(face.row) not in text
    assert not charts(app)
    press(app, " sad")
    assert "**10 annotators**; 2 for none of the seven" in said(app)
    assert [alt.split(": ")[0] for alt in charts(app)] == [
        "Votes of 10 annotators",
        f"Probabilities by {load_model().title}",
    ]
    app.button(key="q_card_0").click().run()
    assert "Label in the data: " in said(app)
    press(app, "Next face")
    answer(app, *["sad"] * (FACES - 1))
    words = app.header[0].value
    assert re.fullmatch(rf"You {labels.count('sad')}, model \d+, annotators \d+ of 10\.", words)
    assert len(pictures(app)) == FACES


def test_a_class_of_two_plays_face_by_face_and_ends(page, open_app, made_up):
    labels = labels_of(load_fer2013(made_up), 3)
    host, code = open_room(open_app, q_seed="3")
    assert host.metric[0].value == "0"
    ada, guest = join(page, code, "Ada *1*"), join(page, code.lower(), "")
    assert "**Ada *1*** in room" in said(ada)
    assert "the first face comes soon" in said(ada)
    forward(host)
    press(guest.run(), f" {next_expression(labels[0])}")
    assert "Look at the screen." in said(guest)
    assert "The label" not in said(guest), "the label is not told before the class is done"
    assert "1 of 2 have answered" in said(host.run())
    forward(host)  # without votes, the model's screen is next
    assert f"The label is {labels[0]}." in host.title[0].value
    assert "No answer." in said(ada.run())
    assert ":red[:material/close:]" in said(guest.run())
    for label in labels[1:3]:
        forward(host)
        press(ada.run(), f" {label}")
        forward(host)
    host.query_params["screen"] = "class-result"
    assert host.run().title[0].value == "Class 2 of 10."
    assert "Ada *1*, 2 of 10" in said(host)
    assert ada.run().header[0].value == "You 2 of 10."
    press(host, "Other faces")
    assert "the first face comes soon" in said(ada.run())
    press(host, "End the room")
    for student in (ada.run(), guest.run()):
        assert "it has ended, and the names and answers in it are forgotten" in student.info[0].value
    assert rooms().look(code) is None
    press(ada, "Play alone")
    assert ada.number_input(key="q_seed").value == 1


def test_a_second_device_leads_with_the_secret_word_only(page, open_app, made_up):
    _, code = open_room(open_app)
    with rooms()._reading() as data:
        (word,) = data.execute("SELECT word FROM rooms").fetchone()
    other = open_app("lecture", screen="class")
    assert [button.label for button in other.button if button.label == "Open a room"]
    for typed in ("wrong", word.lower()):
        other.text_input[0].set_value(typed)
        press(other, "Lead it here, too")
        assert ("No room has this secret word" in said(other)) == (typed == "wrong")
    assert other.title[1].value == code
    assert forward(other).query_params["screen"] == "class-1"
    assert join(page, code, "Ada").button[0].label.endswith("angry")


def test_an_address_makes_nobody_a_participant(page, open_app, made_up):
    _, code = open_room(open_app)
    ada = join(page, code, "Ada")
    assert dict(ada.query_params) == {"q_room": code}
    other = page(q_room=code)
    assert "first face" not in said(other)
    assert other.text_input(key="quiz_name")


def test_a_wrong_code_gets_one_sentence_and_a_typed_one_leads_to_the_room_and_back(page, open_app, made_up):
    app, (_, code) = page(q_room="<b>*"), open_room(open_app)
    assert "There is no room with the code" in app.info[0].value
    press(app, "Play alone")
    app.text_input(key="quiz_code_typed").set_value(f" {code.lower()} ")
    for words in ("Go to the room", "Join", "Leave the room"):
        press(app, words)
    assert rooms().look(code).people == ()
    assert "With a class" in said(app)


def test_no_models_and_no_more_rooms(page, open_app, made_up, no_models, monkeypatch):
    monkeypatch.setattr("fer_core.quiz.rooms.MOST_ROOMS", 0)
    assert "No model has predictions to compare with." in said(page())
    assert "rooms of this server are in use" in said(press(open_app("lecture", screen="class"), "Open a room"))
