/** What one sends: one's own picture, and the choice of its source. */

import { canShareScreen } from "../media/devices.js";
import { initials } from "../core/wording.js";
import { html } from "./html.js";
import { Icon } from "./icons.js";

/**
 * @typedef {import("../media/media.js").Media} Media
 * @typedef {import("../core/protocol.js").Kind} Kind
 */

/**
 * One stream for each picture, as a new one would begin anew.
 * @type {WeakMap<MediaStreamTrack, MediaStream>}
 */
const streams = new WeakMap();

/** @param {MediaStreamTrack} track */
function streamOf(track) {
  const stream = streams.get(track) ?? new MediaStream([track]);
  streams.set(track, stream);
  return stream;
}

/** @param {{media: Media, name: string}} props */
export function SelfPicture({ media, name }) {
  const track = media.muted.video ? null : media.picture;
  const show = (/** @type {HTMLVideoElement | null} */ video) => {
    const stream = track && streamOf(track);
    if (video && video.srcObject !== stream) video.srcObject = stream;
  };
  const avatar = initials(name) || html`<${Icon} name="camera-off" />`;
  const mirrored = media.source === "camera" ? "mirrored" : "";
  return html`
    <video
      class=${`${mirrored} ${track ? "" : "hidden"}`}
      ref=${show}
      autoplay
      playsinline
      muted
      aria-hidden="true"
    ></video>
    ${!track && html`<div class="avatar" aria-hidden="true">${avatar}</div>`}
  `;
}

/** @param {{media: Media}} props */
export function DeviceChoice({ media }) {
  const file = (/** @type {any} */ { target }) => {
    if (target.files[0]) void media.play(target.files[0]);
    target.value = "";
  };
  const sharing = media.source === "screen" || media.source === "file";
  return html`<fieldset class="devices">
    <legend>What you send</legend>
    <${Choice} label="Camera" kind="video" media=${media} />
    <${Choice} label="Microphone" kind="audio" media=${media} />
    <div class="buttons">
      ${
        canShareScreen &&
        html`<button
          type="button"
          aria-pressed=${media.source === "screen"}
          onClick=${() => (media.source === "screen" ? media.stopSharing() : media.shareScreen())}
        >
          <${Icon} name="screen" />${media.source === "screen" ? "Stop sharing" : "Share screen"}
        </button>`
      }
      ${
        media.source === "file"
          ? html`<button type="button" onClick=${() => media.stopSharing()}>
              <${Icon} name="file" />Stop the file
            </button>`
          : html`<label class="button"
              ><${Icon} name="file" />Play a file
              <input type="file" accept="video/*,audio/*" class="visually-hidden" onChange=${file}
            /></label>`
      }
    </div>
    ${
      sharing &&
      html`<p class="hint">
        ${
          media.source === "file"
            ? html`The room sees and hears <bdi>${media.fileName}</bdi>.`
            : "The room sees your screen."
        }
      </p>`
    }
    ${[...new Set(Object.values(media.problems))]
      .filter(Boolean)
      .map((problem) => html` <p class="problem" role="alert" key=${problem}>${problem}</p>`)}
  </fieldset>`;
}

/** @param {{label: string, kind: Kind, media: Media}} props */
function Choice({ label, kind, media }) {
  const isOn = kind === "video" ? media.source === "camera" : media.hasMicrophone;
  const open = (/** @type {string} */ id) =>
    kind === "video" ? media.useCamera(id) : media.useMicrophone(id);
  const stop = () => (kind === "video" ? media.stopPicture() : media.stopMicrophone());
  const change = (/** @type {any} */ { target }) =>
    target.value === "none" ? stop() : void open(target.value);
  // Before there was a permission, devices have no ids and no names.
  const named = media.devices[kind].filter(({ deviceId }) => deviceId);
  const used = media.track(kind)?.getSettings().deviceId ?? media.ids[kind];
  const known = named.find(({ deviceId }) => deviceId === used) ?? named[0];
  const id = `choose-${kind}`;
  return html`<div>
    <label for=${id}>${label}</label>
    <select id=${id} value=${isOn ? (known?.deviceId ?? "") : "none"} onChange=${change}>
      <option value="none">None</option>
      ${!named.length && html`<option value="">${label}</option>`}
      ${named.map(
        ({ deviceId, label: name }, index) =>
          html` <option key=${deviceId} value=${deviceId}>
            ${name || `${label} ${index + 1}`}
          </option>`,
      )}
    </select>
  </div>`;
}
