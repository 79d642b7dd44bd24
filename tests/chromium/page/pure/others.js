import { EMPTY, forgotten, lookedUp, MAX, oldest, said } from "/page/core/chatlog.js";
import { GAP, layout, RATIO } from "/page/core/layout.js";
import { figures, grade } from "/page/core/quality.js";
import { changed } from "/page/core/room.js";
import { PATIENCE, Silence } from "/page/core/silence.js";
import { hashOf, isId, routeOf } from "/page/core/route.js";
import { initials, nameOf } from "/page/core/wording.js";
import { equal } from "./expect.js";

const member = (id, role = "member") => ({ id, displayName: id, role, audioMuted: false });
const room = {
  id: "r",
  host: "a",
  state: "ACTIVE",
  participants: ["a", "b"],
  members: [member("a", "host"), member("b")],
};

export default {
  "a room follows its messages"() {
    const joined = changed(room, {
      type: "member-joined",
      roomId: "r",
      memberId: "c",
      participants: ["a", "b", "c"],
      member: member("c"),
    });
    equal(
      joined.members.map(({ id }) => id),
      ["a", "b", "c"],
    );
    const hosted = changed(joined, { type: "host-changed", roomId: "r", host: "c" });
    equal(
      hosted.members.map(({ role }) => role),
      ["member", "member", "host"],
    );
    const left = changed(hosted, {
      type: "member-left",
      roomId: "r",
      memberId: "a",
      participants: ["b", "c"],
    });
    equal(
      left.members.map(({ id }) => id),
      left.participants,
    );
    const muted = changed(left, {
      type: "member-updated",
      roomId: "r",
      member: { ...member("b"), audioMuted: true },
    });
    equal(muted.members[0].audioMuted, true);
    equal(changed(muted, { type: "room-state", roomId: "r", state: "IN_CALL" }).state, "IN_CALL");
    equal(
      changed(room, { type: "member-left", roomId: "other", memberId: "a", participants: [] }) ===
        room,
      true,
    );
    equal(changed(room, { type: "room-updated", room: { ...room, id: "other" } }) === room, true);
  },

  "chat has each message once, in order"() {
    const message = (id) => ({ id, from: "a", payload: `${id}` });
    let log = said(said(EMPTY, message(3)), message(4));
    log = lookedUp(log, [message(1), message(2), message(3)], false);
    equal(
      log.messages.map(({ id }) => id),
      [1, 2, 3, 4],
    );
    equal(said(log, message(4)), log);
    equal(oldest(log), 1);
    log = said(forgotten(log), message(1));
    equal(
      log.messages.map(({ payload }) => payload),
      ["1", "2", "3", "4", "1"],
    );
    for (let id = 2; id < MAX + 10; id++) log = said(log, message(id));
    equal([log.messages.length, log.hasMore], [MAX, true]);
  },

  "tiles fit, whatever the stage"() {
    for (const [width, height] of [
      [1280, 700],
      [374, 700],
      [374, 200],
      [90, 900],
      [0, 0],
    ]) {
      for (let count = 1; count <= 40; count++) {
        for (const isPinned of [false, true]) {
          const { columns, tile, large } = layout(count, width, height, isPinned);
          const others = isPinned && count > 1 ? count - 1 : count;
          const rows = Math.ceil(others / columns);
          const about = `${count} on ${width} × ${height} ${isPinned}`;
          equal(
            columns * tile.width + (columns - 1) * GAP <= Math.max(width, 0) || tile.width === 0,
            true,
            about,
          );
          const used = rows * (tile.height + GAP) - GAP + (others < count ? GAP + large.height : 0);
          equal(
            used <= Math.max(height, 72 + 4 * GAP) || tile.height === 0,
            true,
            `${about}: ${used}`,
          );
          if (tile.height > 20)
            equal(Math.abs(tile.width / tile.height - RATIO) < 0.1, true, about);
          if (others < count)
            equal(large.width >= tile.width || height < 200 || width < 200, true, about);
        }
      }
    }
    equal(layout(4, 1600, 900, false).columns, 2);
  },

  "figures are rates since the last time"() {
    const report = (t, bytes, lost) => [
      { id: "T", type: "transport", selectedCandidatePairId: "P" },
      {
        id: "P",
        type: "candidate-pair",
        localCandidateId: "L",
        remoteCandidateId: "R",
        currentRoundTripTime: 0.05,
      },
      { id: "L", type: "local-candidate", candidateType: "host", protocol: "udp" },
      { id: "R", type: "remote-candidate", candidateType: "relay" },
      { id: "C", type: "codec", mimeType: "video/VP8" },
      {
        id: "I",
        type: "inbound-rtp",
        kind: "video",
        codecId: "C",
        timestamp: t,
        bytesReceived: bytes,
        packetsReceived: bytes / 1000,
        packetsLost: lost,
        framesPerSecond: 30,
        frameWidth: 640,
        frameHeight: 360,
      },
    ];
    const first = figures(report(1000, 10_000, 0), null);
    equal(
      [first.local, first.remote, first.protocol, first.roundTrip],
      ["host", "relay", "udp", 0.05],
    );
    equal([first.flows[0].codec, first.flows[0].bitrate, first.flows[0].loss], ["VP8", 0, null]);
    const second = figures(report(2000, 100_000, 10), first);
    equal([second.flows[0].bitrate, second.flows[0].loss], [720_000, 0.1]);
    equal([grade(first), grade(second)], ["good", "poor"]);
    equal(figures([], second), { roundTrip: null, local: "", remote: "", protocol: "", flows: [] });
  },

  "a path by which nothing comes is dead until something does"() {
    const silence = new Silence();
    let second = 1000;
    const dead = (counts, id = "P", passed = 1) => {
      const transport = { id: "T", type: "transport", selectedCandidatePairId: id };
      second += passed;
      silence.look([
        { ...transport, timestamp: second * 1000 },
        { id, type: "candidate-pair", ...counts },
      ]);
      return silence.isDead;
    };
    const counts = { packetsReceived: 10, requestsReceived: 5, responsesReceived: 3 };
    const silent = () => {
      const looks = [];
      for (let look = 0; look <= PATIENCE; look++) looks.push(dead(counts));
      return looks;
    };
    dead(counts);
    for (const name of Object.keys(counts)) {
      equal(silent(), [false, false, false, true], `before ${name}`);
      counts[name] += 1;
      equal(dead(counts), false, name);
    }
    equal(dead(counts, "P", 60), false, "a page that slept");
    equal(silent(), [false, false, true, true], "then as ever");
    equal(dead(counts, "another"), false);
    silent();
    silence.look([{ id: "T", type: "transport", timestamp: ++second * 1000 }]);
    equal(silence.isDead, true, "no pair at all");
    silence.look([]);
    equal(silence.isDead, true, "nothing known");
  },

  "addresses go both ways"() {
    for (const name of ["standup", "cats & dogs / #1?", "ünï ✓", "100 %"]) {
      equal(routeOf(hashOf(name)), { view: "room", room: name, token: null });
    }
    equal(routeOf("#/room/a?token=t.t"), { view: "room", room: "a", token: "t.t" });
    equal(routeOf("#/room/%E0%A4%A").room, "%E0%A4%A", "what cannot be decoded stands as it is");
    equal(routeOf("").view, "lobby");
    equal([isId("11111111-2222-4333-8444-555555555555"), isId("standup")], [true, false]);
  },

  "people have names"() {
    equal(nameOf({ id: "1234567", displayName: "  " }), "Guest 1234");
    equal(initials("ann von der See"), "AV");
    equal(initials("😀 x"), "😀X");
  },
};
