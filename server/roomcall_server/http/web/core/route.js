/**
 * What the address says: `#/` is the lobby, `#/room/NAME-OR-ID` a room; `?token=…` after either is
 * the token that the server may demand. All of it is behind the `#`, so that no server log has it.
 * Pure.
 *
 * @typedef {{view: "lobby" | "room", room: string, token: string | null}} Route
 */

/** @param {string} hash @returns {Route} */
export function routeOf(hash) {
  const [path, query = ""] = hash.replace(/^#/, "").split("?", 2);
  const token = new URLSearchParams(query).get("token");
  const [, room] = /^\/room\/(.+)$/.exec(path) ?? [];
  if (room === undefined) return { view: "lobby", room: "", token };
  return { view: "room", room: decoded(room), token };
}

/** @param {string} room a name or an id */
export function hashOf(room) {
  return `#/room/${encodeURIComponent(room)}`;
}

/** A UUID is an id, never a name. @param {string} room */
export function isId(room) {
  return /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(room);
}

/** @param {string} text */
function decoded(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
