/** Preact with htm: text is always text, as nothing here ever sets HTML. */

import htm from "../vendor/htm.module.js";
import { Component, h, render } from "../vendor/preact.mjs";

/** @type {(strings: TemplateStringsArray, ...values: any[]) => any} */
export const html = htm.bind(h);

export { Component, render };

/** Takes the focus when it comes: a `ref`. @param {HTMLElement | null} element */
export function takesFocus(element) {
  if (!element || element.dataset.seen) return;
  element.dataset.seen = "true";
  element.focus({ preventScroll: true });
}

/**
 * So does a heading whose view has come, unless somebody is busy elsewhere.
 * @param {HTMLElement | null} element
 */
export function begins(element) {
  const active = document.activeElement;
  if (active === document.body || !active?.isConnected) takesFocus(element);
  else if (element) element.dataset.seen = "true";
}
