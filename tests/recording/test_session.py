"""Names of files, and what session.json says."""

from pathlib import Path

import msgspec
import pytest

from roomcall.recording.names import free_name, safe_name
from roomcall.recording.session import MAX_GAPS, File, Session, Track, schema

SCHEMA = Path(__file__).parents[2] / "docs" / "session.schema.json"


@pytest.mark.parametrize(
    ("name", "safe"),
    [
        ("ann", "ann"),
        ("Ann Müller-Lüdenscheidt", "Ann Müller-Lüdenscheidt"),
        ("../../etc/passwd", "etc_passwd"),
        ("a/b\\c:d\0e\n", "a_b_c_d_e"),
        ("", "member"),
        ("...", "member"),
        ("CON", "_CON"),
        ("-o", "o"),
        ("ä" * 200, "ä" * 50),
        ("\u202egpj", "gpj"),
    ],
)
def test_a_name_is_safe_on_any_system(name: str, safe: str) -> None:
    assert safe_name(name) == safe


def test_no_file_is_written_over() -> None:
    assert free_name("ann", ".mkv", []) == "ann.mkv"
    assert free_name("Ann", ".mkv", ["ann.mkv", "ann-2.mkv"]) == "Ann-3.mkv"


def test_who_comes_back_is_the_same_person() -> None:
    session = Session("2026-01-01T00:00:00.000Z")
    ann = session.arrive("1", "ann", 0)
    assert session.arrive("2", "ann", 1) != ann, "two of one name at a time are two"
    session.depart(ann, 5)
    assert session.arrive("3", "ann", 7) == ann
    assert [(visit.peer, visit.left) for visit in session.participants[ann].visits] == [
        ("1", 5),
        ("3", None),
    ]
    assert session.arrive("4", "", 8) != session.arrive("5", "", 9), "no name says who it is"


def test_gaps_are_bounded() -> None:
    track = Track("audio", "opus")
    for second in range(MAX_GAPS + 10):
        track.add_gap(second, second + 0.5, True)
    assert len(track.gaps) == MAX_GAPS
    assert track.gaps[-1].end == MAX_GAPS + 9.5


def test_it_reads_as_it_was_written() -> None:
    session = Session("2026-01-01T00:00:00.000Z")
    session.arrive("1", "ann", 0)
    session.files.append(File("ann.mkv", 0, "1", 0.5, tracks=[Track("video", "VP8", 640, 360)]))
    assert msgspec.json.decode(session.to_json(), type=Session) == session
    assert b"message" not in session.to_json(), "what does not apply is left out"


def test_the_schema_is_that_of_the_docs() -> None:
    assert SCHEMA.read_bytes() == schema()
