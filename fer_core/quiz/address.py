"""The address of a room that a phone can open, and its QR code."""

from __future__ import annotations

import socket
from ipaddress import ip_address
from typing import Final
from urllib.parse import urlsplit

import cv2
import numpy as np
import psutil

from fer_core.types import Image

LOCAL: Final = ("localhost", "127.0.0.1", "::1")
_CELL: Final = 8  # pixels of a cell of the QR code


def network_addresses() -> list[str]:
    """Return the IPv4 addresses of this computer in its networks; those of containers and of no network come last."""
    working = psutil.net_if_stats()
    found = [
        (name.startswith(("docker", "br-", "veth", "virbr")), address.address)
        for name, addresses in psutil.net_if_addrs().items()
        for address in addresses
        if address.family == socket.AF_INET and name in working and working[name].isup
    ]
    known = [(last, text) for last, text in found if not ip_address(text).is_loopback]
    return [text for _, text in sorted(known, key=lambda pair: pair[0] or ip_address(pair[1]).is_link_local)]


def open_addresses(url: str, *, listening: str | None = None, public: str | None = None) -> list[str]:
    """Return addresses of a page that other devices can open, the most likely one first; none if there are none.

    Args:
        url: of the page, as the browser of this computer has it. Another name in it than this computer's own works
            for others too.
        listening: the address that the server listens on; None for all.
        public: the server's name for others, from its settings.

    Example:
        >>> open_addresses("http://localhost:8501/quiz", public="fer.example.org")
        ['http://fer.example.org:8501/quiz']
        >>> open_addresses("http://localhost:8501/quiz", listening="127.0.0.1")
        []
    """
    parts = urlsplit(url)
    port = f":{parts.port}" if parts.port else ""
    if public:
        hosts = [public]
    elif parts.hostname and parts.hostname not in LOCAL:
        return [url]
    elif listening in LOCAL:
        hosts = []
    else:
        hosts = network_addresses() if listening in (None, "", "0.0.0.0", "::") else [str(listening)]
    return [parts._replace(netloc=f"{host}{port}").geturl() for host in hosts]


def qr_code(link: str) -> Image:
    """Return the QR code of a link, `(side, side)` uint8 gray with a white margin and cells of 8 pixels."""
    parameters = cv2.QRCodeEncoder.Params()
    parameters.mode = cv2.QRCodeEncoder_MODE_BYTE
    code = cv2.QRCodeEncoder.create(parameters).encode(link)
    return np.pad(np.kron(code, np.ones((_CELL, _CELL), np.uint8)), 2 * _CELL, constant_values=255)
