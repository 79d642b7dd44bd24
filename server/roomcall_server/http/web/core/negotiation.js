/**
 * Who offers, answers, waits and gives up, for one pair. Pure: signals in, effects out. The rules
 * are those of the headless peer (roomcall/peer/negotiation.py):
 *
 * Rule 1. To begin with, the one who joined later offers; where it has not within `OFFER_PATIENCE`,
 *         the other one does.
 * Rule 2. Both have offered: the side with the smaller id is polite, and drops its own offer; the
 *         impolite side ignores the other's (W3C webrtc-pc, "perfect negotiation").
 * Rule 3. `callId` names a connection; signals of another one are dropped, absent is the current.
 * Rule 4. An offer with another DTLS fingerprint replaces the connection; else it goes to it.
 * Rule 5. Candidates that come before a description are kept, `MAX_EARLY` of them; those of an
 *         ignored offer, or of credentials that are not current, are dropped.
 * Rule 6. Who gives up sends `hangup`, and is the one who offers again, later each time.
 * Rule 7. A connection that the other side closed fails only after `CLOSE_PATIENCE`: it may be a
 *         leave whose notice is under way.
 * Rule 8. Each may have given up what the other has just offered, and both would wait: where
 *         nothing is offered within `HUNG_UP_PATIENCE` of a failure, whoever waits does.
 * Rule 9. On a connection that is there, `restarts.js` says who offers.
 *
 * The caller carries out the effects in their order, then tells what came of it. Of timers there is
 * one: a new one replaces the last.
 *
 * @typedef {import("./protocol.js").Effect} Effect
 * @typedef {import("./protocol.js").SignalPayload} Payload
 * @typedef {"waiting" | "offering" | "connecting" | "connected" | "closing" | "retrying"
 *   | "hung-up"} Phase
 */

import { Restarts } from "./restarts.js";
import { fingerprint, ufrags } from "./sdp.js";

export const OFFER_PATIENCE = 5;
export const CONNECT_PATIENCE = 20;
export const CLOSE_PATIENCE = 2;
export const HUNG_UP_PATIENCE = 60;
export const RETRY_DELAYS = [1, 2, 4, 8, 16, 30];
export const MAX_EARLY = 64;

export class Negotiation {
  /** @type {Phase} */
  phase = "waiting";
  /** @type {string | null} */
  callId = null;
  restarts = new Restarts();
  /** @type {string | null} */
  #fingerprint = null;
  /** @type {Set<string>} */
  #ufrags = new Set();
  /** @type {Set<string | null>} callIds of offers that were ignored */
  #ignored = new Set();
  /** @type {Payload[]} */
  #early = [];
  #failures = 0;

  /** @param {string} ownId @param {string} peerId @param {boolean} offersFirst we joined later */
  constructor(ownId, peerId, offersFirst) {
    this.ownId = ownId;
    this.peerId = peerId;
    this.offersFirst = offersFirst;
  }

  get polite() {
    return this.ownId < this.peerId; // ids are ASCII: this is bytewise
  }

  /** @param {string} newCallId @returns {Effect[]} */
  start(newCallId) {
    return this.offersFirst ? this.offer(newCallId) : [timer(OFFER_PATIENCE)];
  }

  /** The last timer has run out. @param {string} newCallId @returns {Effect[]} */
  timer(newCallId) {
    switch (this.phase) {
      case "waiting":
      case "retrying":
      case "hung-up":
        return this.offer(newCallId);
      case "offering":
        return this.failed("no answer to the offer");
      case "connecting":
        return this.failed("no media path was found in time");
      case "closing":
        return this.failed("the other side closed the connection");
      case "connected":
        return this.restarts.timer(this.callId);
    }
    return [];
  }

  /**
   * A signal of the peer. What is malformed or out of place is dropped.
   * @param {string} type @param {Payload} payload @param {string} newCallId @returns {Effect[]}
   */
  signal(type, payload, newCallId) {
    switch (type) {
      case "offer":
        return this.#onOffer(payload);
      case "answer":
        return this.#onAnswer(payload);
      case "ice-candidate":
        return this.#onCandidate(payload);
      case "hangup":
        return this.#onHangup(payload);
      case "renegotiate":
        if (this.phase === "connected") return payload.iceRestart ? this.restart() : this.want();
        if (["waiting", "retrying", "hung-up"].includes(this.phase)) return this.offer(newCallId);
    }
    return [];
  }

  /** @returns {Effect[]} */
  connected() {
    if (this.phase === "connected") return this.restarts.pathBack(this.callId);
    if (this.phase !== "connecting") return [];
    this.phase = "connected";
    this.#failures = 0;
    return this.restarts.ended(this.callId);
  }

  /** Nothing passes any more; the connection is there all the same. @returns {Effect[]} */
  pathLost() {
    return this.phase === "connected" ? this.restarts.pathLost(this.callId, this.polite) : [];
  }

  /** A new path, also where the old one lives. @returns {Effect[]} */
  restart() {
    return this.phase === "connected" ? this.restarts.restart(this.callId) : [];
  }

  /** What we send has changed. A first description says so by itself. @returns {Effect[]} */
  want() {
    if (this.phase === "connecting") this.restarts.wanted = true;
    return this.phase === "connected" ? this.restarts.want(this.callId) : [];
  }

  /** The other side ended the connection in good order (DTLS close_notify). @returns {Effect[]} */
  closedRemotely() {
    if (this.phase !== "connected") return [];
    this.phase = "closing";
    return [timer(CLOSE_PATIENCE)];
  }

