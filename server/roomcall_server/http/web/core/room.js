/**
 * A room as messages change it. Pure: a room and a message in, a room out.
 *
 * @typedef {import("./protocol.js").Room} Room
 * @typedef {import("./protocol.js").Member} Member
 * @typedef {import("./protocol.js").Message} Message
 */

/**
 * The room after a message about it; the same object where nothing has changed.
 * @param {Room} room @param {Message} message @returns {Room}
 */
export function changed(room, message) {
  switch (message.type) {
    case "room-joined":
    case "room-created":
    case "room-updated":
    case "room-info":
      return message.room.id === room.id ? message.room : room;
  }
  if (!("roomId" in message) || message.roomId !== room.id) return room;
  switch (message.type) {
    case "member-joined": {
      const others = room.members.filter(({ id }) => id !== message.memberId);
      return withMembers({ ...room, participants: message.participants }, [
        ...others,
        message.member,
      ]);
    }
    case "member-left":
      return withMembers(
        { ...room, participants: message.participants },
        room.members.filter(({ id }) => id !== message.memberId),
      );
    case "member-updated":
      return withMembers(
        room,
        room.members.map((member) => (member.id === message.member.id ? message.member : member)),
      );
    case "host-changed":
      return withMembers({ ...room, host: message.host }, room.members);
    case "room-state":
      return { ...room, state: message.state };
  }
  return room;
}

/** Roles follow from who is host. @param {Room} room @param {Member[]} members @returns {Room} */
function withMembers(room, members) {
  /** @type {Member[]} */
  const withRoles = members.map((member) => ({
    ...member,
    role: member.id === room.host ? "host" : "member",
  }));
  return { ...room, members: withRoles };
}

/** @param {Room} room @param {string} id @returns {Member | undefined} */
export function memberOf(room, id) {
  return room.members.find((member) => member.id === id);
}
