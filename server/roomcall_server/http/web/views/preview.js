/** Before one is in: who one is, what one sends, and what is known of the room. */

import { counted, explained, shownTime } from "../core/wording.js";
import { DeviceChoice, SelfPicture } from "./devices.js";
import { begins, html } from "./html.js";
import { Icon } from "./icons.js";
import { IconButton, Name } from "./parts.js";

/**
 * @typedef {import("../app/app.js").App} App
 * @typedef {import("../app/entry.js").Entry} Entry
 * @typedef {import("../core/protocol.js").Kind} Kind
 * @typedef {import("../media/media.js").Media} Media
 */

/** @param {{app: App, entry: Entry}} props */
export function PreviewView({ app, entry }) {
  const { media } = app;
  if (!media) return null;
  const submit = (/** @type {SubmitEvent} */ event) => {
    event.preventDefault();
    const fields = new FormData(/** @type {HTMLFormElement} */ (event.target));
    app.join(`${fields.get("name") ?? ""}`.trim(), `${fields.get("password") ?? ""}`);
  };
  const isJoining = entry.stage === "joining";
  const name = app.preferences.name;
  return html`<main class="preview">
    <header>
      <${IconButton}
        icon="back"
        label="Back to all rooms"
        kind="quiet"
        onClick=${() => app.toLobby()}
      />
      <h1 tabindex="-1" ref=${begins}><${Name} name=${entry.name || "A private room"} /></h1>
    </header>
    <section class="picture" aria-label="Your picture">
      <${SelfPicture} media=${media} name=${name} />
      <div class="bar">
        <${MuteButtons} media=${media} onMute=${media.setMuted} />
      </div>
    </section>
    <form class="card" onSubmit=${submit}>
      <${About} entry=${entry} />
      <label
        >Your name
        <input
          name="name"
          maxlength="128"
          autocomplete="name"
          defaultValue=${name}
          placeholder="Guest"
      /></label>
      ${
        entry.needsPassword &&
        html`<label
          >Password of the room
          <input
            name="password"
            type="password"
            maxlength="256"
            required
            autocomplete="current-password"
            aria-describedby=${entry.error ? "problem" : undefined}
        /></label>`
      }
      ${entry.error && html`<p class="problem" id="problem" role="alert">${wordsFor(entry)}</p>`}
      <button class="primary wide" disabled=${isJoining || !app.isConnected}>
        ${isJoining ? "Joining …" : entry.settings ? "Make the room and join" : "Join"}
      </button>
      <p class="hint">${sending(media)}</p>
      <${DeviceChoice} media=${media} />
    </form>
  </main>`;
}

/**
 * @param {{media: Media, onMute: (kind: Kind, muted: boolean) => void}} props
 */
export function MuteButtons({ media, onMute }) {
  const { audio, video } = media.muted;
  const hasSound = media.publishes("audio");
  const hasPicture = media.publishes("video");
  return html`
    <${IconButton}
      icon=${audio || !hasSound ? "mic-off" : "mic"}
      disabled=${!hasSound}
      kind=${audio ? "off" : ""}
      label=${!hasSound ? "No microphone" : audio ? "Unmute microphone" : "Mute microphone"}
      onClick=${() => onMute("audio", !audio)}
    />
    <${IconButton}
      icon=${video || !hasPicture ? "camera-off" : "camera"}
      disabled=${!hasPicture}
      kind=${video ? "off" : ""}
      label=${!hasPicture ? "No picture" : video ? "Show your picture" : "Hide your picture"}
      onClick=${() => onMute("video", !video)}
    />
  `;
}

/** @param {{entry: Entry}} props */
function About({ entry: { about, settings } }) {
  const opensAt = about?.opensAt ?? settings?.opensAt;
  const closesAt = about?.closesAt ?? settings?.closesAt;
  const now = new Date();
  const opensLater = opensAt && new Date(opensAt) > now;
  const description = about?.metadata.description ?? settings?.metadata?.description;
  const tags = [
    opensLater && html`<span class="tag">opens ${shownTime(opensAt, now)}</span>`,
    closesAt && html`<span class="tag">closes ${shownTime(closesAt, now)}</span>`,
    about?.state === "IN_CALL" && html`<span class="tag live">in a call</span>`,
    about?.locked && html`<span class="tag"><${Icon} name="lock" />locked</span>`,
    Boolean(about?.queueLength) &&
      html`<span class="tag"
        >${counted(about?.queueLength ?? 0, "person waits", "people wait")}</span
      >`,
  ].filter(Boolean);
  return html`
    ${description && html`<p class="description"><bdi>${description}</bdi></p>`}
    ${tags.length > 0 && html`<p class="tags">${tags}</p>`}
    ${opensLater && html`<p class="hint">Join now, and you are let in when it opens.</p>`}
  `;
}

/** @param {Entry} entry */
function wordsFor({ error, ticket }) {
  if (error?.code === "wrong-password" && !ticket.password) return "This room has a password.";
  return explained(error?.code ?? "", error?.detail);
}

/** @param {Media} media */
function sending(media) {
  const sound = media.publishes("audio");
  const picture = media.publishes("video");
  if (sound && picture) return "";
  if (picture) return "Without a microphone, you are seen and hear the others.";
  if (sound) return "Without a camera, you are heard and see the others.";
  return "Without camera and microphone, you see and hear the others.";
}
