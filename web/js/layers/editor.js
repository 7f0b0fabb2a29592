// The editor of layers on a node: keeps the node's placements, its pictures, and what is taken hold of together.

import { memoryOf } from "../editor/memory.js"
import { keepMenu, settle } from "../editor/mount.js"
import { stageOf } from "../editor/stage.js"
import { dress } from "../editor/style.js"
import { View } from "../editor/view.js"
import { back, step } from "../steps.js"
import { Arrangement } from "./arrangement.js"
import { draw } from "./draw.js"
import { Follower } from "./follower.js"
import * as geometry from "./geometry.js"
import { listen } from "./gestures.js"
import { listenToKeys } from "./keys.js"
import { Panel } from "./panel.js"
import { knobOn, under } from "./reach.js"
import * as value from "./value.js"
import * as words from "./words.js"

/** @typedef {import("../editor/view.js").Place} Place */
/** @typedef {import("./value.js").Item} Item */
/** @typedef {import("./value.js").Placement} Placement */
/** @typedef {import("./gestures.js").Drag} Drag */

const EDGE = 30 // pixels of the stage around the picture, where handles may lie
const PAUSE = 400 // milliseconds after the last turn of the wheel that make it a step

export class Editor {
  /** @type {any} the widget, once there is one */ widget
  /** @type {string} the key of the item that is taken hold of */ picked = ""
  /** @type {Item | null} the item under the pointer */ near = null
  view = new View(EDGE)
  #timer = 0

  /** @param {any} node */
  constructor(node) {
    dress()
    this.node = node
    this.arrangement = new Arrangement(node)
    this.follower = new Follower(this)
    this.panel = new Panel(this)
    this.root = this.panel.root
    this.stage = this.panel.stage
    this.canvas = stageOf(this.stage, (context, size) => this.#draw(context, size))
    this.gestures = listen(this)
    listenToKeys(this)
    keepMenu(this.root)
    this.stage.addEventListener("blur", () => !this.gestures.isDragging() && this.flush())
    this.refresh()
  }

  get memory() {
    return memoryOf(this.node, this.arrangement.text)
  }

  get fields() {
    return this.arrangement.fields
  }

  get pictures() {
    return this.arrangement.pictures
  }

  /** The item that is taken hold of. */
  get taken() {
    return this.pictures && this.arrangement.items.find(({ key }) => key === this.picked)
  }

  look() {
    this.follower.look()
  }

  /** The value that the text has: of a saved workflow, of an undo, typed. @param {string} text */
  receive(text) {
    this.arrangement.receive(text)
    this.memory?.history.follow(text)
    this.refresh()
  }

  /** Go on where the editor was before ComfyUI made the node anew. */
  recall() {
    const { memory } = this
    if (!memory) return
    settle(this)
    this.picked = memory.picked
    if (memory.view?.photo === this.follower.key) Object.assign(this.view, { zoom: memory.view.zoom, middle: memory.view.middle })
    if (Date.now() < memory.refocus) this.stage.focus({ preventScroll: true })
    memory.refocus = 0
  }

  /** A step of the user's. @param {Placement[]} list */
  commit(list) {
    clearTimeout(this.#timer)
    this.arrangement.draft = null
    const text = value.write(list)
    if (text !== this.arrangement.text) {
      this.memory?.history.add(text)
      this.fields.text = text
      this.receive(text)
      step()
    }
    this.refresh()
  }

  /** What the wheel began becomes a step. */
  flush() {
    const { draft } = this.arrangement
    if (draft) this.commit(draft)
  }

  /** Change what is taken hold of. @param {(placement: Placement, box: number[]) => Partial<Placement>} change @param {boolean} [isWheel] */
  #change(change, isWheel = false) {
    const item = this.taken
    if (!item || this.gestures.isDragging()) return
    const list = this.arrangement.with(item, change(item.placement, this.arrangement.boxOf(item)))
    if (!isWheel) return this.commit(list)
    this.arrangement.draft = list
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => this.flush(), PAUSE)
    this.refresh()
  }

  // Gestures

  /** What a press at a place of the stage would take hold of. @param {Place} at @param {number} reach */
  under(at, reach) {
    return under(this, at, reach)
  }

  /** @param {Item | null} item */
  take(item) {
    this.picked = item?.key ?? ""
    if (this.memory) this.memory.picked = this.picked
    this.near = null
    this.refresh()
  }

