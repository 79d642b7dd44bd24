"""What peers can take, and what layers get: from their reports alone."""

import pytest

from roomcall.media.rates import (
    FAST_AFTER,
    HEADROOM,
    LOWEST,
    RISE_AFTER,
    SLOW_AFTER,
    LayerRate,
    PeerRate,
)

TOP = 800_000


def test_a_peer_takes_what_is_sent_until_it_says_otherwise() -> None:
    peer = PeerRate()
    assert peer.bitrate(TOP, TOP) == TOP
    peer.lost(0.05)  # neither much nor little
    assert peer.bitrate(TOP, TOP) == TOP


def test_losses_lower_what_it_takes_and_their_end_raises_it() -> None:
    peer = PeerRate()
    for _ in range(3):
        peer.lost(0.4)
    assert peer.bitrate(TOP, TOP) == pytest.approx(TOP * 0.8**3)
    for _ in range(50):
        peer.lost(0.0)
    assert peer.bitrate(TOP, TOP) == TOP


def test_its_own_estimate_counts_only_where_it_is_near_what_is_sent() -> None:
    peer = PeerRate()
    peer.bound(200_000)
    assert peer.bitrate(TOP, sent=600_000) == 200_000
    assert peer.bitrate(TOP, sent=210_000) == TOP  # a still picture: the estimate follows it


def test_who_is_slow_for_a_while_gets_the_lower_layer_and_comes_back() -> None:
    peer = PeerRate()
    peer.bound(200_000)
    for time in range(20):
        assert not peer.judge(TOP, float(time) - 20.0)  # nothing is lost
    peer.lost(0.05)
    assert not peer.judge(TOP, 0.0)
    assert not peer.judge(TOP, SLOW_AFTER - 0.1)
    assert peer.judge(TOP, SLOW_AFTER) and peer.slow
    peer.bound(10 * TOP)
    assert not peer.judge(240_000, 10.0)
    assert not peer.judge(240_000, 10.0 + FAST_AFTER - 0.1)
    assert peer.judge(240_000, 10.0 + FAST_AFTER) and not peer.slow
    peer.bound(200_000)
    assert not peer.judge(TOP, 30.0) and peer.judge(TOP, 30.0 + SLOW_AFTER)
    peer.bound(10 * TOP)
    assert not peer.judge(240_000, 40.0)
    assert not peer.judge(240_000, 40.0 + FAST_AFTER)  # it was wrong the last time
    assert peer.judge(240_000, 40.0 + 2 * FAST_AFTER)


def test_a_short_trouble_changes_no_layer() -> None:
    peer = PeerRate()
    peer.lost(0.05)
    for time in range(20):
        peer.bound(200_000 if time % 3 else 10 * TOP)
        assert not peer.judge(TOP, float(time))


def test_a_layer_follows_its_slowest_peer_at_once_down_and_slowly_up() -> None:
    layer = LayerRate(TOP)
    assert layer.decide([TOP, TOP], 0.0) is None
    assert layer.decide([TOP, 500_000], 1.0) == 500_000 * HEADROOM
    assert layer.decide([TOP, 490_000], 1.1) is None  # not worth a change
    assert layer.decide([TOP, 300_000], 1.2) == 300_000 * HEADROOM
    assert layer.decide([TOP, TOP], 1.3) is None
    assert layer.decide([TOP, TOP], 1.2 + RISE_AFTER) == TOP
    assert layer.decide([], 100.0) is None


def test_a_layer_has_a_floor() -> None:
    assert LayerRate(TOP).decide([10.0], 0.0) == LOWEST
    assert LayerRate(30_000).decide([10.0], 0.0) is None  # it is below the floor as it is
