"""Ways to damage a file: bits, length, order, sizes in headers, and numbers inside text or a compressed container."""

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
Way = Callable[[bytes, Random], bytes]

_SIZES: Final = (0, 1, 2, 255, 0x7FFF, 0xFFFF, 0x10000, 10_000, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF)
_NUMBERS: Final = (b"0", b"-1", b"1e308", b"1e999", b"NaN", b"null", b"99999999999", b"9" * 400, b'"x"', b"[]", b"0.5")
_NAMES: Final = (  # that must not leave the folder or cannot be written
    *("../../outside.png", "/etc/passwd", "a" * 300 + ".png", "happy/" * 60 + "deep.png", "happy\\..\\..\\up.png"),
    *("C:/windows.png", "happy\\folder\\", "__MACOSX/happy/._0.png", "@eaDir/0.png", "happy/Zoe\u0308.png"),
    *("happy/=1+1.png", "HAPPY/0.png", "happy/\0zero.png", "happy", "happy/.hidden.png", "happy/😀.png", "\ud7ff.png"),
    *(" ", "happy//a.png"),
)


def _one(choices: Sequence[Any], random: Random) -> Any:
    return choices[random.integers(len(choices))]


def flipped(content: bytes, random: Random) -> bytes:
    """Flip 1 to 64 bits anywhere, or within the first 100 bytes, where headers are."""
    changed = bytearray(content)
    for position in random.integers(0, min(len(changed), _one([100, 1 << 40], random)), 2 ** random.integers(7)):
        changed[position] ^= 1 << int(random.integers(8))
    return bytes(changed)


def truncated(content: bytes, random: Random) -> bytes:
    """Keep the first part, of any length."""
    return content[: random.integers(len(content))]


def spliced(content: bytes, random: Random) -> bytes:
    """Remove, repeat, blank or move a piece."""
    start, stop, target = (*sorted(random.integers(0, len(content), 2).tolist()), random.integers(len(content)))
    before, piece, after = content[:start], content[start:stop], content[stop:]
    fills = [b"", piece + piece, bytes(len(piece)), b"\xff" * len(piece), random.bytes(len(piece))]
    moved = content[:target] + piece + content[target:]
    return _one([*(before + fill + after for fill in fills), moved], random)


def resized(content: bytes, random: Random) -> bytes:
    """Write another size over 1 to 3 fields of two, four or eight bytes near the start or the end."""
    changed = bytearray(content)
    for _ in range(random.integers(1, 4)):
        width, order = _one([2, 4, 8], random), _one(["little", "big"], random)
        position = int(random.integers(max(1, min(len(changed), 600) - width)))
        if random.random() < 0.3:
            position = max(0, len(changed) - width - position)
        changed[position : position + width] = (_one(_SIZES, random) % (1 << 8 * width)).to_bytes(width, order)
    return bytes(changed)


def renumbered(content: bytes, random: Random) -> bytes:
    """Replace 1 to 3 numbers of a text by other values."""
    for _ in range(random.integers(1, 4)):
        if numbers := list(re.finditer(rb"-?\d+(\.\d+)?", content[: 1 << 20])):
            number = _one(numbers, random)
            content = content[: number.start()] + _one(_NUMBERS, random) + content[number.end() :]
    return content


def inside_png(content: bytes, random: Random) -> bytes:
    """Change a chunk of a PNG and write the checksum that belongs to it."""
    stream, chunks = io.BytesIO(content[8:]), []
    while len(header := stream.read(8)) == 8:
        chunks.append([header[4:], stream.read(int.from_bytes(header[:4], "big"))])
        stream.read(4)
    chunk = chunks[0] if random.random() < 0.6 else _one(chunks, random)
    chunk[1] = resized(chunk[1], random) if len(chunk[1]) > 8 else random.bytes(len(chunk[1]))
    return content[:8] + b"".join(
        struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body)) for name, body in chunks
    )


def inside_zip(content: bytes, random: Random) -> bytes:
    """Change one file of a zip, or its name, and pack it again, so that all checksums are right."""
    packed = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as source, zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as target:
        chosen = _one(source.namelist(), random)
        for name in source.namelist():
            inside, rename = source.read(name), name == chosen and random.random() < 0.2
            if name == chosen and inside and not rename:
                inside = _one([*ANY, renumbered, renumbered], random)(inside, random)
            target.writestr(_one(_NAMES, random) if rename else name, inside)
    return packed.getvalue()


def inside_gzip(content: bytes, random: Random) -> bytes:
    """Change the text of a gzipped file and pack it again."""
    return gzip.compress(_one([flipped, truncated, spliced, renumbered], random)(gzip.decompress(content), random), 1)


ANY: Final[tuple[Way, ...]] = (flipped, truncated, spliced, resized)

WAYS: Final[dict[str, tuple[Way, ...]]] = {
    **{".png": (inside_png,) * 2, ".csv": (renumbered,) * 2, ".json": (renumbered,) * 3},
    **{".zip": (inside_zip,) * 3, ".keras": (inside_zip,) * 3, ".gz": (inside_gzip,) * 3},
}
"""Ways that suit files of a suffix, besides those that suit any."""
