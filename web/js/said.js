// What a node has to say: its notes and its errors, in words, on the node.

import { app } from "../../../scripts/app.js"
import { api } from "../../../scripts/api.js"
import { executionId, placeOf, wayTo } from "./nodes.js"

const PACK = "PaintSeg_"
const NAME = "paintseg_said"
const LINE = 18 // graph pixels
const LETTER = 6.2

/** Put a text under a node's widgets; "" takes it away. @param {GraphNode} node @param {string} text @param {string} [colour] */
function say(node, text, colour) {
  const widget = node.widgets?.find((/** @type {GraphWidget} */ { name }) => name === NAME)
  if (!text) {
    if (widget) {
      widget.onRemove?.()
      node.widgets.splice(node.widgets.indexOf(widget), 1)
    }
    return
  }
  const element = widget?.element ?? document.createElement("div")
  element.textContent = text
  const lines = text.split("\n").map((/** @type {string} */ line) => Math.ceil((line.length * LETTER) / (node.size[0] - 50)))
  const height = 10 + LINE * lines.reduce((sum, count) => sum + count, 0)
  element.setAttribute("role", "status")
  element.style.cssText = `min-height:${height}px; box-sizing:border-box; padding:4px 8px; border-left:3px solid ${colour};
    font:12px/${LINE}px sans-serif; color:var(--input-text,#ddd); background:var(--comfy-input-bg,#222);
    white-space:pre-wrap; overflow:auto; user-select:text`
  if (widget) return
  const added = node.addDOMWidget(NAME, NAME, element, {
    serialize: false,
    hideOnZoom: false,
    hideInPanel: true,
    getMinHeight: () => parseFloat(element.style.minHeight) + 20,
    getMaxHeight: () => parseFloat(element.style.minHeight) + 20,
    getValue: () => element.textContent,
    setValue: () => {},
  })
  added.serialize = false
}

/** Forget what a node has shown and said of its last run: it was about another picture. @param {GraphNode} node */
export function forget(node) {
  say(node, "")
  if (!node.images?.length && !node.imgs?.length && !hasOutput(node)) return
  // The way ComfyUI itself is told of a node's pictures, and now of none; both kinds of nodes follow it.
  const id = executionId(node)
  if (id) api.dispatchCustomEvent("executed", { node: id, display_node: id, output: { images: [] } })
  node.imgs = undefined
  const preview = node.widgets?.find((/** @type {GraphWidget} */ { name }) => name === "$$canvas-image-preview")
  if (preview) {
    preview.onRemove?.()
    node.widgets.splice(node.widgets.indexOf(preview), 1)
  }
}

/** @param {GraphNode} node */
function hasOutput(node) {
  return Boolean(app.nodeOutputs?.[placeOf(node)]?.images?.length)
}

app.registerExtension({
  name: "PaintSeg.Said",
  setup() {
    api.addEventListener("executed", ({ detail }) => {
      const node = wayTo(detail.display_node ?? detail.node).at(-1)
      if (node?.type.startsWith(PACK)) say(node, (detail.output?.text ?? []).join("\n"), "#e0a030")
    })
    api.addEventListener("execution_error", ({ detail }) => {
      if (!detail.node_type?.startsWith(PACK)) return
      const node = wayTo(detail.node_id).at(-1)
      const sentence = detail.exception_message.trim()
      if (node) {
        forget(node)
        say(node, sentence, "#d9503c")
      }
      app.extensionManager?.toast?.add({
        severity: "error",
        summary: node?.title ?? detail.node_type,
        detail: sentence,
        life: 15000,
      })
    })
  },
})
