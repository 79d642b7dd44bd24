// What signaling costs at the least on node's `ws`: a relay with rooms in memory, nothing checked,
// nothing kept, nobody's rights asked. It speaks as much of the protocol as `roomcall load` does.
"use strict";
const { randomUUID } = require("node:crypto");
const { WebSocketServer } = require("ws");

const rooms = new Map();

function join(socket, id, { roomId, name, displayName = "" }) {
  let room = rooms.get(roomId);
  if (!room) rooms.set(roomId, (room = { members: new Map(), chats: 0 }));
  const member = { id, displayName, role: "member", joinedAt: new Date().toISOString() };
  const participants = [...room.members.keys(), id];
  const joined = { type: "member-joined", roomId, memberId: id, participants, member };
  const frame = JSON.stringify(joined);
  for (const other of room.members.values()) other.socket.send(frame);
  room.members.set(id, { socket, member });
  const members = [...room.members.values()].map((one) => one.member);
  const createdAt = member.joinedAt;
  const metadata = { description: "", private: true };
  const rest = { createdAt, host: participants[0], maxParticipants: 0, metadata, state: "ACTIVE" };
  const view = { id: roomId, name, participants, members, ...rest };
  socket.send(JSON.stringify({ type: "room-joined", room: view }));
}

function chat(id, { roomId, payload }) {
  const room = rooms.get(roomId);
  const sentAt = new Date().toISOString();
  const said = { type: "chat", roomId, from: id, payload, id: ++room.chats, sentAt };
  const frame = JSON.stringify(said);
  for (const member of room.members.values()) member.socket.send(frame);
}

function signal(id, { type, roomId, to, payload }) {
  const target = rooms.get(roomId)?.members.get(to);
  if (target) target.socket.send(JSON.stringify({ type, roomId, from: id, payload }));
}

const options = { host: "127.0.0.1", port: 0, perMessageDeflate: false };
const server = new WebSocketServer(options, () => console.log(server.address().port));
server.on("connection", (socket) => {
  const id = randomUUID();
  const limits = { maxMessageBytes: 65536, maxRoomsPerClient: 8 };
  const hello = { type: "client-id", id, protocol: 1, features: [], iceServers: [], limits };
  socket.send(JSON.stringify(hello));
  const mine = new Set();
  socket.on("message", (data) => {
    const message = JSON.parse(data);
    if (message.type === "join-room") {
      mine.add(message.payload.roomId);
      join(socket, id, message.payload);
    } else if (message.type === "chat") chat(id, message);
    else signal(id, message);
  });
  socket.on("close", () => {
    for (const roomId of mine) {
      const { members } = rooms.get(roomId);
      members.delete(id);
      if (!members.size) rooms.delete(roomId);
    }
  });
});
