// Pointer and wheel on the stage of layers: what is taken hold of, and how far it is dragged.

import { app } from "../../../../scripts/app.js"
import { SLOP, SLOP_TOUCH, fingersOn, handOn, hold, movesCanvas, placeOn } from "../editor/pointer.js"

/** @typedef {import("../editor/view.js").Place} Place */
/** @typedef {import("./value.js").Item} Item */
/** @typedef {import("./geometry.js").Kind} Kind */
/** @typedef {{kind: Kind | "pan", item: Item | null, from: Place, to: Place, snap: boolean}} Drag places of the picture */

const REACH = 10 // pixels of the stage around a handle that still are the handle
const REACH_TOUCH = 20
const SCALE_TICK = 500 // of the wheel's pixels, for a factor of e
const TURN_TICK = 0.05 // degrees for one of the wheel's pixels

/** @param {import("./editor.js").Editor} editor */
export function listen(editor) {
  const { stage, view } = editor
  /** @type {{id: number, at: Place, last: Place, far: boolean, slop: number, drag: Drag} | null} */
  let press = null
  /** @param {MouseEvent} event */
  const placeOf = (event) => placeOn(stage, event)

  const drop = () => {
    press = null
    editor.dragged(null)
  }
  const fingers = fingersOn(editor, drop)

  stage.addEventListener("pointerdown", (event) => {
    if (movesCanvas(event)) return void handOn("processMouseDown", event)
    event.stopPropagation()
    stage.focus({ preventScroll: true })
    if (!editor.pictures) return
    const at = placeOf(event)
    const touch = event.pointerType === "touch"
    hold(stage, event.pointerId)
    if (fingers.down(event, at) || press || event.button !== 0) return
    editor.flush()
    const { kind, item } = editor.under(at, touch ? REACH_TOUCH : REACH)
    editor.take(item)
    const from = view.beyond(at)
    const slop = touch ? SLOP_TOUCH : SLOP
    press = { id: event.pointerId, at, last: at, far: false, slop, drag: { kind, item, from, to: from, snap: false } }
  })

  stage.addEventListener("pointermove", (event) => {
    const at = placeOf(event)
    if (fingers.moved(event, at)) return
    if (!press && event.buttons && movesCanvas(event)) handOn("processMouseMove", event)
    else if (!press) editor.hovered(app.canvas.read_only || !editor.pictures ? null : editor.under(at, REACH))
    else if (event.pointerId === press.id) follow(at, event)
  })

  /** @param {Place} at @param {PointerEvent} event */
  const follow = (at, event) => {
    if (!press) return
    const { drag } = press
    press.far ||= Math.hypot(at[0] - press.at[0], at[1] - press.at[1]) > press.slop
    if (!press.far) return
    if (drag.kind === "pan") {
      view.panBy(at[0] - press.last[0], at[1] - press.last[1])
      press.last = at
      return editor.viewed()
    }
    drag.to = view.beyond(at)
    drag.snap = event.shiftKey
    editor.dragged(drag)
  }

  /** @param {PointerEvent} event */
  const end = (event) => {
    const pinched = fingers.up(event)
    if (!press && movesCanvas(event)) handOn("processMouseUp", event)
    if (pinched) return
    if (press?.id !== event.pointerId) return
    const { drag, far } = press
    press = null
    if (far && drag.kind !== "pan") editor.dropped(drag)
  }
  stage.addEventListener("pointerup", end)
  for (const type of ["pointercancel", "lostpointercapture"]) {
    stage.addEventListener(type, (event) => {
      const { pointerId } = /** @type {PointerEvent} */ (event)
      fingers.up({ pointerId })
      if (press?.id === pointerId) drop()
    })
  }
  stage.addEventListener("pointerleave", () => !press && editor.hovered(null))

  stage.addEventListener("wheel", (event) => {
    const by = event.deltaY || event.deltaX // with Shift browsers scroll sideways
    const changes = event.altKey || event.shiftKey
    const ours = document.activeElement === stage && editor.pictures && (changes ? editor.taken : by < 0 || view.zoom > 1)
    if (!ours) return void handOn("processMouseWheel", event)
    event.preventDefault()
    event.stopPropagation()
    if (event.altKey) return editor.scaleBy(Math.exp(-by / SCALE_TICK), true)
    if (event.shiftKey) return editor.turnBy(-by * TURN_TICK, true)
    view.zoomBy(Math.exp(-by / 400), placeOf(event))
    editor.viewed()
  }, { passive: false })

  return { cancel: drop, isDragging: () => Boolean(press) }
}
