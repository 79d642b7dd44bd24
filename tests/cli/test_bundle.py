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
        *("-vv", "check", "standup", "--peers", "2", "--duration", "1", "--bundle", "bundle"),
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
    kept = {path: path.read_text(encoding="utf-8") for path in files}
    assert len(kept) == 1 + 2 * 4
    for path, text in {**kept, Path("stderr"): run.errors}.items():
        for secret in (PASSWORD, TOKEN, CREDENTIAL, "turn%2Fcrede"):
            assert secret not in text, path
        assert not re.search(r"ice-pwd:[^…]", text), path
    signals = (tmp_path / "bundle/ann/signals.jsonl").read_text().splitlines()
    assert {json.loads(line)["type"] for line in signals} >= {"offer", "answer"}
    assert "a=ice-pwd:…" in signals[0]
    about = json.loads((tmp_path / "bundle/ann/about.json").read_text())
    assert about["versions"]["roomcall"] and about["asked"]["room"] == "standup"