  /** Give up, and try again later. @param {string} reason @returns {Effect[]} */
  failed(reason) {
    if (this.phase === "retrying" || this.phase === "hung-up") return [];
    const payload = { reason: "failed", ...(this.callId === null ? {} : { callId: this.callId }) };
    this.#forget("retrying");
    const delay = RETRY_DELAYS[Math.min(this.#failures, RETRY_DELAYS.length - 1)];
    this.#failures += 1;
    return [
      { do: "drop" },
      { do: "send", type: "hangup", payload },
      { do: "report", state: "failed", reason },
      timer(delay),
    ];
  }

  /** A new connection in place of any old one. @param {string} callId @returns {Effect[]} */
  offer(callId) {
    this.#forget("offering");
    this.callId = callId;
    return [{ do: "offer", callId }, timer(CONNECT_PATIENCE)];
  }

  /** @param {Payload} payload @returns {Effect[]} */
  #onOffer(payload) {
    const { sdp } = payload;
    const callId = text(payload.callId);
    if (typeof sdp !== "string") return [];
    if (this.phase === "offering" && !this.polite) {
      this.#ignored.add(callId);
      return [];
    }
    const replace =
      !["connecting", "connected"].includes(this.phase) ||
      fingerprint(sdp) !== this.#fingerprint ||
      (callId !== null && callId !== this.callId);
    if (this.phase === "connected" && !replace) return this.#onReoffer(sdp, callId);
    if (replace) {
      const early = this.#early.filter((c) => [null, callId].includes(text(c.callId)));
      this.#forget("connecting");
      this.#early = early;
      this.callId = callId;
    }
    this.#describe(sdp);
    return [
      { do: "answer", sdp, callId, replace },
      timer(CONNECT_PATIENCE),
      ...this.#releaseEarly(),
    ];
  }

  /** @param {string} sdp @param {string | null} callId @returns {Effect[]} */
  #onReoffer(sdp, callId) {
    const iceRestart = [...ufrags(sdp)].some((ufrag) => !this.#ufrags.has(ufrag));
    const effects = this.restarts.onOffer(sdp, callId, this.polite, iceRestart);
    if (!effects.length) return [];
    this.#describe(sdp);
    return [...effects, ...this.#releaseEarly()];
  }

  /** @param {Payload} payload @returns {Effect[]} */
  #onAnswer(payload) {
    const { sdp } = payload;
    if (!this.#isCurrent(payload)) return [];
    if (this.phase === "connected" && this.restarts.awaitsAnswer && typeof sdp === "string") {
      this.#describe(sdp);
      const [accept, ...rest] = this.restarts.onAnswer(sdp, this.callId);
      return [accept, ...this.#releaseEarly(), ...rest];
    }
    if (this.phase !== "offering") return [];
    if (typeof sdp !== "string") return this.failed("the answer has no SDP");
    this.phase = "connecting";
    this.#ignored.delete(null); // what comes without a callId from now on is about this one
    this.#describe(sdp);
    return [{ do: "accept", sdp }, ...this.#releaseEarly()];
  }

  /** @param {Payload} payload @returns {Effect[]} */
  #onCandidate(payload) {
    if (this.#ignored.has(text(payload.callId)) || text(payload.candidate) === null) return [];
    if (this.phase === "connecting" || this.phase === "connected") {
      if (this.#applies(payload)) return [{ do: "add-candidate", candidate: payload }];
      if (!this.restarts.awaitsAnswer) return []; // else it may belong to the answer under way
    }
    if (this.#early.length < MAX_EARLY) this.#early.push(payload);
    return [];
  }

  /** @param {Payload} payload @returns {Effect[]} */
  #onHangup(payload) {
    if (!this.#isCurrent(payload) || this.phase === "hung-up") return [];
    // Both gave up at once: both would wait for the other if this counted.
    if (this.phase === "retrying") return [];
    const reason = text(payload.reason) ?? "hung up";
    this.#forget("hung-up");
    const failed = reason === "failed";
    return [
      { do: "drop" },
      {
        do: "report",
        state: failed ? "failed" : "closed",
        reason: failed ? "the other side found no media path" : reason,
      },
      timer(failed ? HUNG_UP_PATIENCE : null),
    ];
  }

  /** @param {string} sdp */
  #describe(sdp) {
    this.#fingerprint = fingerprint(sdp);
    this.#ufrags = ufrags(sdp);
  }

  /** @returns {Effect[]} */
  #releaseEarly() {
    const early = this.#early;
    this.#early = [];
    return early
      .filter((payload) => this.#applies(payload))
      .map((candidate) => ({ do: "add-candidate", candidate }));
  }

  /** @param {Payload} payload */
  #applies(payload) {
    const ufrag = text(payload.usernameFragment);
    return this.#isCurrent(payload) && (ufrag === null || this.#ufrags.has(ufrag));
  }

  /** @param {Payload} payload */
  #isCurrent(payload) {
    const callId = text(payload.callId);
    return callId === null || this.callId === null || callId === this.callId;
  }

  /** Nothing of the connection so far holds any more. @param {Phase} phase */
  #forget(phase) {
    this.phase = phase;
    this.callId = null;
    this.#fingerprint = null;
    this.#ufrags = new Set();
    this.#ignored = new Set();
    this.#early = [];
    this.restarts = new Restarts();
  }
}

/** @param {unknown} value */
const text = (value) => (typeof value === "string" ? value : null);

/** @param {number | null} seconds @returns {Effect} */
const timer = (seconds) => ({ do: "timer", seconds });
