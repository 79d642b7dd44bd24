"""GStreamer's webrtcbin, led by JSON lines on stdin: run by the Python that Debian's `gi` is for.

It sends a test picture and a tone. An answerer's payload types are those of the offer, so what is
sent is made when the first offer is known.
"""

import json
import random
import re
import sys
import threading

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstSdp", "1.0")
gi.require_version("GstWebRTC", "1.0")
from gi.repository import GLib, Gst, GstSdp, GstWebRTC  # noqa: E402

ENCODERS = {
    "VP8": "vp8enc deadline=1 keyframe-max-dist=3000 target-bitrate=300000"
    " ! rtpvp8pay pt={pt} ssrc={ssrc} picture-id-mode=15-bit",
    "H264": "x264enc tune=zerolatency speed-preset=ultrafast bitrate=300 key-int-max=3000"
    " ! video/x-h264,profile=constrained-baseline"
    " ! rtph264pay pt={pt} ssrc={ssrc} config-interval=-1 aggregate-mode=zero-latency",
}
SOURCES = {
    "video": "videotestsrc is-live=true pattern=ball ! video/x-raw,width=320,height=240,"
    "framerate=15/1 ! videoconvert ! queue ! {encoder}",
    "audio": "audiotestsrc is-live=true ! audioconvert ! audioresample ! queue ! opusenc"
    " ! rtpopuspay pt={pt} ssrc={ssrc}",
}
CAPS = {
    "video": "application/x-rtp,media=video,encoding-name={codec},clock-rate=90000,payload={pt}"
    ",ssrc=(uint){ssrc}{more}",
    "audio": "application/x-rtp,media=audio,encoding-name=OPUS,clock-rate=48000,payload={pt}"
    ",ssrc=(uint){ssrc}",
}
H264 = (
    ",packetization-mode=(string)1,profile-level-id=(string)42e01f"
    ",level-asymmetry-allowed=(string)1"
)


def say(message):
    sys.stdout.write(json.dumps(message) + "\n")
    sys.stdout.flush()


