// What pointers on an editor's stage share: their places, and which events are the canvas's below.

import { app } from "../../../../scripts/app.js"

/** @typedef {import("./view.js").Place} Place */

export const SLOP = 4 // pixels of the stage; whoever clicks moves a little
export const SLOP_TOUCH = 9
const MIDDLE = 1

/** Where an event is in pixels of the stage, whatever the graph is enlarged by. @param {HTMLElement} stage @param {MouseEvent} event @returns {Place} */
export function placeOn(stage, event) {
  const rect = stage.getBoundingClientRect()
  const scale = rect.width / (stage.clientWidth || 1) || 1
  return [(event.clientX - rect.left) / scale, (event.clientY - rect.top) / scale]
}

/**
 * Fingers on a stage; two of them zoom and pan what is seen.
 * @param {{view: import("./view.js").View, viewed: () => void}} editor
 * @param {() => void} drop lets go of what one finger had begun
 */
export function fingersOn(editor, drop) {
  /** @type {Map<number, Place>} */
  const fingers = new Map()
  /** @type {{apart: number, middle: Place} | null} */
  let pinch = null
  return {
    /** Whether two are at it, now that a pointer is down. @param {PointerEvent} event @param {Place} at */
    down(event, at) {
      if (event.pointerType === "touch") fingers.set(event.pointerId, at)
      if (fingers.size === 2) {
        drop()
        pinch = between(fingers)
      }
      return Boolean(pinch)
    },
    /** Whether that was of two at it. @param {PointerEvent} event @param {Place} at */
    moved({ pointerId }, at) {
      if (fingers.has(pointerId)) fingers.set(pointerId, at)
      if (!pinch || fingers.size !== 2) return false
      const now = between(fingers)
      editor.view.zoomBy(now.apart / pinch.apart, now.middle)
      editor.view.panBy(now.middle[0] - pinch.middle[0], now.middle[1] - pinch.middle[1])
      pinch = now
      editor.viewed()
      return true
    },
    /** Whether one of two went; those that are left begin nothing. @param {{pointerId: number}} event */
    up({ pointerId }) {
      fingers.delete(pointerId)
      const pinched = Boolean(pinch)
      if (!fingers.size) pinch = null
      return pinched
    },
  }
}

/** How far apart two fingers are, and the place between them. @param {Map<number, Place>} fingers */
function between(fingers) {
  const [[x, y], [left, top]] = fingers.values()
  return { apart: Math.max(1, Math.hypot(x - left, y - top)), middle: /** @type {Place} */ ([(x + left) / 2, (y + top) / 2]) }
}

/** The pointer stays ours until it is let go. @param {Element} stage @param {number} pointer */
export function hold(stage, pointer) {
  try {
    stage.setPointerCapture(pointer)
  } catch {
    // It is gone already: a tap that ended before it was told of.
  }
}

/** Whether an event moves the canvas: with the middle button, the space bar, or ComfyUI's hand. @param {PointerEvent} event */
export const movesCanvas = (event) => app.canvas.read_only || event.button === MIDDLE || Boolean(event.buttons & 4)

/** Classic nodes lie over the canvas: what is the canvas's is handed on. Nodes 2.0 takes it before it comes here. @param {string} to @param {Event} event */
export function handOn(to, event) {
  if (LiteGraph.vueNodesMode) return
  event.preventDefault()
  app.canvas[to](event)
}
