"""Names as pictures: the FFmpeg that PyAV brings writes no text."""

import av
from PIL import Image, ImageDraw, ImageFont


def label(text: str, width: int, height: int) -> av.VideoFrame:
    """White on black, in the middle, in yuv420p; cut where it is too long."""
    image = Image.new("L", (width, height), 16)
    font = ImageFont.load_default(size=height * 0.7)
    draw = ImageDraw.Draw(image)
    printable = "".join(c if c.isprintable() else " " for c in text)
    draw.text((width / 2, height / 2), printable, fill=235, font=font, anchor="mm")
    frame = av.VideoFrame(width, height, "yuv420p")
    luma, *chroma = frame.planes
    for plane in chroma:
        plane.update(bytes([128]) * plane.buffer_size)
    rows, data = memoryview(luma), image.tobytes()
    for y in range(height):
        start = y * luma.line_size
        rows[start : start + width] = data[y * width : (y + 1) * width]
    return frame
