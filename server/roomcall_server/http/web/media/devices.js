/** The browser's devices (W3C mediacapture-streams, screen-capture), and why one cannot be had. */

/** @typedef {import("../core/protocol.js").Kind} Kind */

const CAMERA = { width: { ideal: 1280 }, height: { ideal: 720 }, frameRate: { ideal: 30 } };
const SCREEN = { frameRate: { ideal: 15, max: 30 } };

/** Whether the browser has any for this page: it needs https, or this very machine. */
export const available = Boolean(navigator.mediaDevices?.getUserMedia);

export const canShareScreen = Boolean(navigator.mediaDevices?.getDisplayMedia);

/**
 * A track of the camera or the microphone with this id, or of any.
 * @param {Kind} kind @param {string} id @returns {Promise<MediaStreamTrack>}
 */
export async function openDevice(kind, id) {
  const wanted = {
    ...(kind === "video" ? CAMERA : {}),
    ...(id ? { deviceId: { ideal: id } } : {}),
  };
  const stream = await navigator.mediaDevices.getUserMedia({ [kind]: wanted });
  return stream.getTracks()[0];
}

/** What the user chooses of the screen. @returns {Promise<MediaStreamTrack>} */
export async function openScreen() {
  const stream = await navigator.mediaDevices.getDisplayMedia({ video: SCREEN });
  const [track] = stream.getVideoTracks();
  track.contentHint = "detail";
  return track;
}

/** @returns {Promise<Record<Kind, MediaDeviceInfo[]>>} */
export async function listDevices() {
  const all = available ? await navigator.mediaDevices.enumerateDevices() : [];
  return {
    video: all.filter(({ kind }) => kind === "videoinput"),
    audio: all.filter(({ kind }) => kind === "audioinput"),
  };
}

/** In words, and what to do about it. @param {unknown} error @param {string} what "camera" … */
export function problemOf(error, what) {
  if (!available) {
    return "A browser gives camera and microphone only to pages with https or on localhost.";
  }
  switch (error instanceof Error ? error.name : "") {
    case "NotAllowedError":
      return `The browser may not use the ${what}. Allow it beside the address of this page.`;
    case "NotFoundError":
    case "OverconstrainedError":
      return `No ${what} was found.`;
    case "NotReadableError":
    case "AbortError":
      return `The ${what} cannot be opened. Another program may be using it.`;
  }
  return `The ${what} cannot be opened.`;
}
