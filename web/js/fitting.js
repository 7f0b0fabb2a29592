// Boxes and pictures: numbers only, so that they can be tested without a browser.

/** @typedef {{x: number, y: number, width: number, height: number}} Box */
/** @typedef {[number, number]} Size width and height */

const LEAST = 16 // pixels a side; ComfyUI's box editor has none smaller

/** Whether a box lies inside a picture as a whole. @param {Box} box @param {Size} size of the picture */
export function fits(box, [width, height]) {
  return box.x >= 0 && box.y >= 0 && box.x + box.width <= width && box.y + box.height <= height
}

/**
 * The box as it fits the picture: what of it lies inside, or the middle two thirds of the picture where nothing that
 * could be taken hold of is left.
 *
 * @param {Box} box @param {Size} size of the picture @returns {Box}
 */
export function fitted(box, size) {
  if (fits(box, size)) return box
  const [width, height] = size
  const left = Math.max(0, box.x)
  const top = Math.max(0, box.y)
  const inside = {
    x: left,
    y: top,
    width: Math.min(width, box.x + box.width) - left,
    height: Math.min(height, box.y + box.height) - top,
  }
  if (inside.width >= Math.min(LEAST, width) && inside.height >= Math.min(LEAST, height)) return inside
  return {
    x: Math.floor(width / 6),
    y: Math.floor(height / 6),
    width: Math.max(1, Math.round((2 * width) / 3)),
    height: Math.max(1, Math.round((2 * height) / 3)),
  }
}

/** The middle of a box, in whole pixels. @param {Box} box */
export function middle({ x, y, width, height }) {
  return [Math.floor(x + width / 2), Math.floor(y + height / 2)]
}
