/**
 * The page as a whole: which view it shows, and the parts behind it.
 *
 * @typedef {import("../core/protocol.js").Room} Room
 * @typedef {import("../core/protocol.js").RoomSettings} RoomSettings
 * @typedef {import("./entry.js").Ticket} Ticket
 */

import { hashOf, isId, routeOf } from "../core/route.js";
import { explained } from "../core/wording.js";
import { Media } from "../media/media.js";
import { Client, Refused } from "../signaling/client.js";
import { Call } from "./call.js";
import { Entry } from "./entry.js";
import { Lobby } from "./lobby.js";
import * as preferences from "./preferences.js";

const NEW = "#/new"; // while a room is being made that has no address yet
const NOTICE_TIME = 6_000;
const MAX_NOTICES = 3; // at once; then the oldest goes

export class App {
  /** @type {Lobby | null} */
  lobby = null;
  /** @type {Entry | null} */
  entry = null;
  /** @type {Call | null} */
  call = null;
  /** @type {Media | null} */
  media = null;
  /**
   * Why a call is over, where we did not leave.
   * @type {{code: string, detail: string, room: string} | null}
   */
  ended = null;
  /** Why the server does not serve us at all. @type {string | null} */
  refused = null;
  isConnected = false;
  wasConnected = false;
  soundBlocked = false;
  /** @type {{id: number, text: string}[]} */
  notices = [];
  preferences = preferences.load();
  #notices = 0;
  #hash = "";
  /** @type {RoomSettings | null} */
  #making = null;
  #rendering = false;
  #connected = () => {};
  /** Of the first connection. @type {Promise<void>} */
  #connection = new Promise((resolve) => (this.#connected = resolve));

  /** @param {() => void} render */
  constructor(render) {
    this.render = render;
    this.client = this.#connect(routeOf(location.hash).token);
  }

