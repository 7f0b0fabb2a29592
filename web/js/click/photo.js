// The photo an editor shows: found, loaded, and recognised when it comes again.

import { addressOf, load, nameOn, shownBy } from "../picture.js"

/** @typedef {import("./value.js").Place} Place */
/** @typedef {import("../picture.js").Name} Name */
/** @typedef {{name: Name, address: string, image: HTMLImageElement, small: ImageBitmap, size: Place, print: string}} Photo */

const SMALL = 2048 // pixels; a larger photo is drawn from a smaller copy until it is enlarged
const CELLS = 8
const FINE = 16 // pixels across a cell that are averaged
const LEVEL = 16 // of 256 steps of light in a digit
const ALIKE = 1 // by how much a digit may differ: another size, other compression

/** @param {any} node @param {string} input */
const slotOf = (node, input) => node.inputs?.findIndex((/** @type {any} */ { name }) => name === input) ?? -1

/** @param {any} node @param {string} input @returns {boolean} */
export const isWired = (node, input) => node.inputs?.[slotOf(node, input)]?.link != null

/**
 * The name of the photo on a node's input. Where the browser does not know it, after a node that has to run first, it
 * is the one that the node itself was given in its last run.
 *
 * @param {any} node
 * @param {string} input
 * @returns {Name | undefined}
 */
export function nameOf(node, input) {
  if (!node.graph || !isWired(node, input)) return undefined
  return nameOn(node, slotOf(node, input)) ?? shownBy(node, "paintseg_picture")
}

/** @param {Name} name @returns {Promise<Photo>} rejects where the file is gone, or is no picture */
export async function fetchPhoto(name) {
  const address = addressOf(name)
  const image = await load(address)
  const size = /** @type {Place} */ ([image.naturalWidth, image.naturalHeight])
  const share = Math.min(1, SMALL / Math.max(...size))
  const small = await createImageBitmap(image, {
    resizeWidth: Math.max(1, Math.round(size[0] * share)),
    resizeHeight: Math.max(1, Math.round(size[1] * share)),
    resizeQuality: "high",
  })
  return { name, address, image, small, size, print: fingerprint(small) }
}

/**
 * A photo in 64 hexadecimal digits: how light each of 8 x 8 parts of it is.
 *
 * @param {CanvasImageSource} picture
 */
export function fingerprint(picture) {
  const canvas = document.createElement("canvas")
  canvas.width = canvas.height = CELLS * FINE
  const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d", { willReadFrequently: true }))
  context.imageSmoothingQuality = "high"
  context.drawImage(picture, 0, 0, canvas.width, canvas.height)
  const { data } = context.getImageData(0, 0, canvas.width, canvas.height)
  const light = new Float64Array(CELLS * CELLS)
  for (let at = 0; at < data.length; at += 4) {
    const [x, y] = [(at / 4) % canvas.width, Math.floor(at / 4 / canvas.width)]
    const cell = Math.floor(y / FINE) * CELLS + Math.floor(x / FINE)
    light[cell] += (0.299 * data[at] + 0.587 * data[at + 1] + 0.114 * data[at + 2]) / (FINE * FINE)
  }
  return Array.from(light, (one) => Math.floor(one / LEVEL).toString(16)).join("")
}

/** Whether two fingerprints are of one photo, perhaps in another size. @param {string} one @param {string} other */
export function isSamePhoto(one, other) {
  const far = (/** @type {number} */ at) => Math.abs(parseInt(one[at], 16) - parseInt(other[at], 16))
  return one.length === other.length && [...one].every((_, at) => far(at) <= ALIKE)
}
