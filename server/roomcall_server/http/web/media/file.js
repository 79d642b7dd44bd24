/** A video or sound file of the user's own, played to the room, in a loop. */

/**
 * An element that can be captured (W3C mediacapture-fromelement); TypeScript does not know it yet.
 * @typedef {() => MediaStream} Capture
 * @typedef {HTMLVideoElement & {captureStream?: Capture, mozCaptureStream?: Capture}} Player
 */

export class PlayedFile {
  /** @type {MediaStreamTrack | null} */
  video = null;
  /** @type {MediaStreamTrack | null} */
  audio = null;
  /** @type {Player} */
  #player = document.createElement("video");

  /** Rejects where the browser cannot play it. @param {File} file */
  async open(file) {
    const player = this.#player;
    player.src = URL.createObjectURL(file);
    player.loop = true;
    player.playsInline = true;
    await player.play();
    const stream = (player.captureStream ?? player.mozCaptureStream)?.call(player);
    if (!stream) throw new Error("this browser cannot send a file");
    this.video = stream.getVideoTracks()[0] ?? null;
    this.audio = stream.getAudioTracks()[0] ?? null;
    if (!this.video && !this.audio) throw new Error("there is neither picture nor sound in it");
    this.name = file.name;
  }

  close() {
    this.video?.stop();
    this.audio?.stop();
    this.#player.pause();
    URL.revokeObjectURL(this.#player.src);
    this.#player.removeAttribute("src");
  }
}
