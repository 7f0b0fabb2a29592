// Which picture a node is given, as far as the browser knows it before anything has run.

import { app } from "../../../scripts/app.js"
import { api } from "../../../scripts/api.js"
import { hostOf, placeOf } from "./nodes.js"

const OUTSIDE = "-10" // where a link inside a subgraph comes from when it comes from the subgraph's own input
const MUTED = 2
const BYPASSED = 4
const FAR = 200 // no graph is as deep; a ring of subgraphs must not hang the page

/** The link on a node's input; undefined where nothing is wired. @param {GraphNode} node @param {number} slot @returns {GraphLink} */
export function linkTo(node, slot) {
  if (!node.graph || !node.inputs?.[slot]) return undefined
  if (!node.isSubgraphNode?.()) return node.getInputLink(slot) ?? undefined
  const id = node.inputs[slot].link // a subgraph's own way looks inside
  return id == null ? undefined : node.graph.getLink(id)
}

/** Whether a link comes in through the frame of a subgraph. @param {GraphLink} link */
export function fromOutside(link) {
  return String(link?.origin_id) === OUTSIDE
}

/**
 * The node that feeds an input, found through subgraphs, reroutes and bypassed nodes; undefined where none does.
 *
 * @param {GraphNode} node @param {number} slot @returns {GraphNode}
 */
export function sourceOf(node, slot) {
  for (let step = 0; node && step < FAR; step++) {
    const link = linkTo(node, slot)
    if (!link) return undefined
    if (fromOutside(link)) {
      node = hostOf(node.graph)
      slot = link.origin_slot
      continue
    }
    let source = node.graph.getNodeById(link.origin_id)
    let out = link.origin_slot
    while (source?.isSubgraphNode?.() && source.mode !== BYPASSED) {
      const inner = source.subgraph.outputNode.slots[out]?.getLinks?.().at(0)
      out = inner?.origin_slot
      source = inner && source.subgraph.getNodeById(inner.origin_id)
    }
    if (!source || source.mode === MUTED) return undefined
    if (source.mode !== BYPASSED && !source.isVirtualNode) return source
    node = source
    slot = source.inputs?.findIndex((/** @type {{type: unknown}} */ { type }) => type === "IMAGE" || type === "*") ?? -1
  }
}

/** @typedef {{filename: string, subfolder: string, type: string}} Name what ComfyUI calls a file of its folders */

/** The name of the picture on an input; undefined where there is none yet. @param {GraphNode} node @param {number} slot @returns {Name | undefined} */
export function nameOn(node, slot) {
  const source = sourceOf(node, slot)
  return source && shownBy(source)
}

/**
 * The name of the first picture that a node shows, or keeps under another name; undefined where it has none.
 *
 * @param {GraphNode} node @param {string} list @returns {Name | undefined}
 */
export function shownBy(node, list = "images") {
  const { filename, subfolder = "", type = "input" } = app.nodeOutputs?.[placeOf(node)]?.[list]?.[0] ?? {}
  if (!filename) return undefined
  const [, bare, folder] = filename.match(/^(.*) \[(input|output|temp)\]$/) ?? [] // front end 1.47 leaves it there
  return { filename: bare ?? filename, subfolder, type: folder ?? type }
}

/** The address of a picture by its name. @param {Name} name */
export function addressOf({ filename, subfolder, type }) {
  // No preview format: that would lose the turn a camera has written into the file.
  return api.apiURL(`/view?${new URLSearchParams({ filename, subfolder, type })}`)
}

/** The address of the picture on an input; "" where there is none yet. @param {GraphNode} node @param {number} slot */
export function pictureOn(node, slot) {
  const name = nameOn(node, slot)
  return name ? addressOf(name) : ""
}

/** The picture at an address; rejects where there is none. @param {string} address */
export async function load(address) {
  const image = new Image()
  image.src = address
  await image.decode()
  return image
}
