/**
 * Everybody else in the room: a `Peer` each, made and ended as members come and go.
 *
 * @typedef {import("../core/protocol.js").Signal} Signal
 * @typedef {import("../core/protocol.js").SignalPayload} Payload
 * @typedef {import("../core/renaming.js").Effect} Effect
 * @typedef {Omit<import("./peer.js").Context, "told">} Context
 */

import { Renaming } from "../core/renaming.js";
import { Peer } from "./peer.js";

const MAX_HELD_SIGNALS = 64; // of one member of whom it is not known yet who it is
const TICK = 200;

export class Mesh {
  /** @type {Map<string, Peer>} by client id */
  peers = new Map();
  #renaming = new Renaming();
  /** @type {Map<string, {before: boolean, signals: Signal[]}>} who may be somebody we know */
  #held = new Map();
  #ticker = 0;

  /** @param {Context} context */
  constructor(context) {
    this.context = this.#withTold(context);
  }

  /**
   * A member is there; `before`: it was when we came, so we offer.
   * @param {string} id @param {boolean} before
   */
  arrive(id, before) {
    if (id === this.context.ownId || this.#held.has(id)) return;
    if (this.peers.has(id)) {
      if (!this.#renaming.strays.has(id)) return;
      this.depart(id); // it has kept its id, and seen us leave
    }
    this.#held.set(id, { before, signals: [] });
    this.#carryOut(this.#renaming.came(id, now()));
  }

  /** A member has gone. @param {string} id */
  depart(id) {
    this.#held.delete(id);
    this.#renaming.left(id);
    this.peers.get(id)?.close();
    this.peers.delete(id);
    this.context.changed();
  }

  /**
   * A signal of one who is not in the room (any more) is dropped.
   * @param {string} from
   * @param {Signal} signal
   */
  signal(from, signal) {
    const held = this.#held.get(from);
    if (held && held.signals.length < MAX_HELD_SIGNALS) held.signals.push(signal);
    this.peers.get(from)?.signal(signal);
  }

  /**
   * As another member than before, in a room that has forgotten everybody: with whom we are
   * connected we stay so, and find each other again.
   * @param {Context} context
   */
  restart(context) {
    this.context = this.#withTold(context);
    this.#held.clear();
    for (const [id, peer] of this.peers) {
      if (peer.hasConnection) peer.tell({ type: "id", id: context.ownId });
      else this.depart(id);
    }
    this.#carryOut(this.#renaming.restart(this.peers.keys(), now()));
    this.#ticker ||= setInterval(() => this.#tick(), TICK);
  }

  /** Who is in the room after a gap in what we heard of it. @param {string[]} ids */
  is(ids) {
    for (const id of this.peers.keys()) if (!ids.includes(id)) this.depart(id);
    for (const id of ids) this.arrive(id, true);
  }

  close() {
    clearInterval(this.#ticker);
    for (const peer of this.peers.values()) peer.close();
    this.peers.clear();
  }

  /** @param {Context} context */
  #withTold(context) {
    /** @param {Peer} peer @param {Payload} message */
    const told = (peer, { type, id }) => {
      if (type === "id" && typeof id === "string" && this.peers.get(peer.id) === peer) {
        this.#carryOut(this.#renaming.told(peer.id, id));
      }
    };
    return { ...context, told };
  }

  #tick() {
    const dead = [...this.peers.values()].filter(({ state }) => state !== "connected");
    this.#carryOut(this.#renaming.tick(now(), new Set(dead.map(({ id }) => id))));
    if (this.#renaming.busy) return;
    clearInterval(this.#ticker);
    this.#ticker = 0;
  }

  /** @param {Effect[]} effects */
  #carryOut(effects) {
    for (const effect of effects) {
      switch (effect.do) {
        case "newcomer": {
          const held = this.#held.get(effect.id);
          const peer = new Peer(effect.id, this.context, held?.before ?? false);
          this.peers.set(effect.id, peer);
          this.#sayAgain(peer);
          break;
        }
        case "same":
          this.#rename(effect.old, effect.new);
          break;
        case "stray-lost":
          this.depart(effect.old);
      }
    }
    if (effects.length) this.context.changed();
  }

  /** @param {string} old @param {string} id */
  #rename(old, id) {
    const peer = this.peers.get(old);
    if (!peer) return;
    // It may have taken long to say who it is, and was called as somebody else meanwhile.
    this.peers.get(id)?.close();
    this.peers = new Map([...this.peers].filter(([other]) => other !== id));
    peer.rename(id, this.context);
    // It keeps its place among the others.
    this.peers = new Map([...this.peers].map(([other, one]) => [other === old ? id : other, one]));
    this.#sayAgain(peer);
  }

  /** @param {Peer} peer */
  #sayAgain(peer) {
    const held = this.#held.get(peer.id);
    this.#held.delete(peer.id);
    for (const signal of held?.signals ?? []) peer.signal(signal);
  }
}

const now = () => performance.now() / 1000;
