/**
 * A room that we are in, and everybody in it.
 *
 * @typedef {import("../core/protocol.js").Room} Room
 * @typedef {import("../core/protocol.js").Member} Member
 * @typedef {import("../core/protocol.js").Message} Message
 * @typedef {import("../core/protocol.js").Hello} Hello
 * @typedef {import("../core/protocol.js").Signal} Signal
 * @typedef {import("../media/media.js").Media} Media
 * @typedef {import("../peer/peer.js").Peer} Peer
 * @typedef {import("../signaling/client.js").Client} Client
 * @typedef {import("./entry.js").Ticket} Ticket
 *
 * @typedef {object} Listener
 * @property {() => void} changed
 * @property {(text: string) => void} notice something that has happened, for people
 * @property {(code: string, detail?: string) => void} ended it was not we who have ended it
 */

import { changed, memberOf } from "../core/room.js";
import { nameOf } from "../core/wording.js";
import { Mesh } from "../peer/mesh.js";
import { Refused } from "../signaling/client.js";
import { Conversation } from "./conversation.js";

const SIGNALS = ["offer", "answer", "ice-candidate", "hangup", "renegotiate"];
const MEASURE = 1_000;
const RENEW_AT = 0.75; // of the time for which credentials of ICE servers hold
const MIN_RENEWAL = 5;
const MAX_KNOWN = 1000; // names of who was here; then the oldest go

export class Call {
  /** @type {number | null} where we had to join again and there is no place now */
  position = null;
  isOnline = true;
  /** @type {Map<string, Member>} whom we have banned; nobody else is told */
  banned = new Map();
  /** @type {Map<string, Member>} all who were ever here, for what they have said */
  #known = new Map();
  #iceServers;
  #measuring;
  #renewal = 0;
  #isRejoining = false;

  /**
   * @param {Client} client @param {Media} media @param {Room} room @param {Ticket} ticket
   * @param {Listener} listener
   */
  constructor(client, media, room, ticket, listener) {
    this.client = client;
    this.media = media;
    this.room = room;
    this.ticket = ticket;
    this.listener = listener;
    this.chat = new Conversation(client, room.id, () => listener.changed());
    this.id = client.hello?.id ?? "";
    this.#iceServers = client.hello?.iceServers ?? [];
    this.#know(room);
    this.mesh = new Mesh(this.#context());
    for (const id of room.participants) this.mesh.arrive(id, true);
    media.onChange = (kind) => this.#mediaChanged(kind);
    this.#measuring = setInterval(() => this.#measure(), MEASURE);
    void this.#tellMuted();
    void this.chat.older();
    if (this.#iceServers.length) void this.#renewIceServers();
  }

  get isHost() {
    return this.room.host === this.id;
  }

  /** Everybody with a connection to us, in the order of their coming. @returns {Peer[]} */
  get peers() {
    return [...this.mesh.peers.values()];
  }

  /** Also of one who has left. @param {string} id @returns {Member | undefined} */
  member(id) {
    return memberOf(this.room, id) ?? this.#known.get(id);
  }

  /** @param {string} id */
  nameOf(id) {
    return nameOf(this.member(id) ?? { id, displayName: "" });
  }

  /** @param {Message} message */
  heard(message) {
    if (message.type === "room-joined" && this.#isRejoining) return this.#rejoined(message.room);
    if (!("roomId" in message) || message.roomId !== this.room.id) {
      if ("room" in message) this.#take(message);
      return;
    }
    if (SIGNALS.includes(message.type)) {
      const { from, ...signal } = /** @type {Signal & {from: string}} */ (message);
      return this.mesh.signal(from, signal);
    }
    this.#take(message);
    switch (message.type) {
      case "member-joined":
        this.mesh.arrive(message.memberId, false);
        return this.listener.notice(`${this.nameOf(message.memberId)} has joined.`);
      case "member-left":
        this.mesh.depart(message.memberId);
        return this.listener.notice(`${this.nameOf(message.memberId)} ${left(message.reason)}.`);
      case "host-changed":
        return this.listener.notice(
          message.host === this.id
            ? "You are the host now."
            : `${this.nameOf(message.host)} is the host now.`,
        );
      case "muted":
        return this.#muted(message.kind);
      case "chat":
        return this.chat.heard(message, message.from === this.id);
      case "queued":
        this.position = message.position;
        return this.listener.changed();
      case "room-closed":
        return this.#ended("room-closed");
      case "removed":
        return this.#ended("removed", message.reason);
      case "error":
        // In the queue; of a signal to one who has just left nobody needs to hear.
        if (this.position !== null && message.request === "join-room") this.#ended(message.code);
    }
  }

  lost() {
    this.isOnline = false;
    this.listener.changed();
  }

  /** The line is mended. @param {Hello} hello */
  greeted(hello) {
    this.isOnline = true;
    this.#iceServers = hello.iceServers;
    if (!hello.resumed) void this.#rejoin();
    else if (hello.gap) void this.#lookAgain();
    for (const peer of this.mesh.peers.values()) peer.online();
    this.listener.changed();
  }

  // What the user does

  /** @param {"audio" | "video"} kind @param {boolean} muted */
  mute = async (kind, muted) => {
    await this.media.setMuted(kind, muted);
    await this.#tellMuted();
  };

  /**
   * A request of the host about this room.
   * @param {string} type
   * @param {object} [fields]
   * @returns {Promise<void>}
   */
  async order(type, fields = {}) {
    await this.client.ask({ type, payload: { roomId: this.room.id, ...fields } });
    if (type === "close-room") this.#ended("room-closed");
  }

  /** @param {Member} member @param {string} reason @param {boolean} ban */
  async remove(member, reason, ban) {
    await this.order("remove-member", { memberId: member.id, reason, ban });
    if (ban) this.banned.set(member.id, member);
    this.listener.changed();
  }

  /** @param {Member} member */
  async unban(member) {
    await this.order("unban-member", { memberId: member.id });
    this.banned.delete(member.id);
    this.listener.changed();
  }

  leave() {
    this.client.ask({ type: "leave-room", payload: { roomId: this.room.id } }).catch(() => {});
    this.close();
  }

  close() {
    clearInterval(this.#measuring);
    clearTimeout(this.#renewal);
    this.media.onChange = () => {};
    this.mesh.close();
  }

  // What comes of it

  #context() {
    return {
      ownId: this.id,
      media: this.media,
      iceServers: () => this.#iceServers,
      online: () => this.client.connected,
      send: (/** @type {string} */ to, /** @type {string} */ type, /** @type {object} */ payload) =>
        this.client.tell({ type, roomId: this.room.id, to, payload }),
      changed: () => this.listener.changed(),
    };
  }

  /** @param {Message} message */
  #take(message) {
    const room = changed(this.room, message);
    if (room === this.room) return;
    this.room = room;
    this.#know(room);
    this.listener.changed();
  }

  /** @param {Room} room */
  #know(room) {
    for (const member of room.members) this.#known.set(member.id, member);
    for (const id of this.#known.keys()) {
      if (this.#known.size <= MAX_KNOWN) break;
      this.#known.delete(id);
    }
  }

  /** The host has muted us. @param {"audio" | "video" | "all"} kind */
  #muted(kind) {
    if (kind !== "video") void this.media.setMuted("audio", true);
    if (kind !== "audio") void this.media.setMuted("video", true);
    const what = { audio: "microphone", video: "picture", all: "microphone and picture" }[kind];
    this.listener.notice(`The host has muted your ${what}.`);
  }

  async #tellMuted() {
    const { audio, video } = this.media.muted;
    const payload = { roomId: this.room.id, audioMuted: audio, videoMuted: video };
    const mine = memberOf(this.room, this.id);
    if (mine?.audioMuted === audio && mine.videoMuted === video) return;
    await this.client.ask({ type: "set-media-state", payload }).catch(() => {});
  }

  /** @param {"audio" | "video"} kind */
  #mediaChanged(kind) {
    for (const peer of this.mesh.peers.values()) peer.attach();
    if (!this.media.muted[kind]) void this.#tellMuted();
    this.listener.changed();
  }

