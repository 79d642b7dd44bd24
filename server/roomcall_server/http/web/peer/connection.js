/**
 * One `RTCPeerConnection` to one member: descriptions in and out, our tracks on it. A first offer
 * has one audio and one video section and the data channel `roomcall`, all in one bundle.
 *
 * @typedef {import("../core/protocol.js").Kind} Kind
 * @typedef {import("../core/protocol.js").SignalPayload} Payload
 * @typedef {import("../media/media.js").Media} Media
 *
 * @typedef {object} Listener
 * @property {(state: RTCPeerConnectionState) => void} state
 * @property {() => void} closed the other side has ended it in good order
 * @property {(candidate: Payload) => void} candidate one of ours (`RTCIceCandidateInit`)
 * @property {(track: MediaStreamTrack) => void} track of theirs
 * @property {() => void} wanted what we send needs a new offer
 * @property {(message: Payload) => void} told what our counterpart says
 */

const CHANNEL = "roomcall";
/** @type {Kind[]} */
const KINDS = ["audio", "video"];

export class Connection {
  #pc;
  #media;
  #listener;
  /** @type {RTCDataChannel | null} */
  #channel = null;
  #closed = false;

  /** @param {RTCIceServer[]} iceServers @param {Media} media @param {Listener} listener */
  constructor(iceServers, media, listener) {
    this.#media = media;
    this.#listener = listener;
    const pc = new RTCPeerConnection({ iceServers, bundlePolicy: "max-bundle" });
    this.#pc = pc;
    pc.onconnectionstatechange = () => listener.state(pc.connectionState);
    pc.onicecandidate = ({ candidate }) =>
      listener.candidate({ candidate: "", ...candidate?.toJSON() });
    pc.ontrack = ({ track, transceiver }) => {
      if (transceiver === this.#transceiver(kindOf(track))) listener.track(track);
    };
    pc.ondatachannel = ({ channel }) => this.#hear(channel);
    pc.onnegotiationneeded = () => listener.wanted();
  }

  get state() {
    return this.#pc.connectionState;
  }

  /** Describe what we send and take. */
  async offer() {
    for (const kind of KINDS) this.#pc.addTransceiver(kind, { direction: "recvonly" });
    await this.attach();
    this.#hear(this.#pc.createDataChannel(CHANNEL));
    return await this.reoffer(false);
  }

  /** Once more, on a connection that is there. @param {boolean} iceRestart */
  async reoffer(iceRestart) {
    await this.#pc.setLocalDescription(await this.#pc.createOffer({ iceRestart }));
    return this.#description();
  }

  /** Take an offer; one of our own that is under way is rolled back. @param {string} sdp */
  async answer(sdp) {
    await this.#pc.setRemoteDescription({ type: "offer", sdp });
    await this.attach();
    await this.#pc.setLocalDescription();
    this.#watchTransport();
    return this.#description();
  }

  /** @param {string} sdp */
  async accept(sdp) {
    await this.#pc.setRemoteDescription({ type: "answer", sdp });
    this.#watchTransport();
  }

  /** @param {Payload} candidate */
  async addCandidate(candidate) {
    await this.#pc.addIceCandidate(candidate).catch(() => {}); // a bad one is no loss
  }

  /** Send what there is to send now, or nothing. */
  async attach() {
    if (this.#closed) return;
    for (const kind of KINDS) {
      const transceiver = this.#transceiver(kind);
      if (!transceiver) continue;
      const direction = this.#media.publishes(kind) ? "sendrecv" : "recvonly";
      if (transceiver.direction !== direction) transceiver.direction = direction;
      transceiver.sender.setStreams?.(this.#media.stream);
      const track = this.#media.track(kind);
      if (transceiver.sender.track !== track) await transceiver.sender.replaceTrack(track);
    }
  }

  /** For what is offered from now on. @param {RTCIceServer[]} iceServers */
  useIceServers(iceServers) {
    this.#pc.setConfiguration({ ...this.#pc.getConfiguration(), iceServers });
  }

  /**
   * To the page or library at the other end; lost where it cannot be sent.
   * @param {object} message
   */
  tell(message) {
    if (this.#channel?.readyState === "open") this.#channel.send(JSON.stringify(message));
  }

  stats() {
    return this.#pc.getStats();
  }

  /** How many pictures have been decoded. */
  async picturesShown() {
    const stats = await this.#transceiver("video")?.receiver.getStats();
    for (const entry of stats?.values() ?? []) {
      if (entry.type === "inbound-rtp") return entry.framesDecoded ?? 0;
    }
    return 0;
  }

  close() {
    this.#closed = true;
    this.#pc.onconnectionstatechange = this.#pc.onicecandidate = this.#pc.ontrack = null;
    this.#pc.ondatachannel = this.#pc.onnegotiationneeded = null;
    this.#pc.close();
  }

  /** The first of a kind is the one in use. @param {Kind} kind */
  #transceiver(kind) {
    return this.#pc.getTransceivers().find(({ receiver }) => receiver.track.kind === kind);
  }

  #description() {
    const { type, sdp } = this.#pc.localDescription ?? { type: "offer", sdp: "" };
    return { type, sdp };
  }

  /** `connectionState` does not say that the other end has closed DTLS. */
  #watchTransport() {
    const transport = this.#pc.sctp?.transport ?? this.#pc.getReceivers()[0]?.transport;
    if (!transport) return;
    transport.onstatechange = () => {
      if (transport.state === "closed" && !this.#closed) this.#listener.closed();
    };
  }

  /** @param {RTCDataChannel} channel */
  #hear(channel) {
    if (channel.label !== CHANNEL) return;
    this.#channel = channel;
    channel.onmessage = ({ data }) => {
      let message;
      try {
        message = JSON.parse(data);
      } catch {
        return; // not of our kind
      }
      if (typeof message === "object" && message !== null) this.#listener.told(message);
    };
  }
}

/** @param {MediaStreamTrack} track @returns {Kind} */
const kindOf = (track) => (track.kind === "video" ? "video" : "audio");
