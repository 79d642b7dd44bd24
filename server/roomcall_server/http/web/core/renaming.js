/**
 * Who is who after the server has forgotten everybody and gave new ids. Pure. The rules are those
 * of the headless peer (roomcall/peer/renaming.py):
 *
 * Rule 1. Everybody who was connected is a stray then, kept under the old id with media going on.
 * Rule 2. A stray tells its new id over its connection. Where the room has a member of that id, the
 *         two are one (`same`).
 * Rule 3. While there are strays that have not told their new id, a member who comes waits `HOLD`
 *         for that; then it is somebody else (`newcomer`).
 * Rule 4. A stray that is not back within `LOST_AFTER` is lost as soon as its path is dead.
 *
 * Times are seconds on any clock. The caller carries out the effects in their order, and calls
 * `tick` now and then while it is `busy`.
 *
 * @typedef {{do: "same", old: string, new: string} | {do: "newcomer", id: string}
 *   | {do: "stray-lost", old: string}} Effect
 */

export const HOLD = 2;
export const LOST_AFTER = 30;

export class Renaming {
  /** @type {Set<string>} */
  strays = new Set();
  /** @type {Map<string, number>} until when */
  held = new Map();
  /** @type {Set<string>} newcomers who may still turn out to be a stray */
  #letGo = new Set();
  /** @type {Map<string, string>} new ids by old ones */
  #told = new Map();
  #begun = 0;

  get busy() {
    return this.strays.size + this.held.size > 0;
  }

  /**
   * The server has forgotten us; with these we are connected all the same.
   * @param {Iterable<string>} connected @param {number} now @returns {Effect[]}
   */
  restart(connected, now) {
    this.strays = new Set(connected);
    this.held.clear();
    this.#letGo.clear();
    this.#begun = now;
    return this.#settled();
  }

  /**
   * A peer says over its connection what its new id is, maybe before we are back.
   * @param {string} old @param {string} id @returns {Effect[]}
   */
  told(old, id) {
    this.#told.set(old, id);
    return this.strays.has(old) ? this.#match(old) : [];
  }

  /** The room has this member. @param {string} id @param {number} now @returns {Effect[]} */
  came(id, now) {
    for (const old of this.strays) {
      if (this.#told.get(old) !== id) continue;
      this.held.set(id, now);
      return this.#match(old);
    }
    if ([...this.strays].every((stray) => this.#told.has(stray))) return [{ do: "newcomer", id }];
    this.held.set(id, now + HOLD);
    return [];
  }

  /**
   * A member has left before it was known who it is, or a peer is gone for good.
   * @param {string} id
   */
  left(id) {
    this.held.delete(id);
    this.#letGo.delete(id);
    this.strays.delete(id);
    this.#told.delete(id);
  }

  /** @param {number} now @param {Set<string>} dead peers whose path is @returns {Effect[]} */
  tick(now, dead) {
    /** @type {Effect[]} */
    const effects = [];
    for (const [id, until] of this.held) {
      if (until > now) continue;
      this.held.delete(id);
      this.#letGo.add(id);
      effects.push({ do: "newcomer", id });
    }
    if (now - this.#begun >= LOST_AFTER) {
      for (const old of this.strays) {
        if (!dead.has(old)) continue;
        this.left(old);
        effects.push({ do: "stray-lost", old });
      }
    }
    return [...effects, ...this.#settled()];
  }

  /** @param {string} old @returns {Effect[]} */
  #match(old) {
    const id = this.#told.get(old);
    if (id === undefined || !(this.held.has(id) || this.#letGo.has(id))) return [];
    this.held.delete(id);
    this.#letGo.delete(id);
    this.#told.delete(old);
    this.strays.delete(old);
    return [{ do: "same", old, new: id }, ...this.#settled()];
  }

  /** With no stray left everybody else is new. @returns {Effect[]} */
  #settled() {
    if (this.strays.size) return [];
    const ids = [...this.held.keys()];
    this.held.clear();
    return ids.map((id) => ({ do: "newcomer", id }));
  }
}
