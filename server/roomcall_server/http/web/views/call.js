/** In the call: the tiles, what one can do, and a panel beside them. */

import { ChatPanel } from "./chat.js";
import { DeviceChoice } from "./devices.js";
import { Component, begins, html } from "./html.js";
import { Icon } from "./icons.js";
import { Dialog, IconButton, Name } from "./parts.js";
import { PeoplePanel } from "./people.js";
import { MuteButtons } from "./preview.js";
import { Stage } from "./stage.js";

/**
 * @typedef {import("../app/app.js").App} App
 * @typedef {import("../app/call.js").Call} Call
 * @typedef {"chat" | "people" | null} Panel
 */

/** @extends {Component<{app: App, call: Call}, {panel: Panel, choosing: boolean}>} */
export class CallView extends Component {
  /** @type {{panel: Panel, choosing: boolean}} */
  state = { panel: null, choosing: false };

  /** @param {Panel} panel */
  toggle(panel) {
    const next = this.state.panel === panel ? null : panel;
    this.props.call.chat.show(next === "chat");
    this.setState({ panel: next });
  }

  /** Back to the button that has opened it. */
  closePanel = () => {
    const { panel } = this.state;
    this.toggle(panel);
    document.getElementById(`toggle-${panel}`)?.focus();
  };

  render() {
    const { app, call } = this.props;
    const { panel, choosing } = this.state;
    const { media } = call;
    const shown = { app, call, onClose: this.closePanel };
    return html`<main class=${`call ${panel ? "with-panel" : ""}`}>
      <${Header} app=${app} call=${call} />
      <${Stage} app=${app} call=${call} />
      ${panel === "chat" && html`<${ChatPanel} ...${shown} />`}
      ${panel === "people" && html`<${PeoplePanel} ...${shown} />`}
      <div class="bar" role="group" aria-label="Your part of the call">
        <${MuteButtons} media=${media} onMute=${call.mute} />
        <${IconButton}
          icon="settings"
          label="Camera, microphone, screen, file"
          onClick=${() => this.setState({ choosing: true })}
        />
        <span class="gap"></span>
        <${IconButton}
          id="toggle-people"
          icon="people"
          label=${`People, ${call.room.members.length}`}
          text=${`${call.room.members.length}`}
          aria-expanded=${panel === "people"}
          onClick=${() => this.toggle("people")}
        />
        <${IconButton}
          id="toggle-chat"
          icon="chat"
          text=${call.chat.unread ? `${call.chat.unread}` : ""}
          label=${call.chat.unread ? `Chat, ${call.chat.unread} unread` : "Chat"}
          aria-expanded=${panel === "chat"}
          onClick=${() => this.toggle("chat")}
        />
        <span class="gap"></span>
        <${IconButton} icon="leave" label="Leave" kind="danger" onClick=${() => app.leave()} />
      </div>
      ${
        choosing &&
        html`<${Dialog} title="What you send" onClose=${() => this.setState({ choosing: false })}>
          <${DeviceChoice} media=${media}
        /><//>`
      }
    </main>`;
  }
}

/** @param {{app: App, call: Call}} props */
function Header({ app, call }) {
  const { room } = call;
  const recorders = room.members
    .filter(({ recording }) => recording)
    .map(({ id }) => call.nameOf(id));
  const copy = async () => {
    const link = app.linkTo(room);
    try {
      await navigator.clipboard.writeText(link);
      app.notice("The link to this room is copied.");
    } catch {
      app.notice(link); // the browser does not let us: then it is there to read
    }
  };
  return html`<header>
    <h1 tabindex="-1" ref=${begins}><${Name} name=${room.name} /></h1>
    ${room.locked && html`<span class="tag"><${Icon} name="lock" />locked</span>`}
    ${
      recorders.length > 0 &&
      html`<span class="tag recording" role="status">
        <bdi>${recorders.join(", ")}</bdi> ${recorders.length === 1 ? "records" : "record"} the
        call</span
      >`
    }
    ${
      app.soundBlocked &&
      html`<button type="button" class="primary" onClick=${() => app.unblockSound()}>
        Turn the sound on
      </button>`
    }
    <${IconButton} icon="link" label="Copy the link to this room" kind="quiet" onClick=${copy} />
  </header>`;
}
