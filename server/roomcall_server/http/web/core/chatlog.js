/**
 * What was said in a room, in its order. Pure.
 *
 * Rule 1. Messages to all have rising ids, and each is there once, whether it came or was found.
 * Rule 2. Messages to one member have no id: they stand where they came.
 * Rule 3. At most `MAX` are kept; the oldest go.
 *
 * @typedef {import("./protocol.js").ChatMessage} ChatMessage
 * @typedef {{messages: ChatMessage[], hasMore: boolean}} ChatLog
 */

export const MAX = 1000;

/** @type {ChatLog} */
export const EMPTY = { messages: [], hasMore: false };

/** @param {ChatLog} log @param {ChatMessage} message @returns {ChatLog} */
export function said(log, message) {
  const known = message.id !== null && log.messages.some(({ id }) => id === message.id);
  if (known) return log;
  const messages = [...log.messages, message];
  return messages.length > MAX
    ? { messages: messages.slice(-MAX), hasMore: true }
    : { ...log, messages };
}

/**
 * Older ones, oldest first, as the server has them.
 * @param {ChatLog} log @param {ChatMessage[]} older @param {boolean} hasMore @returns {ChatLog}
 */
export function lookedUp(log, older, hasMore) {
  const known = new Set(log.messages.map(({ id }) => id));
  return { messages: [...older.filter(({ id }) => !known.has(id)), ...log.messages], hasMore };
}

/**
 * The server has forgotten everything and counts from 1 again: what was said stays.
 * @param {ChatLog} log @returns {ChatLog}
 */
export function forgotten(log) {
  return { messages: log.messages.map((message) => ({ ...message, id: null })), hasMore: false };
}

/** Before which id to look further up. @param {ChatLog} log @returns {number | undefined} */
export function oldest(log) {
  return log.messages.find(({ id }) => id !== null)?.id ?? undefined;
}
