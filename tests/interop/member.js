/**
 * A member of a room on somebody else's WebRTC: what of our protocol a call of two needs, and
 * perfect negotiation. It does what it is told, and says what came.
 *
 * `stack` has `connect(config, codec)`, which makes an RTCPeerConnection, `track(kind)`, what is sent,
 * `took(track, transceiver)`, told of what comes, and `counts(pc)`, the pictures and sounds so far.
 */
export class Member {
  id = "";
  #stack;
  #socket = null;
  #room = "";
  #other = "";
  #pc = null;
  #channel = null;
  #isOffering = false;
  #candidates = [];
  #fingerprint = ""; // of the other's certificate: another one is a new connection
  #received = [];
  #iceServers = [];
  #options = {};
  #chain = Promise.resolve();

  constructor(stack) {
    this.#stack = stack;
  }

  /**
   * `relay`: only through the TURN server that the server of the room names. `codec`: what is to be
   * sent, where the stack would choose another one.
   */
  join({ server, room, relay = false, codec = "VP8" }) {
    this.#options = { relay, codec };
    this.#socket = new this.#stack.WebSocket(server.replace(/^http/, "ws") + "/ws");
    return new Promise((resolve, reject) => {
      this.#socket.onerror = () => reject(new Error("no server"));
      this.#socket.onmessage = ({ data }) => {
        const message = JSON.parse(data);
        if (message.type === "client-id") {
          this.id = message.id;
          this.#iceServers = message.iceServers;
          const payload = { name: room, create: true, displayName: this.#stack.name };
          this.#socket.send(JSON.stringify({ type: "join-room", payload }));
        }
        if (message.type === "room-joined") {
          this.#room = message.room.id;
          resolve(this.id);
        }
        // One after the other: a description takes its time.
        this.#chain = this.#chain.then(() => this.#heard(message)).catch((error) => {
          this.error = String(error.stack ?? error);
        });
      };
    });
  }

  async #heard(message) {
    switch (message.type) {
      case "room-joined":
        this.#other = message.room.participants.find((id) => id !== this.id) ?? "";
        if (this.#other) await this.#call();
        break;
      case "member-joined":
        this.#other = message.memberId;
        break;
      case "offer":
        await this.#offered(message.payload);
        break;
      case "answer":
        this.#fingerprint = fingerprint(message.payload.sdp);
        await this.#pc.setRemoteDescription(plain(message.payload));
        break;
      case "ice-candidate":
        await this.#candidate(message.payload);
        break;
      case "hangup":
        this.#pc?.close();
    }
  }

  /** The first offer has one audio and one video section, and a channel. */
  async #call() {
    this.#open();
    for (const kind of ["audio", "video"]) {
      this.#pc.addTransceiver(this.#stack.track(kind), { direction: "sendrecv" });
    }
    this.#hear(this.#pc.createDataChannel("talk"));
    await this.offer();
  }

  async offer(options = {}) {
    this.#isOffering = true;
    try {
      const offer = await this.#pc.createOffer(options);
      await this.#pc.setLocalDescription(offer);
      this.#tell("offer", this.#pc.localDescription);
    } finally {
      this.#isOffering = false;
    }
  }

  restart() {
    if (!this.#pc.restartIce) return this.offer({ iceRestart: true });
    this.#pc.restartIce();
    return this.offer();
  }

  async #offered(offer) {
    const collides = this.#isOffering || (this.#pc && this.#pc.signalingState !== "stable");
    if (collides && this.id > this.#other) return;
    const isNew = !this.#pc || fingerprint(offer.sdp) !== this.#fingerprint;
    if (isNew) {
      this.#pc?.close();
      this.#open();
    }
    this.#fingerprint = fingerprint(offer.sdp);
    await this.#pc.setRemoteDescription(plain(offer));
    if (isNew) await this.#attach();
    await this.#pc.setLocalDescription(await this.#pc.createAnswer());
    this.#tell("answer", this.#pc.localDescription);
  }

  async #attach() {
    for (const transceiver of this.#pc.getTransceivers()) {
      const kind = transceiver.receiver.track?.kind ?? transceiver.kind;
      await transceiver.sender.replaceTrack(this.#stack.track(kind));
      transceiver.direction = "sendrecv";
    }
  }

  #open() {
    const { relay, codec } = this.#options;
    const iceTransportPolicy = relay ? "relay" : "all";
    this.#pc = this.#stack.connect({ iceServers: this.#iceServers, iceTransportPolicy }, codec);
    this.#pc.onicecandidate = ({ candidate }) => {
      if (candidate?.candidate) this.#tell("ice-candidate", candidate.toJSON?.() ?? candidate);
    };
    this.#pc.ontrack = ({ track, transceiver }) => this.#stack.took(track, transceiver);
    this.#pc.ondatachannel = ({ channel }) => this.#hear(channel);
  }

  async #candidate({ callId, ...candidate }) {
    if (candidate.candidate === "") return;
    this.#candidates.push(candidate);
    if (!this.#pc?.remoteDescription) return;
    for (const each of this.#candidates.splice(0)) await this.#pc.addIceCandidate(each);
  }

  /** All channels but that of our peers among themselves. */
  #hear(channel) {
    if (channel.label === "roomcall") return;
    this.#channel = channel;
    channel.onmessage = ({ data }) => this.#received.push(String(data));
  }

  say({ text }) {
    this.#channel.send(text);
  }

  #tell(type, { ...payload }) {
    if (payload.sdp === undefined && type !== "ice-candidate") {
      const { sdp } = this.#pc.localDescription; // a getter of the class
      payload = { type, sdp };
    }
    this.#socket.send(JSON.stringify({ type, roomId: this.#room, to: this.#other, payload }));
  }

  async state() {
    return {
      ...(await this.#stack.counts(this.#pc)),
      connection: this.#pc?.connectionState ?? "none",
      received: this.#received,
      channel: this.#channel?.readyState ?? "none",
      error: this.error ?? null,
    };
  }

  close() {
    this.#pc?.close();
    this.#socket?.close();
  }
}

const plain = ({ type, sdp }) => ({ type, sdp });

const fingerprint = (sdp) => /a=fingerprint:(.*)/.exec(sdp)?.[1];
