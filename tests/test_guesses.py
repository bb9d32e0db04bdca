"""A password takes longer and longer to guess, for its guesser only."""

import pytest

from fer_core.guesses import FORGOTTEN, FREE, LONGEST, Guesses
from fer_core.types import FerError


@pytest.fixture
def clock():
    return [1000.0]


@pytest.fixture
def guesses(clock):
    return Guesses(lambda: clock[0])


def test_waits_double_and_the_right_password_is_not_looked_at_meanwhile(guesses, clock):
    for _ in range(FREE):
        assert not guesses.check("eve", "guess", "secret")
    for wait in (2, 4, 8, 16, 32, LONGEST, LONGEST):
        assert not guesses.check("eve", "guess", "secret")
        clock[0] += wait - 0.5
        with pytest.raises(FerError, match=r"Try again in \d+ seconds"):
            guesses.check("eve", "secret", "secret")
        assert guesses.check("anna", "secret", "secret"), "others do not wait"
        clock[0] += 0.5
    assert guesses.check("eve", "secret", "secret")
    assert not guesses.check("eve", "guess", "secret")
    assert guesses.check("eve", "secret", "secret"), "the right password ends the waits"


def test_wrong_passwords_are_forgotten(guesses, clock):
    for _ in range(FREE + 1):
        guesses.check("anna", "mistyped", "secret")
    clock[0] += FORGOTTEN + 3
    for _ in range(FREE):
        assert not guesses.check("anna", "mistyped", "secret")
    assert guesses.check("anna", "secret", "secret")
