/** The page's `Renaming` as the headless peer's: a test of both gives each the same events. */

import { Renaming } from "/page/core/renaming.js";

/** @param {[string, ...any[]][]} events */
export function replay(events) {
  const renaming = new Renaming();
  return events.map(([what, ...given]) => {
    if (what === "left") return renaming.left(...given) ?? [];
    if (what === "tick") return renaming.tick(given[0], new Set(given[1]));
    return renaming[what](...given);
  });
}
