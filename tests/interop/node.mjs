/** `node node.mjs wrtc|werift`: a `Member` that is led by JSON lines on stdin. */

import { createRequire } from "node:module";
import { createInterface } from "node:readline";

import { Member } from "./member.js";

// Where the packages are is said by NODE_PATH, which `import` does not read.
const load = createRequire(process.env.INTEROP_PACKAGES);
const { WebSocket } = load("ws");

/** libwebrtc for node: pictures and sounds are made here, and counted where they are decoded. */
function wrtc() {
  const { RTCPeerConnection, nonstandard } = load("@roamhq/wrtc");
  const counts = { video: 0, audio: 0 };
  const sources = {
    video: new nonstandard.RTCVideoSource(),
    audio: new nonstandard.RTCAudioSource(),
  };
  const [width, height] = [320, 240];
  let number = 0;
  setInterval(() => {
    const data = new Uint8ClampedArray(width * height * 1.5).fill(128);
    const at = (number++ * 8) % (width - 40);
    for (let y = 40; y < 200; y++) data.fill(235, y * width + at, y * width + at + 40);
    sources.video.onFrame({ width, height, data });
  }, 1000 / 15);
  let phase = 0;
  setInterval(() => {
    const samples = Int16Array.from({ length: 480 }, () => 8000 * Math.sin((phase += 0.0576)));
    sources.audio.onData({ samples, sampleRate: 48_000 });
  }, 10);
  const sinks = [];
  return {
    connect: (config) => new RTCPeerConnection(config),
    track: (kind) => sources[kind].createTrack(),
    took: (track) => {
      const isVideo = track.kind === "video";
      const sink = new nonstandard[isVideo ? "RTCVideoSink" : "RTCAudioSink"](track);
      sink[isVideo ? "onframe" : "ondata"] = () => counts[track.kind]++;
      sinks.push(sink);
    },
    counts: async () => ({ ...counts }),
  };
}

/** It has no codecs: it sends back what comes, packet by packet, and asks for what it is asked for. */
function werift() {
  const { MediaStreamTrack, RTCPeerConnection, useAbsSendTime, useH264, useNACK, useOPUS, usePLI,
    useREMB, useSdesMid, useVP8 } = load("werift");
  const counts = { video: 0, audio: 0 };
  const tracks = Object.fromEntries(
    ["audio", "video"].map((kind) => [kind, new MediaStreamTrack({ kind })]),
  );
  const rtcpFeedback = [useNACK(), usePLI(), useREMB()];
  const audio = [useOPUS()];
  const video = {
    VP8: useVP8({ rtcpFeedback }),
    H264: useH264({
      rtcpFeedback,
      parameters: "level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f",
    }),
  };
  const headerExtensions = {
    audio: [useSdesMid()],
    video: [useSdesMid(), useAbsSendTime()],
  };
  return {
    connect: (config, codec) => {
      const codecs = { audio, video: [video[codec]] };
      return new RTCPeerConnection({ ...config, codecs, headerExtensions });
    },
    track: (kind) => tracks[kind],
    took: (track, transceiver) => {
      track.onReceiveRtp.subscribe((rtp) => {
        if (track.kind === "audio" || rtp.header.marker) counts[track.kind]++;
        tracks[track.kind].writeRtp(rtp.clone());
      });
      if (track.kind === "video") {
        const ask = () => transceiver.receiver.sendRtcpPLI(track.ssrc);
        transceiver.sender.onPictureLossIndication.subscribe(ask);
      }
    },
    counts: async () => ({ ...counts }),
  };
}

const name = process.argv[2];
const member = new Member({ name, WebSocket, ...{ wrtc, werift }[name]() });
for await (const line of createInterface({ input: process.stdin })) {
  const { number, do: what, ...options } = JSON.parse(line);
  let answer;
  try {
    answer = { number, value: (await member[what](options)) ?? null };
  } catch (error) {
    answer = { number, error: String(error.stack ?? error) };
  }
  process.stdout.write(JSON.stringify(answer) + "\n");
}
process.exit(0);
