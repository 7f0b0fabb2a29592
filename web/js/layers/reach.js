// What lies under the pointer: a handle of the layer that is taken hold of, a layer, or nothing.

import * as geometry from "./geometry.js"
import { isSeenAt } from "./pictures.js"

/** @typedef {import("../editor/view.js").Place} Place */
/** @typedef {import("./value.js").Item} Item */
/** @typedef {{kind: geometry.Kind | "pan", item: Item | null}} Under */

const KNOB = 26 // pixels of the stage between a frame and its knob
const RIM = 8 // pixels of the stage along its border where a knob would be hard to take
const LEAST = 4

/** @param {import("./editor.js").Editor} editor @param {Place} at of the stage @param {number} reach @returns {Under} */
export function under({ arrangement, taken, view }, at, reach) {
  const place = view.beyond(at)
  /** @param {Place} other @param {number} within */
  const isAt = (other, within) => Math.hypot(...view.toStage(other).map((one, side) => one - at[side])) <= within
  if (taken) {
    const frame = geometry.frameOf(taken.placement, arrangement.boxOf(taken))
    if (isAt(knobOn(view, frame).knob, reach)) return { kind: "turn", item: taken }
    // what is small must leave room between its corners, or it could not be moved
    const close = Math.min(reach, Math.max(LEAST, (Math.min(...frame.size) * view.scale) / 3))
    if (geometry.corners(frame).some((corner) => isAt(corner, close))) return { kind: "scale", item: taken }
  }
  /** @param {Item} item */
  const shareAt = (item) => geometry.shareAt(geometry.frameOf(item.placement, arrangement.boxOf(item)), place)
  const seen = arrangement.items.find((item) => {
    const share = shareAt(item)
    return share && isSeenAt(arrangement.layers[item.placement.layer], share)
  })
  if (seen) return { kind: "move", item: seen }
  return taken && shareAt(taken) ? { kind: "move", item: taken } : { kind: "pan", item: null }
}

/** The knob of a frame where it can be taken. @param {import("../editor/view.js").View} view @param {geometry.Frame} frame */
export function knobOn(view, frame) {
  const isSeen = (/** @type {Place} */ place) => view.toStage(place).every((one, side) => one > RIM && one < view.stage[side] - RIM)
  return geometry.knobOf(frame, KNOB / view.scale, isSeen)
}
