"""`--bundle`: what it holds, and that no secret is in it."""

import json
import re
from pathlib import Path
from typing import Any

from roomcall.signaling.room import JoinOptions, RoomClient

PASSWORD, TOKEN, CREDENTIAL = "open-sesame-1", "eyJhbGciOi.tok.en2", "turn/crede+ntial3"


async def test_it_holds_no_secret(start: Any, room_server: Any, tmp_path: Path) -> None:
    host = RoomClient(room_server.url, "standup", JoinOptions("host", password=PASSWORD))
    await host.connect()
    run = await start(
        *("-vv", "check", "standup", "--peers", "2", "--duration", "2", "--bundle", "bundle"),
        environment={
            "ROOMCALL_SERVER": room_server.url,
            "ROOMCALL_PASSWORD": PASSWORD,
            "ROOMCALL_TOKEN": TOKEN,
            "ROOMCALL_ICE_SERVER": f"turn:ann:{CREDENTIAL}@127.0.0.1:9",
        },
    )
    code = await run.ended()
    await host.close()
    assert code in (0, 6), run.errors
    files = [path for path in (tmp_path / "bundle").rglob("*") if path.is_file()]
    kept = {path: path.read_text(encoding="utf-8") for path in files if path.suffix != ".jpg"}
    assert len(kept) == 1 + 2 * 4
    making = await start("report", "bundle", "-o", "page.html")
    assert await making.ended() == 0, making.errors
    kept[tmp_path / "page.html"] = page = (tmp_path / "page.html").read_text(encoding="utf-8")
    pictures = [path.read_bytes() for path in files if path.suffix == ".jpg"]
    assert len(pictures) == page.count("data:image/jpeg") == 2
    assert all(picture.startswith(b"\xff\xd8") for picture in pictures)
    for path, text in {**kept, Path("stderr"): run.errors}.items():
        for secret in (PASSWORD, TOKEN, CREDENTIAL, "turn%2Fcrede"):
            assert secret not in text, path
        assert not re.search(r"ice-pwd:[^…]", text), path
    signals = (tmp_path / "bundle/ann/signals.jsonl").read_text().splitlines()
    assert {json.loads(line)["type"] for line in signals} >= {"offer", "answer"}
    assert "a=ice-pwd:…" in signals[0]
    about = json.loads((tmp_path / "bundle/ann/about.json").read_text())
    assert about["versions"]["roomcall"] and about["asked"]["room"] == "standup"


async def test_a_folder_that_is_none_is_wrong_use(start: Any, tmp_path: Path) -> None:
    run = await start("report", tmp_path, "-o", "page.html")
    assert await run.ended() == 2
    assert "is no bundle of a check" in run.errors and len(run.errors.splitlines()) == 1


async def test_join_leaves_one_too(start: Any, peer: Any, room_server: Any, tmp_path: Path) -> None:
    await peer("standup", name="bob", video="testsrc", video_size=(320, 240), fps=15)
    run = await start(
        *("join", "standup", "--server", room_server.url, "--duration", "2"),
        *("--network", "delay=5ms,seed=7", "--bundle", "kept"),
    )
    assert await run.ended() == 0
    assert json.loads((tmp_path / "kept/about.json").read_text())["asked"]["network"].endswith("=7")
    events = [
        json.loads(line) for line in (tmp_path / "kept/events.jsonl").read_text().splitlines()
    ]
    assert [events[0]["event"], events[-1]["event"]] == ["joined", "left"]
    assert any(event["event"] == "stats" for event in events)


async def test_record_leaves_one_without_secrets(
    start: Any, peer: Any, room_server: Any, tmp_path: Path
) -> None:
    small = {"video": "testsrc", "video_size": (320, 240), "fps": 15}
    await peer("standup", name="bob", password=PASSWORD, **small)
    (tmp_path / "password").write_text(PASSWORD + "\n")
    # It is blanked wherever it stands, and about.json names the folder.
    folder = tmp_path / f"kept-{PASSWORD}"
    run = await start(
        *("record", "standup", "-o", "out", "--duration", "2", "--password-file", "password"),
        *("--bundle", folder),
        environment={
            "ROOMCALL_SERVER": room_server.url,
            "ROOMCALL_TOKEN": TOKEN,
            "ROOMCALL_ICE_SERVER": f"turn:ann:{CREDENTIAL}@127.0.0.1:9",
        },
    )
    assert await run.ended() == 0, run.errors
    kept = {path.name: path.read_text() for path in folder.iterdir() if path.suffix != ".jpg"}
    assert kept.keys() == {"about.json", "events.jsonl", "signals.jsonl", "log.txt"}
    for name, text in kept.items():
        for secret in (PASSWORD, TOKEN, CREDENTIAL, "turn%2Fcrede"):
            assert secret not in text, name
        assert not re.search(r"ice-pwd:[^…]", text), name
    assert "recording" in kept["events.jsonl"]
