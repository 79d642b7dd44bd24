/**
 * The line to the server, and the client id that outlives it. Pure: times (s) and chance are
 * arguments.
 *
 * Rule 1. Both ends number the messages of the id's life (`client-id` not counted). Ours are kept
 *         until acknowledged, up to `MAX_FRAMES` and `MAX_CHARACTERS`; beyond that a break
 *         is the end.
 * Rule 2. A reply acknowledges all that was sent up to its request. Where `ACKNOWLEDGE_EVERY` are
 *         waiting, a ping asks: a page does not see WebSocket pings.
 * Rule 3. Heard nothing for `QUIET`: ping. Nothing for `PONG` after a ping: the line is lost.
 * Rule 4. A lost line is tried again after a random time, at most `FIRST_WAIT` · 2ⁿ and
 *         `LONGEST_WAIT`, for as long as the page is open.
 * Rule 5. Some closes are final: the server does not want us, or somebody resumed our id.
 * Rule 6. A resume with a `gap` goes on with what the server sends, but it has forgotten how much it
 *         has of us. What was sent before the break may have arrived, so it is not sent again: our
 *         count begins anew with what was said since.
 *
 * @typedef {import("./protocol.js").Hello} Hello
 */

export const QUIET = 20;
export const PONG = 5;
export const FIRST_WAIT = 0.2,
  LONGEST_WAIT = 5;
export const ACKNOWLEDGE_EVERY = 64;
export const MAX_FRAMES = 1024;
export const MAX_CHARACTERS = 1 << 20;

/** @type {Map<number, string>} by the WebSocket's close code */
export const FINAL = new Map([
  [4001, "unauthorized"],
  [4008, "too-slow"],
  [4009, "taken-over"],
  [4013, "server-full"],
  [4029, "rate-limited"],
]);

export class Line {
  received = 0;
  sent = 0;
  /** @type {string | null} */
  #token = null;
  /** @type {string[]} not acknowledged, as far as kept */
  #kept = [];
  #characters = 0;
  /** @type {Map<number, number>} how many were sent up to a request, by its id */
  #upTo = new Map();
  #heardAt = 0;
  /** @type {number | null} */
  #pingedAt = null;
  #tries = 0;
  #atBreak = 0;

  /** What to say in the address of `/ws`. @returns {Record<string, string>} */
  get query() {
    return this.#token === null ? {} : { resume: this.#token, received: `${this.received}` };
  }

  /**
   * The server's greeting on a new connection. Returns what to send again; where the id is new,
   * nothing of the old one holds. Null: more is missing than was kept, so connect once more, anew.
   * @param {Hello} hello @param {number} now @returns {string[] | null}
   */
  greeted(hello, now) {
    this.#heardAt = now;
    this.#pingedAt = null;
    this.#tries = 0;
    this.#token = hello.resumeToken ?? null;
    if (!hello.resumed) {
      this.received = this.sent = this.#characters = 0;
      this.#kept = [];
      this.#upTo.clear();
      return [];
    }
    if (hello.gap) return this.#crossGap();
    const missing = this.sent - (hello.received ?? this.sent);
    if (missing < 0 || missing > this.#kept.length) {
      this.#token = null;
      return null;
    }
    return missing ? this.#kept.slice(-missing) : [];
  }

  /** The line is lost: what is said from now on waits. */
  lost() {
    this.#atBreak = this.sent;
  }

  /** @param {string} frame @param {number} [requestId] */
  sending(frame, requestId) {
    this.sent += 1;
    if (requestId !== undefined) this.#upTo.set(requestId, this.sent);
    this.#kept.push(frame);
    this.#characters += frame.length;
    while (this.#kept.length > MAX_FRAMES || this.#characters > MAX_CHARACTERS) this.#drop();
  }

  /** A message has come. @param {number} now @param {number} [requestId] */
  heard(now, requestId) {
    this.received += 1;
    this.#heardAt = now;
    this.#pingedAt = null;
    const count = requestId === undefined ? undefined : this.#upTo.get(requestId);
    if (count === undefined) return;
    while (this.#kept.length > this.sent - count) this.#drop();
    for (const [id, upTo] of this.#upTo) if (upTo <= count) this.#upTo.delete(id);
  }

  /** While connected: whether to ping, or to give the line up. @param {number} now */
  due(now) {
    if (this.#pingedAt !== null) return now - this.#pingedAt >= PONG ? "lost" : null;
    return now - this.#heardAt >= QUIET || this.mustAsk ? "ping" : null;
  }

  /** So much is not acknowledged that it is time to ask. */
  get mustAsk() {
    return this.#upTo.size === 0 && this.#kept.length >= ACKNOWLEDGE_EVERY;
  }

  /** @param {number} now */
  pinged(now) {
    this.#pingedAt ??= now;
  }

  /** For how long (s) to wait before the next try. @param {number} chance from 0 to 1 */
  wait(chance) {
    const most = Math.min(FIRST_WAIT * 2 ** this.#tries, LONGEST_WAIT);
    this.#tries += 1;
    return most * chance;
  }

  /** The network is back, or somebody asks: begin again with short waits. */
  hurry() {
    this.#tries = 0;
  }

  #crossGap() {
    const before = this.#atBreak;
    if (this.sent - before > this.#kept.length) {
      this.#token = null;
      return null;
    }
    while (this.#kept.length > this.sent - before) this.#drop();
    this.sent -= before;
    this.#atBreak = 0;
    for (const [id, upTo] of this.#upTo) {
      if (upTo <= before) this.#upTo.delete(id);
      else this.#upTo.set(id, upTo - before);
    }
    return [...this.#kept];
  }

  #drop() {
    this.#characters -= this.#kept.shift()?.length ?? 0;
  }
}
