from __future__ import annotations

import io
import struct
import tracemalloc
import warnings
import zlib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageOps

from fer_core.data import images, read_image
from fer_core.data.images import IMAGE_SUFFIXES
from fer_core.types import FerError
from tests.data.conftest import png


def encode(picture: Image.Image, kind: str, **options) -> bytes:
    stream = io.BytesIO()
    picture.save(stream, kind, **options)
    return stream.getvalue()


@pytest.fixture
def rgb() -> np.ndarray:
    return np.random.default_rng(1).integers(0, 256, (20, 30, 3), dtype=np.uint8)


@pytest.mark.parametrize("kind", ["PNG", "BMP", "TIFF", "PPM"])
def test_lossless_types_give_the_very_pixels(rgb, kind):
    image = read_image(encode(Image.fromarray(rgb), kind))
    assert image.dtype == np.uint8
    np.testing.assert_array_equal(image, rgb)


@pytest.mark.parametrize("kind", ["JPEG", "WEBP", "AVIF"])
def test_lossy_types_come_close(kind):
    smooth = np.tile(np.linspace(0, 255, 64, dtype=np.uint8)[:, None, None], (1, 64, 3))
    assert np.abs(read_image(encode(Image.fromarray(smooth), kind, quality=95)).astype(int) - smooth).mean() < 4


def test_path_and_string(tmp_path, rgb):
    path = tmp_path / "face.png"
    Image.fromarray(rgb).save(path)
    np.testing.assert_array_equal(read_image(path), read_image(str(path)))


def test_result_owns_its_writable_memory(rgb):
    image = read_image(encode(Image.fromarray(rgb), "PNG"))
    image[:] = 0


def test_mislabelled_type_is_simply_read(tmp_path, rgb):
    path = tmp_path / "really_a_png.jpg"
    path.write_bytes(encode(Image.fromarray(rgb), "PNG"))
    np.testing.assert_array_equal(read_image(path), rgb)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_orientation_is_applied(orientation):
    upright = np.zeros((16, 24, 3), dtype=np.uint8)
    upright[:8, :8] = 255  # the white corner tells every orientation apart
    stored = {
        1: upright,
        2: upright[:, ::-1],
        3: upright[::-1, ::-1],
        4: upright[::-1],
        5: upright.transpose(1, 0, 2),
        6: np.rot90(upright, 1),
        7: upright.transpose(1, 0, 2)[::-1, ::-1],
        8: np.rot90(upright, -1),
    }[orientation]
    exif = Image.Exif()
    exif[0x0112] = orientation
    image = read_image(encode(Image.fromarray(np.ascontiguousarray(stored)), "JPEG", exif=exif, quality=100))
    assert image.shape == upright.shape
    assert np.abs(image.astype(int) - upright).max() < 30


def test_damaged_exif_does_not_spoil_the_picture():
    data = encode(Image.new("RGB", (10, 20), "red"), "JPEG", exif=b"Exif\0\0MM\0*\0\0\0\xff")
    assert read_image(data).shape == (20, 10, 3)


def test_sixteen_bit_gray_is_scaled_not_clipped():
    values = np.array([[0, 257, 32768, 65535]] * 2, dtype=np.uint16)
    for kind in ("PNG", "TIFF"):
        image = read_image(encode(Image.fromarray(values), kind))
        np.testing.assert_array_equal(image[0, :, 0], [0, 1, 128, 255])
        assert (image == image[:, :, :1]).all()


def test_sixteen_bit_rgb_png_is_scaled_not_clipped():
    def chunk(name: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))

    row = b"\0" + struct.pack(">6H", 65535, 32768, 0, 257, 514, 771)
    data = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", 2, 2, 16, 2, 0, 0, 0))
    image = read_image(data + chunk(b"IDAT", zlib.compress(row * 2)) + chunk(b"IEND", b""))
    np.testing.assert_array_equal(image[0], [[255, 128, 0], [1, 2, 3]])


def test_thirty_two_bit_and_float_gray():
    integers = np.array([[0, 70000, 140000]] * 2, dtype=np.int32)
    np.testing.assert_array_equal(read_image(encode(Image.fromarray(integers), "TIFF"))[0, :, 0], [0, 128, 255])
    floats = np.array([[0.0, 0.5, 1.0, np.nan]] * 2, dtype=np.float32)
    np.testing.assert_array_equal(read_image(encode(Image.fromarray(floats), "TIFF"))[0, :, 0], [0, 128, 255, 0])


def test_cmyk_is_converted():
    cyan = Image.new("CMYK", (8, 8), (255, 0, 0, 0))
    for kind in ("JPEG", "TIFF"):
        red, green, blue = read_image(encode(cyan, kind))[4, 4]
        assert red < 10
        assert green > 240
        assert blue > 240


