"""The count of samples: no gap, no overlap, no memory for silence."""

import sys

from hypothesis import given
from hypothesis import strategies as st

from roomcall.media.sources.samples import Samples


def sound(samples: int, value: int = 1) -> bytes:
    return bytes([value]) * (samples * 4)


def taken(samples: Samples) -> bytes:
    frames = []
    while (frame := samples.take()) is not None:
        frames.append(frame)
    return b"".join(frames)


@given(st.lists(st.integers(0, 3000), max_size=20))
def test_frames_are_what_was_added(lengths: list[int]) -> None:
    samples = Samples()
    added = out = b""
    for index, length in enumerate(lengths):
        samples.add(sound(length, index + 1))
        added += sound(length, index + 1)
        out += taken(samples)
    assert len(out) % 3840 == 0 and len(added) - len(out) < 3840
    assert added.startswith(out)
    samples.finish()
    out += taken(samples)
    assert out == added + bytes(len(out) - len(added)) and len(out) - len(added) < 3840


def test_a_gap_is_filled_when_it_is_taken() -> None:
    samples = Samples()
    samples.add(sound(960))
    assert samples.is_off(600)
    samples.align(600)
    assert sum(map(sys.getsizeof, samples._pieces)) < 10_000
    samples.add(sound(960, 2))
    out = [samples.take() for _ in range(30_001)]
    assert out[0] == sound(960) and out[1] == bytes(3840) and out[-1] == sound(960, 2)
    assert samples.take() is None


def test_an_overlap_leaves_out_the_end_of_the_first_part() -> None:
    samples = Samples(reserve=2048)
    samples.add(sound(4800))
    first = taken(samples)
    samples.align(0.095)  # 240 samples too many
    samples.add(sound(4800, 2))
    samples.finish()
    out = first + taken(samples)
    assert out[: (4560 + 4800) * 4] == sound(4560) + sound(4800, 2)


def test_what_has_been_taken_already_is_left_out_of_the_next() -> None:
    samples = Samples()
    samples.add(sound(960))
    assert samples.take() == sound(960)
    samples.align(0.010)
    samples.add(sound(960, 2) + sound(480, 3))
    assert samples.take() == sound(480, 2) + sound(480, 3)
