/** Preact with htm: text is always text, as nothing here ever sets HTML. */

import htm from "../vendor/htm.module.js";
import { Component, h, render } from "../vendor/preact.mjs";

/** @type {(strings: TemplateStringsArray, ...values: any[]) => any} */
export const html = htm.bind(h);

export { Component, render };

/** Gives the focus to a heading when its view comes, so that a screen reader begins there. @param {HTMLElement | null} element */
export function focused(element) {
  if (element && !element.dataset.focused) {
    element.dataset.focused = "true";
    if (document.activeElement === document.body || !document.activeElement?.isConnected) {
      element.focus({ preventScroll: true });
    }
  }
}