@pytest.mark.parametrize("mode", ["RGBA", "LA"])
def test_transparency_is_laid_on_white(mode):
    picture = Image.new(mode, (4, 4), (0, 0, 0, 0) if mode == "RGBA" else (0, 0))
    picture.putpixel((0, 0), (0, 0, 0, 128) if mode == "RGBA" else (0, 128))
    image = read_image(encode(picture, "PNG"))
    assert (image[1:] == 255).all()
    assert (abs(image[0, 0].astype(int) - 127) <= 1).all()


def test_transparent_palette_is_laid_on_white():
    picture = Image.new("P", (4, 4), 0)
    picture.putpalette([10, 20, 30, 200, 0, 0])
    picture.putpixel((3, 3), 1)
    image = read_image(encode(picture, "PNG", transparency=0))
    assert image[0, 0].tolist() == [255, 255, 255]
    assert image[3, 3].tolist() == [200, 0, 0]


@pytest.mark.parametrize("mode", ["1", "L", "P"])
def test_other_modes_become_rgb(mode):
    image = read_image(encode(Image.new("RGB", (5, 4), "white").convert(mode), "PNG"))
    assert image.shape == (4, 5, 3)
    assert (image == 255).all()


@pytest.mark.parametrize("kind", ["GIF", "WEBP", "PNG", "TIFF"])
def test_first_frame_of_an_animation(kind):
    frames = [Image.new("RGB", (8, 8), colour) for colour in ("red", "blue")]
    image = read_image(encode(frames[0], kind, save_all=True, append_images=frames[1:]))
    assert image[4, 4, 0] > 240
    assert image[4, 4, 2] < 15


def test_up_to_the_limit_pictures_keep_their_size_and_warn_nobody(monkeypatch):
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 1_000)  # Pillow's own limit, beyond which it warns
    monkeypatch.setattr(images, "MAX_PIXELS", 1_600)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert read_image(png(40, 40)).shape == (40, 40, 3)
        with pytest.raises(FerError, match=r"too large.* Received: 41 x 40 pixels"):
            read_image(png(40, 41))


@pytest.mark.parametrize(("width", "height"), [(8_200, 6_300), (20_000, 10_000), (60_000, 60_000)])
def test_over_fifty_one_megapixels(width, height):
    header = b"P6 %d %d 255\n" % (width, height)  # no pixels follow: it must be refused before decoding
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(FerError, match=r"group\.ppm is too large\. Expected at most 51 megapixels"):
            read_image(header, name="group.ppm")


def test_one_pixel():
    with pytest.raises(FerError, match=r"too small .* at least 2 x 2 pixels\. Received: 1 x 1"):
        read_image(png(1, 1))
    assert read_image(png(2, 2)).shape == (2, 2, 3)


def test_empty():
    with pytest.raises(FerError, match=r"The image is empty \(0 bytes\)\. Expected a JPEG, PNG"):
        read_image(b"")


def test_text_named_jpg(tmp_path):
    path = tmp_path / "notes.jpg"
    path.write_text("not a picture at all")
    with pytest.raises(
        FerError, match=r"notes\.jpg is not an image, or of a type that cannot be read\. Expected a JPEG"
    ):
        read_image(path)


@pytest.mark.parametrize("content", [b"%PDF-1.7 ....", b"<svg xmlns='http://www.w3.org/2000/svg'/>", b"%!PS-Adobe-3.0"])
def test_unsupported_types(content):
    with pytest.raises(FerError, match="of a type that cannot be read"):
        read_image(content)


def test_heic_is_told_apart():
    with pytest.raises(FerError, match=r"HEIC photo, which cannot be read here. Export or share it as JPEG"):
        read_image(b"\0\0\0\x18ftypheic\0\0\0\0mif1heic")


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "GIF", "WEBP", "TIFF", "BMP", "AVIF"])
@pytest.mark.parametrize("share", [0.05, 0.5])
def test_truncated(rgb, kind, share):
    data = encode(Image.fromarray(np.tile(rgb, (4, 4, 1))), kind)
    with pytest.raises(FerError, match=r"half\.img is (damaged or cut off|not an image)"):
        read_image(data[: int(len(data) * share)], name="half.img")


def test_missing_folder_and_odd_paths(tmp_path):
    with pytest.raises(FerError, match=r"gone\.png does not exist\. Check the path"):
        read_image(tmp_path / "gone.png")
    with pytest.raises(FerError, match=r"is a folder. Expected one image file"):
        read_image(tmp_path)
    with pytest.raises(FerError, match="cannot be opened"):
        read_image("a\0b.png")
    with pytest.raises(FerError, match="cannot be opened"):
        read_image("x" * 5000)


def test_no_permission(tmp_path, monkeypatch):
    (tmp_path / "locked.png").write_bytes(png())

    def refuse(*_args):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", refuse)  # root may read everything, so chmod would not do
    with pytest.raises(FerError, match=r"locked\.png may not be read"):
        read_image(tmp_path / "locked.png")


