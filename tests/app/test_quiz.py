"""You against the model without a browser: alone and in a room, with and without votes and models."""

from __future__ import annotations

import re

from fer_core.data import load_fer2013, load_ferplus
from fer_core.labels import EXPRESSIONS
from fer_core.quiz.rounds import FACES, draw_round
from fer_core.store.folders import load_model
from pages.parts.quiz import rooms
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


def metrics(app) -> dict[str, str]:
    return {metric.label: metric.value for metric in app.metric}


def open_room(page, **query: str):
    app = press(page(**query), "Open a room")
    return app, app.title[1].value


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
    assert "The label: :color[■]" in said(app)
    assert ":green[:material/check:]" in said(app)
    assert not charts(app)
    press(app, "Next face")
    answer(app, *labels[1:6], *map(next_expression, labels[6:]))
    assert metrics(app) == {"Same as the label": "6 of 10"}
    assert "**31 % to 83 %**" in said(app)
    assert "q_seed=7" in app.code[0].value
    press(app, "Repeat this round")
    assert at_face(app, 1)
    answer(app, *labels)
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
    assert "**Annotators**: " in said(app)
    assert [alt.split(": ")[0] for alt in charts(app)] == ["Votes of 10 annotators"]
    assert load_model().title in said(app)
    assert "2 more said contempt, unknown or not a face." in said(app)
    press(app, "Next face")
    answer(app, *["sad"] * (FACES - 1))
    assert metrics(app)["Same as the label"] == f"{labels.count('sad')} of 10"
    assert "Same as most annotators" in metrics(app)
    table = app.dataframe[0].value.set_index("who")
    assert list(table.index) == ["You", "The label", "Most annotators", load_model().title]
    assert re.fullmatch(r"\d+ of 10", table.loc[load_model().title, "label"])


def test_a_room_counts_two_people_and_ends(page, made_up):
    labels = labels_of(load_fer2013(made_up), 3)
    host, code = open_room(page, q_seed="3")
    assert "Nobody has joined yet." in said(host)
    ada, guest = join(page, code, "Ada *1*"), join(page, code.lower(), "")
    assert "You are **Ada *1***" in said(ada)
    assert "You are **Guest 1**" in said(guest)
    answer(ada, *labels)
    answer(guest, next_expression(labels[0]))
    host.run()
    seen = metrics(host)
    assert (seen["Joined"], seen["Answers"], seen["Finished"]) == ("2", "11", "1")
    assert seen["Same as the label"] == "91 %"
    assert host.dataframe[0].value.to_numpy().tolist() == [["Ada *1*", 10, "10 of 10"], ["Guest 1", 1, "0 of 1"]]
    ada.run()
    assert ada.metric[0].value == "91 %", "both see one tally"
    host.toggle(key="q_hide").set_value(True)
    host.toggle(key="q_show_1").set_value(True).run()
    assert host.dataframe[0].value["name"].tolist() == ["Person 1", "Person 2"]
    assert [alt.split(": ")[0] for alt in charts(host)] == ["Answers of the class to face 1"]
    press(host, "Start again with other faces")
    assert at_face(ada.run(), 1)
    press(host, "End the room")
    assert "The room has ended" in host.info[0].value
    for student in (ada.run(), guest.run()):
        assert student.info[0].value.startswith("The room has ended")
    assert rooms().look(code) is None
    press(ada, "Play alone")
    assert ada.number_input(key="q_seed").value == 1


def test_an_address_makes_nobody_a_participant_or_the_lecturer(page, made_up):
    _, code = open_room(page)
    ada = join(page, code, "Ada")
    assert dict(ada.query_params) == {"q_room": code}
    other = page(**dict(ada.query_params))
    assert "You are" not in said(other)
    assert other.text_input(key="quiz_name")
    assert not [button for button in other.button if button.label == "End the room"]


def test_a_wrong_code_gets_one_sentence_and_a_typed_one_leads_to_the_room_and_back(page, made_up):
    app, (_, code) = page(q_room="<b>*"), open_room(page)
    assert "There is no room with the code" in app.info[0].value
    press(app, "Play alone")
    app.text_input(key="quiz_code_typed").set_value(f" {code.lower()} ")
    for words in ("Go to the room", "Join", "Leave the room"):
        press(app, words)
    assert rooms().look(code).people == ()
    assert "With a class" in said(app)


def test_no_models_and_no_more_rooms(page, made_up, no_models, monkeypatch):
    monkeypatch.setattr("fer_core.quiz.rooms.MOST_ROOMS", 0)
    app = press(page(), "Open a room")
    assert "No model has predictions to compare with." in said(app)
    assert "rooms of this server are in use" in said(app)
