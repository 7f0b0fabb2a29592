// Draws the stage: photo, answer, and what was clicked.

import { overlayOf } from "./overlay.js"

/** @typedef {import("./value.js").Clicks} Clicks */
/** @typedef {import("./value.js").Place} Place */
/**
 * @typedef {object} Scene
 * @property {import("../editor/view.js").View} view
 * @property {import("./photo.js").Photo} photo
 * @property {Clicks} clicks as they are just now, also in the middle of a drag
 * @property {import("./answers.js").Show} show
 * @property {ImageBitmap | null} answer what the server says of just these clicks
 * @property {ImageBitmap | null} old what it said of other clicks, to be seen until then
 * @property {Place | null} cross where the keyboard's cross is
 * @property {import("./value.js").Mark | null} near the mark under the pointer
 */

export const OBJECT = "#16cd7c"
export const OTHER = "#f0503c"
const BOX = "#ffffff"
const DARK = "rgba(0, 0, 0, 0.75)"
const FAINT = 0.55 // how much is seen of marks on the cut-out, and where the object was
const OLD = 0.45 // how much is seen of an old answer
const DOT = 6 // radius in pixels of the stage

/** @param {CanvasRenderingContext2D} context scaled to pixels of the stage @param {Scene} scene */
export function draw(context, scene) {
  const { view, photo, show } = scene
  const answer = scene.answer ?? scene.old
  const [left, top] = view.corner
  const [width, height] = photo.size.map((side) => side * view.scale)
  context.imageSmoothingQuality = "high"
  // A replaced photo is drawn from the answer alone: what the server took out must not shine through.
  const replaced = answer && show !== "mask"
  if (replaced && show === "cutout") checks(context, left, top, width, height)
  const source = replaced ? answer : width > photo.small.width * 1.5 ? photo.image : photo.small
  const strength = scene.answer ? 1 : OLD
  if (replaced) context.globalAlpha = strength
  context.drawImage(source, left, top, width, height)
  context.globalAlpha = strength
  if (answer && show === "mask") mask(context, answer, left, top, width, height)
  marks(context, scene, replaced ? FAINT : 1)
}

/** @param {CanvasRenderingContext2D} context @param {number} left @param {number} top @param {number} width @param {number} height */
function checks(context, left, top, width, height) {
  const size = 8
  const tile = document.createElement("canvas")
  tile.width = tile.height = 2 * size
  const own = /** @type {CanvasRenderingContext2D} */ (tile.getContext("2d"))
  own.fillStyle = "#8a8a8a"
  own.fillRect(0, 0, 2 * size, 2 * size)
  own.fillStyle = "#b4b4b4"
  own.fillRect(0, 0, size, size)
  own.fillRect(size, size, size, size)
  context.fillStyle = /** @type {CanvasPattern} */ (context.createPattern(tile, "repeat"))
  context.fillRect(left, top, width, height)
}

/** @param {CanvasRenderingContext2D} context @param {ImageBitmap} answer @param {number} left @param {number} top @param {number} width @param {number} height */
function mask(context, answer, left, top, width, height) {
  const { tint, outline, width: across, height: down } = overlayOf(answer)
  context.drawImage(tint, left, top, width, height)
  context.save()
  context.translate(left, top)
  context.scale(width / across, height / down)
  context.lineCap = "round"
  for (const [colour, thick] of /** @type {[string, number][]} */ ([[DARK, 3.5], ["#eafff4", 1.5]])) {
    context.strokeStyle = colour
    context.lineWidth = (thick * across) / width
    context.stroke(outline)
  }
  context.restore()
}

/** @param {CanvasRenderingContext2D} context @param {Scene} scene @param {number} strength */
function marks(context, { view, clicks, cross, near }, strength) {
  clicks.strokes.forEach(({ label, width, points }, at) => {
    const line = new Path2D()
    points.forEach((place, index) => {
      const [x, y] = view.toStage(place)
      if (index) line.lineTo(x, y)
      else line.moveTo(x, y)
    })
    const [x, y] = view.toStage(points[points.length - 1])
    line.lineTo(x + 0.01, y) // a stroke of one place is a round dot
    const thick = Math.max(2, width * view.scale)
    context.lineCap = context.lineJoin = "round"
    const touched = near?.kind === "stroke" && near.at === at
    for (const [colour, more, alpha] of /** @type {[string, number, number][]} */ ([[DARK, 2, 0.5], [label ? OBJECT : OTHER, 0, 0.85]])) {
      context.globalAlpha = touched ? 1 : alpha * strength
      context.strokeStyle = colour
      context.lineWidth = thick + more
      context.stroke(line)
    }
  })
  context.globalAlpha = strength
  if (clicks.box) box(context, view, clicks.box, near?.kind === "box" ? near.sides : [])
  clicks.points.forEach(({ x, y, label }, at) =>
    dot(context, view.toStage([x, y]), label, near?.kind === "point" && near.at === at))
  context.globalAlpha = 1
  if (cross) target(context, view.toStage(cross))
}

/** @param {CanvasRenderingContext2D} context @param {import("../editor/view.js").View} view @param {import("./value.js").Box} box @param {number[]} sides */
function box(context, view, [x0, y0, x1, y1], sides) {
  const [left, top] = view.toStage([x0, y0])
  const [right, bottom] = view.toStage([x1, y1])
  context.strokeStyle = DARK
  context.lineWidth = 3.5
  context.strokeRect(left, top, right - left, bottom - top)
  context.strokeStyle = BOX
  context.lineWidth = 1.5
  context.strokeRect(left, top, right - left, bottom - top)
  for (const x of [left, right]) {
    for (const y of [top, bottom]) {
      const touched = sides.includes(x === left ? 0 : 2) && sides.includes(y === top ? 1 : 3)
      const half = touched ? 5 : 3.5
      context.fillStyle = BOX
      context.strokeStyle = DARK
      context.lineWidth = 1
      context.fillRect(x - half, y - half, 2 * half, 2 * half)
      context.strokeRect(x - half, y - half, 2 * half, 2 * half)
    }
  }
}

/** @param {CanvasRenderingContext2D} context @param {Place} place @param {number} label @param {boolean} touched */
function dot(context, [x, y], label, touched) {
  const radius = touched ? DOT + 2 : DOT
  context.beginPath()
  context.arc(x, y, radius + 2.5, 0, 2 * Math.PI)
  context.fillStyle = DARK
  context.fill()
  context.beginPath()
  context.arc(x, y, radius + 1.5, 0, 2 * Math.PI)
  context.fillStyle = "#fff"
  context.fill()
  context.beginPath()
  context.arc(x, y, radius, 0, 2 * Math.PI)
  context.fillStyle = label ? OBJECT : OTHER
  context.fill()
  // A sign too, for those who do not tell green from red.
  context.fillStyle = "#fff"
  context.fillRect(x - 3.5, y - 1, 7, 2)
  if (label) context.fillRect(x - 1, y - 3.5, 2, 7)
}

/** @param {CanvasRenderingContext2D} context @param {Place} place */
function target(context, [x, y]) {
  for (const [colour, thick] of /** @type {[string, number][]} */ ([[DARK, 4], ["#fff", 1.5]])) {
    context.strokeStyle = colour
    context.lineWidth = thick
    context.beginPath()
    for (const [dx, dy] of [[1, 0], [-1, 0], [0, 1], [0, -1]]) {
      context.moveTo(x + 4 * dx, y + 4 * dy)
      context.lineTo(x + 14 * dx, y + 14 * dy)
    }
    context.stroke()
  }
}
