// Draws the stage of the editor of layers: the plate, the layers on it, and the frame of the one that is taken hold of.

import { corners, frameOf } from "./geometry.js"

/** @typedef {import("../editor/view.js").Place} Place */
/** @typedef {import("./value.js").Item} Item */
/** @typedef {import("./geometry.js").Frame} Frame */
/**
 * @typedef {object} Scene
 * @property {import("../editor/view.js").View} view
 * @property {import("./pictures.js").Pictures} pictures
 * @property {Item[]} items front to back
 * @property {{frame: Frame, knob: Place, from: Place} | null} taken places of the picture
 * @property {Item | null} near the item under the pointer
 */

const LINE = "#ffffff"
const DARK = "rgba(0, 0, 0, 0.75)"
const HANDLE = 9 // pixels of the stage a side
const KNOB = 6 // radius
const FLAT = 0.12 // of an object's height: its contact shadow (paintseg.layers.compose)

/** @param {CanvasRenderingContext2D} context in pixels of the stage @param {Scene} scene */
export function draw(context, { view, pictures, items, taken, near }) {
  const [left, top] = view.corner
  const [width, height] = pictures.size.map((side) => side * view.scale)
  context.imageSmoothingQuality = "high"
  context.save()
  context.beginPath()
  context.rect(left, top, width, height)
  context.clip()
  context.drawImage(pictures.plate, left, top, width, height)
  for (const item of [...items].reverse()) layer(context, view, pictures, item)
  context.restore()
  if (near && !taken) outline(context, view, frameOf(near.placement, boxOf(pictures, near)), 1)
  if (taken) handles(context, view, taken)
}

/** @param {import("./pictures.js").Pictures} pictures @param {Item} item */
const boxOf = ({ layers }, { placement }) => /** @type {number[]} */ (layers[placement.layer].box)

/** @param {CanvasRenderingContext2D} context @param {import("../editor/view.js").View} view @param {import("./pictures.js").Pictures} pictures @param {Item} item */
function layer(context, view, pictures, { placement }) {
  const { image, box, opacity: own = 1 } = pictures.layers[placement.layer]
  if (!image || !box) return
  const frame = frameOf(placement, box)
  const [width, height] = frame.size.map((side) => side * view.scale)
  const paint = (/** @type {CanvasRenderingContext2D} */ on) => {
    on.rotate(frame.angle)
    on.scale(frame.flip ? -1 : 1, 1)
    on.drawImage(image, -width / 2, -height / 2, width, height)
  }
  const opacity = own * (placement.opacity ?? 1)
  if (placement.shadow) shadow(context, view.toStage(frame.middle), [width, height], frame.angle, paint, placement.shadow * opacity)
  context.save()
  context.globalAlpha = opacity
  context.translate(...view.toStage(frame.middle))
  paint(context)
  context.restore()
}

/**
 * The silhouette pressed flat onto its lower edge and blurred, about as the server does it.
 *
 * @param {CanvasRenderingContext2D} context @param {Place} middle @param {Place} size @param {number} angle
 * @param {(on: CanvasRenderingContext2D) => void} paint @param {number} darkness
 */
function shadow(context, middle, [width, height], angle, paint, darkness) {
  const [cos, sin] = [Math.abs(Math.cos(angle)), Math.abs(Math.sin(angle))]
  const [across, down] = [width * cos + height * sin, height * cos + width * sin]
  const canvas = document.createElement("canvas")
  canvas.width = Math.min(1024, Math.max(1, Math.ceil(across)))
  canvas.height = Math.min(1024, Math.max(1, Math.ceil(down)))
  const own = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"))
  own.scale(canvas.width / across, canvas.height / down)
  own.translate(across / 2, down / 2)
  paint(own)
  own.setTransform(1, 0, 0, 1, 0, 0)
  own.globalCompositeOperation = "source-in"
  own.fillRect(0, 0, canvas.width, canvas.height)
  const flat = FLAT * down
  const ratio = context.getTransform().a
  context.save()
  context.globalAlpha = darkness
  context.filter = `blur(${ratio * Math.max(1, 0.02 * across, 0.25 * flat)}px)`
  context.drawImage(canvas, middle[0] - across / 2, middle[1] + down / 2 - 0.6 * flat, across, flat)
  context.restore()
}

/** @param {CanvasRenderingContext2D} context @param {import("../editor/view.js").View} view @param {Frame} frame @param {number} width */
function outline(context, view, frame, width) {
  const places = corners(frame).map((place) => view.toStage(place))
  context.beginPath()
  places.forEach((place, at) => (at ? context.lineTo(...place) : context.moveTo(...place)))
  context.closePath()
  stroke(context, width)
}

/** @param {CanvasRenderingContext2D} context @param {import("../editor/view.js").View} view @param {{frame: Frame, knob: Place, from: Place}} taken */
function handles(context, view, { frame, knob, from }) {
  outline(context, view, frame, 1.5)
  context.beginPath()
  context.moveTo(...view.toStage(from))
  context.lineTo(...view.toStage(knob))
  stroke(context, 1.5)
  context.fillStyle = LINE
  for (const corner of corners(frame)) {
    const [x, y] = view.toStage(corner)
    context.beginPath()
    context.rect(x - HANDLE / 2, y - HANDLE / 2, HANDLE, HANDLE)
    stroke(context, 1)
    context.fill()
  }
  context.beginPath()
  context.arc(...view.toStage(knob), KNOB, 0, 2 * Math.PI)
  stroke(context, 1)
  context.fill()
}

/** White on dark, so that it is seen on any photo. @param {CanvasRenderingContext2D} context @param {number} width */
function stroke(context, width) {
  context.strokeStyle = DARK
  context.lineWidth = width + 2
  context.stroke()
  context.strokeStyle = LINE
  context.lineWidth = width
  context.stroke()
}
