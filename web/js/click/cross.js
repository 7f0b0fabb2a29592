// The keyboard's pointer: a cross on the photo.

import * as value from "./value.js"

/** @typedef {import("./value.js").Place} Place */
/** @typedef {import("./value.js").Label} Label */

const REACH = 24 // pixels of the stage between the cross and a mark that Delete takes away

export class Cross {
  /** @type {Place | null} */ place = null
  /** @type {import("./gestures.js").Drag | null} a box or a stroke that was begun */ drag = null

  /** @param {import("./editor.js").Editor} editor */
  constructor(editor) {
    this.editor = editor
    editor.stage.addEventListener("blur", () => this.hide())
    editor.stage.addEventListener("pointerdown", () => this.hide())
  }

  hide() {
    this.drop()
    this.place = null
    this.editor.paint()
  }

  /** Give up a box or a stroke that was begun. */
  drop() {
    if (!this.drag) return
    this.drag = null
    this.editor.dragged(null)
  }

  /** @param {number} dx -1, 0 or 1 @param {number} dy @param {number} share of the photo's longer side; 0: one pixel */
  move(dx, dy, share) {
    const { photo, view } = this.editor
    if (!photo) return
    const [width, height] = photo.size
    const [x, y] = this.#here(photo)
    const by = share ? Math.max(1, (share * Math.max(width, height)) / view.zoom) : 1
    this.place = [Math.min(width - 0.5, Math.max(0.5, x + dx * by)), Math.min(height - 0.5, Math.max(0.5, y + dy * by))]
    view.reveal(this.place)
    this.editor.viewed()
    if (!this.drag) return
    this.drag.to = this.place
    this.drag.path.push(this.place)
    this.editor.dragged(this.drag)
  }

  /** A point where the cross is; ends a box or a stroke that was begun. @param {Label} label */
  mark(label) {
    if (this.drag) this.#end(this.drag)
    else this.#begin("point", label, (drag) => this.editor.dropped(drag))
  }

  /** The first or the second corner of a box. */
  corner() {
    this.#toggle("box")
  }

  /** The begin or the end of a stroke. */
  stroke() {
    this.#toggle("stroke")
  }

  /** Take away what is under the pointer, else what is next to the cross, else the last mark. */
  remove() {
    const { editor } = this
    const { near, saved, view } = editor
    const close = this.place && value.markAt(saved, this.place, REACH / view.scale)
    const last = value.lastOf(saved)
    const mark = near ?? close ?? last
    editor.near = null
    if (mark) editor.commit(value.without(saved, mark))
  }

  /** @param {"box" | "stroke"} kind */
  #toggle(kind) {
    if (this.drag) this.#end(this.drag)
    else this.#begin(kind, this.editor.label, (drag) => (this.drag = drag))
  }

  /** @param {"point" | "box" | "stroke"} kind @param {Label} label @param {(drag: import("./gestures.js").Drag) => void} then */
  #begin(kind, label, then) {
    const { photo } = this.editor
    if (!photo) return
    const place = (this.place = this.#here(photo))
    then({ kind, label, mark: null, from: place, to: place, path: [place] })
    this.editor.paint()
  }

  /** @param {import("./gestures.js").Drag} drag */
  #end(drag) {
    this.drag = null
    this.editor.dropped(drag)
  }

  /** Where the cross is; at first in the middle of what is seen. @param {import("./photo.js").Photo} photo @returns {Place} */
  #here(photo) {
    const { middle } = this.editor.view
    return this.place ?? [Math.floor(middle[0] * photo.size[0]) + 0.5, Math.floor(middle[1] * photo.size[1]) + 0.5]
  }
}
