import struct
from unittest import TestCase

from src.domain.mp4 import milliseconds
from tests.api.contents import box, mp4

HEADERS = {
    "32 bits": struct.pack(">IIIII", 0, 0, 0, 600, 900),
    "64 bits": struct.pack(">IQQIQ", 1 << 24, 0, 0, 600, 900),
}


class LengthTest(TestCase):
    def test_a_header_is_read_in_both_its_forms(self) -> None:
        for form, header in HEADERS.items():
            with self.subTest(form):
                self.assertEqual(milliseconds([box(b"moov", box(b"mvhd", header))]), 1500)

    def test_it_is_found_however_the_content_is_cut(self) -> None:
        content = mp4(1500, pictures=1000)
        for size in (1, 7, 500, len(content)):
            with self.subTest(size):
                pieces = (content[at : at + size] for at in range(0, len(content), size))
                self.assertEqual(milliseconds(pieces), 1500)

    def test_a_long_box_is_skipped(self) -> None:
        pictures = struct.pack(">I4sQ", 1, b"mdat", 16 + 5) + b"12345"
        self.assertEqual(milliseconds([pictures + mp4(20)]), 20)

    def test_what_has_no_length_has_none(self) -> None:
        endless = struct.pack(">I4s", 0, b"mdat")
        absurd = struct.pack(">IQQIQ", 1 << 24, 0, 0, 1, 2**63)
        cases = (b"", b"text of any kind", mp4(0), mp4(1)[:-4], endless, box(b"mvhd", absurd))
        for content in cases:
            with self.subTest(content[:20]):
                self.assertIsNone(milliseconds([content]))
