/**
 * A client id on the server, past the connections that carry it: asks, and hears what the server
 * says. What to do when is decided in core/line.js.
 *
 * @typedef {import("../core/protocol.js").Hello} Hello
 * @typedef {import("../core/protocol.js").Message} Message
 * @typedef {{resolve: (message: any) => void, reject: (error: Error) => void, up: boolean,
 *   broken: boolean, timer: number}} Waiting
 *
 * @typedef {object} Listener
 * @property {(hello: Hello) => void} greeted connected: with nothing lost where `hello.resumed`
 * @property {(message: Message) => void} heard everything that is said, replies too
 * @property {() => void} lost the line is broken, and is being mended
 * @property {(code: string) => void} over the server has ended it for good
 */

import { FINAL, Line } from "../core/line.js";

const CONNECT_TIMEOUT = 10_000;
const REPLY_TIMEOUT = 10_000;
const TICK = 1_000;

/**
 * The server says no to a request, or cannot be asked: `code` is the protocol's, or `no-answer`.
 */
export class Refused extends Error {
  /** @param {string} code @param {string} [message] */
  constructor(code, message = "") {
    super(message || code);
    this.code = code;
    this.detail = message;
  }
}

export class Client {
  /** @type {Hello | null} the latest */
  hello = null;
  #line = new Line();
  /** @type {WebSocket | null} greeted and not lost */
  #socket = null;
  /** @type {WebSocket | null} on its way */
  #opening = null;
  /** @type {WebSocket[]} given up: closed when another one serves, as a close is a goodbye */
  #abandoned = [];
  /** @type {Map<number, Waiting>} */
  #waiting = new Map();
  #requests = 0;
  #over = false;
  #ticker = 0;
  #retry = 0;

  /** @param {URL} address of `/ws` @param {string | null} token @param {Listener} listener */
  constructor(address, token, listener) {
    this.address = address;
    this.token = token;
    this.listener = listener;
  }

  get connected() {
    return this.#socket !== null;
  }

