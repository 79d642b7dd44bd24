/**
 * Whether anything comes by a path, from what getStats (W3C webrtc-stats) says of it each second.
 * A browser says so itself, but only after 8 seconds. Pure.
 *
 * Rule 1. Media, checks of the other end and answers to ours count; a headless peer checks every
 *         second, a browser every 2.5.
 * Rule 2. Where nothing has come for `PATIENCE` the path is dead, until something comes.
 * Rule 3. Time in which a page was not looking (it slept) counts as one look.
 */

export const PATIENCE = 3.5;
const LONGEST_LOOK = 1.5;

export class Silence {
  isDead = false;
  #heard = "";
  #seconds = 0;
  #at = 0;

  /** @param {Iterable<any>} report the values of an `RTCStatsReport` */
  look(report) {
    const entries = [...report];
    const transport = entries.find(({ type }) => type === "transport");
    const pair = entries.find(({ id }) => id === transport?.selectedCandidatePairId);
    if (!transport) return;
    const at = transport.timestamp / 1000;
    const passed = Math.min(at - this.#at, LONGEST_LOOK);
    this.#at = at;
    const heard = pair ? what(pair) : this.#heard;
    if (heard !== this.#heard) {
      this.#heard = heard;
      this.#seconds = 0;
    } else {
      this.#seconds += passed;
    }
    this.isDead = this.#seconds > PATIENCE;
  }
}

/** @param {any} pair */
const what = ({ id, packetsReceived, requestsReceived, responsesReceived }) =>
  [id, packetsReceived, requestsReceived, responsesReceived].join(" ");
