/** Two ends that negotiate over a line that holds messages up, on connections that are strict. */

import { Negotiation } from "/page/core/negotiation.js";
import { chance, equal } from "./expect.js";

let made = 0;

/** What a browser's RTCPeerConnection allows, and no more (W3C webrtc-pc, section 4.7.1). */
class Connection {
  fingerprint = ++made;
  signaling = "stable";
  stable = { local: 0, remote: "" }; // what a rollback goes back to
  local = 0; // generation of ICE
  remote = "";
  direction = "recvonly";
  agreed = "";

  sdp() {
    return `a=fingerprint:sha-256 ${this.fingerprint}\na=ice-ufrag:u${this.fingerprint}.${this.local}\n`;
  }

  offer(iceRestart) {
    if (this.signaling === "stable") this.stable = { local: this.local, remote: this.remote };
    if (iceRestart || !this.local) this.local = ++made;
    this.signaling = "offered";
    return this.sdp();
  }

  answer(sdp) {
    if (this.signaling === "offered") Object.assign(this, this.stable); // rolled back
    const isNew = sdp !== this.remote;
    this.remote = sdp;
    if (isNew || !this.local) this.local = ++made;
    this.signaling = "stable";
    this.agreed = this.direction;
    return this.sdp();
  }

  accept(sdp) {
    if (this.signaling !== "offered") throw new Error(`an answer while ${this.signaling}`);
    this.remote = sdp;
    this.signaling = "stable";
    this.agreed = this.direction;
  }
}

class End {
  constructor(world, id, other, offersFirst) {
    this.world = world;
    this.id = id;
    this.inbox = [];
    this.log = [];
    this.negotiation = new Negotiation(id, other, offersFirst);
    this.timer = null;
    this.isConnected = false;
  }

  do(effects) {
    for (const effect of effects) {
      switch (effect.do) {
        case "offer":
          this.connection = new Connection();
          this.connection.direction = this.direction ?? "recvonly";
          this.isConnected = false;
          this.send("offer", { sdp: this.connection.offer(false), callId: effect.callId });
          break;
        case "reoffer":
          this.send("offer", {
            sdp: this.connection.offer(effect.iceRestart),
            callId: effect.callId,
          });
          break;
        case "answer":
          if (effect.replace || !this.connection) {
            this.connection = new Connection();
            this.connection.direction = this.direction ?? "recvonly";
            this.isConnected = false;
          }
          this.send("answer", { sdp: this.connection.answer(effect.sdp), callId: effect.callId });
          break;
        case "accept":
          this.connection.accept(effect.sdp);
          break;
        case "drop":
          this.connection = null;
          this.isConnected = false;
          break;
        case "send":
          this.send(effect.type, effect.payload);
          break;
        case "timer":
          this.timer = effect.seconds === null ? null : this.world.now + effect.seconds;
      }
    }
    // A browser says again what it still wants, whenever it is stable.
    const { connection } = this;
    if (
      connection?.signaling === "stable" &&
      connection.remote &&
      connection.agreed !== connection.direction
    ) {
      if (!this.asked) {
        this.asked = true;
        this.do(this.negotiation.want());
        this.asked = false;
      }
    }
  }

  send(type, payload) {
    this.peer.inbox.push([type, payload]);
  }

  take() {
    const [type, payload] = this.inbox.shift();
    this.do(this.negotiation.signal(type, payload, `call${++made}`));
  }

  changes() {
    this.direction = this.direction === "sendrecv" ? "recvonly" : "sendrecv";
    if (!this.connection) return;
    this.connection.direction = this.direction;
    this.do([]);
  }

  fire() {
    this.timer = null;
    this.do(this.negotiation.timer(`call${++made}`));
  }
}

class World {
  now = 0;
  isDead = false; // the path: no packet passes

  constructor() {
    this.a = new End(this, "aaaa", "bbbb", true);
    this.b = new End(this, "bbbb", "aaaa", false);
    this.a.peer = this.b;
    this.b.peer = this.a;
    for (const end of this.ends) end.do(end.negotiation.start(`call${++made}`));
  }

  get ends() {
    return [this.a, this.b];
  }

  /** Both have the other's newest description, so that packets would pass. */
  get matches() {
    const [x, y] = this.ends.map(({ connection }) => connection);
    return Boolean(x && y && x.remote === y.sdp() && y.remote === x.sdp());
  }