  start() {
    addEventListener("offline", this.#probe);
    addEventListener("online", this.#probe);
    this.#ticker = setInterval(() => this.#tick(), TICK);
    this.#connect();
  }

  /** Leave in good order: the server takes the close for a goodbye. */
  close() {
    this.#end(new Refused("no-answer"));
    this.#socket?.close();
    this.#opening?.close();
    this.#closeAbandoned();
  }

  /**
   * Send it and wait for the reply, past a break of the line. Rejects with `Refused`.
   * @param {{type: string, [field: string]: unknown}} message @returns {Promise<any>}
   */
  ask(message) {
    if (this.#over || this.hello === null) return Promise.reject(new Refused("no-answer"));
    const requestId = ++this.#requests;
    return new Promise((resolve, reject) => {
      const timer = setInterval(() => this.#unanswered(requestId), REPLY_TIMEOUT);
      this.#waiting.set(requestId, { resolve, reject, timer, up: this.connected, broken: false });
      this.#send({ ...message, requestId }, requestId);
    });
  }

  /**
   * Send it now, or when the line is mended.
   * @param {{type: string, [field: string]: unknown}} message
   */
  tell(message) {
    if (!this.#over && this.hello !== null) this.#send(message);
  }

  /** @param {object} message @param {number} [requestId] */
  #send(message, requestId) {
    const frame = JSON.stringify(message);
    this.#line.sending(frame, requestId);
    this.#socket?.send(frame);
    if (this.#socket && this.#line.mustAsk) this.#ping();
  }

  #ping() {
    const requestId = ++this.#requests;
    this.#line.pinged(now());
    this.#send({ type: "ping", requestId }, requestId);
  }

  /** The network has changed: see whether the line still holds, or mend it at once. */
  #probe = () => {
    if (this.#socket) return this.#ping();
    this.#line.hurry();
    if (!this.#opening && !this.#over) this.#connect();
  };

  #connect() {
    clearTimeout(this.#retry);
    const url = new URL(this.address);
    for (const [name, value] of Object.entries(this.#line.query)) url.searchParams.set(name, value);
    if (this.token) url.searchParams.set("token", this.token);
    const socket = new WebSocket(url);
    this.#opening = socket;
    const timeout = setTimeout(() => this.#broken(socket, 0), CONNECT_TIMEOUT);
    socket.onclose = ({ code }) => this.#broken(socket, code);
    socket.onmessage = ({ data }) => {
      clearTimeout(timeout);
      const hello = JSON.parse(data);
      if (hello.type === "client-id") this.#greeted(socket, hello);
      else this.#broken(socket, 0);
    };
  }

  /** @param {WebSocket} socket @param {Hello} hello */
  #greeted(socket, hello) {
    const again = this.#line.greeted(hello, now());
    if (again === null) return this.#broken(socket, 0);
    this.#opening = null;
    this.#socket = socket;
    socket.onmessage = ({ data }) => this.#heard(JSON.parse(data));
    this.#closeAbandoned();
    for (const frame of again) socket.send(frame);
    this.hello = hello;
    if (!hello.resumed) this.#fail(new Refused("no-answer"));
    else if (hello.gap) this.#fail(new Refused("no-answer"), ({ broken }) => broken);
    for (const waiting of this.#waiting.values()) waiting.up = false; // each has its time again
    this.listener.greeted(hello);
  }

  /** @param {Message} message */
  #heard(message) {
    this.#line.heard(now(), message.requestId);
    this.listener.heard(message);
    const { requestId } = message;
    const waiting = requestId === undefined ? undefined : this.#waiting.get(requestId);
    if (requestId === undefined || !waiting) return;
    this.#waiting.delete(requestId);
    clearInterval(waiting.timer);
    if (message.type === "error") waiting.reject(new Refused(message.code, message.message));
    else waiting.resolve(message);
  }

  /** @param {WebSocket} socket @param {number} code of the close, 0 where we give it up */
  #broken(socket, code) {
    socket.onclose = socket.onmessage = null;
    if (socket !== this.#socket && socket !== this.#opening) return;
    const wasUp = socket === this.#socket;
    this.#socket = this.#opening = null;
    if (!code) this.#abandoned.push(socket);
    const final = FINAL.get(code);
    if (final !== undefined) {
      this.#end(new Refused(final));
      return this.listener.over(final);
    }
    if (wasUp) {
      this.#line.lost();
      for (const waiting of this.#waiting.values()) waiting.broken = true;
      this.listener.lost();
    }
    this.#retry = setTimeout(() => this.#connect(), this.#line.wait(Math.random()) * 1000);
  }

  #closeAbandoned() {
    for (const socket of this.#abandoned.splice(0)) socket.close();
  }

  #tick() {
    if (!this.#socket) return;
    const due = this.#line.due(now());
    if (due === "ping") this.#ping();
    if (due === "lost") this.#broken(this.#socket, 0);
  }

  /**
   * A request had its time: where the line was up for all of it, there is no reply to come.
   * @param {number} requestId
   */
  #unanswered(requestId) {
    const waiting = this.#waiting.get(requestId);
    if (!waiting) return;
    if (!waiting.up || !this.connected) {
      waiting.up = this.connected;
      return;
    }
    this.#waiting.delete(requestId);
    clearInterval(waiting.timer);
    waiting.reject(new Refused("no-answer"));
  }

  /** @param {Error} error @param {(waiting: Waiting) => boolean} [which] */
  #fail(error, which = () => true) {
    for (const [requestId, waiting] of this.#waiting) {
      if (!which(waiting)) continue;
      this.#waiting.delete(requestId);
      clearInterval(waiting.timer);
      waiting.reject(error);
    }
  }

  /** @param {Error} error */
  #end(error) {
    this.#over = true;
    clearInterval(this.#ticker);
    clearTimeout(this.#retry);
    removeEventListener("offline", this.#probe);
    removeEventListener("online", this.#probe);
    this.#fail(error);
  }
}

/** Seconds, on a clock that only goes on. */
const now = () => performance.now() / 1000;
