/** What cannot be, or is over: what has happened, and what one can do. */

import { explained } from "../core/wording.js";
import { begins, html } from "./html.js";
import { Name } from "./parts.js";

/**
 * @typedef {import("../app/app.js").App} App
 * @typedef {import("../app/entry.js").Entry} Entry
 */

/** After these the same again would be no use. */
const FINAL = ["banned", "room-not-found", "room-closed", "forbidden"];

/** A room that one does not get into. @param {{app: App, entry: Entry}} props */
export function FailedView({ app, entry }) {
  const { code, detail } = entry.error ?? { code: "", detail: "" };
  return html`<${Message}
    app=${app}
    title=${entry.name || "This room"}
    code=${code}
    detail=${detail}
    again=${FINAL.includes(code) ? null : () => entry.cancel()}
  />`;
}

/**
 * A call that has ended.
 * @param {{app: App, ended: {code: string, detail: string, room: string}}} props
 */
export function EndedView({ app, ended: { code, detail } }) {
  return html`<${Message}
    app=${app}
    title="The call is over"
    code=${code}
    detail=""
    reason=${code === "removed" ? detail : ""}
    again=${FINAL.includes(code) ? null : () => app.again()}
  />`;
}

/**
 * @param {{app: App, title: string, code: string, detail: string, reason?: string,
 *   again: (() => void) | null}} props
 */
function Message({ app, title, code, detail, reason, again }) {
  return html`<main class="message">
    <div class="card">
      <h1 tabindex="-1" ref=${begins}><${Name} name=${title} /></h1>
      <p role="alert">${explained(code, detail)}</p>
      ${
        reason &&
        html`<p>
          They say: <q><bdi>${reason}</bdi></q>
        </p>`
      }
      <div class="buttons">
        ${again && html`<button type="button" class="primary" onClick=${again}>Try again</button>`}
        <button type="button" onClick=${() => app.toLobby()}>All rooms</button>
      </div>
    </div>
  </main>`;
}

/** A server that does not serve us at all. @param {{app: App}} props */
export function RefusedView({ app }) {
  const code = app.refused ?? "";
  const submit = (/** @type {SubmitEvent} */ event) => {
    event.preventDefault();
    const fields = new FormData(/** @type {HTMLFormElement} */ (event.target));
    app.askAgain(`${fields.get("token") ?? ""}`.trim());
  };
  return html`<main class="message">
    <form class="card" onSubmit=${submit}>
      <h1 tabindex="-1" ref=${begins}>You are not connected</h1>
      <p role="alert">${explained(code)}</p>
      ${
        code === "unauthorized" &&
        html`<label
          >Token <input name="token" type="password" required autocomplete="off"
        /></label>`
      }
      <div class="buttons"><button class="primary">Try again</button></div>
    </form>
  </main>`;
}
