/** The tiles of everybody, as large as they fit. */

import { layout } from "../core/layout.js";
import { Component, html } from "./html.js";
import { PeerTile, SelfTile } from "./tile.js";

/**
 * @typedef {import("../app/app.js").App} App
 * @typedef {import("../app/call.js").Call} Call
 * @typedef {{width: number, height: number, pinned: object | null}} State
 */

const SELF = {};

/** @extends {Component<{app: App, call: Call}, State>} */
export class Stage extends Component {
  /** @type {State} `pinned`: the peer that is shown large */
  state = { width: 0, height: 0, pinned: null };
  #observer = new ResizeObserver(
    ([
      {
        contentRect: { width, height },
      },
    ]) => this.setState({ width, height }),
  );
  /** @type {Element | null} */
  #element = null;

  /** @param {Element | null} element */
  observe = (element) => {
    if (element === this.#element) return;
    this.#observer.disconnect();
    this.#element = element;
    if (element) this.#observer.observe(element);
  };

  /** @param {object} who */
  pin(who) {
    this.setState({ pinned: this.state.pinned === who ? null : who });
  }

  render() {
    const { app, call } = this.props;
    const { peers } = call;
    const everybody = [SELF, ...peers];
    const pinned = everybody.includes(this.state.pinned ?? {}) ? this.state.pinned : null;
    const { tile, large, columns } = layout(
      everybody.length,
      this.state.width,
      this.state.height,
      pinned !== null,
    );
    const size = {
      "--width": `${tile.width}px`,
      "--height": `${tile.height}px`,
      "--large-width": `${large.width}px`,
      "--large-height": `${large.height}px`,
      "--columns": columns,
    };
    return html`<div class="stage" ref=${this.observe}>
      <ul aria-label="People in the call" style=${size}>
        <${SelfTile}
          key="self"
          app=${app}
          call=${call}
          isLarge=${pinned === SELF}
          onPin=${() => this.pin(SELF)}
        />
        ${peers.map(
          (peer) =>
            html`<${PeerTile}
              key=${peer}
              app=${app}
              call=${call}
              peer=${peer}
              isLarge=${pinned === peer}
              onPin=${() => this.pin(peer)}
            />`,
        )}
      </ul>
      ${!peers.length && html`<p class="alone">Nobody else is here. Send others the link.</p>`}
    </div>`;
  }
}
