from __future__ import annotations

import pytest
from io_pictures import encode, picture

from omni_iml.io.scans import code_everything, scan_of
from omni_iml.io.segments import sanitise


def test_a_header_is_read() -> None:
    scan = scan_of(bytes([2, 1, 0x00, 3, 0x11, 1, 5, 0x21]), 10, 90)
    assert (scan.components, scan.first, scan.last, scan.low_bit) == ((1, 3), 1, 5, 1)
    assert (scan.start, scan.stop) == (10, 90)


@pytest.mark.parametrize("header", [b"", b"\x01", b"\x01\x01\x00", b"\x04\x01"])
def test_a_damaged_header_is_taken_as_sequential(header: bytes) -> None:
    scan = scan_of(header, 0, 0)
    assert (scan.first, scan.last, scan.low_bit) == (0, 63, 0)


@pytest.mark.parametrize("progressive", [False, True])
def test_scans_lie_where_the_stream_has_them(progressive: bool) -> None:
    clean = sanitise(encode(picture(), progressive=progressive))
    assert len(clean.scans) == (10 if progressive else 1)
    for scan in clean.scans:
        assert clean.stream[scan.start : scan.start + 2] == b"\xff\xda"
        assert clean.stream[scan.stop] == 0xFF
    assert clean.scans[-1].stop == len(clean.stream) - 2


@pytest.mark.parametrize("progressive", [False, True])
def test_only_all_scans_code_everything(progressive: bool) -> None:
    scans = sanitise(encode(picture(), progressive=progressive)).scans
    assert code_everything(scans, (1, 2, 3), progressive)
    for kept in range(len(scans)):
        assert not code_everything(scans[:kept], (1, 2, 3), progressive)
