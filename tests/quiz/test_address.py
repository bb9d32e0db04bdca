from collections import namedtuple

import cv2
import psutil
import pytest

from fer_core.quiz.address import network_addresses, open_addresses, qr_code

Address = namedtuple("Address", "family address")
LOCAL = "http://localhost:8501/quiz"


@pytest.fixture(autouse=True)
def networks(monkeypatch):
    """A computer with a container's network, a cable, a wireless network without an address, and one that is off."""
    found = {
        "docker0": ["172.17.0.1"],
        "lo": ["127.0.0.1"],
        "wlan0": ["169.254.3.4"],
        "eth0": ["192.168.1.20"],
        "eth1": ["10.0.0.9"],
    }
    listed = {name: [Address(2, text) for text in texts] + [Address(10, "fe80::1")] for name, texts in found.items()}
    monkeypatch.setattr(psutil, "net_if_addrs", lambda: listed)
    working = {name: namedtuple("Stats", "isup")(name != "eth1") for name in found}
    monkeypatch.setattr(psutil, "net_if_stats", lambda: working)


def test_addresses_of_this_computer_the_most_likely_first():
    assert network_addresses() == ["192.168.1.20", "172.17.0.1", "169.254.3.4"]


@pytest.mark.parametrize(
    ("url", "settings", "first"),
    [
        (LOCAL, {}, "http://192.168.1.20:8501/quiz"),
        (LOCAL, {"listening": "0.0.0.0"}, "http://192.168.1.20:8501/quiz"),
        (LOCAL, {"listening": "10.1.1.1"}, "http://10.1.1.1:8501/quiz"),
        (LOCAL, {"public": "fer.example.org"}, "http://fer.example.org:8501/quiz"),
        ("https://fer.example.org/quiz", {"listening": "127.0.0.1"}, "https://fer.example.org/quiz"),
    ],
)
def test_the_address_for_phones(url, settings, first):
    assert open_addresses(url, **settings)[0] == first


@pytest.mark.parametrize("listening", ["localhost", "127.0.0.1", "::1"])
def test_a_server_of_this_computer_alone_has_none(listening):
    assert open_addresses(LOCAL, listening=listening) == []


@pytest.mark.parametrize("host", ["http://192.168.1.20:8501", f"https://{'a' * 120}.org"])
def test_opencv_reads_the_link_again(host):
    code = qr_code(link := f"{host}/quiz?q_room=BCDF")
    assert code.shape[0] == code.shape[1]
    assert cv2.QRCodeDetector().detectAndDecode(code)[0] == link
