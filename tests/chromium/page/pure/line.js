import { ACKNOWLEDGE_EVERY, LONGEST_WAIT, Line, MAX_FRAMES, PONG, QUIET } from "/page/core/line.js";
import { chance, equal } from "./expect.js";

const hello = (more) => ({ resumeToken: "t", resumed: false, ...more });

/** A server that counts, and a line between that breaks. */
class Server {
  got = [];
  sent = [];
}

export default {
  "nothing is lost and nothing is doubled over lines that break"() {
    for (let seed = 1; seed <= 300; seed++) {
      const random = chance(seed);
      const line = new Line();
      const server = new Server();
      const got = [];
      equal(line.greeted(hello(), 0), []);
      let wanted = 0;
      for (let step = 0; step < 80; step++) {
        const onTheWay = [];
        for (let i = Math.floor(random() * 5); i > 0; i--) {
          wanted += 1;
          line.sending(`${wanted}`, wanted);
          onTheWay.push(`${wanted}`);
        }
        const arrived =
          random() < 0.4 ? Math.floor(random() * (onTheWay.length + 1)) : onTheWay.length;
        server.got.push(...onTheWay.slice(0, arrived));
        for (const frame of onTheWay.slice(0, arrived)) server.sent.push(frame);
        const heard = Math.floor(random() * (server.sent.length - got.length + 1));
        for (const reply of server.sent.slice(got.length, got.length + heard)) {
          got.push(reply);
          line.heard(0, Number(reply));
        }
        if (arrived < onTheWay.length || random() < 0.2) {
          const { received } = line.query;
          for (const reply of server.sent.slice(Number(received))) {
            got.push(reply);
            line.heard(0, Number(reply));
          }
          const again = line.greeted(hello({ resumed: true, received: server.got.length }), 0);
          for (const frame of again) {
            server.got.push(frame);
            server.sent.push(frame);
          }
        }
      }
      equal(
        server.got,
        Array.from({ length: wanted }, (_, i) => `${i + 1}`),
        `seed ${seed}`,
      );
      equal(got, server.sent.slice(0, got.length), `seed ${seed}`);
    }
  },

  "what is not kept ends the id"() {
    const line = new Line();
    line.greeted(hello(), 0);
    for (let i = 0; i <= MAX_FRAMES; i++) line.sending("x");
    equal(line.greeted(hello({ resumed: true, received: 0 }), 0), null);
    equal(line.query, {}, "the next one is somebody new");
  },

  "somebody new begins to count anew"() {
    const line = new Line();
    line.greeted(hello(), 0);
    line.sending("x");
    line.heard(0);
    equal(line.greeted(hello({ resumeToken: "u" }), 0), []);
    equal(line.query, { resume: "u", received: "0" });
    equal(line.greeted(hello({ resumed: true, received: 0 }), 0), []);
  },

  "over a gap only what was said since the break is sent"() {
    const line = new Line();
    line.greeted(hello(), 0);
    line.heard(0);
    for (const frame of ["a", "b"]) line.sending(frame);
    line.lost();
    for (const frame of ["c", "d"]) line.sending(frame, 7);
    equal(line.greeted(hello({ resumed: true, gap: true }), 0), ["c", "d"]);
    equal(line.query, { resume: "t", received: "1" }, "what the server sends is counted on");
    equal(line.greeted(hello({ resumed: true, received: 1 }), 0), ["d"]);
    line.heard(0, 7);
    equal(line.greeted(hello({ resumed: true, received: 2 }), 0), []);
    line.lost();
    equal(line.greeted(hello({ resumed: true, gap: true }), 0), []);
  },

  "a silent line is asked, then given up"() {
    const line = new Line();
    line.greeted(hello(), 100);
    equal(line.due(100 + QUIET - 0.1), null);
    equal(line.due(100 + QUIET), "ping");
    line.pinged(100 + QUIET);
    equal(line.due(100 + QUIET + PONG - 0.1), null);
    equal(line.due(100 + QUIET + PONG), "lost");
    line.heard(100 + QUIET + PONG);
    equal(line.due(100 + QUIET + PONG), null);
  },

  "signals are acknowledged by a ping among them"() {
    const line = new Line();
    line.greeted(hello(), 0);
    for (let i = 0; i < ACKNOWLEDGE_EVERY; i++) line.sending("x");
    equal(line.due(0), "ping");
    line.sending("ping", 7);
    line.pinged(0);
    equal(line.mustAsk, false, "once");
    line.heard(0, 7);
    equal(line.greeted(hello({ resumed: true, received: line.sent }), 0), []);
    equal(line.due(0), null);
  },

  "tries become rarer, and are spread"() {
    const line = new Line();
    const waits = Array.from({ length: 12 }, () => line.wait(1));
    equal(waits[0] < waits[3] && waits[11] === LONGEST_WAIT, true);
    equal(line.wait(0.5), LONGEST_WAIT / 2);
    line.hurry();
    equal(line.wait(1), waits[0]);
  },
};
