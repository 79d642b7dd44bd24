/** What the browser keeps for the next time: a name, devices, and in which room this tab is. */

/**
 * @typedef {{name: string, devices: import("../media/media.js").DeviceIds}} Preferences
 */

const KEY = "roomcall";
const ROOM_KEY = "roomcall.room";

/** @returns {Preferences} */
export function load() {
  const kept = read(localStorage, KEY);
  const text = (/** @type {unknown} */ value) => (typeof value === "string" ? value : "");
  return {
    name: text(kept.name),
    devices: { video: text(kept.video), audio: text(kept.audio) },
  };
}

/** @param {Preferences} preferences */
export function save({ name, devices }) {
  write(localStorage, KEY, { name, ...devices });
}

/** So that a reload leads back into the call. @param {string | null} room */
export function remember(room) {
  write(sessionStorage, ROOM_KEY, { room });
}

/** Whether this page was reloaded in this room. @param {string} room */
export function wasIn(room) {
  const [navigation] = performance.getEntriesByType("navigation");
  const reloaded = /** @type {PerformanceNavigationTiming} */ (navigation)?.type === "reload";
  return reloaded && read(sessionStorage, ROOM_KEY).room === room;
}

/** @param {Storage} storage @param {string} key @returns {Record<string, unknown>} */
function read(storage, key) {
  try {
    const value = JSON.parse(storage.getItem(key) ?? "{}");
    return typeof value === "object" && value !== null ? value : {};
  } catch {
    return {};
  }
}

/** @param {Storage} storage @param {string} key @param {object} value */
function write(storage, key, value) {
  try {
    storage.setItem(key, JSON.stringify(value));
  } catch {
    // A browser may keep nothing; then it is asked for again.
  }
}
