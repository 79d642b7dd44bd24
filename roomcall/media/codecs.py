"""What a codec's packets look like. Pure."""

_NAL_IDR = 5  # H.264 table 7-1
_NAL_SPS = 7
_PROFILES_WITH_CHROMA = {100, 110, 122, 244, 44, 83, 86, 118, 128, 138, 139, 134, 135}


def is_key_frame(codec: str, data: bytes) -> bool:
    """Whether an encoded frame can be decoded by itself. Audio frames always can."""
    if codec == "VP8":
        # RFC 6386 section 9.1. Without the start code: of a frame whose beginning was lost.
        return bool(data) and not data[0] & 1 and data[3:6] == b"\x9d\x01\x2a"
    if codec == "H264":
        return any(kind == _NAL_IDR for kind, _ in _nal_units(data))
    return True


def picture_size(codec: str, key_frame: bytes) -> tuple[int, int] | None:
    """Width and height that a key frame's header says; None for other frames and codecs."""
    match codec:
        case "H264":
            return h264_size(key_frame)
        case "VP8":
            return vp8_size(key_frame)
    return None


def h264_size(data: bytes) -> tuple[int, int] | None:
    """Displayed width and height from the sequence parameter set of an Annex B access unit."""
    for kind, start in _nal_units(data):
        if kind == _NAL_SPS:
            end = data.find(b"\x00\x00\x01", start)
            unit = data[start + 1 : end if end >= 0 else len(data)]
            try:
                return _parse_sps(_Bits(unit.replace(b"\x00\x00\x03", b"\x00\x00")))
            except IndexError:
                return None
    return None


class _Bits:
    """Bits from the left, with H.264's Exp-Golomb numbers (section 9.1)."""

    def __init__(self, data: bytes) -> None:
        self._digits = bin(int.from_bytes(b"\x01" + data, "big"))[3:]
        self._at = 0

    def take(self, count: int) -> int:
        if self._at + count > len(self._digits):
            raise IndexError("the parameter set is cut off")
        taken = self._digits[self._at : self._at + count]
        self._at += count
        return int(taken or "0", 2)

    def golomb(self) -> int:
        zeros = 0
        while self.take(1) == 0:
            zeros += 1
        return (1 << zeros) - 1 + self.take(zeros)

    def signed_golomb(self) -> int:
        number = self.golomb()
        return (number + 1) // 2 if number & 1 else -(number // 2)


def _parse_sps(bits: _Bits) -> tuple[int, int]:
    """See H.264 section 7.3.2.1.1; only what stands before the size matters."""
    profile = bits.take(8)
    bits.take(16)  # constraint flags, level
    bits.golomb()  # seq_parameter_set_id
    chroma, separate_planes = 1, 0
    if profile in _PROFILES_WITH_CHROMA:
        chroma = bits.golomb()
        if chroma == 3:
            separate_planes = bits.take(1)
        bits.golomb()  # bit_depth_luma_minus8
        bits.golomb()  # bit_depth_chroma_minus8
        bits.take(1)  # qpprime_y_zero_transform_bypass_flag
        if bits.take(1):
            _skip_scaling_matrix(bits, 8 if chroma != 3 else 12)
    bits.golomb()  # log2_max_frame_num_minus4
    order = bits.golomb()
    if order == 0:
        bits.golomb()  # log2_max_pic_order_cnt_lsb_minus4
    elif order == 1:
        bits.take(1)  # delta_pic_order_always_zero_flag
        bits.golomb()
        bits.golomb()
        for _ in range(bits.golomb()):
            bits.golomb()
    bits.golomb()  # max_num_ref_frames
    bits.take(1)  # gaps_in_frame_num_value_allowed_flag
    width = (bits.golomb() + 1) * 16
    map_units = bits.golomb() + 1
    frame_only = bits.take(1)
    height = (2 - frame_only) * map_units * 16
    if not frame_only:
        bits.take(1)  # mb_adaptive_frame_field_flag
    bits.take(1)  # direct_8x8_inference_flag
    if bits.take(1):  # frame_cropping_flag
        planar = chroma if not separate_planes else 0
        unit_x = 2 if planar in (1, 2) else 1
        unit_y = (2 if planar == 1 else 1) * (2 - frame_only)
        left, right, top, bottom = (bits.golomb() for _ in range(4))
        width -= (left + right) * unit_x
        height -= (top + bottom) * unit_y
    return width, height


def _skip_scaling_matrix(bits: _Bits, lists: int) -> None:
    """See H.264 section 7.3.2.1.1.1."""
    for index in range(lists):
        if bits.take(1):
            last = following = 8
            for _ in range(16 if index < 6 else 64):
                if following:
                    following = (last + bits.signed_golomb()) % 256
                last = following or last


def vp8_size(data: bytes) -> tuple[int, int] | None:
    """Width and height from a VP8 key frame's header. See RFC 6386 section 9.1."""
    if len(data) < 10 or data[0] & 1 or data[3:6] != b"\x9d\x01\x2a":
        return None
    return (
        int.from_bytes(data[6:8], "little") & 0x3FFF,
        int.from_bytes(data[8:10], "little") & 0x3FFF,
    )


def _nal_units(data: bytes) -> list[tuple[int, int]]:
    """(type, offset behind the start code) of the NAL units up to the first slice."""
    units = []
    at = data.find(b"\x00\x00\x01")
    while 0 <= at < len(data) - 3:
        kind = data[at + 3] & 0x1F
        units.append((kind, at + 3))
        if 1 <= kind <= _NAL_IDR:
            break  # the parameter sets stand before the slices; no need to search the picture
        at = data.find(b"\x00\x00\x01", at + 3)
    return units
