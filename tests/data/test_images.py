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
from fer_core.types import FerError
from tests.bad_inputs import encoded, png_of
from tests.data.conftest import png


@pytest.fixture
def rgb() -> np.ndarray:
    return np.random.default_rng(1).integers(0, 256, (20, 30, 3), dtype=np.uint8)


@pytest.mark.parametrize("kind", ["PNG", "BMP", "TIFF", "PPM"])
def test_lossless_types_give_the_very_pixels_whatever_their_name(rgb, kind, tmp_path):
    path = tmp_path / "face.jpg"
    path.write_bytes(encoded(Image.fromarray(rgb), kind))
    for source in (path.read_bytes(), path, str(path)):
        image = read_image(source)
        assert image.dtype == np.uint8
        np.testing.assert_array_equal(image, rgb)
        image[:] = 0  # the result owns its memory


@pytest.mark.parametrize("orientation", range(10))
def test_orientation_as_pillow_applies_it(orientation):
    picture = Image.fromarray(np.arange(5 * 7 * 3, dtype=np.uint8).reshape(5, 7, 3))
    exif = Image.Exif()
    exif[0x0112] = orientation
    content = encoded(picture, "PNG", exif=exif)
    expected = ImageOps.exif_transpose(Image.open(io.BytesIO(content)))
    assert np.array_equal(read_image(content), np.asarray(expected))


@pytest.mark.parametrize(
    ("values", "kind", "expected"),
    [
        (np.array([0, 257, 32768, 65535], np.uint16), "PNG", [0, 1, 128, 255]),
        (np.array([0, 257, 32768, 65535], np.uint16), "TIFF", [0, 1, 128, 255]),
        (np.array([0, 70000, 140000], np.int32), "TIFF", [0, 128, 255]),
        (np.array([0.0, 0.5, 1.0, np.nan], np.float32), "TIFF", [0, 128, 255, 0]),
    ],
)
def test_wide_gray_is_scaled_not_clipped(values, kind, expected):
    image = read_image(encoded(Image.fromarray(np.stack([values, values])), kind))
    np.testing.assert_array_equal(image[0], np.repeat(np.array(expected)[:, None], 3, axis=1))


def test_sixteen_bit_rgb_png_is_scaled_not_clipped():
    row = b"\0" + struct.pack(">6H", 65535, 32768, 0, 257, 514, 771)
    image = read_image(png_of(2, 2, [zlib.compress(row * 2)], depth=16))
    np.testing.assert_array_equal(image[0], [[255, 128, 0], [1, 2, 3]])


@pytest.mark.parametrize("kind", ["JPEG", "TIFF"])
def test_cmyk_is_converted(kind):
    red, green, blue = read_image(encoded(Image.new("CMYK", (8, 8), (255, 0, 0, 0)), kind))[4, 4]
    assert red < 10
    assert min(green, blue) > 240


def test_transparency_is_laid_on_white():
    for mode, clear, half in (("RGBA", (0, 0, 0, 0), (0, 0, 0, 128)), ("LA", (0, 0), (0, 128))):
        picture = Image.new(mode, (4, 4), clear)
        picture.putpixel((0, 0), half)
        image = read_image(encoded(picture, "PNG"))
        assert (image[1:] == 255).all()
        assert (abs(image[0, 0].astype(int) - 127) <= 1).all()
    picture = Image.new("P", (4, 4), 0)
    picture.putpalette([10, 20, 30, 200, 0, 0])
    picture.putpixel((3, 3), 1)
    image = read_image(encoded(picture, "PNG", transparency=0))
    assert image[[0, 3], [0, 3]].tolist() == [[255, 255, 255], [200, 0, 0]]


