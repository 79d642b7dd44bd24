"""What a codec's packets say of themselves, held against what FFmpeg really encodes."""

from fractions import Fraction
from typing import Any

import av
import pytest
from av.video.codeccontext import VideoCodecContext
from av.video.frame import PictureType
from hypothesis import example, given, settings
from hypothesis import strategies as st

from roomcall.media.codecs import h264_size, is_key_frame, picture_size, vp8_size

START_CODES = (b"\x00\x00\x00\x01", b"\x00\x00\x01")


def encode(
    library: str,
    size: tuple[int, int],
    *,
    count: int = 1,
    key_frames: tuple[int, ...] = (0,),
    pix_fmt: str = "yuv420p",
    profile: str | None = None,
    options: dict[str, str] | None = None,
) -> list[bytes]:
    context: Any = av.CodecContext.create(library, "w")
    assert isinstance(context, VideoCodecContext)
    context.width, context.height = size
    context.pix_fmt = pix_fmt
    context.time_base = Fraction(1, 30)
    context.thread_count = 1
    context.gop_size = 1000
    if profile is not None:
        context.profile = profile
    defaults = (
        {"preset": "ultrafast", "tune": "zerolatency", "forced-idr": "1"}
        if library == "libx264"
        else {"deadline": "realtime", "lag-in-frames": "0", "cpu-used": "-8"}
    )
    context.options = defaults | (options or {})
    packets = []
    for number in range(count):
        frame = av.VideoFrame(*size, pix_fmt)
        for plane in frame.planes:
            memoryview(plane)[:] = bytes([16 * number % 256]) * plane.buffer_size
        frame.pts = number
        frame.pict_type = PictureType.I if number in key_frames else PictureType.NONE
        packets += context.encode(frame)
    return [bytes(packet) for packet in packets + context.encode(None)]


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 300), st.integers(1, 300))
@example(1, 1)
@example(16, 16)
@example(175, 143)
@example(1919, 1081)
def test_the_size_of_a_vp8_picture(width: int, height: int) -> None:
    data = encode("libvpx", (width, height))[0]
    assert vp8_size(data) == picture_size("VP8", data) == (width, height)


@settings(max_examples=40, deadline=None)
@given(st.integers(8, 150), st.integers(8, 150))
@example(8, 9)
@example(160, 90)  # 360p, 720p and 1080p have heights that are no multiple of 16
@example(320, 180)
@example(960, 540)
def test_the_size_of_an_h264_picture(half_width: int, half_height: int) -> None:
    size = (2 * half_width, 2 * half_height)
    data = encode("libx264", size, profile="Baseline")[0]
    assert h264_size(data) == picture_size("H264", data) == size


@pytest.mark.parametrize("size", [(64, 48), (98, 54), (320, 180), (1920, 1080)])
@pytest.mark.parametrize("profile", ["Baseline", "Main", "High"])
def test_the_size_in_each_profile(profile: str, size: tuple[int, int]) -> None:
    options = {"preset": "veryfast"}
    assert h264_size(encode("libx264", size, profile=profile, options=options)[0]) == size


@pytest.mark.parametrize(
    ("pix_fmt", "size"),
    [("yuv444p", (97, 53)), ("yuv444p", (175, 143)), ("yuv422p", (98, 53)), ("gray", (98, 54))],
)
def test_the_size_with_more_or_less_colour(pix_fmt: str, size: tuple[int, int]) -> None:
    """Odd sizes are possible only where colour is not halved: the cropping has another unit."""
    assert h264_size(encode("libx264", size, pix_fmt=pix_fmt)[0]) == size


@pytest.mark.parametrize("parameters", ["interlaced=1", "fake-interlaced=1"])
@pytest.mark.parametrize("size", [(64, 48), (98, 52), (320, 180), (720, 576)])
def test_the_size_of_interlaced_pictures(parameters: str, size: tuple[int, int]) -> None:
    options = {"preset": "veryfast", "x264-params": parameters}
    assert h264_size(encode("libx264", size, options=options)[0]) == size