  start() {
    addEventListener("hashchange", () => this.#route());
    this.client.start();
    this.#route();
  }

  /** Something has changed: show it, once for all changes of this moment. */
  changed = () => {
    if (this.#rendering) return;
    this.#rendering = true;
    queueMicrotask(() => {
      this.#rendering = false;
      this.render();
    });
  };

  /** @param {string} text */
  notice = (text) => {
    const id = ++this.#notices;
    this.notices = [...this.notices, { id, text }].slice(-MAX_NOTICES);
    setTimeout(() => {
      this.notices = this.notices.filter((notice) => notice.id !== id);
      this.changed();
    }, NOTICE_TIME);
    this.changed();
  };

  /** Do it, and say where it cannot be done. @param {Promise<unknown>} work */
  async attempt(work) {
    try {
      await work;
    } catch (error) {
      const { code, detail } = error instanceof Refused ? error : new Refused("no-answer");
      this.notice(explained(code, detail));
    }
  }

  // Where to go

  /** @param {string} room a name or an id */
  open(room) {
    this.#making = null;
    location.hash = hashOf(room);
  }

  /** Make a room, after the preview. @param {RoomSettings} settings */
  make(settings) {
    this.#making = settings;
    location.hash = NEW;
  }

  toLobby() {
    location.hash = "#/";
    this.#route();
  }

  /** @param {string} name */
  join(name, password = "") {
    const { entry, media } = this;
    if (!entry || !media) return;
    this.preferences = { name, devices: { ...media.ids } };
    preferences.save(this.preferences);
    void entry.join({ displayName: name, password });
  }

  leave() {
    this.call?.leave();
    this.call = null;
    preferences.remember(null);
    this.toLobby();
  }

  /** Try the same room again. */
  again() {
    this.#hash = "";
    this.#route();
  }

  /**
   * A server that has ended it for good is asked once more, with a token where it demands one.
   * @param {string} token
   */
  askAgain(token) {
    this.client.close();
    this.refused = null;
    this.client = this.#connect(token || this.client.token);
    this.client.start();
    this.again();
  }

  /** The address by which others come into this room. @param {Room} room */
  linkTo(room) {
    return new URL(hashOf(nameable(room)), location.href.split("#")[0]).href;
  }

  /** The browser plays no sound before the user has done something. */
  blockSound = () => {
    this.soundBlocked = true;
    this.changed();
  };

  unblockSound() {
    this.soundBlocked = false;
    for (const video of document.querySelectorAll("video")) void video.play().catch(() => {});
    this.changed();
  }

  #route() {
    if (location.hash === this.#hash && (this.lobby || this.entry || this.call)) return;
    this.#hash = location.hash;
    this.#clear();
    const { view, room } = routeOf(location.hash);
    if (location.hash === NEW && this.#making) this.#enter(this.#making.name, this.#making);
    else if (view === "room") this.#enter(room, null);
    else {
      this.#closeMedia();
      this.lobby = new Lobby(this.client, this.changed);
      void this.lobby.refresh();
    }
    this.changed();
  }

  #clear() {
    this.lobby?.close();
    this.entry?.close();
    this.call?.leave();
    this.lobby = this.entry = this.call = this.ended = null;
  }

  #closeMedia() {
    this.media?.close();
    this.media = null;
  }

  /** @param {string} room @param {RoomSettings | null} settings */
  #enter(room, settings) {
    const { changed } = this;
    const joined = this.#joined;
    const entry = (this.entry = new Entry(this.client, room, settings, { changed, joined }));
    const isNew = this.media === null;
    this.media ??= new Media({ ...this.preferences.devices });
    this.media.onChange = changed;
    const opened = isNew ? this.media.open() : Promise.resolve();
    if (this.isConnected) void entry.look();
    const { name } = this.preferences;
    if (!settings && preferences.wasIn(room)) {
      const ready = Promise.all([opened, this.#connection]);
      void ready.then(() => this.entry === entry && entry.stage === "preview" && this.join(name));
    }
  }

  /** @param {Room} room @param {Ticket} ticket */
  #joined = (room, ticket) => {
    if (!this.media) return;
    this.entry = null;
    this.#making = null;
    this.#isAt(room);
    const { changed, notice } = this;
    const ended = this.#ended;
    this.call = new Call(this.client, this.media, room, ticket, { changed, notice, ended });
    changed();
  };

  /** What the address and a reload lead to. @param {Room} room */
  #isAt(room) {
    const address = nameable(room);
    this.#hash = hashOf(address);
    history.replaceState(null, "", this.#hash);
    preferences.remember(address);
  }

  /** @param {string} code @param {string} [detail] */
  #ended = (code, detail = "") => {
    const room = this.call ? nameable(this.call.room) : "";
    this.call = null;
    this.#closeMedia();
    preferences.remember(null);
    this.ended = { code, detail, room };
    this.changed();
  };

  /** @param {string | null} token */
  #connect(token) {
    const address = new URL("ws", location.href.split("#")[0]);
    address.protocol = address.protocol.replace("http", "ws");
    address.search = "";
    return new Client(address, token, {
      greeted: (hello) => {
        this.isConnected = this.wasConnected = true;
        this.#connected();
        this.call?.greeted(hello);
        if (!hello.resumed) this.entry?.forgotten();
        void this.lobby?.refresh();
        this.changed();
      },
      heard: (message) => {
        this.entry?.heard(message);
        this.call?.heard(message);
        if (message.type === "room-updated" && this.call) this.#isAt(this.call.room);
      },
      lost: () => {
        this.isConnected = false;
        this.call?.lost();
        this.changed();
      },
      over: (code) => {
        this.isConnected = false;
        this.call?.close();
        this.call = null;
        this.#closeMedia();
        this.refused = code;
        this.changed();
      },
    });
  }
}

/**
 * By what a room is found: a private one has no name for others, and an id is never a name.
 * @param {Room} room
 */
function nameable(room) {
  return room.metadata.private || isId(room.name) ? room.id : room.name;
}
