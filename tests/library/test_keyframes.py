"""When a key frame is made."""

from hypothesis import given
from hypothesis import strategies as st

from roomcall.media.keyframes import MERGE_WINDOW, NEWCOMER_WINDOW, KeyFrameRequests


def just_made(at: float) -> KeyFrameRequests:
    requests = KeyFrameRequests()
    requests.made(at)
    return requests


def test_nobody_asked() -> None:
    assert not KeyFrameRequests().due(0.0)
    assert not just_made(0.0).due(1e9)


def test_the_first_request_is_served_at_once() -> None:
    for newcomer in (False, True):
        requests = KeyFrameRequests()
        requests.request(newcomer=newcomer)
        assert requests.due(0.0)


def test_one_key_frame_serves_all() -> None:
    requests = KeyFrameRequests()
    for _ in range(5):
        requests.request()
    assert requests.due(1.0)
    requests.made(1.0)
    assert not requests.due(1e9)


def test_a_repeated_request_waits_for_the_window_and_is_not_forgotten() -> None:
    requests = just_made(0.0)
    requests.request()
    assert not requests.due(MERGE_WINDOW * 0.9)
    assert requests.due(MERGE_WINDOW)
    assert requests.due(MERGE_WINDOW)  # until it is made


def test_a_newcomer_need_not_wait_for_the_window() -> None:
    requests = just_made(0.0)
    requests.request(newcomer=True)
    requests.request()
    assert not requests.due(NEWCOMER_WINDOW * 0.9)
    assert requests.due(NEWCOMER_WINDOW)


def test_the_haste_of_a_newcomer_ends_with_its_key_frame() -> None:
    requests = just_made(0.0)
    requests.request(newcomer=True)
    requests.made(1.0)
    requests.request()
    assert not requests.due(1.0 + NEWCOMER_WINDOW * 2)


@given(st.lists(st.sampled_from(["ask", "join", None]), min_size=1, max_size=200))
def test_every_request_is_served_and_never_too_often(asked: list[str | None]) -> None:
    """Of a picture at 50 fps, about which some peer asks with each frame, or none does."""
    requests = KeyFrameRequests()
    made: list[float] = []
    unserved: float | None = None
    for number, what in enumerate(asked):
        now = number / 50
        if what is not None:
            requests.request(newcomer=what == "join")
            unserved = now if unserved is None else unserved
        if requests.due(now):
            assert unserved is not None
            requests.made(now)
            made.append(now)
            unserved = None
        assert unserved is None or now - unserved < MERGE_WINDOW
    gaps = [later - earlier for earlier, later in zip(made, made[1:], strict=False)]
    assert all(gap >= NEWCOMER_WINDOW for gap in gaps)
    if "join" not in asked:
        assert all(gap >= MERGE_WINDOW for gap in gaps)
