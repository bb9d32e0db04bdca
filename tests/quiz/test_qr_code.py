import cv2
import pytest

from fer_core.quiz import qr_code


@pytest.mark.parametrize(
    "link", ["http://localhost:8501/quiz?q_room=BCDF", f"https://{'a' * 120}.org/quiz?q_room=XZWV"]
)
def test_opencv_reads_the_link_again(link):
    code = qr_code(link)
    assert code.shape[0] == code.shape[1]
    assert cv2.QRCodeDetector().detectAndDecode(code)[0] == link


def test_no_link():
    with pytest.raises(ValueError, match="Expected a link"):
        qr_code("")
