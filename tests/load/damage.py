"""Ways to damage a file: bits, length, order, sizes in headers, and numbers inside text or a compressed container."""

from __future__ import annotations

import gzip
import io
import re
import struct
import zipfile
import zlib
from collections.abc import Callable, Sequence
from typing import Any, Final

import numpy as np

Random = np.random.Generator

_SIZES: Final = (0, 1, 2, 255, 0x7FFF, 0xFFFF, 0x10000, 10_000, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF)
_NUMBERS: Final = (b"0", b"-1", b"1e308", b"1e999", b"NaN", b"null", b"99999999999", b"9" * 400, b'"x"', b"[]", b"0.5")
_NAMES: Final = (  # that must not leave the folder or cannot be written
    *("../../outside.png", "/etc/passwd", "a" * 300 + ".png", "happy/" * 60 + "deep.png", "happy\\..\\..\\up.png"),
    *("C:/windows.png", "happy\\folder\\", "__MACOSX/happy/._0.png", "@eaDir/0.png", "happy/Zoe\u0308.png"),
    *("happy/=1+1.png", "HAPPY/0.png", "happy/\0zero.png", "happy", "happy/.hidden.png", "happy/😀.png", "\ud7ff.png"),
    *(" ", "happy//a.png"),
)


def flipped(content: bytes, random: Random) -> bytes:
    """Flip 1 to 64 bits anywhere, or within the first 100 bytes, where headers are."""
    changed = bytearray(content)
    reach = min(len(changed), 100) if random.random() < 0.5 else len(changed)
    for place in random.integers(0, reach, 2 ** int(random.integers(0, 7))):
        changed[place] ^= 1 << int(random.integers(0, 8))
    return bytes(changed)


def truncated(content: bytes, random: Random) -> bytes:
    """Keep the first part, of any length."""
    return content[: int(random.integers(0, len(content)))]


def spliced(content: bytes, random: Random) -> bytes:
    """Remove, repeat, blank or move a piece."""
    start, stop = sorted(random.integers(0, len(content), 2).tolist())
    piece, length = content[start:stop], stop - start
    place = int(random.integers(0, len(content)))
    before, after = content[:start], content[stop:]
    moved = content[:place] + piece + content[place:]
    ways = [before + after, content[:stop] + piece + after, before + bytes(length) + after]
    return _one([*ways, before + b"\xff" * length + after, moved, random.bytes(length) + after], random)


def resized(content: bytes, random: Random) -> bytes:
    """Write another size over 1 to 3 fields of two, four or eight bytes near the start or the end."""
    changed = bytearray(content)
    for _ in range(int(random.integers(1, 4))):
        kind = str(random.choice(["<H", ">H", "<I", ">I", "<Q", ">Q"]))
        width = struct.calcsize(kind)
        place = int(random.integers(0, max(1, min(len(changed), 600) - width)))
        if random.random() < 0.3:
            place = max(0, len(changed) - width - place)
        changed[place : place + width] = struct.pack(kind, int(random.choice(_SIZES)) % (1 << 8 * width))
    return bytes(changed)


def renumbered(content: bytes, random: Random) -> bytes:
    """Replace 1 to 3 numbers of a text by other values."""
    for _ in range(int(random.integers(1, 4))):
        numbers = list(re.finditer(rb"-?\d+(\.\d+)?", content[: 1 << 20]))
        if not numbers:
            return content
        number = _one(numbers, random)
        content = content[: number.start()] + _one(_NUMBERS, random) + content[number.end() :]
    return content


def inside_png(content: bytes, random: Random) -> bytes:
    """Change a chunk of a PNG and write the checksum that belongs to it."""
    chunks, place = [], 8
    while place + 12 <= len(content):
        (size,) = struct.unpack_from(">I", content, place)
        chunks.append((content[place + 4 : place + 8], content[place + 8 : place + 8 + size]))
        place += size + 12
    chosen = 0 if random.random() < 0.6 else int(random.integers(0, len(chunks)))
    name, body = chunks[chosen]
    chunks[chosen] = name, (resized(body, random) if len(body) > 8 else random.bytes(len(body)))
    return content[:8] + b"".join(
        struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body)) for name, body in chunks
    )


def inside_zip(content: bytes, random: Random) -> bytes:
    """Change one file of a zip, or its name, and pack it again, so that all checksums are right."""
    packed = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as source, zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as target:
        chosen = _one(source.namelist(), random)
        for name in source.namelist():
            inside, shown = source.read(name), name
            if name == chosen:
                if random.random() < 0.2:
                    shown = _one(_NAMES, random)
                elif inside:
                    inside = _one([*ANY, renumbered, renumbered], random)(inside, random)
            target.writestr(shown, inside)
    return packed.getvalue()


def inside_gzip(content: bytes, random: Random) -> bytes:
    """Change the text of a gzipped file and pack it again."""
    return gzip.compress(_one([flipped, truncated, spliced, renumbered], random)(gzip.decompress(content), random), 1)


def _one(choices: Sequence[Any], random: Random) -> Any:
    return choices[int(random.integers(0, len(choices)))]


ANY: Final[tuple[Callable[[bytes, Random], bytes], ...]] = (flipped, truncated, spliced, resized)

WAYS: Final[dict[str, tuple[Callable[[bytes, Random], bytes], ...]]] = {
    ".png": (inside_png, inside_png),
    ".zip": (inside_zip, inside_zip, inside_zip),
    ".keras": (inside_zip, inside_zip, inside_zip),
    ".gz": (inside_gzip, inside_gzip, inside_gzip),
    ".csv": (renumbered, renumbered),
    ".json": (renumbered, renumbered, renumbered),
}
"""Ways that suit files of a suffix, besides those that suit any."""
