// The box of PaintSeg Prompt: kept inside the picture it lies on, shown where it counts, and drawn in classic nodes.
//
// The editor is ComfyUI's own. Without this file all works still; a box may then lie beside a new photo.

import { app } from "../../../scripts/app.js"
import { fits, fitted, middle } from "./fitting.js"
import { allNodes, hostOf } from "./nodes.js"
import { fromOutside, linkTo, load, pictureOn } from "./picture.js"
import { forget } from "./said.js"
import { isBusy, quietly } from "./steps.js"

const TYPE = "PaintSeg_PromptToMask"
const PAUSE = 400 // milliseconds; no event says that another photo was chosen
const TALL = 300 // graph pixels of a classic node that the picture takes at least
const seen = new WeakMap() // node -> {address, image, counted}: what its box was last brought into
const drawn = new WeakSet() // widgets that draw themselves in classic nodes

/** @param {GraphWidget[]} list @param {string} name @returns {GraphWidget} */
const named = (list, name) => list?.find((one) => one.name === name)
/** @param {GraphNode} node @param {string} name @returns {number} */
const slotOf = (node, name) => node.inputs?.findIndex((/** @type {{name: string}} */ input) => input.name === name) ?? -1

/** What holds the box in effect: {node, widget}; of a subgraph with the box on its frame that is the frame. @param {GraphNode} node @returns {{node?: GraphNode, widget?: GraphWidget}} */
function holderOf(node, name = "box") {
  const link = linkTo(node, slotOf(node, name))
  if (!link) return { node, widget: named(node.widgets, name) }
  const host = fromOutside(link) && hostOf(node.graph)
  return host ? holderOf(host, host.inputs[link.origin_slot]?.name) : {}
}

/** Whether boxes come in by wire, through a subgraph's frame too. @param {GraphNode} node @param {string} name @returns {boolean} */
function isWired(node, name) {
  const link = linkTo(node, slotOf(node, name))
  if (!link || !fromOutside(link)) return Boolean(link)
  const host = hostOf(node.graph)
  return Boolean(host) && isWired(host, host.inputs[link.origin_slot]?.name)
}

/** Whether the box says where the object is, rather than points, strokes, a mask or boxes by wire. @param {GraphNode} node */
const counts = (node) => named(node.widgets, "kind")?.value === "box" && !isWired(node, "boxes")

/** Give the number fields of classic nodes what the box holds; what was dragged in Nodes 2.0 never reaches them. @param {GraphNode} node */
function syncNumbers(node) {
  const { value, linkedWidgets } = named(node.widgets, "box") ?? {}
  /** @type {GraphWidget[]} */
  const fields = linkedWidgets ?? []
  const stale = fields.filter(({ name, value: told }) => value && name in value && told !== value[name])
  if (!stale.length || LiteGraph.vueNodesMode || isBusy()) return
  quietly(() => stale.forEach((field) => (field.value = value[field.name])))
}

/** @param {GraphWidget} widget @param {boolean} shown */
function show(widget, shown) {
  if (!widget || (!widget.hidden === shown && !widget.options?.hidden === shown)) return
  widget.hidden = !shown // classic nodes
  widget.options.hidden = !shown // Nodes 2.0
  app.canvas?.setDirty(true, true)
}

/** Show box and numbers where they count and nowhere else. @param {GraphNode} node */
function showWhereItCounts(node) {
  const box = named(node.widgets, "box")
  if (!box) return
  const shown = counts(node)
  for (const widget of [box, ...(box.linkedWidgets ?? [])]) show(widget, shown)
}

/** In classic nodes, where the editor is missing: the picture and the box on it. @param {GraphNode} node */
function drawClassic(node) {
  const { node: holder, widget } = holderOf(node)
  if (!widget || drawn.has(widget)) return
  drawn.add(widget)
  widget.computeLayoutSize = () => ({ minHeight: LiteGraph.vueNodesMode ? 1 : TALL, minWidth: 1 })
  // Not `draw`: Nodes 2.0 would take that for its own editor.
  widget.drawWidget = (/** @type {CanvasRenderingContext2D} */ ctx, /** @type {{width: number}} */ { width }) => {
    const { y } = widget
    const height = (widget.computedHeight ?? TALL) - 10
    const { image } = seen.get(node) ?? {}
    ctx.save()
    ctx.beginPath()
    ctx.rect(0, y, width, height)
    ctx.clip()
    if (image) {
      const scale = Math.min((width - 30) / image.naturalWidth, height / image.naturalHeight)
      const left = (width - image.naturalWidth * scale) / 2
      ctx.drawImage(image, left, y, image.naturalWidth * scale, image.naturalHeight * scale)
      ctx.strokeStyle = "#fff"
      ctx.lineWidth = 2
      const box = widget.value
      ctx.strokeRect(left + box.x * scale, y + box.y * scale, box.width * scale, box.height * scale)
    } else {
      ctx.fillStyle = LiteGraph.WIDGET_SECONDARY_TEXT_COLOR
      ctx.textAlign = "center"
      ctx.fillText("The photo shows here once it is known.", width / 2, y + height / 2)
    }
    ctx.restore()
  }
  grow(holder)
  // On the frame of a subgraph there are no number fields.
  if (holder !== node) widget.onPointerDown = (/** @type {any} */ pointer) => ((pointer.onClick = (/** @type {Event} */ event) => askFor(holder, widget, event)), true)
}

