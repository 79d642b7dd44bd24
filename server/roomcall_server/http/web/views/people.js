/** Who is in the room, and what its host can do. */

import { nameOf } from "../core/wording.js";
import { Component, html, takesFocus } from "./html.js";
import { Icon } from "./icons.js";
import { Badge, Dialog, IconButton, Name, closeDialog } from "./parts.js";
import { SettingsDialog } from "./settings.js";

/**
 * @typedef {import("../app/app.js").App} App
 * @typedef {import("../app/call.js").Call} Call
 * @typedef {import("../core/protocol.js").Member} Member
 * @typedef {{app: App, call: Call, onClose: () => void}} Props
 * @typedef {{removing: Member | null, closing: boolean, changing: boolean}} State
 */

/** @extends {Component<Props, State>} */
export class PeoplePanel extends Component {
  /** @type {State} */
  state = { removing: null, closing: false, changing: false };

  /** @param {string} type @param {object} [fields] */
  order(type, fields) {
    const { app, call } = this.props;
    void app.attempt(call.order(type, fields));
  }

  /** @param {SubmitEvent} event */
  remove = (event) => {
    event.preventDefault();
    const fields = new FormData(/** @type {HTMLFormElement} */ (event.target));
    const { app, call } = this.props;
    const { removing } = this.state;
    if (removing) {
      const reason = `${fields.get("reason") ?? ""}`;
      void app.attempt(call.remove(removing, reason, fields.has("ban")));
    }
    closeDialog(event);
  };

  /** @param {KeyboardEvent} event */
  key = ({ key }) => {
    const { removing, closing, changing } = this.state; // a dialog has its own Escape
    if (key === "Escape" && !removing && !closing && !changing) this.props.onClose();
  };

  render() {
    const { app, call, onClose } = this.props;
    const { members, locked, queueLength } = call.room;
    const { removing, closing, changing } = this.state;
    return html`<section class="panel" aria-labelledby="people-title" onKeyDown=${this.key}>
      <header>
        <h2 id="people-title" tabindex="-1" ref=${takesFocus}>People</h2>
        <${IconButton}
          icon="close"
          label="Close the list of people"
          kind="quiet"
          onClick=${onClose}
        />
      </header>
      <ul class="people">
        ${members.map((one) => html`<${Person} key=${one.id} panel=${this} member=${one} />`)}
      </ul>
      ${
        call.isHost &&
        html`<div class="host-tools" role="group" aria-label="The room">
          <button
            type="button"
            aria-pressed=${locked}
            onClick=${() => this.order("update-room", { locked: !locked })}
          >
            <${Icon} name="lock" />${locked ? "Unlock the room" : "Lock the room"}
          </button>
          <button type="button" onClick=${() => this.setState({ changing: true })}>
            <${Icon} name="settings" />Change the room
          </button>
          <button type="button" class="danger" onClick=${() => this.setState({ closing: true })}>
            <${Icon} name="close" />Close the room
          </button>
          ${[...call.banned.values()].map(
            (member) =>
              html`<button
                key=${member.id}
                type="button"
                onClick=${() => void app.attempt(call.unban(member))}
              >
                Let ${nameOf(member)} come back
              </button>`,
          )}
        </div>`
      }
      ${queueLength > 0 && html`<p class="hint">Waiting for a place: ${queueLength}</p>`}
      ${removing && this.#removal(removing)} ${closing && this.#closing()}
      ${
        changing &&
        html`<${SettingsDialog}
          room=${call.room}
          onChange=${(/** @type {object} */ fields) => this.order("update-room", fields)}
          onClose=${() => this.setState({ changing: false })}
        />`
      }
    </section>`;
  }

  /** @param {Member} member */
  #removal(member) {
    return html`<${Dialog}
      title=${`Remove ${nameOf(member)}?`}
      onClose=${() => this.setState({ removing: null })}
    >
      <form onSubmit=${this.remove}>
        <label
          >Why (they are told) <input name="reason" maxlength="256" autocomplete="off"
        /></label>
        <label class="check"><input name="ban" type="checkbox" /> They may not come back</label>
        <div class="buttons">
          <button class="danger">Remove</button>
          <button type="button" onClick=${closeDialog}>Cancel</button>
        </div>
      </form><//
    >`;
  }

  #closing() {
    return html`<${Dialog}
      title="Close the room for everybody?"
      onClose=${() => this.setState({ closing: false })}
    >
      <div class="buttons">
        <button type="button" class="danger" onClick=${() => this.order("close-room")}>
          Close the room
        </button>
        <button type="button" onClick=${closeDialog}>Cancel</button>
      </div><//
    >`;
  }
}

/** @param {{panel: PeoplePanel, member: Member}} props */
function Person({ panel, member }) {
  const { call } = panel.props;
  const { id: memberId } = member;
  const name = nameOf(member);
  const isSelf = memberId === call.id;
  return html`<li>
    <span class="who"
      ><${Name} name=${name} />${isSelf && " (you)"}
      ${member.role === "host" && html` <span class="tag">host</span>`}
      ${member.recording && html` <span class="tag recording">rec</span>`}
    </span>
    ${member.audioMuted && html`<${Badge} icon="mic-off" label="Microphone muted" />`}
    ${member.videoMuted && html`<${Badge} icon="camera-off" label="Picture hidden" />`}
    ${
      call.isHost &&
      !isSelf &&
      html`<span class="tools" role="group" aria-label=${`Tools for ${name}`}>
        ${
          !member.audioMuted &&
          html`<${IconButton}
            icon="mic-off"
            kind="quiet"
            label=${`Mute the microphone of ${name}`}
            onClick=${() => panel.order("mute-member", { memberId, kind: "audio" })}
          />`
        }
        ${
          !member.videoMuted &&
          html`<${IconButton}
            icon="camera-off"
            kind="quiet"
            label=${`Hide the picture of ${name}`}
            onClick=${() => panel.order("mute-member", { memberId, kind: "video" })}
          />`
        }
        <${IconButton}
          icon="crown"
          kind="quiet"
          label=${`Make ${name} the host`}
          onClick=${() => panel.order("transfer-host", { memberId })}
        />
        <${IconButton}
          icon="remove"
          kind="quiet"
          label=${`Remove ${name}`}
          onClick=${() => panel.setState({ removing: member })}
        />
      </span>`
    }
  </li>`;
}
