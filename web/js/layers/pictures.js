// The pictures of a node's last run: its plate, and each layer cropped to what is seen of it.

import { app } from "../../../../scripts/app.js"
import { placeOf } from "../nodes.js"
import { addressOf, load } from "../picture.js"

/** @typedef {import("../editor/view.js").Place} Place */
/** @typedef {import("./value.js").Layer & {image?: HTMLImageElement, cover?: ImageData}} Shown */
/** @typedef {{plate: HTMLImageElement, size: Place, layers: Shown[], strangers: string[]}} Pictures */

const COVER = 256 // pixels of the longer side of what tells where a layer is seen

/** What the server told of a node's last run; undefined before it, and of runs that told nothing. @param {any} node */
function toldOf(node) {
  const { paintseg_plate: plates, paintseg_layers: layers, paintseg_strangers: strangers = [] } = app.nodeOutputs?.[placeOf(node)] ?? {}
  return plates?.[0] && layers ? { plate: plates[0], layers, strangers } : undefined
}

/** Says what a node's last run is known by; "" before it. @param {any} node */
export const keyOf = (node) => {
  const told = node.graph && toldOf(node)
  return told ? JSON.stringify(told) : ""
}

/** @param {any} node @returns {Promise<Pictures>} rejects before the first run, and where a file is gone */
export async function fetchPictures(node) {
  const told = toldOf(node)
  if (!told) throw new Error("nothing has run")
  const plate = await load(addressOf(told.plate))
  const layers = await Promise.all(told.layers.map(shownLayer))
  return { plate, size: told.plate.size, layers, strangers: told.strangers }
}

/** @param {any} told @returns {Promise<Shown>} */
async function shownLayer(told) {
  const { fingerprint, box, opacity } = told
  if (!box) return { fingerprint }
  const image = await load(addressOf(told))
  return { fingerprint, box, opacity, image, cover: coverOf(image) }
}

/** @param {HTMLImageElement} image */
function coverOf(image) {
  const share = Math.min(1, COVER / Math.max(image.naturalWidth, image.naturalHeight))
  const canvas = document.createElement("canvas")
  canvas.width = Math.max(1, Math.round(image.naturalWidth * share))
  canvas.height = Math.max(1, Math.round(image.naturalHeight * share))
  const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d", { willReadFrequently: true }))
  context.drawImage(image, 0, 0, canvas.width, canvas.height)
  return context.getImageData(0, 0, canvas.width, canvas.height)
}

/** Whether a layer is seen at a share of its picture, 0..1 each. @param {Shown} layer @param {Place} share */
export function isSeenAt({ cover }, [across, down]) {
  if (!cover) return false
  const x = Math.min(cover.width - 1, Math.floor(across * cover.width))
  const y = Math.min(cover.height - 1, Math.floor(down * cover.height))
  return cover.data[4 * (y * cover.width + x) + 3] > 25
}
