"""What is blanked, and what is not."""

import json

from hypothesis import given
from hypothesis import strategies as st

from roomcall.checking.blanking import Blanking

SDP = "a=ice-ufrag:9aFb\r\na=ice-pwd:n0t/for+anybody123456\r\na=setup:actpass\r\n"


def test_ice_passwords_are_not_in_it() -> None:
    line = json.dumps(
        {"sdp": SDP, "candidate": "candidate:1 1 udp 1 192.0.2.1 9 typ host ufrag 9aFb"}
    )
    for text in (SDP, line):
        blanked = Blanking([])(text)
        assert "n0t/for" not in blanked and "9aFb" not in blanked
        assert "a=setup:actpass" in blanked
    assert json.loads(Blanking([])(line))["sdp"].endswith("a=setup:actpass\r\n")


def test_what_is_called_a_secret_and_what_stands_in_addresses() -> None:
    text = Blanking([])(
        '{"password": "opensesame", "credential":"s3cret"} https://ann:pa55@host/ws?token=jwt.x'
        " turn:ann:pa55@host:3478"
    )
    for secret in ("opensesame", "s3cret", "pa55", "jwt.x"):
        assert secret not in text
    assert "host/ws?token=" in text and "host:3478" in text


@given(st.text(min_size=6), st.text(), st.text())
def test_known_secrets_are_nowhere(secret: str, before: str, after: str) -> None:
    blanked = Blanking([secret, None, ""])
    assert secret not in blanked(before + secret + after).replace("…", "")
    written = json.dumps({"a": before + secret})
    assert json.dumps(secret)[1:-1] not in blanked(written).replace("…", "")
