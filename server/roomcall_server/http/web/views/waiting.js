/** In the queue: for a place, or until the room opens. */

import { counted, shownTime } from "../core/wording.js";
import { begins, html } from "./html.js";
import { Name } from "./parts.js";

/** @param {{app: import("../app/app.js").App, entry: import("../app/entry.js").Entry}} props */
export function WaitingView({ app, entry }) {
  const { about, position } = entry;
  const now = new Date();
  const opensLater = about?.opensAt && new Date(about.opensAt) > now;
  return html`<main class="message">
    <div class="card">
      <h1 tabindex="-1" ref=${begins}>Waiting for <${Name} name=${entry.name || "the room"} /></h1>
      <p class="position" role="status">
        You are number <strong>${position}</strong> in the queue.
      </p>
      <p class="hint">
        ${
          opensLater
            ? `The room opens ${shownTime(about.opensAt ?? "", now)}.`
            : about?.maxParticipants
              ? `The room has ${counted(about.maxParticipants, "place")}. You get the next one.`
              : "You are let in as soon as there is a place."
        }${" You can leave this page open."}
      </p>
      <div class="buttons">
        <button type="button" onClick=${() => entry.cancel()}>Leave the queue</button>
        <button type="button" onClick=${() => app.toLobby()}>All rooms</button>
      </div>
    </div>
  </main>`;
}
