"""What systems put among a person's pictures: thumbnails, deleted files and properties."""

from pathlib import Path

JUNK = (
    "._IMG_1.png",
    ".hidden.png",
    "__MACOSX/._IMG_1.png",
    ".thumbnails/large/IMG_1.png",
    "@eaDir/IMG_1.png/SYNOPHOTO_THUMB_M.png",
    "#recycle/IMG_0.png",
    "$RECYCLE.BIN/S-1-5/IMG_0.png",
    "Thumbs.db",
)


def with_junk(folder: Path, content: bytes) -> Path:
    """Add junk to a folder, which is created if it does not exist, and to all folders in it."""
    for place in [folder, *(path for path in folder.rglob("*") if path.is_dir())]:
        for name in JUNK:
            (place / name).parent.mkdir(parents=True, exist_ok=True)
            (place / name).write_bytes(content)
    return folder
