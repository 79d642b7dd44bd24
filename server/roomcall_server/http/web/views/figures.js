/** What is measured of the connection with one peer. */

import { bitrate, milliseconds, percent } from "../core/wording.js";
import { html } from "./html.js";

/**
 * @typedef {import("../core/quality.js").Flow} Flow
 * @typedef {import("../peer/peer.js").Peer} Peer
 */

const NAMES = { audio: "Sound", video: "Picture" };
const WAYS = { in: "received", out: "sent" };

/** @param {{peer: Peer, name: string}} props */
export function FiguresTable({ peer: { figures }, name }) {
  if (!figures) return html`<div class="figures"><p>Nothing to measure.</p></div>`;
  const path = [figures.local, figures.remote].filter(Boolean).join(" ↔ ");
  return html`<div
    class="figures"
    tabindex="0"
    role="region"
    aria-label=${`Figures of the connection with ${name}`}
  >
    <dl>
      <div>
        <dt>Round trip</dt>
        <dd>${milliseconds(figures.roundTrip)}</dd>
      </div>
      <div>
        <dt>Path</dt>
        <dd>${path || "–"}${figures.protocol && `, ${figures.protocol}`}</dd>
      </div>
      ${figures.flows.map((flow) => html`<${FlowRow} key=${flow.kind + flow.way} flow=${flow} />`)}
    </dl>
  </div>`;
}

/** @param {{flow: Flow}} props */
function FlowRow({ flow }) {
  const { kind, way, width, height, fps, freezes } = flow;
  const parts = [
    flow.codec,
    width > 0 && `${width}×${height}`,
    fps !== null && `${Math.round(fps)} fps`,
    bitrate(flow.bitrate),
    `${percent(flow.loss)} lost`,
    flow.jitter !== null && `jitter ${milliseconds(flow.jitter)}`,
    kind === "video" && freezes !== null && way === "in" && `${freezes}× frozen`,
  ];
  return html`<div>
    <dt>${NAMES[kind]} ${WAYS[way]}</dt>
    <dd>${parts.filter(Boolean).join(", ")}</dd>
  </div>`;
}
