/** What the page says to people. Pure. */

/** Error codes of the protocol and reasons of an end: what happened, and what to do. */
const ERRORS = new Map(
  Object.entries({
    "room-not-found": "There is no such room. It may have been closed, or the link is wrong.",
    "room-full": "The room is full.",
    "room-locked": "The host has locked the room. Ask to be let in, and try again.",
    "room-not-open": "The room is not open yet.",
    "wrong-password": "The password is wrong.",
    banned: "The host has banned you from this room.",
    "already-in-room": "You are in this room already, in this window.",
    "too-many-rooms": "The server has no place for another room. Try again later.",
    "name-taken": "There is a room of that name already. Choose another name, or join it.",
    "payload-too-large": "That is too long to be sent.",
    "rate-limited": "That was too fast. Wait a moment, and try again.",
    forbidden: "Only the host may do that, or your token does not allow it.",
    "peer-not-found": "They have just left.",
    unauthorized: "This server wants a token, and yours is missing, wrong or too old.",
    "too-slow": "Your connection could not keep up with the room.",
    "taken-over": "This call goes on in another window.",
    "server-full": "The server is full. Try again later.",
    "room-closed": "The room was closed.",
    removed: "The host has removed you from the room.",
    "no-answer": "The server does not answer. Try again.",
  }),
);

/** @param {string} code @param {string} [message] what the server says of a code unknown here */
export function explained(code, message) {
  return ERRORS.get(code) ?? (message ? `That did not work: ${message}` : "That did not work.");
}

/** @param {{id: string, displayName: string}} member */
export function nameOf({ id, displayName }) {
  return displayName.trim() || `Guest ${id.slice(0, 4)}`;
}

/** One or two letters for who shows no picture. @param {string} name */
export function initials(name) {
  const words = name.trim().split(/\s+/).slice(0, 2);
  return words
    .map((word) => [...word][0] ?? "")
    .join("")
    .toUpperCase();
}

/** @param {number} count @param {string} one @param {string} [many] */
export function counted(count, one, many = `${one}s`) {
  return `${count} ${count === 1 ? one : many}`;
}

/** @param {string} time RFC 3339 @param {Date} now */
export function shownTime(time, now) {
  const date = new Date(time);
  const sameDay = date.toDateString() === now.toDateString();
  return date.toLocaleString(undefined, {
    ...(sameDay ? {} : { weekday: "short", day: "numeric", month: "short" }),
    hour: "2-digit",
    minute: "2-digit",
  });
}

/** @param {number} bits a second */
export function bitrate(bits) {
  return bits >= 1e6 ? `${(bits / 1e6).toFixed(1)} Mbit/s` : `${Math.round(bits / 1e3)} kbit/s`;
}

/** @param {number | null} seconds */
export function milliseconds(seconds) {
  if (seconds === null) return "–";
  const ms = seconds * 1000;
  return ms < 10 ? `${ms.toFixed(1)} ms` : `${Math.round(ms)} ms`;
}

/** @param {number | null} fraction */
export function percent(fraction) {
  return fraction === null ? "–" : `${(fraction * 100).toFixed(1)} %`;
}