class Member:
    def __init__(self):
        self.counts = {"video": 0, "audio": 0}
        self.received = []
        self.channel = None
        self.candidates = []
        self.described = False
        self.error = None

    def open(self, servers, relay, codec):
        self.codec = codec
        self.pipe = Gst.Pipeline.new("call")
        self.bin = Gst.ElementFactory.make("webrtcbin")
        self.bin.set_property("bundle-policy", GstWebRTC.WebRTCBundlePolicy.MAX_BUNDLE)
        self.bin.set_property("latency", 50)
        for server in servers:
            urls = server["urls"]
            for url in [urls] if isinstance(urls, str) else urls:
                scheme, _, rest = url.partition(":")
                if scheme == "turn":
                    user = server["username"].replace(":", "%3A")
                    secret = GLib.Uri.escape_string(server["credential"], None, False)
                    self.bin.emit("add-turn-server", f"turn://{user}:{secret}@{rest}")
        if relay:
            policy = GstWebRTC.WebRTCICETransportPolicy.RELAY
            self.bin.set_property("ice-transport-policy", policy)
        self.bin.connect("on-ice-candidate", self.on_candidate)
        self.bin.connect("pad-added", self.on_pad)
        self.bin.connect("on-data-channel", lambda _, channel: self.hear(channel))
        self.pipe.add(self.bin)
        self.pipe.set_state(Gst.State.PLAYING)

    def send_media(self, offer=""):
        """With the payload types of an offer, or of our own."""
        codec, pt = self.chosen(offer)
        for kind, pts in (("audio", number(offer, "opus/48000/2") or 111), ("video", pt)):
            ssrc = random.getrandbits(32)  # named by the caps, so that the description has it
            encoder = ENCODERS[codec].format(pt=pts, ssrc=ssrc)
            source = SOURCES[kind].format(encoder=encoder, pt=pts, ssrc=ssrc)
            more = H264 if codec == "H264" else ""
            caps = CAPS[kind].format(codec=codec, pt=pts, ssrc=ssrc, more=more)
            made = Gst.parse_bin_from_description(
                f'{source} ! capssetter replace=false caps="{caps}"', True
            )
            self.pipe.add(made)
            sink = self.bin.request_pad_simple("sink_%u")
            assert made.get_static_pad("src").link(sink) == Gst.PadLinkReturn.OK
            made.sync_state_with_parent()
            sink.get_property("transceiver").set_property("do-nack", kind == "video")

    def chosen(self, offer):
        for pt, codec in re.findall(r"a=rtpmap:(\d+) (VP8|H264)/90000", offer):
            if codec == self.codec and (
                codec == "VP8" or re.search(rf"a=fmtp:{pt} .*42e01f", offer)
            ):
                return codec, int(pt)
        return self.codec, 100

    def call(self):
        self.send_media()
        self.hear(self.bin.emit("create-data-channel", "talk", None))
        self.offer()

    def offer(self, restart=False):
        options = Gst.Structure.new_empty("options")
        if restart:
            options.set_value("ice-restart", True)
        reply = self.wait("create-offer", options)
        self.describe("offer", reply)

    def restart(self):
        self.offer(restart=True)

    def describe(self, kind, reply):
        if reply.has_field("error"):
            raise RuntimeError(reply.get_value("error").message)
        made = reply.get_value(kind)
        self.wait("set-local-description", made)
        say({"signal": {"type": kind, "payload": {"type": kind, "sdp": made.sdp.as_text()}}})

    def wait(self, action, *arguments):
        promise = Gst.Promise.new()
        self.bin.emit(action, *arguments, promise)
        promise.wait()
        return promise.get_reply()

    def signal(self, type, payload=None):
        if type in ("offer", "answer"):
            _, sdp = GstSdp.SDPMessage.new_from_text(payload["sdp"])
            kind = getattr(GstWebRTC.WebRTCSDPType, type.upper())
            described = GstWebRTC.WebRTCSessionDescription.new(kind, sdp)
            self.wait("set-remote-description", described)
            for candidate in self.candidates:
                self.bin.emit("add-ice-candidate", *candidate)
            first, self.described = not self.described, True
            if type == "offer":
                if first:
                    self.send_media(payload["sdp"])
                self.describe("answer", self.wait("create-answer", None))
        elif type == "ice-candidate" and payload["candidate"]:
            candidate = payload.get("sdpMLineIndex") or 0, payload["candidate"]
            if self.described:
                self.bin.emit("add-ice-candidate", *candidate)
            else:
                self.candidates.append(candidate)

    def on_candidate(self, _, index, candidate):
        payload = {"candidate": candidate, "sdpMLineIndex": index}
        say({"signal": {"type": "ice-candidate", "payload": payload}})

    def on_pad(self, _, pad):
        if pad.get_direction() != Gst.PadDirection.SRC:
            return
        kind = pad.get_current_caps().get_structure(0).get_value("media")
        decode = Gst.ElementFactory.make("decodebin")
        decode.connect("pad-added", self.on_decoded, kind)
        decode.connect("element-added", self.ask_for_key_frames)
        self.pipe.add(decode)
        decode.sync_state_with_parent()
        pad.link(decode.get_static_pad("sink"))

    def ask_for_key_frames(self, _, element):
        """Of who sends, where there is none; by themselves they do not."""
        for name in ("request-keyframe", "wait-for-keyframe", "automatic-request-sync-points"):
            if element.find_property(name):
                element.set_property(name, True)

    def on_decoded(self, _, pad, kind):
        sink = Gst.ElementFactory.make("fakesink")
        sink.set_property("signal-handoffs", True)
        sink.set_property("sync", False)

        def count(*_):
            self.counts[kind] += 1

        sink.connect("handoff", count)
        self.pipe.add(sink)
        sink.sync_state_with_parent()
        pad.link(sink.get_static_pad("sink"))

    def hear(self, channel):
        if channel.get_property("label") != "roomcall":
            self.channel = channel
            channel.connect("on-message-string", lambda _, text: self.received.append(text))

    def say(self, text):
        self.channel.emit("send-string", text)

    def state(self):
        return {
            **self.counts,
            "connection": self.bin.get_property("connection-state").value_nick,
            "received": self.received,
            "channel": "open" if self.channel else "none",
            "error": self.error,
        }


def number(offer, codec):
    found = re.search(rf"a=rtpmap:(\d+) {codec}", offer)
    return found and int(found[1])


def main():
    Gst.init(None)
    loop = GLib.MainLoop()
    threading.Thread(target=loop.run, daemon=True).start()
    member = Member()
    for line in sys.stdin:
        asked = json.loads(line)
        count, what = asked.pop("number"), asked.pop("do")
        try:
            say({"number": count, "value": getattr(member, what)(**asked)})
        except Exception as error:
            say({"number": count, "error": repr(error)})


main()