  /** As somebody new, into the same room, which the server may have forgotten as well. */
  async #rejoin() {
    this.#isRejoining = true;
    const { id, name, maxParticipants, metadata } = this.room;
    const { displayName, password } = this.ticket;
    const payload = { roomId: id, name, create: true, waitIfFull: true, displayName };
    const settings = { maxParticipants, metadata, ...(password ? { password } : {}) };
    try {
      await this.client.ask({ type: "join-room", payload: { ...payload, ...settings } });
    } catch (error) {
      // Where the line was lost again, it begins anew with the next greeting.
      if (error instanceof Refused && error.code !== "no-answer") this.#ended(error.code);
    }
  }

  /** @param {Room} room */
  #rejoined(room) {
    this.#isRejoining = false;
    this.position = null;
    this.id = this.client.hello?.id ?? "";
    this.room = room;
    this.#know(room);
    this.chat.restart();
    this.mesh.restart(this.#context());
    for (const id of room.participants) this.mesh.arrive(id, true);
    void this.#tellMuted();
    this.listener.changed();
  }

  /** Some of what was said may have been missed. */
  async #lookAgain() {
    try {
      await this.order("get-room");
      this.mesh.is(this.room.participants);
    } catch (error) {
      if (error instanceof Refused && error.code === "room-not-found") void this.#rejoin();
    }
  }

  async #renewIceServers() {
    let seconds = MIN_RENEWAL * 2;
    try {
      const { iceServers, ttl } = await this.client.ask({ type: "get-ice-servers" });
      this.#iceServers = iceServers;
      for (const peer of this.peers) peer.useIceServers();
      seconds = Math.max(MIN_RENEWAL, ttl * RENEW_AT);
    } catch {
      // The server is lost, or will answer later.
    }
    this.#renewal = setTimeout(() => this.#renewIceServers(), seconds * 1000);
  }

  async #measure() {
    await Promise.all(this.peers.map((peer) => peer.measure().catch(() => {})));
    this.listener.changed();
  }

  /** @param {string} code @param {string} [detail] */
  #ended(code, detail) {
    this.close();
    this.listener.ended(code, detail);
  }
}

/** @param {string} reason of `member-left` */
function left(reason) {
  return { removed: "was removed", disconnected: "was disconnected" }[reason] ?? "has left";
}
