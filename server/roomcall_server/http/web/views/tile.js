/** One participant: the picture or who it would show, and how well it comes. */

import { grade } from "../core/quality.js";
import { initials } from "../core/wording.js";
import { SelfPicture } from "./devices.js";
import { FiguresTable } from "./figures.js";
import { Component, html } from "./html.js";
import { Badge, IconButton, Name } from "./parts.js";

/**
 * @typedef {import("../app/app.js").App} App
 * @typedef {import("../app/call.js").Call} Call
 * @typedef {import("../core/protocol.js").Member} Member
 * @typedef {import("../peer/peer.js").Peer} Peer
 * @typedef {{app: App, call: Call, peer: Peer, isLarge: boolean, onPin: () => void}} Props
 */

/** @param {{app: App, call: Call, isLarge: boolean, onPin: () => void}} props */
export function SelfTile({ call, isLarge, onPin }) {
  const member = call.member(call.id);
  const { audio, video } = call.media.muted;
  return html`<li class=${`tile ${isLarge ? "large" : ""}`}>
    <${SelfPicture} media=${call.media} name=${call.nameOf(call.id)} />
    <${Caption}
      member=${member && { ...member, audioMuted: audio, videoMuted: video }}
      name="You"
    />
    <div class="tools">
      <${IconButton}
        icon="pin"
        label="You, large"
        aria-pressed=${isLarge}
        kind="quiet"
        onClick=${onPin}
      />
    </div>
  </li>`;
}

/**
 * @extends {Component<Props, {open: boolean}>}
 */
export class PeerTile extends Component {
  state = { open: false };

  /** @param {HTMLVideoElement | null} video */
  show = (video) => {
    const { app, peer } = this.props;
    if (!video || video.srcObject === peer.stream) return;
    video.srcObject = peer.stream;
    video.play().catch(({ name }) => name === "NotAllowedError" && app.blockSound());
  };

  render() {
    const { call, peer, isLarge, onPin } = this.props;
    const member = call.member(peer.id);
    const name = call.nameOf(peer.id);
    const picture = peer.stream.getVideoTracks()[0];
    const isShown = Boolean(picture) && !picture.muted && !member?.videoMuted;
    const { open } = this.state;
    return html`<li class=${`tile ${isLarge ? "large" : ""} ${peer.state}`}>
      <video
        class=${isShown ? "" : "hidden"}
        ref=${this.show}
        autoplay
        playsinline
        aria-label=${`Picture of ${name}`}
      ></video>
      ${!isShown && html`<div class="avatar" aria-hidden="true">${initials(name)}</div>`}
      <${State} peer=${peer} name=${name} />
      <${Caption} member=${member} name=${name} />
      <div class="tools">
        <${Quality}
          peer=${peer}
          name=${name}
          open=${open}
          onClick=${() => this.setState({ open: !open })}
        />
        <${IconButton}
          icon="pin"
          label=${`${name}, large`}
          aria-pressed=${isLarge}
          kind="quiet"
          onClick=${onPin}
        />
      </div>
      ${open && html`<${FiguresTable} peer=${peer} name=${name} />`}
    </li>`;
  }
}

/** @param {{member: Member | undefined, name: string}} props */
function Caption({ member, name }) {
  return html`<div class="caption">
    ${member?.role === "host" && html`<${Badge} icon="crown" label="Host" />`}
    <${Name} name=${name} />
    ${member?.audioMuted && html`<${Badge} icon="mic-off" label="Microphone muted" />`}
    ${member?.videoMuted && html`<${Badge} icon="camera-off" label="Picture hidden" />`}
    ${member?.recording && html`<span class="tag recording">rec</span>`}
  </div>`;
}

/**
 * What is to be said where no picture comes as it should.
 * @param {{peer: Peer, name: string}} props
 */
function State({ peer, name }) {
  const text = {
    connecting: "Connecting …",
    connected: "",
    disconnected: "Connection lost, looking for a new path …",
    failed: `Not connected: ${peer.reason}. It is tried again.`,
    closed: peer.reason === "no-media" ? "Here for the chat only" : "Has ended the call with you",
  }[peer.state];
  return html`<p class="state" role="status">
    ${text && html`<span class="visually-hidden">${name}: </span>${text}`}
  </p>`;
}

/** @param {{peer: Peer, name: string, open: boolean, onClick: () => void}} props */
function Quality({ peer, name, open, onClick }) {
  const quality = peer.state !== "connected" || !peer.figures ? "none" : grade(peer.figures);
  const word = quality === "none" ? "not connected" : quality;
  return html`<button
    type="button"
    class=${`icon-button quiet quality ${quality}`}
    aria-expanded=${open}
    onClick=${onClick}
    aria-label=${`Connection with ${name}: ${word}. Figures`}
    title=${`Connection: ${word}`}
  >
    <i></i><i></i><i></i>
  </button>`;
}
