/** What is said on the wire, as far as the page reads it: docs/protocol.md. Types only. */

export type Kind = "audio" | "video";

export interface Member {
  id: string;
  displayName: string;
  role: "host" | "member";
  joinedAt: string;
  audioMuted: boolean;
  videoMuted: boolean;
  recording: boolean;
}

export type RoomState = "EMPTY" | "ACTIVE" | "IN_CALL" | "SCHEDULED";

export interface Room {
  id: string;
  name: string;
  createdAt: string;
  host: string | null;
  maxParticipants: number;
  participants: string[];
  metadata: { description: string; private: boolean };
  state: RoomState;
  hasPassword: boolean;
  locked: boolean;
  queueLength: number;
  opensAt: string | null;
  closesAt: string | null;
  members: Member[];
}

export interface RoomRow {
  id: string;
  name: string;
  participantCount: number;
  maxParticipants: number;
  hasPassword: boolean;
  locked: boolean;
  state: RoomState;
  description: string;
  createdAt: string;
}

export interface ChatMessage {
  roomId: string;
  from: string;
  payload: string;
  id: number | null;
  sentAt: string;
  to?: string;
}

/** What a room is made with. */
export interface RoomSettings {
  name: string;
  maxParticipants?: number;
  metadata?: { description?: string; private?: boolean };
  password?: string;
  opensAt?: string;
  closesAt?: string;
}

export interface Hello {
  type: "client-id";
  id: string;
  features: string[];
  iceServers: RTCIceServer[];
  limits: { maxMessageBytes: number; maxRoomsPerClient: number };
  resumeToken?: string;
  resumed: boolean;
  received?: number;
  gap?: boolean;
}

interface OfRoom {
  roomId: string;
}

/** A message of the server, by its `type`. */
export type Message = { requestId?: number } & (
  | Hello
  | { type: "room-created" | "room-joined" | "room-info" | "room-updated"; room: Room }
  | ({ type: "queued"; position: number } & OfRoom)
  | ({ type: "room-left" | "room-closed" } & OfRoom)
  | { type: "rooms-list"; rooms: RoomRow[]; next: string | null }
  | ({ type: "member-joined"; memberId: string; participants: string[]; member: Member } & OfRoom)
  | ({ type: "member-left"; memberId: string; participants: string[]; reason: string } & OfRoom)
  | ({ type: "removed"; reason: string } & OfRoom)
  | ({ type: "member-updated"; member: Member } & OfRoom)
  | ({ type: "muted"; kind: Kind | "all"; by: string } & OfRoom)
  | ({ type: "host-changed"; host: string } & OfRoom)
  | ({ type: "room-state"; state: RoomState } & OfRoom)
  | ({ type: "chat" } & ChatMessage)
  | ({ type: "chat-history"; messages: ChatMessage[]; hasMore: boolean } & OfRoom)
  | ({ type: SignalType; from: string; payload?: SignalPayload } & OfRoom)
  | { type: "ice-servers"; iceServers: RTCIceServer[]; ttl: number }
  | { type: "pong" }
  | { type: "error"; code: string; message: string; request: string | null; roomId?: string }
);

export type SignalType = "offer" | "answer" | "ice-candidate" | "hangup" | "renegotiate";

/** Of a signal: whatever another member has sent, so nothing of it is sure. */
export interface SignalPayload {
  [field: string]: unknown;
}

export interface Signal {
  type: SignalType;
  payload?: SignalPayload;
}

/** What negotiation wants done, in its order, before the next step. */
export type Effect =
  | { do: "offer"; callId: string }
  | { do: "answer"; sdp: string; callId: string | null; replace: boolean }
  | { do: "accept"; sdp: string }
  | { do: "reoffer"; callId: string | null; iceRestart: boolean }
  | { do: "add-candidate"; candidate: SignalPayload }
  | { do: "send"; type: SignalType; payload: SignalPayload }
  | { do: "drop" }
  | { do: "report"; state: "failed" | "closed" | "disconnected" | "connected"; reason: string }
  | { do: "timer"; seconds: number | null };
