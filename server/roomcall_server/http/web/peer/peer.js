/**
 * One other member: its negotiation, its connection, and what comes from it.
 *
 * @typedef {import("../core/protocol.js").Effect} Effect
 * @typedef {import("../core/protocol.js").Signal} Signal
 * @typedef {import("../core/protocol.js").SignalPayload} Payload
 * @typedef {import("../core/quality.js").Figures} Figures
 *
 * @typedef {object} Context what all peers of a call share
 * @property {string} ownId
 * @property {() => RTCIceServer[]} iceServers
 * @property {import("../media/media.js").Media} media
 * @property {(to: string, type: string, payload: object) => void} send
 * @property {() => boolean} online whether what is sent goes out now
 * @property {(peer: Peer, message: Payload) => void} told
 * @property {() => void} changed
 */

import { Negotiation } from "../core/negotiation.js";
import { figures } from "../core/quality.js";
import { Silence } from "../core/silence.js";
import { Connection } from "./connection.js";

const OLD_STAYS = 2_000; // for which a living connection is kept when its successor is connected
const LOOK = 50;
const MAX_PENDING = 256; // steps; what comes beyond is dropped

export class Peer {
  /** @type {"connecting" | "connected" | "disconnected" | "failed" | "closed"} */
  state = "connecting";
  reason = "";
  /** What it sends: always the same object, whatever connection brings it. */
  stream = new MediaStream();
  /** @type {Figures | null} */
  figures = null;
  #silence = new Silence();
  #negotiation;
  /** @type {Connection | null} */
  #connection = null;
  /** @type {Connection | null} lives until its successor shows a picture */
  #old = null;
  /** @type {MediaStreamTrack[]} of the successor, until then */
  #coming = [];
  #chain = Promise.resolve();
  #pending = 0;
  #timer = 0;
  #ended = false;
  #due = false; // the timer ran out while nothing could be sent

  /** @param {string} id @param {Context} context @param {boolean} offersFirst */
  constructor(id, context, offersFirst) {
    this.id = id;
    this.context = context;
    this.#negotiation = new Negotiation(context.ownId, id, offersFirst);
    this.#post(() => this.#negotiation.start(newCallId()));
  }

  /** Where it is connected, or was and is sought again. */
  get hasConnection() {
    return this.state === "connected" || this.state === "disconnected";
  }

  /** @param {Signal} signal */
  signal({ type, payload }) {
    const fields = typeof payload === "object" && payload !== null ? payload : {};
    this.#post(() => this.#negotiation.signal(type, fields, newCallId()));
  }

  /** @param {object} message */
  tell(message) {
    this.#connection?.tell(message);
  }

  /**
   * The server has given new ids to both; the connection is as it was.
   * @param {string} id
   * @param {Context} context
   */
  rename(id, context) {
    this.id = id;
    this.context = context;
    this.#negotiation.ownId = context.ownId;
    this.#negotiation.peerId = id;
  }

  /** Our tracks have changed. */
  attach() {
    void this.#connection?.attach();
  }

  /** Look for a new path, also where the old one lives. */
  restart() {
    this.#post(() => this.#negotiation.restart());
  }