/** Make a classic node as tall as what it shows: one that was off the screen drew its last widgets below its edge. @param {GraphNode} node */
function grow(node) {
  const least = node.computeSize()[1]
  if (!LiteGraph.vueNodesMode && node.size[1] < least) node.setSize([node.size[0], least])
}

/** Ask for the four numbers of a box. @param {GraphNode} holder @param {GraphWidget} widget @param {Event} event */
function askFor(holder, widget, event) {
  const names = ["x", "y", "width", "height"]
  const now = names.map((name) => widget.value[name]).join(", ")
  app.canvas.prompt(`${widget.label ?? widget.name}: ${names.join(", ")}`, now, (/** @type {string} */ typed) => {
    const numbers = typed.split(/[\s,;]+/).map(Number)
    if (numbers.length !== 4 || !numbers.every(Number.isFinite) || numbers[2] < 1 || numbers[3] < 1) return
    widget.value = Object.fromEntries(names.map((name, at) => [name, Math.round(numbers[at])]))
    widget.callback?.(widget.value, app.canvas, holder)
    app.canvas.setDirty(true, true)
  }, event)
}

/** Bring the box into the picture whenever that is another one, or the box begins to count. @param {GraphNode} node */
async function lookAfter(node) {
  showWhereItCounts(node)
  syncNumbers(node)
  drawClassic(node)
  const address = pictureOn(node, slotOf(node, "image"))
  const counted = counts(node)
  const before = seen.get(node)
  if (before?.address === address && before.counted === counted) return
  const state = { address, counted, image: before?.address === address ? before.image : undefined }
  seen.set(node, state)
  if (before?.address && before.address !== address) forget(node)
  if (!address) return
  try {
    state.image ??= await load(address)
  } catch {
    return // a video, say, or a file that is gone
  }
  if (seen.get(node) !== state) return
  app.canvas?.setDirty(true, true)
  if (isBusy()) seen.delete(node) // once more when it is over
  else if (counted) bringInto(node, [state.image.naturalWidth, state.image.naturalHeight])
}

/** @param {GraphNode} node @param {[number, number]} size of the picture */
function bringInto(node, size) {
  const { node: holder, widget } = holderOf(node)
  if (!widget?.value || fits(widget.value, size)) return
  quietly(() => {
    widget.value = fitted(widget.value, size)
    widget.callback?.(widget.value, app.canvas, holder)
  })
}

/** A point's numbers are -1 until typed, which means the middle of the box: put where it can be seen. @param {GraphNode} node */
function startPoint(node) {
  const [x, y] = ["kind.x", "kind.y"].map((name) => named(node.widgets, name))
  const box = named(node.widgets, "box")?.value
  if (!x || !y || !box || x.value !== -1 || y.value !== -1) return
  ;[x.value, y.value] = middle(box)
}

/**
 * What ComfyUI's editor asks a node to find its picture. Off its graph, as undo takes it, the node answers with nothing
 * instead of an error: in front end 1.58 the old node stayed on the screen beside the new one.
 *
 * @param {GraphNode} node
 */
function helpEditor(node) {
  for (const ask of ["getInputNode", "getInputLink"]) {
    const answer = node[ask]
    node[ask] = function (/** @type {number} */ slot) {
      return this.graph ? answer.call(this, slot) : null
    }
  }
}

app.registerExtension({
  name: "PaintSeg.Box",
  setup() {
    setInterval(() => {
      if (document.hidden) return
      for (const node of allNodes()) if (node.type === TYPE) lookAfter(node)
    }, PAUSE)
  },
  nodeCreated(/** @type {GraphNode} */ node) {
    if (node.comfyClass !== TYPE) return
    helpEditor(node)
    const kind = named(node.widgets, "kind")
    const chosen = kind?.callback
    if (kind) {
      let last = kind.value // it is called when a workflow is opened, too: its size is the user's then
      kind.callback = function (/** @type {unknown[]} */ ...given) {
        const result = chosen?.apply(this, given)
        if (kind.value === "point") startPoint(node)
        showWhereItCounts(node)
        if (kind.value !== last) node.setSize([node.size[0], node.computeSize()[1]])
        last = kind.value
        return result
      }
    }
    for (const hook of ["onConfigure", "onConnectionsChange"]) {
      const before = node[hook]
      node[hook] = function (/** @type {unknown[]} */ ...given) {
        const result = before?.apply(this, given)
        if (node.graph) showWhereItCounts(node)
        return result
      }
    }
  },
})
