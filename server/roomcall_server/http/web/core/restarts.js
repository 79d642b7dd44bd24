/**
 * Offers on a connection that is there: with new ICE (RFC 8445 section 9) where its path is lost,
 * or because what is sent has changed. Pure.
 *
 * Rule 1. A path that is lost is sought again until it is back or the member leaves; after `MANY`
 *         times more seldom. The impolite side begins, the polite one where the other has not.
 * Rule 2. Where both have offered, the impolite side ignores the other's offer; the polite side
 *         answers it, and its own is gone (the browser rolls it back).
 * Rule 3. An offer has `ANSWER_PATIENCE` before it is made again, the checks of a restart have
 *         `CHECK_PATIENCE` before the next one.
 * Rule 4. A wish to offer waits for the answer to what is out, as an answer does not say to which
 *         offer it is. The browser says again what it still wants after that.
 *
 * @typedef {import("./protocol.js").Effect} Effect
 */

export const INTERVAL = 1,
  LATER_INTERVAL = 10;
export const MANY = 60;
export const CHECK_PATIENCE = 3;
export const ANSWER_PATIENCE = 5;

export class Restarts {
  lost = false;
  /** @type {"none" | "offered" | "checking"} `offered`: ours is out */
  stage = "none";
  count = 0; // since the path was lost
  wanted = false; // an offer of what is sent
  #restartWanted = false;
  #iceRestart = false; // of our offer

  get awaitsAnswer() {
    return this.stage === "offered";
  }

  /** @param {string | null} callId @param {boolean} polite @returns {Effect[]} */
  pathLost(callId, polite) {
    if (this.lost) return [];
    this.lost = true;
    this.count = 0;
    const told = report("disconnected");
    if (this.stage !== "none") return [told, timer(CHECK_PATIENCE)];
    if (polite) return [told, timer(INTERVAL)];
    return [told, ...this.begin(callId, true)];
  }

  /** @param {string | null} callId @returns {Effect[]} */
  pathBack(callId) {
    if (!this.lost) return [];
    this.lost = false;
    if (this.awaitsAnswer) return [report("connected"), timer(ANSWER_PATIENCE)];
    return [report("connected"), ...this.ended(callId)];
  }

  /** @param {string | null} callId @param {boolean} iceRestart @returns {Effect[]} */
  begin(callId, iceRestart) {
    this.stage = "offered";
    this.#iceRestart = iceRestart;
    this.wanted = false;
    if (iceRestart) {
      this.count += 1;
      this.#restartWanted = false;
    }
    return [{ do: "reoffer", callId, iceRestart }, timer(ANSWER_PATIENCE)];
  }

  /** A new path, also where the old one lives. @param {string | null} callId @returns {Effect[]} */
  restart(callId) {
    if (!this.awaitsAnswer) return this.begin(callId, true);
    this.#restartWanted = true;
    return [];
  }

  /** What is sent has changed. @param {string | null} callId @returns {Effect[]} */
  want(callId) {
    if (this.stage === "none" && !this.lost) return this.begin(callId, false);
    this.wanted = true;
    return [];
  }

  /** One is due, or the last one had its time. @param {string | null} callId @returns {Effect[]} */
  timer(callId) {
    if (this.lost || this.awaitsAnswer) return this.begin(callId, this.lost || this.#iceRestart);
    return this.ended(callId);
  }

  /**
   * Nothing where ours goes before it.
   * @param {string} sdp @param {string | null} callId
   * @param {boolean} polite @param {boolean} iceRestart @returns {Effect[]}
   */
  onOffer(sdp, callId, polite, iceRestart) {
    if (this.awaitsAnswer && !polite) return [];
    return [{ do: "answer", sdp, callId, replace: false }, ...this.#described(callId, iceRestart)];
  }

  /** @param {string} sdp @param {string | null} callId @returns {Effect[]} */
  onAnswer(sdp, callId) {
    return [{ do: "accept", sdp }, ...this.#described(callId, this.#iceRestart)];
  }

  /** @param {string | null} callId @param {boolean} iceRestart @returns {Effect[]} */
  #described(callId, iceRestart) {
    if (!iceRestart || this.#restartWanted) return this.ended(callId);
    this.stage = "checking";
    return [timer(CHECK_PATIENCE)];
  }

  /** Nothing is under way any more. @param {string | null} callId @returns {Effect[]} */
  ended(callId) {
    this.stage = "none";
    if (this.#restartWanted) return this.begin(callId, true);
    if (this.lost) return [timer(this.count >= MANY ? LATER_INTERVAL : INTERVAL)];
    return this.wanted ? this.begin(callId, false) : [timer(null)];
  }
}

/** @param {"connected" | "disconnected"} state @returns {Effect} */
const report = (state) => ({ do: "report", state, reason: "" });

/** @param {number | null} seconds @returns {Effect} */
const timer = (seconds) => ({ do: "timer", seconds });