  /** What we send can go out again. */
  online() {
    if (this.#due) this.#runOut();
  }

  /** There are new credentials. A path over a relay moves to them, make before break. */
  useIceServers() {
    this.#connection?.useIceServers(this.context.iceServers());
    if (this.figures?.local === "relay") this.restart();
  }

  async measure() {
    const connection = this.#connection;
    if (!connection) return void (this.figures = null);
    const report = await connection.stats();
    if (connection !== this.#connection) return;
    this.figures = figures(report.values(), this.figures);
    this.#silence.look(report.values());
    if (this.#silence.isDead) this.#post(() => this.#negotiation.pathLost());
    else if (this.state === "disconnected" && connection.state === "connected") {
      this.#post(() => this.#negotiation.connected());
    }
  }

  close() {
    clearTimeout(this.#timer);
    this.#ended = true;
    this.state = "closed";
    this.#drop();
  }

  // Negotiation: one step at a time, in order, so that no two descriptions are in work at once.

  /** @param {() => Effect[]} step */
  #post(step) {
    if (this.#pending >= MAX_PENDING) return;
    this.#pending += 1;
    this.#chain = this.#chain.then(async () => {
      this.#pending -= 1;
      if (!this.#ended) await this.#carryOut(step());
    });
  }

  /** @param {Effect[]} effects */
  async #carryOut(effects) {
    try {
      for (const effect of effects) await this.#carryOutOne(effect);
    } catch (error) {
      // Whatever a peer sends, its own connection fails and nothing else.
      console.debug("a description cannot be used", error);
      const reason = `its description cannot be used: ${error}`;
      for (const effect of this.#negotiation.failed(reason)) await this.#carryOutOne(effect);
    }
    if (!this.#ended) this.context.changed();
  }

  /** @param {Effect} effect */
  async #carryOutOne(effect) {
    if (this.#ended) return;
    switch (effect.do) {
      case "offer":
        return this.#send("offer", await this.#replaced().offer(), effect.callId);
      case "reoffer":
        if (!this.#connection) return;
        return this.#send(
          "offer",
          await this.#connection.reoffer(effect.iceRestart),
          effect.callId,
        );
      case "answer": {
        const connection =
          effect.replace || !this.#connection ? this.#replaced() : this.#connection;
        return this.#send("answer", await connection.answer(effect.sdp), effect.callId);
      }
      case "accept":
        return this.#connection?.accept(effect.sdp);
      case "add-candidate":
        return this.#connection?.addCandidate(effect.candidate);
      case "send":
        return this.context.send(this.id, effect.type, effect.payload);
      case "drop":
        return this.#drop();
      case "report":
        this.state = effect.state;
        this.reason = effect.reason;
        return;
      case "timer":
        return this.#setTimer(effect.seconds);
    }
  }

  /** @param {string} type @param {object} payload @param {string | null} callId */
  #send(type, payload, callId) {
    if (this.#ended) return;
    this.context.send(this.id, type, callId === null ? payload : { ...payload, callId });
  }

  /** @param {number | null} seconds */
  #setTimer(seconds) {
    clearTimeout(this.#timer);
    this.#due = false;
    if (seconds !== null) this.#timer = setTimeout(() => this.#runOut(), seconds * 1000);
  }

  /** While the server is lost there is nobody to offer to: what is due then waits for it. */
  #runOut() {
    this.#due = !this.context.online();
    if (!this.#due) this.#post(() => this.#negotiation.timer(newCallId()));
  }

  // The connection

  /** A new one in its place. A living one stays beside it, so that no picture stands still. */
  #replaced() {
    const replaced = this.#connection;
    if (this.state === "connected" && replaced) {
      this.#old?.close();
      this.#old = replaced;
    } else {
      replaced?.close();
      if (!this.#old) this.#show([]);
    }
    this.#coming = [];
    this.state = "connecting";
    this.figures = null;
    this.#silence = new Silence();
    /** @type {(step: () => Effect[]) => void} what an old connection still says does not count */
    const post = (step) => {
      if (this.#connection === connection) this.#post(step);
    };
    const connection = new Connection(this.context.iceServers(), this.context.media, {
      state: (state) => this.#connection === connection && this.#onState(state),
      closed: () => post(() => this.#negotiation.closedRemotely()),
      candidate: (candidate) =>
        post(() => {
          this.#send("ice-candidate", candidate, this.#negotiation.callId);
          return [];
        }),
      track: (track) => this.#connection === connection && this.#onTrack(track),
      wanted: () => post(() => this.#negotiation.want()),
      told: (message) => this.#connection === connection && this.context.told(this, message),
    });
    this.#connection = connection;
    return connection;
  }

  /** @param {RTCPeerConnectionState} state */
  #onState(state) {
    if (state === "connected") {
      this.state = "connected";
      this.reason = "";
      this.#post(() => this.#negotiation.connected());
      if (this.#old) void this.#succeed(this.#old);
    } else if (state === "disconnected" || state === "failed") {
      this.#post(() =>
        this.#negotiation.phase === "connected"
          ? this.#negotiation.pathLost()
          : state === "failed"
            ? this.#negotiation.failed("no media path was found")
            : [],
      );
    }
    this.context.changed();
  }

  /** Show what the new connection brings as soon as there is something. @param {Connection} old */
  async #succeed(old) {
    const until = performance.now() + OLD_STAYS;
    while (performance.now() < until && this.#old === old) {
      if (await this.#connection?.picturesShown()) break;
      await new Promise((resolve) => setTimeout(resolve, LOOK));
    }
    if (this.#old !== old) return;
    this.#old = null;
    old.close();
    this.#show(this.#coming);
    this.context.changed();
  }

  /** @param {MediaStreamTrack} track */
  #onTrack(track) {
    const changed = () => this.context.changed();
    track.addEventListener("mute", changed);
    track.addEventListener("unmute", changed);
    this.#coming = [...this.#coming.filter(({ kind }) => kind !== track.kind), track];
    if (!this.#old) this.#show(this.#coming);
    changed();
  }

  /** @param {MediaStreamTrack[]} tracks */
  #show(tracks) {
    for (const shown of this.stream.getTracks()) {
      if (!tracks.includes(shown)) this.stream.removeTrack(shown);
    }
    for (const track of tracks) this.stream.addTrack(track);
  }

  #drop() {
    this.#old?.close();
    this.#connection?.close();
    this.#old = this.#connection = null;
    this.#coming = [];
    this.figures = null;
    this.#show([]);
  }
}

/** `crypto.randomUUID` is for pages with https only. */
function newCallId() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}
