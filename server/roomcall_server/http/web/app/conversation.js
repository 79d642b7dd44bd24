/**
 * What is said in a room that we are in.
 *
 * @typedef {import("../core/protocol.js").ChatMessage} ChatMessage
 * @typedef {import("../signaling/client.js").Client} Client
 */

import { EMPTY, forgotten, lookedUp, oldest, said } from "../core/chatlog.js";

const PAGE = 50;

export class Conversation {
  log = EMPTY;
  unread = 0;
  #isOpen = false; // somebody reads it

  /** @param {Client} client @param {string} roomId @param {() => void} changed */
  constructor(client, roomId, changed) {
    this.client = client;
    this.roomId = roomId;
    this.changed = changed;
  }

  /** @param {boolean} isOpen */
  show(isOpen) {
    this.#isOpen = isOpen;
    if (isOpen) this.unread = 0;
  }

  /** @param {string} text @param {string} to the id of one member; "": all */
  say(text, to = "") {
    const message = { type: "chat", roomId: this.roomId, payload: text };
    return this.client.ask(to ? { ...message, to } : message);
  }

  /** @param {ChatMessage} message @param {boolean} isOwn */
  heard(message, isOwn) {
    this.log = said(this.log, message);
    if (!this.#isOpen && !isOwn) this.unread += 1;
    this.changed();
  }

  /** Look up what was said before. */
  async older() {
    const payload = { roomId: this.roomId, limit: PAGE, before: oldest(this.log) };
    try {
      const { messages, hasMore } = await this.client.ask({ type: "chat-history", payload });
      this.log = lookedUp(this.log, messages, hasMore);
      this.changed();
    } catch {
      // A server without a history says no; there is nothing to show then.
    }
  }

  /** The server has forgotten everything. */
  restart() {
    this.log = forgotten(this.log);
  }
}
