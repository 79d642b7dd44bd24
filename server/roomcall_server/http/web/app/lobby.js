/**
 * The rooms that are open to everybody, kept fresh while somebody looks.
 *
 * @typedef {import("../core/protocol.js").RoomRow} RoomRow
 * @typedef {import("../signaling/client.js").Client} Client
 */

const REFRESH = 4_000;
const PAGE = 50;

export class Lobby {
  /** @type {RoomRow[] | null} null: not known yet */
  rooms = null;
  query = "";
  hasMore = false;
  #wanted = PAGE;
  #timer = 0;
  #asked = 0;

  /** @param {Client} client @param {() => void} changed */
  constructor(client, changed) {
    this.client = client;
    this.changed = changed;
    this.#timer = setInterval(() => document.hidden || this.refresh(), REFRESH);
  }

  close() {
    clearInterval(this.#timer);
    this.#asked += 1;
  }

  /** @param {string} query a part of the name */
  search(query) {
    this.query = query;
    this.#wanted = PAGE;
    return this.refresh();
  }

  more() {
    this.#wanted = Math.min(this.#wanted + PAGE, 1000);
    return this.refresh();
  }

  async refresh() {
    if (!this.client.connected) return;
    const asked = ++this.#asked;
    const payload = { limit: this.#wanted, query: this.query };
    try {
      const { rooms, next } = await this.client.ask({ type: "list-rooms", payload });
      if (asked !== this.#asked) return; // somebody has typed on
      this.rooms = rooms;
      this.hasMore = next !== null && this.#wanted < 1000;
      this.changed();
    } catch {
      // What is shown is old by then, and the line's state says so.
    }
  }
}