def test_not_enough_memory(monkeypatch):
    def refuse(*_args):
        raise MemoryError

    monkeypatch.setattr(Image.Image, "convert", refuse)
    with pytest.raises(FerError, match="does not fit into memory"):
        read_image(png())


def test_suffixes_are_lower_case_with_dot():
    assert all(suffix.startswith(".") and suffix == suffix.lower() for suffix in IMAGE_SUFFIXES)


STARTS = [
    b"",
    b"\x89PNG\r\n\x1a\n",
    b"\xff\xd8\xff\xe0",
    b"GIF89a",
    b"BM",
    b"II*\0",
    b"P6 4 4 255\n",
    b"RIFF....WEBPVP8 ",
]


@given(st.sampled_from(STARTS), st.binary(max_size=300))
@settings(max_examples=150, deadline=None)
def test_garbage_gives_an_image_or_one_sentence(start, rest):
    check_robust(start + rest)


INTACT = [encode(Image.new("RGB", (12, 10), "teal"), kind) for kind in ("PNG", "JPEG", "GIF", "TIFF", "WEBP", "BMP")]


@given(st.sampled_from(INTACT), st.integers(0, 2**16), st.binary(min_size=1, max_size=4))
@settings(max_examples=200, deadline=None)
def test_flipped_bytes_give_an_image_or_one_sentence(data, position, patch):
    position %= len(data)
    check_robust(data[:position] + patch + data[position + len(patch) :])


def check_robust(data: bytes) -> None:
    try:
        image = read_image(data)
    except FerError as error:
        assert "\n" not in str(error)
    else:
        assert image.dtype == np.uint8
        assert image.ndim == 3
        assert image.shape[2] == 3


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "P", "I;16", "F"])
def test_tall_pictures_are_converted_in_strips_without_a_seam(mode):
    values = np.linspace(0, 255, 1_300).astype(np.uint8)[:, None].repeat(3, axis=1)
    picture = {
        "I;16": lambda: Image.fromarray(values.astype(np.uint16) * 257),
        "F": lambda: Image.fromarray(values.astype(np.float32) / 255),
    }.get(mode, lambda: Image.fromarray(values).convert(mode))()
    image = read_image(encode(picture, "TIFF" if mode == "F" else "PNG"))
    assert np.array_equal(image, values[:, :, None].repeat(3, axis=2))


@pytest.mark.parametrize("orientation", range(10))
def test_orientation_as_pillow_applies_it(orientation):
    picture = Image.fromarray(np.arange(5 * 7 * 3, dtype=np.uint8).reshape(5, 7, 3))
    exif = Image.Exif()
    exif[0x0112] = orientation
    content = encode(picture, "PNG", exif=exif)
    expected = ImageOps.exif_transpose(Image.open(io.BytesIO(content)))
    assert np.array_equal(read_image(content), np.asarray(expected))


def test_a_large_photo_needs_little_more_memory_than_its_pixels():
    """NumPy's own arrays; Pillow keeps another 4 bytes for each pixel."""
    content = encode(Image.new("RGB", (4_000, 3_000), "navy"), "PNG")
    tracemalloc.start()
    image = read_image(content)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert image.nbytes == 36_000_000
    assert peak < 1.5 * image.nbytes


@pytest.mark.parametrize("mode", ["RGB", "CMYK", "L"])
def test_a_progressive_jpeg_is_read(mode):
    assert read_image(encode(Image.new(mode, (64, 48)), "JPEG", progressive=True)).shape == (48, 64, 3)


def test_a_jpeg_with_thousands_of_scans_is_refused_before_it_is_decoded():
    content = encode(Image.effect_noise((64, 64), 60), "JPEG", progressive=True)
    last = content[content.rindex(b"\xff\xda") : -2]
    limit = images.MAX_SCANS - content.count(b"\xff\xda")
    assert read_image(content[:-2] + last * limit + content[-2:]).shape == (64, 64, 3)
    for repeated in (limit + 1, 12_000):
        with pytest.raises(FerError, match=r"^bomb.jpg is a JPEG that would take minutes.* at most 50 scans"):
            read_image(content[:-2] + last * repeated + content[-2:], "bomb.jpg")


def test_scans_in_a_preview_or_after_the_end_do_not_count():
    many = b"\xff\xda\x00\x02" * (images.MAX_SCANS + 1)
    content = encode(Image.new("RGB", (64, 48)), "JPEG", comment=many)
    assert read_image(content + many).shape == (48, 64, 3)


@pytest.mark.parametrize("tail", [b"", b"\xff", b"\xff\xda", b"\xff\xe1\x00", b"\xff\xe1\x00\x00" * 9])
def test_a_jpeg_cut_off_in_its_segments_is_damaged(tail):
    with pytest.raises(FerError, match="damaged or cut off"):
        read_image(b"\xff\xd8\xff\xe0\x00\x04ab" + tail)