class Bits:
    """Writes what H.264 section 7.3.2.1.1 describes: parameter sets that x264 never makes."""

    def __init__(self) -> None:
        self.text = ""

    def put(self, number: int, count: int) -> None:
        self.text += f"{number:0{count}b}"

    def golomb(self, *numbers: int) -> None:
        for number in numbers:
            digits = f"{number + 1:b}"
            self.text += "0" * (len(digits) - 1) + digits

    def signed(self, *numbers: int) -> None:
        self.golomb(*(2 * number - 1 if number > 0 else -2 * number for number in numbers))

    def unit(self) -> bytes:
        """With its stop bit, padded, and kept from looking like a start code (section 7.4.1)."""
        text = self.text + "1"
        text += "0" * (-len(text) % 8)
        found = bytearray()
        zeros = 0
        for byte in int(text, 2).to_bytes(len(text) // 8, "big"):
            if zeros == 2 and byte <= 3:
                found.append(3)
                zeros = 0
            found.append(byte)
            zeros = zeros + 1 if byte == 0 else 0
        return b"\x00\x00\x00\x01\x67" + bytes(found) + b"\x00\x00\x00\x01\x68\xce"


def put_size(bits: Bits, macroblocks: tuple[int, int]) -> None:
    bits.golomb(1)  # max_num_ref_frames
    bits.put(0, 1)
    bits.golomb(macroblocks[0] - 1, macroblocks[1] - 1)
    bits.put(0b110, 3)  # whole frames, direct_8x8_inference_flag, nothing cropped


@given(
    st.sampled_from([1, 3]),
    st.lists(st.none() | st.integers(1, 64), min_size=12, max_size=12),
    st.tuples(st.integers(1, 300), st.integers(1, 300)),
)
@example(3, [None] * 11 + [64], (20, 15))
@example(3, [64] * 12, (20, 15))
@example(1, [1, 2, 16, None, 3, 16, 64, 5] + [None] * 4, (20, 15))
def test_the_size_behind_scaling_lists(
    chroma: int, lists: list[int | None], size: tuple[int, int]
) -> None:
    """Each list is left out (None), or ends after so many of its numbers: the rest repeats."""
    bits = Bits()
    bits.put(100, 8)
    bits.put(31, 16)
    bits.golomb(0, chroma)
    if chroma == 3:
        bits.put(0, 1)
    bits.golomb(0, 0)
    bits.put(0b01, 2)  # no transform bypass; there is a matrix
    for index, length in enumerate(lists[: 8 if chroma == 1 else 12]):
        bits.put(length is not None, 1)
        if length is not None:
            whole = 16 if index < 6 else 64
            last = 8
            for position in range(min(length, whole)):
                number = 20 + position * 7 % 11
                bits.signed(number - last)
                last = number
            if length < whole:
                bits.signed(-last)
    bits.golomb(0, 0, 0)  # log2_max_frame_num, order 0, log2_max_pic_order_cnt_lsb
    put_size(bits, size)
    assert h264_size(bits.unit()) == (16 * size[0], 16 * size[1])


@given(
    st.lists(st.integers(-(2**31) + 1, 2**31 - 1), max_size=10),
    st.tuples(st.integers(1, 300), st.integers(1, 300)),
)
@example([2**30, -(2**30)], (20, 15))
def test_the_size_behind_orders_that_are_spelled_out(
    offsets: list[int], size: tuple[int, int]
) -> None:
    bits = Bits()
    bits.put(66, 8)
    bits.put(31, 16)
    bits.golomb(0, 0, 1)
    bits.put(0, 1)
    bits.signed(-2, 5)
    bits.golomb(len(offsets))
    bits.signed(*offsets)
    put_size(bits, size)
    unit = bits.unit()
    if offsets == [2**30, -(2**30)]:
        assert b"\x00\x00\x03" in unit
    assert h264_size(unit) == (16 * size[0], 16 * size[1])


def test_the_size_whatever_start_codes_and_units_stand_before() -> None:
    data = encode("libx264", (98, 54))[0]
    delimiter = b"\x09\xf0"
    for code in START_CODES:
        assert h264_size(code + delimiter + data) == (98, 54)
        assert is_key_frame("H264", code + delimiter + data)
    short = data.replace(*START_CODES)
    assert len(short) < len(data)
    assert h264_size(short) == (98, 54) and is_key_frame("H264", short)


@pytest.mark.parametrize(("library", "codec"), [("libx264", "H264"), ("libvpx", "VP8")])
def test_key_frames_are_those_that_were_asked_for(library: str, codec: str) -> None:
    frames = encode(library, (98, 54), count=8, key_frames=(0, 3, 4))
    found = [number for number, data in enumerate(frames) if is_key_frame(codec, data)]
    assert found == [0, 3, 4]
    sizes = [picture_size(codec, data) for data in frames]
    assert sizes == [(98, 54) if number in (0, 3, 4) else None for number in range(8)]


def test_a_picture_in_slices_is_one_key_frame() -> None:
    frames = encode("libx264", (320, 180), count=2, options={"x264-params": "slices=4"})
    assert [is_key_frame("H264", data) for data in frames] == [True, False]
    assert h264_size(frames[0]) == (320, 180)


def test_sound_is_always_a_key_frame_and_has_no_size() -> None:
    for codec in ("opus", "PCMU", "G722"):
        assert is_key_frame(codec, b"\x01") and picture_size(codec, b"\x01") is None


def test_parameters_that_are_cut_off_have_no_size() -> None:
    data = encode("libx264", (98, 54))[0]
    sps = next(at + 3 for at in range(len(data)) if data[at : at + 3] == b"\x00\x00\x01")
    assert data[sps] & 0x1F == 7
    for length in range(sps + 6):
        assert h264_size(data[:length]) is None
    vp8 = encode("libvpx", (98, 54))[0]
    assert all(vp8_size(vp8[:length]) is None for length in range(10))


@given(st.binary(max_size=60), st.sampled_from([b"", b"\x00\x00\x01\x67", b"\x00\x00\x01\x65"]))
def test_garbage_is_no_error(data: bytes, before: bytes) -> None:
    for codec in ("H264", "VP8"):
        size = picture_size(codec, before + data)
        assert size is None or len(size) == 2
        assert is_key_frame(codec, before + data) in (True, False)


def test_a_vp8_picture_whose_beginning_was_lost_is_no_key_frame() -> None:
    """Its data may begin with any bits."""
    (data,) = encode("libvpx", (320, 240))
    assert is_key_frame("VP8", data)
    assert not any(is_key_frame("VP8", data[lost:]) for lost in range(1, len(data)))
