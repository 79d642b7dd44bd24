/** What several views are made of. */

import { html } from "./html.js";
import { Icon } from "./icons.js";

/**
 * A button that shows an icon and says what it does.
 * @param {{icon: string, label: string, onClick?: (event: Event) => void, kind?: string,
 *   text?: string, [attribute: string]: unknown}} props
 */
export function IconButton({ icon, label, kind = "", text = "", ...rest }) {
  return html`<button
    type="button"
    class="icon-button ${kind}"
    aria-label=${label}
    title=${label}
    ...${rest}
  >
    <${Icon} name=${icon} />${text && html`<span aria-hidden="true">${text}</span>`}
  </button>`;
}

/**
 * Close the dialog around a button: so the focus goes back to where it was.
 * @param {Event} event
 */
export function closeDialog({ target }) {
  /** @type {Element} */ (target).closest("dialog")?.close();
}

/**
 * A modal dialog, for as long as it is rendered. Escape and its button close it.
 * @param {{title: string, onClose: () => void, children?: unknown}} props
 */
export function Dialog({ title, onClose, children }) {
  const shown = (/** @type {HTMLDialogElement | null} */ element) => {
    if (element && !element.open) element.showModal();
  };
  return html`<dialog ref=${shown} aria-labelledby="dialog-title" onClose=${onClose}>
    <header>
      <h2 id="dialog-title">${title}</h2>
      <${IconButton} icon="close" label="Close" kind="quiet" onClick=${closeDialog} />
    </header>
    ${children}
  </dialog>`;
}

/** @param {{name: string}} props somebody's own words, which must not turn what is around them */
export function Name({ name }) {
  return html`<bdi class="name">${name}</bdi>`;
}

/** @param {{icon: string, label: string}} props */
export function Badge({ icon, label }) {
  return html`<span class="badge" role="img" aria-label=${label} title=${label}
    ><${Icon} name=${icon}
  /></span>`;
}