@pytest.mark.parametrize("kind", ["GIF", "WEBP", "PNG", "TIFF"])
def test_first_frame_of_an_animation(kind):
    frames = [Image.new("RGB", (8, 8), colour) for colour in ("red", "blue")]
    image = read_image(encoded(frames[0], kind, save_all=True, append_images=frames[1:]))
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


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", r"The image is empty \(0 bytes\)\. Expected a JPEG, PNG"),
        (b"not a picture at all", "The image is not an image, or of a type that cannot be read. Expected a JPEG"),
        (b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", "HEIC photo, which cannot be read here. Export or share it as JPEG"),
        (png(1, 1), r"too small .* at least 2 x 2 pixels\. Received: 1 x 1"),
        (png(40, 40)[:60], "The image is damaged or cut off"),
        *((b"\xff\xd8\xff\xe0\x00\x04ab" + tail, "damaged or cut off") for tail in (b"", b"\xff\xe1\x00\x00" * 9)),
    ],
)
def test_what_is_no_picture(content, message):
    with pytest.raises(FerError, match=message):
        read_image(content)


def test_missing_folder_and_odd_paths(tmp_path, monkeypatch):
    for path, message in (
        (tmp_path / "gone.png", r"gone\.png does not exist\. Check the path"),
        (tmp_path, "is a folder. Expected one image file"),
        ("a\0b.png", "cannot be opened"),
        ("x" * 5000, "cannot be opened"),
    ):
        with pytest.raises(FerError, match=message):
            read_image(path)
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


STARTS = [b"", b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff\xe0", b"GIF89a", b"BM", b"II*\0", b"P6 4 4 255\n", b"RIFF....WEBP"]
INTACT = [encoded(Image.new("RGB", (12, 10), "teal"), kind) for kind in ("PNG", "JPEG", "GIF", "TIFF", "WEBP", "BMP")]


@given(st.sampled_from(STARTS), st.binary(max_size=300), st.sampled_from(INTACT), st.integers(0, 2**16))
@settings(max_examples=200, deadline=None)
def test_garbage_and_changed_bytes_give_an_image_or_one_sentence(start, rest, intact, position):
    position %= len(intact)
    for content in (start + rest, intact[:position] + rest[:4] + intact[position + len(rest[:4]) :]):
        try:
            image = read_image(content)
        except FerError as error:
            assert "\n" not in str(error)
        else:
            assert image.dtype == np.uint8
            assert image.shape[2:] == (3,)


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "P", "I;16", "F", "L"])
def test_tall_pictures_are_converted_in_strips_without_a_seam(mode):
    values = np.linspace(0, 255, 1_300).astype(np.uint8)[:, None].repeat(3, axis=1)
    picture = {
        "I;16": lambda: Image.fromarray(values.astype(np.uint16) * 257),
        "F": lambda: Image.fromarray(values.astype(np.float32) / 255),
    }.get(mode, lambda: Image.fromarray(values).convert(mode))()
    image = read_image(encoded(picture, "TIFF" if mode == "F" else "PNG"))
    assert np.array_equal(image, values[:, :, None].repeat(3, axis=2))


def test_a_large_photo_needs_little_more_memory_than_its_pixels():
    """NumPy's own arrays; Pillow keeps another 4 bytes for each pixel."""
    content = encoded(Image.new("RGB", (4_000, 3_000), "navy"), "PNG")
    tracemalloc.start()
    image = read_image(content)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert image.nbytes == 36_000_000
    assert peak < 1.5 * image.nbytes


def test_a_jpeg_with_thousands_of_scans_is_refused_before_it_is_decoded():
    for mode in ("RGB", "CMYK", "L"):
        assert read_image(encoded(Image.new(mode, (64, 48)), "JPEG", progressive=True)).shape == (48, 64, 3)
    content = encoded(Image.effect_noise((64, 64), 60), "JPEG", progressive=True)
    last = content[content.rindex(b"\xff\xda") : -2]
    limit = images.MAX_SCANS - content.count(b"\xff\xda")
    assert read_image(content[:-2] + last * limit + content[-2:]).shape == (64, 64, 3)
    for repeated in (limit + 1, 12_000):
        with pytest.raises(FerError, match=r"^bomb.jpg is a JPEG that would take minutes.* at most 50 scans"):
            read_image(content[:-2] + last * repeated + content[-2:], "bomb.jpg")
    many = b"\xff\xda\x00\x02" * (images.MAX_SCANS + 1)  # in a preview, or after the end, scans do not count
    content = encoded(Image.new("RGB", (64, 48)), "JPEG", comment=many)
    assert read_image(content + many).shape == (48, 64, 3)
