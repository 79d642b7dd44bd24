/** How tiles fill a stage. All in whole pixels. Pure. */

export const RATIO = 16 / 9;
export const GAP = 8;
const STRIP = 0.22; // of the height, for the others where one is large
const LEAST_STRIP = 72;

/** @typedef {{width: number, height: number}} Size */

/**
 * The largest tiles of `RATIO` for `count` of them on `width` × `height`. One that is pinned is
 * large, and the others stand in rows below it.
 * @param {number} count @param {number} width @param {number} height @param {boolean} isPinned
 * @returns {{columns: number, tile: Size, large: Size}}
 */
export function layout(count, width, height, isPinned) {
  if (!isPinned || count < 2) {
    const all = grid(Math.max(count, 1), width, height);
    return isPinned ? { ...all, large: all.tile } : { ...all, large: { width: 0, height: 0 } };
  }
  const strip = Math.max(height * STRIP, LEAST_STRIP);
  const others = grid(count - 1, width, strip);
  const left = height - GAP - Math.ceil((count - 1) / others.columns) * (others.tile.height + GAP);
  return { ...others, large: fitting(width, left) };
}

/** @param {number} count @param {number} width @param {number} height */
function grid(count, width, height) {
  let best = { columns: 1, tile: { width: 0, height: 0 } };
  for (let columns = 1; columns <= count; columns++) {
    const rows = Math.ceil(count / columns);
    const tile = fitting(
      (width - GAP * (columns - 1)) / columns,
      (height - GAP * (rows - 1)) / rows,
    );
    if (tile.width > best.tile.width) best = { columns, tile };
  }
  return best;
}

/** @param {number} width @param {number} height @returns {Size} */
function fitting(width, height) {
  const fits = Math.floor(Math.max(Math.min(width, height * RATIO), 0));
  return { width: fits, height: Math.floor(fits / RATIO) };
}
