// Editors on nodes: put there, kept where they are looked for, and ended with their node.

import { app } from "../../../../scripts/app.js"

const PAUSE = 400 // milliseconds; no event says that a picture or a value changed
const MARGIN = 10 // graph pixels that classic nodes leave around a widget

/**
 * @typedef {object} Mountable
 * @property {any} node
 * @property {any} widget the widget, once there is one
 * @property {HTMLElement} root
 * @property {{root: Element | null} | undefined} memory
 * @property {{check: () => void}} canvas
 * @property {() => unknown} look look whether what is shown is still so
 * @property {() => void} end
 */

/** @type {Set<Mountable>} */
const live = new Set()
let watching = false

/** Add an editor to a node as a widget. @param {Mountable} editor @param {string} name @param {string} type @param {number} tall its least height @param {object} options of the widget */
export function mount(editor, name, type, tall, options) {
  const widget = editor.node.addDOMWidget(name, type, editor.root, {
    getMinHeight: () => tall + 2 * MARGIN,
    hideOnZoom: false,
    hideInPanel: true, // there, front ends give the widget the panel's width
    socketless: true, // a promoted or wired editor would be seen and count for nothing
    ...options,
  })
  editor.widget = widget
  const removed = widget.onRemove
  widget.onRemove = function (/** @type {unknown[]} */ ...given) {
    live.delete(editor)
    editor.root.dataset.ended = ""
    editor.end()
    return removed?.apply(this, given)
  }
  live.add(editor)
  return widget
}

/** Keep all editors up to date from now on; for an extension's setup. */
export function watch() {
  if (watching) return
  watching = true
  setInterval(() => {
    if (document.hidden) return
    for (const editor of live) {
      settle(editor)
      editor.look()
      editor.canvas.check()
      bringToApp(editor)
    }
  }, PAUSE)
}

/** Be where the editor of before is still shown: Nodes 2.0 keeps showing that one when it makes the node anew. @param {Mountable} editor */
export function settle({ memory, root, node }) {
  if (!memory) return
  if (!root.isConnected) {
    const shown = memory.root?.isConnected ? memory.root : endedOn(node, root.className)
    shown?.replaceWith(root)
  }
  if (root.isConnected) memory.root = root
}

/** An editor whose node is gone, shown on the screen in the place of a node's. @param {any} node @param {string} names of its classes */
function endedOn(node, names) {
  if (node.graph !== app.canvas?.graph) return null
  return document.querySelector(`[data-node-id="${node.id}"] .${names.split(" ").join(".")}[data-ended]`)
}

/** Front end 1.58 sometimes opens an app with the editor still in the hidden graph: bring it where it is looked for. @param {Mountable} editor */
function bringToApp({ root, widget }) {
  if (!widget.widgetId || root.checkVisibility?.()) return
  const items = document.querySelectorAll("[data-testid=app-mode-widget-item]")
  const item = [...items].find((one) => one.getAttribute("data-widget-key") === widget.widgetId)
  const place = item?.querySelector(".lg-node-widget .flex-col")
  if (place?.checkVisibility?.() && !place.contains(root)) place.replaceChildren(root)
}

/** Right clicks are the editor's, all over it. @param {HTMLElement} root */
export function keepMenu(root) {
  root.addEventListener("contextmenu", (event) => {
    event.preventDefault()
    event.stopPropagation()
  })
}
