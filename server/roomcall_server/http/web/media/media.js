/**
 * What we send to the room: one picture and one sound, of which source, and whether muted.
 *
 * A muted kind sends nothing; the camera is switched off then, so that its light says the truth.
 * Mute and a change of source never renegotiate; whether a kind is published at all does.
 *
 * @typedef {import("../core/protocol.js").Kind} Kind
 * @typedef {"camera" | "screen" | "file" | "none"} Source
 * @typedef {{video: string, audio: string}} DeviceIds "" is any
 */

import { canShareScreen, listDevices, openDevice, openScreen, problemOf } from "./devices.js";
import { PlayedFile } from "./file.js";

/** @type {Record<Kind, string>} */
const NAMES = { video: "camera", audio: "microphone" };

export class Media {
  /** @type {Source} of the picture */
  source = "none";
  hasMicrophone = false;
  muted = { audio: false, video: false };
  /** @type {Record<Kind, MediaDeviceInfo[]>} */
  devices = { audio: [], video: [] };
  /** @type {DeviceIds} chosen ones */
  ids;
  /** What went wrong with each, for people. @type {Record<Kind, string>} */
  problems = { audio: "", video: "" };
  /** Both tracks are of one stream, which tells the other side to play them in time. */
  stream = new MediaStream();
  /** @type {(kind: Kind) => void} */
  onChange = () => {};
  /** @type {MediaStreamTrack | null} of the camera or the screen */
  #picture = null;
  /** @type {MediaStreamTrack | null} */
  #microphone = null;
  /** @type {PlayedFile | null} */
  #file = null;
  /** @type {Source} what there was before the screen or the file */
  #before = "none";
  #closed = false;

  /** @param {DeviceIds} ids */
  constructor(ids) {
    this.ids = ids;
    navigator.mediaDevices?.addEventListener("devicechange", this.#list);
  }

  get fileName() {
    return this.#file?.name ?? "";
  }

  /** Whether we send this kind, muted or not. @param {Kind} kind */
  publishes(kind) {
    if (kind === "audio") return this.#sound !== null;
    return this.source !== "none" && (this.source !== "file" || this.#file?.video !== null);
  }

  /** What is to be sent now. @param {Kind} kind @returns {MediaStreamTrack | null} */
  track(kind) {
    if (this.muted[kind]) return null;
    return kind === "video" ? this.picture : this.#sound;
  }

  /** @returns {MediaStreamTrack | null} */
  get picture() {
    return this.source === "file" ? (this.#file?.video ?? null) : this.#picture;
  }

  /** That of the file takes the place of the microphone. @returns {MediaStreamTrack | null} */
  get #sound() {
    return this.#file?.audio ?? this.#microphone;
  }

  /** Camera and microphone, as far as there are any and the user lets us. */
  async open() {
    await Promise.all([this.useCamera(this.ids.video), this.useMicrophone(this.ids.audio)]);
  }

  /** @param {string} id "" is any */
  async useCamera(id) {
    this.ids.video = id;
    if (this.muted.video && this.source === "camera") return this.onChange("video");
    await this.#attempt(NAMES.video, async () =>
      this.#show("camera", await openDevice("video", id)),
    );
  }

  /** @param {string} id "" is any */
  async useMicrophone(id) {
    this.ids.audio = id;
    await this.#attempt(NAMES.audio, async () => {
      const track = await openDevice("audio", id);
      this.#microphone?.stop();
      this.#microphone = this.#watched(track, () => this.stopMicrophone());
      this.hasMicrophone = true;
      this.onChange("audio");
    });
  }

  stopMicrophone() {
    this.problems.audio = "";
    this.#microphone?.stop();
    this.#microphone = null;
    this.hasMicrophone = false;
    this.onChange("audio");
  }

  /** Until the user ends it. */
  async shareScreen() {
    if (!canShareScreen) {
      this.problems.video = "This browser cannot share the screen.";
      return this.onChange("video");
    }
    await this.#attempt("screen", async () => {
      const track = await openScreen();
      this.#remember();
      this.#show("screen", track);
    });
  }

  /** A file of the user's own, until the user ends it. @param {File} file */
  async play(file) {
    const played = new PlayedFile();
    try {
      await played.open(file);
    } catch {
      played.close();
      this.problems.video = `${file.name} cannot be played by this browser.`;
      return this.onChange("video");
    }
    this.problems.video = "";
    this.#remember();
    this.#endPicture();
    this.#file = played;
    this.source = "file";
    this.muted.video = false;
    this.onChange("video");
    this.onChange("audio");
  }

  /** Back to the camera, where that was on before. */
  async stopSharing() {
    if (this.#before === "camera") {
      this.#before = "none";
      await this.useCamera(this.ids.video);
      if (this.source === "camera") return;
    }
    this.#showNothing();
  }

  stopPicture() {
    this.problems.video = "";
    this.#showNothing();
  }

  /** @param {Kind} kind @param {boolean} muted */
  setMuted = async (kind, muted) => {
    this.muted[kind] = muted;
    if (kind === "video" && this.source === "camera") {
      if (muted) this.#endPicture();
      else return await this.useCamera(this.ids.video);
    }
    this.onChange(kind);
  };

  close() {
    this.#closed = true;
    navigator.mediaDevices?.removeEventListener("devicechange", this.#list);
    this.onChange = () => {};
    this.#endPicture();
    this.#microphone?.stop();
  }

  /** @param {string} what @param {() => Promise<void>} open */
  async #attempt(what, open) {
    const kind = what === NAMES.audio ? "audio" : "video";
    try {
      await open();
      this.problems[kind] = "";
    } catch (error) {
      // Who closes the browser's choice of a screen has said no, and needs no word about it.
      if (what !== "screen") this.problems[kind] = problemOf(error, what);
      this.onChange(kind);
    }
    await this.#list();
  }

  /** @param {Source} source @param {MediaStreamTrack} track */
  #show(source, track) {
    if (this.#closed) return track.stop();
    this.#endPicture();
    this.source = source;
    if (source === "screen") this.muted.video = false;
    if (source === "camera" && this.muted.video) track.stop();
    else this.#picture = this.#watched(track, () => void this.stopSharing());
    this.onChange("video");
  }

  #showNothing() {
    this.#endPicture();
    this.source = "none";
    this.onChange("video");
  }

  #remember() {
    if (this.source === "camera" || this.source === "none") {
      this.#before = this.muted.video ? "none" : this.source;
    }
  }

  #endPicture() {
    this.#picture?.stop();
    this.#picture = null;
    if (!this.#file) return;
    this.#file.close();
    this.#file = null;
    this.onChange("audio");
  }

  /**
   * A device that is pulled out, or a screen that is shared no more.
   * @param {MediaStreamTrack} track
   * @param {() => void} onEnd
   */
  #watched(track, onEnd) {
    track.addEventListener("ended", onEnd);
    return track;
  }

  #list = async () => {
    this.devices = await listDevices();
    this.onChange("video");
  };
}
