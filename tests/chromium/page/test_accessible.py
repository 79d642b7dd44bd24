"""What axe finds on each view, in both colour schemes and at a phone's width."""

from pathlib import Path
from typing import Any

import pytest

AXE = Path(__file__).parents[3] / ".venv/node/node_modules/axe-core/axe.min.js"
RUN = """async () => {
  const { violations } = await axe.run();
  return violations.map(({ impact, id, nodes }) => [impact, id, ...nodes.map(({ html }) => html)]);
}"""
SMALL = {"video": "testsrc", "video_size": (160, 120), "fps": 5}

pytestmark = [
    pytest.mark.system("chromium"),
    pytest.mark.skipif(not AXE.exists(), reason="needs axe-core: `make page` with npm fetches it"),
]


@pytest.mark.parametrize(("scheme", "width", "height"), [("light", 1280, 800), ("dark", 390, 844)])
async def test_every_view(
    visit: Any, peer: Any, chromium: Any, scheme: str, width: int, height: int
) -> None:
    await peer("standup", name="bob", **SMALL)
    await peer("full", name="bob", max_participants=1)
    await peer("secret", name="bob", password="x")
    ann = await visit()
    await chromium.do(ann.page.emulate_media(color_scheme=scheme))
    await chromium.do(ann.page.set_viewport_size({"width": width, "height": height}))
    found: dict[str, list[list[str]]] = {}

    async def examine(view: str) -> None:
        await ann.run(AXE.read_text())
        found[view] = await ann.run(RUN)
        overflow = "() => document.documentElement.scrollWidth - innerWidth"
        assert await ann.run(overflow) <= 0, view

    await ann.go()
    await ann.see(".rooms li")
    await ann.run("() => document.querySelector('summary').click()")
    await examine("lobby")
    await ann.join("secret", "ann", password="wrong")
    await ann.see("[role=alert]")
    await examine("preview")
    await ann.join("full", "ann")
    await ann.see(".position")
    await examine("queue")
    await ann.go("/#/room/11111111-2222-4333-8444-555555555555")
    await ann.see("[role=alert]")
    await examine("message")
    await ann.join("standup", "ann")
    await ann.pictures(1, more=2)
    await ann.click("Hide your picture")
    await ann.run("() => document.querySelector('.quality').click()")
    await ann.see(".figures", "Picture received")
    await examine("call")
    await ann.toggle("chat")
    await ann.fill("Message to all", "hello")
    await ann.press("Enter")
    await ann.see(".said")
    await examine("chat")
    await ann.press("Escape")
    await ann.toggle("people")
    await ann.see(".people li")
    await examine("people")
    await ann.press("Escape")
    await ann.click("Camera, microphone, screen, file")
    await ann.see("dialog")
    await examine("devices")
    assert not {view: violations for view, violations in found.items() if violations}
