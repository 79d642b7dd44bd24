/**
 * What getStats (W3C webrtc-stats) says of one connection, for people, and a grade. Pure.
 *
 * @typedef {import("./protocol.js").Kind} Kind
 * @typedef {{bytes: number, packets: number, lost: number, at: number}} Counts
 * @typedef {{kind: Kind, way: "in" | "out", codec: string, bitrate: number, loss: number | null,
 *   jitter: number | null, width: number, height: number, fps: number | null,
 *   freezes: number | null, frames: number, counts: Counts}} Flow
 * @typedef {{roundTrip: number | null, local: string, remote: string, protocol: string,
 *   flows: Flow[]}} Figures
 * @typedef {"good" | "fair" | "poor"} Grade
 */

export const FAIR = { loss: 0.02, roundTrip: 0.3 };
export const POOR = { loss: 0.08, roundTrip: 0.8 };

/**
 * Rates and losses are those since `before`.
 * @param {Iterable<any>} report the values of an `RTCStatsReport` @param {Figures | null} before
 * @returns {Figures}
 */
export function figures(report, before) {
  /** @type {Map<string, any>} */
  const byId = new Map();
  for (const entry of report) byId.set(entry.id, entry);
  const entries = [...byId.values()];
  const transport = entries.find(({ type }) => type === "transport");
  const pair = byId.get(transport?.selectedCandidatePairId) ?? {};
  const local = byId.get(pair.localCandidateId) ?? {};
  const remote = byId.get(pair.remoteCandidateId) ?? {};
  return {
    roundTrip: pair.currentRoundTripTime ?? null,
    local: local.candidateType ?? "",
    remote: remote.candidateType ?? "",
    protocol: local.protocol ?? "",
    flows: entries
      .filter(({ type }) => type === "inbound-rtp" || type === "outbound-rtp")
      .filter((entry) => (entry.bytesReceived ?? entry.bytesSent) > 0)
      .map((entry) => flow(entry, byId, before)),
  };
}

/**
 * @param {any} entry @param {Map<string, any>} byId @param {Figures | null} before
 * @returns {Flow}
 */
function flow(entry, byId, before) {
  const way = entry.type === "inbound-rtp" ? "in" : "out";
  const far = byId.get(entry.remoteId) ?? {}; // of what we send, the other side counts the losses
  const counts = {
    bytes: entry.bytesReceived ?? entry.bytesSent ?? 0,
    packets: entry.packetsReceived ?? entry.packetsSent ?? 0,
    lost: Math.max(entry.packetsLost ?? far.packetsLost ?? 0, 0),
    at: entry.timestamp / 1000,
  };
  const then = before?.flows.find(
    (other) => other.way === way && other.kind === entry.kind,
  )?.counts;
  const codec = byId.get(entry.codecId)?.mimeType ?? "";
  return {
    kind: entry.kind,
    way,
    codec: codec.slice(codec.indexOf("/") + 1),
    ...rates(counts, then),
    jitter: entry.jitter ?? far.jitter ?? null,
    width: entry.frameWidth ?? 0,
    height: entry.frameHeight ?? 0,
    fps: entry.kind === "video" ? (entry.framesPerSecond ?? 0) : null,
    freezes: entry.freezeCount ?? null,
    frames: entry.framesDecoded ?? entry.framesEncoded ?? 0,
    counts,
  };
}

/** @param {Counts} now @param {Counts | undefined} then */
function rates(now, then) {
  if (!then || now.at <= then.at || now.bytes < then.bytes) return { bitrate: 0, loss: null };
  const packets = now.packets - then.packets;
  const lost = Math.max(now.lost - then.lost, 0);
  return {
    bitrate: ((now.bytes - then.bytes) * 8) / (now.at - then.at),
    loss: packets + lost > 0 ? lost / (packets + lost) : 0,
  };
}

/** @param {Figures} figures @returns {Grade} */
export function grade({ roundTrip, flows }) {
  const loss = Math.max(0, ...flows.map((flow) => flow.loss ?? 0));
  if (loss >= POOR.loss || (roundTrip ?? 0) >= POOR.roundTrip) return "poor";
  if (loss >= FAIR.loss || (roundTrip ?? 0) >= FAIR.roundTrip) return "fair";
  return "good";
}