  settle() {
    for (const end of this.ends) {
      const passes = this.matches && !this.isDead;
      // Where descriptions do not fit and nothing is under way, no check is ever answered.
      const isOver =
        this.isDead ||
        this.ends.every(
          ({ inbox, connection }) => !inbox.length && connection?.signaling !== "offered",
        );
      if (passes && !end.isConnected) {
        end.isConnected = true;
        end.do(end.negotiation.connected());
      } else if (!passes && end.isConnected && isOver) {
        end.isConnected = false;
        end.do(end.negotiation.pathLost());
      }
    }
  }

  get isQuiet() {
    return (
      this.ends.every(({ inbox }) => !inbox.length) &&
      this.ends.every(({ timer }) => timer === null)
    );
  }

  /** Deliver and wait until nothing is under way. */
  rest(seconds) {
    const end = this.now + seconds;
    while (this.now < end) {
      this.settle();
      if (this.isQuiet) return;
      const full = this.ends.find(({ inbox }) => inbox.length);
      if (full) {
        full.take();
        continue;
      }
      const due = this.ends
        .filter(({ timer }) => timer !== null)
        .sort((x, y) => x.timer - y.timer)[0];
      if (!due) break;
      this.now = Math.max(this.now, due.timer);
      due.fire();
    }
  }

  connected(about) {
    equal(this.matches, true, `${about}: descriptions match`);
    for (const { negotiation, connection, isConnected } of this.ends) {
      equal(
        [negotiation.phase, isConnected, connection.signaling],
        ["connected", true, "stable"],
        about,
      );
      equal([negotiation.restarts.lost, connection.agreed], [false, connection.direction], about);
    }
  }
}

export default {
  "one offers and it is connected"() {
    const world = new World();
    world.rest(100);
    world.connected("begin");
    equal(made > 0, true);
  },

  "both change what they send at once"() {
    const world = new World();
    world.rest(100);
    for (const end of world.ends) end.changes();
    world.rest(100);
    world.connected("glare");
    equal(
      world.ends.map(({ connection }) => connection.agreed),
      ["sendrecv", "sendrecv"],
    );
  },

  "both lose the path, and restart at once"() {
    const world = new World();
    world.rest(100);
    const before = world.ends.map(({ connection }) => connection);
    world.isDead = true;
    world.settle();
    world.rest(20);
    world.isDead = false;
    world.rest(100);
    world.connected("back");
    equal(
      world.ends.every(({ connection }, i) => connection === before[i]),
      true,
      "the same ones",
    );
  },

  "whatever happens in whatever order, it is connected in the end"() {
    for (let seed = 1; seed <= 600; seed++) {
      const random = chance(seed);
      const world = new World();
      for (let step = 0; step < 60; step++) {
        const end = world.ends[Number(random() < 0.5)];
        const what = random();
        if (what < 0.6) {
          if (end.inbox.length) end.take();
        } else if (what < 0.7) end.changes();
        else if (what < 0.78) end.do(end.negotiation.restart());
        else if (what < 0.82) world.isDead = !world.isDead;
        else if (what < 0.9 && end.timer !== null) {
          world.now = Math.max(world.now, end.timer);
          end.fire();
        } else if (what < 0.92) end.do(end.negotiation.failed("for a test"));
        world.settle();
      }
      world.isDead = false;
      world.rest(2000);
      world.connected(`seed ${seed}`);
    }
  },

  "what is malformed is dropped"() {
    const negotiation = new Negotiation("a", "b", false);
    equal(negotiation.signal("offer", { sdp: 7 }, "x"), []);
    equal(negotiation.signal("ice-candidate", { candidate: null }, "x"), []);
    equal(negotiation.signal("answer", { sdp: "v=0" }, "x"), []);
    equal(negotiation.signal("what", {}, "x"), []);
    for (let i = 0; i < 100; i++) negotiation.signal("ice-candidate", { candidate: `c${i}` }, "x");
    const answered = negotiation.signal("offer", { sdp: "a=ice-ufrag:u\n" }, "x");
    equal(answered.filter(({ do: what }) => what === "add-candidate").length, 64);
  },

  "a member without media is no failure"() {
    const negotiation = new Negotiation("a", "b", true);
    const [{ callId }] = negotiation.start("one");
    const effects = negotiation.signal("hangup", { reason: "no-media", callId }, "x");
    equal(effects[1], { do: "report", state: "closed", reason: "no-media" });
    equal(effects[2], { do: "timer", seconds: null }, "it is the other's turn");
  },
};
