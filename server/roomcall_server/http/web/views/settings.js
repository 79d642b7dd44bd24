/** What the host can change of a room. */

import { html } from "./html.js";
import { Dialog, closeDialog } from "./parts.js";

/**
 * @typedef {import("../core/protocol.js").Room} Room
 */

/**
 * @param {{room: Room, onChange: (fields: object) => void, onClose: () => void}} props `fields` are
 *   those of `update-room`
 */
export function SettingsDialog({ room, onChange, onClose }) {
  const { name, maxParticipants, metadata, hasPassword } = room;
  const submit = (/** @type {SubmitEvent} */ event) => {
    event.preventDefault();
    const fields = new FormData(/** @type {HTMLFormElement} */ (event.target));
    const text = (/** @type {string} */ field) => `${fields.get(field) ?? ""}`.trim();
    const password = text("password");
    onChange({
      name: text("name") || name,
      maxParticipants: Number(text("maxParticipants")) || 0,
      metadata: { ...metadata, description: text("description") },
      ...(fields.has("open") ? { password: null } : password ? { password } : {}),
    });
    closeDialog(event);
  };
  return html`<${Dialog} title="Change the room" onClose=${onClose}>
    <form onSubmit=${submit}>
      <label
        >Name <input name="name" required maxlength="128" autocomplete="off" defaultValue=${name}
      /></label>
      <label
        >What it is about
        <textarea name="description" rows="2" maxlength="1024">${metadata.description}</textarea>
      </label>
      <label
        >Most people
        <input
          name="maxParticipants"
          type="number"
          min="1"
          max="1000"
          placeholder="any"
          defaultValue=${maxParticipants || ""}
      /></label>
      <label
        >${hasPassword ? "Another password" : "Password"}
        <input name="password" type="password" maxlength="256" autocomplete="new-password"
      /></label>
      ${
        hasPassword &&
        html`<label class="check"
          ><input name="open" type="checkbox" /> No password any more</label
        >`
      }
      <div class="buttons">
        <button class="primary">Change it</button>
        <button type="button" onClick=${closeDialog}>Cancel</button>
      </div>
    </form><//
  >`;
}
