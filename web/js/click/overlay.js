// A soft mask made ready for drawing: a tint, a shade around it, and an outline.

import { contour } from "./contour.js"

/** @typedef {{tint: HTMLCanvasElement, outline: Path2D, width: number, height: number}} Overlay */

const OBJECT = [22, 205, 124] // the green of the pack's other pictures (paintseg/visualize.py), a little lighter
const STRENGTH = 0.38 // of the tint on the object
const SHADE = 0.34 // of the black on everything else
const LEVEL = 128

/** @type {WeakMap<ImageBitmap, Overlay>} */
const made = new WeakMap()

/**
 * @param {ImageBitmap} mask grey, white the object
 * @returns {Overlay} in the mask's pixels
 */
export function overlayOf(mask) {
  const there = made.get(mask)
  if (there) return there
  const { width, height } = mask
  const tint = document.createElement("canvas")
  tint.width = width
  tint.height = height
  const context = /** @type {CanvasRenderingContext2D} */ (tint.getContext("2d", { willReadFrequently: true }))
  context.drawImage(mask, 0, 0)
  const pixels = context.getImageData(0, 0, width, height)
  const values = new Uint8Array(width * height)
  const { data } = pixels
  for (let at = 0; at < values.length; at++) {
    const value = (values[at] = data[4 * at])
    const share = value / 255
    const strength = STRENGTH * share + SHADE * (1 - share)
    const colour = (STRENGTH * share) / strength
    for (let channel = 0; channel < 3; channel++) data[4 * at + channel] = OBJECT[channel] * colour
    data[4 * at + 3] = 255 * strength
  }
  context.putImageData(pixels, 0, 0)
  const overlay = { tint, outline: path(contour(values, width, height, LEVEL)), width, height }
  made.set(mask, overlay)
  return overlay
}

/** @param {Float32Array} segments */
function path(segments) {
  const outline = new Path2D()
  for (let at = 0; at < segments.length; at += 4) {
    outline.moveTo(segments[at], segments[at + 1])
    outline.lineTo(segments[at + 2], segments[at + 3])
  }
  return outline
}
