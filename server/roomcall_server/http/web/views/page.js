/** The frame of every view: what is wrong with the line, what has just happened. */

import { CallView } from "./call.js";
import { html } from "./html.js";
import { LobbyView } from "./lobby.js";
import { EndedView, FailedView, RefusedView } from "./messages.js";
import { PreviewView } from "./preview.js";
import { WaitingView } from "./waiting.js";

/** @typedef {import("../app/app.js").App} App */

/** @param {{app: App}} props */
export function Page({ app }) {
  document.title = titleOf(app);
  return html`
    <${Line} app=${app} />
    <div class="view">${viewOf(app)}</div>
    <div class="notices" role="status" aria-atomic="false" aria-label="What has happened">
      ${app.notices.map(({ id, text }) => html`<p key=${id}><bdi>${text}</bdi></p>`)}
    </div>
  `;
}

/** @param {App} app */
function viewOf(app) {
  if (app.refused !== null) return html`<${RefusedView} key="refused" app=${app} />`;
  if (app.call) return html`<${CallView} key="call" app=${app} call=${app.call} />`;
  if (app.ended) return html`<${EndedView} key="ended" app=${app} ended=${app.ended} />`;
  const { entry } = app;
  if (!entry) return html`<${LobbyView} key="lobby" app=${app} />`;
  if (entry.stage === "failed")
    return html`<${FailedView} key="failed" app=${app} entry=${entry} />`;
  if (entry.stage === "queued")
    return html`<${WaitingView} key="waiting" app=${app} entry=${entry} />`;
  return html`<${PreviewView} key="preview" app=${app} entry=${entry} />`;
}

/** The line to the server, where it is not there. @param {{app: App}} props */
function Line({ app }) {
  const { call } = app;
  const text =
    app.refused !== null || app.ended
      ? ""
      : call?.position
        ? `The room is full now. You are no. ${call.position} in the queue. Calls that run go on.`
        : app.isConnected
          ? ""
          : call
            ? "The server is lost, and tried again. Calls that run go on."
            : app.wasConnected
              ? "The server is lost, and tried again."
              : "Connecting to the server …";
  return html`<div class="line" role="status">${text && html`<p>${text}</p>`}</div>`;
}

/** @param {App} app */
function titleOf({ call, entry }) {
  const unread = call?.chat.unread ? `(${call.chat.unread}) ` : "";
  const room = call?.room.name ?? entry?.name;
  return room ? `${unread}${room} – roomcall` : "roomcall";
}
