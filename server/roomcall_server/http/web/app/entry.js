/**
 * The way into one room: what is known of it before, the password, the queue.
 *
 * @typedef {import("../core/protocol.js").Room} Room
 * @typedef {import("../core/protocol.js").RoomSettings} RoomSettings
 * @typedef {import("../core/protocol.js").Message} Message
 * @typedef {import("../signaling/client.js").Client} Client
 * @typedef {{displayName: string, password: string}} Ticket
 *
 * @typedef {object} Listener
 * @property {() => void} changed
 * @property {(room: Room, ticket: Ticket) => void} joined
 */

import { isId } from "../core/route.js";
import { Refused } from "../signaling/client.js";

/** With these one tries again in the same place. */
const REPAIRABLE = ["wrong-password", "name-taken", "no-answer", "rate-limited"];

export class Entry {
  /** @type {"preview" | "joining" | "queued" | "failed"} */
  stage = "preview";
  /** @type {Room | null} as others see it; null where there is none yet, or it is not known */
  about = null;
  /** @type {Refused | null} */
  error = null;
  position = 0;
  /** @type {Ticket} */
  ticket = { displayName: "", password: "" };
  /** @type {string | null} of the room in whose queue we are */
  #roomId = null;
  #ended = false;

  /**
   * @param {Client} client @param {string} room a name or an id
   * @param {RoomSettings | null} settings where it is to be made @param {Listener} listener
   */
  constructor(client, room, settings, listener) {
    this.client = client;
    this.room = room;
    this.settings = settings;
    this.listener = listener;
  }

  get name() {
    return this.settings?.name ?? this.about?.name ?? (isId(this.room) ? "" : this.room);
  }

  get needsPassword() {
    return (
      this.settings === null && (this.about?.hasPassword || this.error?.code === "wrong-password")
    );
  }

  /** What can be known of the room before one is in it. */
  async look() {
    if (this.settings || this.stage !== "preview") return;
    try {
      const roomId = isId(this.room) ? this.room : await this.#find(this.room);
      if (roomId === null) return;
      const { room } = await this.client.ask({ type: "get-room", payload: { roomId } });
      this.about = room;
    } catch (error) {
      if (isId(this.room) && codeOf(error) === "room-not-found") this.#fail(error);
    }
    this.listener.changed();
  }

  /** @param {string} name @returns {Promise<string | null>} */
  async #find(name) {
    const payload = { query: name, limit: 1000 };
    const { rooms } = await this.client.ask({ type: "list-rooms", payload });
    return rooms.find((/** @type {{name: string}} */ row) => row.name === name)?.id ?? null;
  }

  /** @param {Ticket} ticket */
  async join(ticket) {
    this.ticket = ticket;
    this.stage = "joining";
    this.error = null;
    this.listener.changed();
    try {
      this.#entered(await (this.settings ? this.#create(this.settings) : this.#ask({})));
    } catch (error) {
      this.#fail(error);
    }
  }

  /** @param {RoomSettings} settings */
  async #create(settings) {
    const payload = { ...settings, displayName: this.ticket.displayName };
    const reply = await this.client.ask({ type: "create-room", payload });
    if (reply.room.participants.length) return reply;
    // It opens later, so nobody is in it yet: we are the first to wait.
    this.room = reply.room.id;
    this.about = reply.room;
    this.ticket.password = settings.password ?? "";
    this.settings = null;
    return await this.#ask({});
  }

  /** @param {object} more */
  #ask(more) {
    const which = isId(this.room) ? { roomId: this.room } : { name: this.room, create: true };
    const { displayName, password } = this.ticket;
    const payload = { ...which, displayName, waitIfFull: true, ...more };
    return this.client.ask({
      type: "join-room",
      payload: password ? { ...payload, password } : payload,
    });
  }

  /** What the server says while we wait. @param {Message} message */
  heard(message) {
    if (this.stage !== "queued" || this.#ended || message.requestId !== undefined) return;
    if (message.type === "room-joined" || message.type === "queued") this.#entered(message);
    else if ("roomId" in message && message.roomId !== this.#roomId) return;
    else if (message.type === "room-closed") this.#fail(new Refused("room-closed"));
    else if (message.type === "removed") this.#fail(new Refused("removed", message.reason));
    else if (message.type === "error") this.#fail(new Refused(message.code, message.message));
  }

  /** The server has forgotten us: wait again. */
  forgotten() {
    if (this.stage === "queued") void this.join(this.ticket);
    else void this.look();
  }

  /** Back to the preview, and out of the queue. */
  cancel() {
    if (this.#roomId !== null) {
      this.client.ask({ type: "leave-room", payload: { roomId: this.#roomId } }).catch(() => {});
    }
    this.#roomId = null;
    this.error = null;
    this.stage = "preview";
    this.listener.changed();
  }

  close() {
    if (this.#roomId !== null) this.cancel();
    this.#ended = true;
  }

  /** @param {Message} reply */
  #entered(reply) {
    if (reply.type === "queued") {
      const isNew = this.#roomId !== reply.roomId;
      this.stage = "queued";
      this.#roomId = reply.roomId;
      this.position = reply.position;
      if (isNew) void this.#lookAt(reply.roomId);
      this.listener.changed();
    } else if (reply.type === "room-joined" || reply.type === "room-created") {
      this.#roomId = null;
      if (this.#ended) {
        const payload = { roomId: reply.room.id };
        this.client.ask({ type: "leave-room", payload }).catch(() => {});
      } else {
        this.#ended = true;
        const { password } = this.settings ?? this.ticket;
        this.listener.joined(reply.room, { ...this.ticket, password: password ?? "" });
      }
    }
  }

  /** @param {string} roomId */
  async #lookAt(roomId) {
    try {
      this.about = (await this.client.ask({ type: "get-room", payload: { roomId } })).room;
      this.listener.changed();
    } catch {
      // It is only more to read while one waits.
    }
  }

  /** @param {unknown} error */
  #fail(error) {
    this.error = error instanceof Refused ? error : new Refused("no-answer");
    this.stage = REPAIRABLE.includes(this.error.code) ? "preview" : "failed";
    this.#roomId = null;
    this.listener.changed();
  }
}

/** @param {unknown} error */
const codeOf = (error) => (error instanceof Refused ? error.code : null);
