// Pointer and wheel on the stage: clicks, drags, pinches. What they mean is told to the editor.

import { app } from "../../../../scripts/app.js"
import { SLOP, SLOP_TOUCH, fingersOn, handOn, hold, movesCanvas, placeOn } from "../editor/pointer.js"
import { markAt } from "./value.js"

/** @typedef {import("./value.js").Place} Place */
/** @typedef {import("./value.js").Label} Label */
/** @typedef {import("./value.js").Mark} Mark */
/** @typedef {"point" | "box" | "stroke" | "pan" | "move"} Kind */
/** @typedef {{kind: Kind, label: Label, mark: Mark | null, from: Place, to: Place, path: Place[], again?: boolean}} Drag places of the photo; `again`: the second half of a double click */

const REACH = 10 // pixels of the stage around a dot that still are the dot
const REACH_TOUCH = 18
const TWICE = 400 // milliseconds within which a second press on the same place is the same click
const RIGHT = 2

/** @param {import("./editor.js").Editor} editor */
export function listen(editor) {
  const { stage } = editor
  /** @type {{id: number, at: Place, last: Place, drag: Drag | null, label: Label, mark: Mark | null, slop: number} | null} */
  let press = null
  /** @type {{time: number, from: Place, text: string} | null} the last click, and the value it left */
  let clicked = null

  /** @param {MouseEvent} event */
  const placeOf = (event) => placeOn(stage, event)
  /** @param {Place} at @param {boolean} [touch] */
  const markUnder = (at, touch) =>
    markAt(editor.clicks, editor.view.toPhoto(at), (touch ? REACH_TOUCH : REACH) / editor.view.scale)

  /** Whether a press is the second of a double click. @param {PointerEvent} event @param {Place} from @param {number} reach in picture pixels */
  const isAgain = (event, from, reach) =>
    clicked !== null && clicked.text === editor.text && event.timeStamp - clicked.time <= TWICE &&
    Math.hypot(from[0] - clicked.from[0], from[1] - clicked.from[1]) <= reach

  const drop = () => {
    press = clicked = null
    editor.dragged(null)
  }
  const fingers = fingersOn(editor, drop)

  stage.addEventListener("pointerdown", (event) => {
    if (movesCanvas(event)) return void handOn("processMouseDown", event)
    event.stopPropagation()
    stage.focus({ preventScroll: true })
    if (!editor.photo) return
    const at = placeOf(event)
    const touch = event.pointerType === "touch"
    hold(stage, event.pointerId)
    if (fingers.down(event, at) || press || (event.button !== 0 && event.button !== RIGHT)) return
    const other = event.button === RIGHT || event.altKey || event.ctrlKey
    const label = /** @type {Label} */ (other ? 1 - editor.label : editor.label)
    const free = editor.tool === "point" && !event.shiftKey
    press = { id: event.pointerId, at, last: at, drag: null, label, mark: free ? markUnder(at, touch) : null, slop: touch ? SLOP_TOUCH : SLOP }
    press.drag = begin(editor, press, event)
    press.drag.again = isAgain(event, press.drag.from, (touch ? REACH_TOUCH : REACH) / editor.view.scale)
    clicked = press.drag.kind === "point" ? { time: event.timeStamp, from: press.drag.from, text: editor.text } : null
    if (press.drag.kind === "point") editor.dragged(press.drag)
  })

  // A click on the list of keys closes it; the second half of a double click meets the photo below.
  editor.panel.keys.addEventListener("pointerdown", (event) => {
    clicked = { time: event.timeStamp, from: editor.view.toPhoto(placeOf(event)), text: editor.text }
  })

  stage.addEventListener("pointermove", (event) => {
    const at = placeOf(event)
    if (fingers.moved(event, at)) return
    if (!press && event.buttons && movesCanvas(event)) handOn("processMouseMove", event)
    else if (!press) editor.hovered(app.canvas.read_only || !editor.photo ? null : markUnder(at))
    else if (event.pointerId === press.id) follow(at, event)
  })

  /** @param {Place} at @param {PointerEvent} event */
  const follow = (at, event) => {
    if (!press?.drag) return
    const { drag } = press
    if (drag.kind === "pan") {
      editor.view.panBy(at[0] - press.last[0], at[1] - press.last[1])
      press.last = at
      return editor.viewed()
    }
    const far = Math.hypot(at[0] - press.at[0], at[1] - press.at[1]) > press.slop
    if (drag.kind === "point" && !far) return
    if (drag.kind === "point") drag.kind = kindOfDrag(drag)
    drag.to = editor.view.toPhoto(at)
    const steps = event.getCoalescedEvents?.() ?? []
    drag.path.push(...(steps.length ? steps : [event]).map((one) => editor.view.toPhoto(placeOf(one))))
    editor.dragged(drag)
  }

  /** @param {PointerEvent} event */
  const end = (event) => {
    const pinched = fingers.up(event)
    if (!press && movesCanvas(event)) handOn("processMouseUp", event)
    if (pinched) return
    if (press?.id !== event.pointerId) return
    const { drag } = press
    press = null
    if (drag) editor.dropped(drag)
    if (drag?.kind !== "point") clicked = null
    else if (clicked) clicked.text = editor.text
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
    const out = event.deltaY > 0
    const ours = document.activeElement === stage && editor.photo && !(out && editor.view.zoom <= 1)
    if (!ours) return void handOn("processMouseWheel", event)
    event.preventDefault()
    event.stopPropagation()
    editor.view.zoomBy(Math.exp(-event.deltaY / 400), placeOf(event))
    editor.viewed()
  }, { passive: false })

  return { cancel: drop, isDragging: () => Boolean(press) }
}

/** What a press begins. @param {import("./editor.js").Editor} editor @param {{at: Place, label: Label, mark: Mark | null}} press @param {PointerEvent} event @returns {Drag} */
function begin(editor, { at, label, mark }, event) {
  const from = editor.view.toPhoto(at)
  /** @type {Kind} */
  let kind = "point"
  if (editor.tool === "hand") kind = "pan"
  else if (editor.tool === "stroke" || event.shiftKey) kind = "stroke"
  return { kind, label, mark, from, to: from, path: [from] }
}

/** A press that moves: a mark is moved; the object is boxed; what is not the object is stroked over. @param {Drag} drag @returns {Kind} */
const kindOfDrag = ({ mark, label }) => (mark && mark.kind !== "stroke" ? "move" : label ? "box" : "stroke")
