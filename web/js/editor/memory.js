// What outlives an editor: ComfyUI's undo makes every node anew, and with it every editor.

import { app } from "../../../../scripts/app.js"
import { placeOf } from "../nodes.js"
import { History } from "./history.js"

/**
 * @typedef {object} Memory
 * @property {History} history
 * @property {import("../click/answers.js").Show} show of an editor of clicks
 * @property {{photo: string, zoom: number, middle: import("./view.js").Place} | null} view what was looked at
 * @property {string} picked of an editor of layers: the one that was taken hold of
 * @property {Element | null} root the element of the editor that was shown last
 * @property {number} refocus until when (in milliseconds) a new editor takes the focus that the old one had
 */

/** @type {Map<string, Memory>} by workflow and the node's place in it */
const memories = new Map()

/**
 * @param {any} node
 * @param {string} text the node's value, for a node that nothing is known of
 * @returns {Memory | undefined} undefined while the node is in no graph
 */
export function memoryOf(node, text) {
  if (!node.graph) return undefined
  const place = `${app.rootGraph.id}:${placeOf(node)}`
  const there = memories.get(place)
  if (there) return there
  /** @type {Memory} */
  const made = { history: new History(text), show: "mask", view: null, picked: "", root: null, refocus: 0 }
  memories.set(place, made)
  return made
}