  /** @param {Drag} drag */
  #result({ kind, item, from, to, snap }) {
    if (!item || kind === "pan") return null
    const { arrangement } = this
    arrangement.draft = null
    return arrangement.with(item, geometry.dragged(kind, item.placement, arrangement.boxOf(item), from, to, snap))
  }

  /** @param {Drag | null} drag */
  dragged(drag) {
    this.arrangement.draft = drag && this.#result(drag)
    this.refresh()
  }

  /** @param {Drag} drag */
  dropped(drag) {
    const list = this.#result(drag)
    if (list) this.commit(list)
  }

  /** @param {import("./reach.js").Under | null} what */
  hovered(what) {
    const cursor = { move: "mark", scale: "scale", turn: "turn", pan: this.view.zoom > 1 ? "pan" : "" }
    this.stage.dataset.cursor = what ? cursor[what.kind] : ""
    if (what?.item?.key === this.near?.key) return
    this.near = what?.item ?? null
    this.paint()
  }

  /** The view has changed. */
  viewed() {
    if (this.memory && this.pictures) this.memory.view = { photo: this.follower.key, zoom: this.view.zoom, middle: this.view.middle }
    this.refresh()
  }

  // Actions of buttons and keys

  /** @param {number} dx -1, 0 or 1 @param {number} dy @param {number} share of the picture's longer side; 0: one pixel */
  moveBy(dx, dy, share) {
    const by = share ? Math.max(1, (share * Math.max(...this.view.photo)) / this.view.zoom) : 1
    this.#change((placement) => geometry.moved(placement, dx * by, dy * by))
  }

  /** @param {number} factor @param {boolean} [isWheel] */
  scaleBy(factor, isWheel) {
    this.#change((placement, box) => geometry.scaled(placement, factor, box), isWheel)
  }

  /** @param {number} degrees counter-clockwise @param {boolean} [isWheel] */
  turnBy(degrees, isWheel) {
    this.#change((placement) => geometry.turned(placement, degrees), isWheel)
  }

  mirror() {
    this.#change(({ flip }) => ({ flip: !flip }))
  }

  reset() {
    this.#change(() => value.REST)
  }

  /** One layer forward, or back. @param {boolean} forward */
  pass(forward) {
    this.#change((placement) => {
      const item = this.taken
      return { order: (item && value.orderPast(this.arrangement.items, item, forward)) ?? placement.order ?? null }
    })
  }

  /** @param {number} by */
  takeNext(by) {
    if (!this.pictures) return
    const { items } = this.arrangement
    if (!items.length) return
    const now = items.findIndex(({ key }) => key === this.picked)
    this.flush()
    this.take(items[now < 0 ? (by > 0 ? 0 : items.length - 1) : (now + by + items.length) % items.length])
  }

  clear() {
    if (this.arrangement.saved?.length) this.commit([])
  }

  undo() {
    this.flush()
    this.#go(this.memory?.history.undo(), false)
  }

  redo() {
    this.#go(this.memory?.history.redo(), true)
  }

  /** @param {string | undefined} text @param {boolean} forwards */
  #go(text, forwards) {
    if (text === undefined) return
    back(() => (this.fields.text = text), forwards)
    this.receive(text)
  }

  /** @param {number} factor 0: all of the picture */
  zoom(factor) {
    if (!this.pictures) return
    if (factor) this.view.zoomBy(factor)
    else this.view.fit()
    this.viewed()
  }

  cancel() {
    this.gestures.cancel()
    if (this.panel.isHelping) this.panel.toggleHelp()
    else this.take(null)
  }

  /** Hold on to the focus through an undo of ComfyUI's, which makes this editor anew. */
  expectUndo() {
    if (this.memory && document.activeElement === this.stage) this.memory.refocus = Date.now() + 5000
  }

  /** The node is gone. */
  end() {
    clearTimeout(this.#timer)
    this.canvas.end()
  }

  // Showing

  paint() {
    this.canvas.paint()
  }

  refresh() {
    const { pictures, taken, memory, fields } = this
    const { items, saved, text } = this.arrangement
    const blocked = fields.isWired ? words.WIRED : saved ? this.follower.notice : words.UNREADABLE
    this.panel.update({
      which: taken ? `Layer ${taken.placement.layer}` : "Layer -",
      canTake: Boolean(pictures && items.length),
      canChange: Boolean(taken),
      canForward: Boolean(taken && value.orderPast(items, taken, true) !== undefined),
      canBackward: Boolean(taken && value.orderPast(items, taken, false) !== undefined),
      canReset: Boolean(taken && !value.isResting(taken.placement)),
      canUndo: Boolean(memory?.history.past.length),
      canRedo: Boolean(memory?.history.future.length),
      canClear: Boolean(pictures && saved?.length),
      canZoom: Boolean(pictures),
      zoom: this.view.zoom,
      notice: pictures && !this.follower.notice ? "" : blocked,
      counts: text.trim() && !fields.isWired ? words.PICTURE_COUNTS : "",
    })
    this.panel.say(taken ? words.told(taken.placement) : pictures && !this.follower.notice ? words.START : "")
    this.paint()
  }

  /** @param {CanvasRenderingContext2D} context @param {Place} size */
  #draw(context, size) {
    const { pictures, taken, view } = this
    if (!pictures) return
    view.resize(size, pictures.size)
    const frame = taken && geometry.frameOf(taken.placement, this.arrangement.boxOf(taken))
    draw(context, { view, pictures, items: this.arrangement.items, taken: frame ? { frame, ...knobOn(view, frame) } : null, near: this.near })
  }
}
