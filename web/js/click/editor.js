// The editor on a node: keeps value, photo, view and answer together. Its parts are in the files beside it.

import { memoryOf } from "../editor/memory.js"
import { keepMenu, settle } from "../editor/mount.js"
import { stageOf } from "../editor/stage.js"
import { dress } from "../editor/style.js"
import { View } from "../editor/view.js"
import { back, step } from "../steps.js"
import { Cross } from "./cross.js"
import { Follower } from "./follower.js"
import { listen } from "./gestures.js"
import { listenToKeys } from "./keys.js"
import { Panel } from "./panel.js"
import { Reply } from "./reply.js"
import { draw } from "./draw.js"
import * as value from "./value.js"
import * as words from "./words.js"

/** @typedef {import("./value.js").Place} Place */
/** @typedef {import("./value.js").Label} Label */
/** @typedef {import("./gestures.js").Drag} Drag */

const DRAG_PAUSE = 150 // milliseconds that a drag rests before the server is asked
const SHOWS = /** @type {import("./answers.js").Show[]} */ (Object.keys(words.SHOWS))

export class Editor {
  /** @type {any} the widget, once there is one */ widget
  text = ""
  saved = value.nothing()
  /** @type {value.Clicks | null} what a drag would make of them */ draft = null
  /** @type {import("./photo.js").Photo | null} */ photo = null
  /** @type {import("./panel.js").Tool} */ tool = "point"
  /** @type {Label} */ label = 1
  /** @type {import("./answers.js").Show} */ show = "mask"
  /** @type {value.Mark | null} the mark under the pointer */ near = null
  view = new View()
  brush = 12 // pixels of the stage
  notice = words.NO_PHOTO // in place of a photo

  /** @param {any} node @param {string} input the name of the socket that brings the photo */
  constructor(node, input) {
    dress()
    this.node = node
    this.follower = new Follower(this, input)
    this.panel = new Panel(this)
    this.root = this.panel.root
    this.stage = this.panel.stage
    this.reply = new Reply(this)
    this.cross = new Cross(this)
    this.canvas = stageOf(this.stage, (context, size) => this.#draw(context, size))
    this.gestures = listen(this)
    listenToKeys(this)
    keepMenu(this.root)
    this.refresh()
  }

  get clicks() {
    return this.draft ?? this.saved
  }

  get memory() {
    return memoryOf(this.node, this.text)
  }

  /** The value that ComfyUI gives: of a saved workflow, of its undo, of another widget. @param {unknown} given */
  receive(given) {
    const text = typeof given === "string" ? given : given == null ? "" : JSON.stringify(given)
    if (text === this.text) return
    this.text = text
    const read = value.read(text)
    this.saved = read ?? value.nothing()
    this.draft = null
    this.memory?.history.follow(text)
    this.follower.meet()
    this.refresh()
  }

  /** Whether the value is no such JSON; it is left alone until the user clicks. */
  get isUnreadable() {
    return value.read(this.text) === null
  }

  /** A step of the user's. @param {value.Clicks} clicks */
  commit(clicks) {
    this.draft = null
    if (!this.photo) return
    const text = value.write({ ...clicks, size: this.photo.size, photo: this.photo.print })
    if (text !== this.text) {
      this.memory?.history.add(text)
      this.widget.value = text
      step()
    }
    this.refresh()
  }

  /** The photo has gone, and another may come. @param {string} notice what is said instead */
  leave(notice) {
    this.photo = null
    this.notice = notice
    this.gestures.cancel()
    this.refresh()
  }

  /** Go on where the editor was before ComfyUI made the node anew. */
  recall() {
    this.view.fit()
    const { memory } = this
    if (!memory) return
    settle(this)
    this.show = memory.show
    if (memory.view?.photo === this.follower.key) Object.assign(this.view, { zoom: memory.view.zoom, middle: memory.view.middle })
    if (Date.now() < memory.refocus) this.stage.focus({ preventScroll: true })
    memory.refocus = 0
  }

  /** Show how things are, and ask for what is not known. @param {number} [pause] */
  refresh(pause = 0) {
    this.reply.ask(pause)
    this.#update()
    this.paint()
  }

  #update() {
    const history = this.memory?.history
    const { candidates } = this.reply
    this.panel.update({
      tool: this.tool,
      label: this.label,
      show: this.show,
      canUndo: Boolean(history?.past.length),
      canRedo: Boolean(history?.future.length),
      canClear: !value.isEmpty(this.saved),
      zoom: this.view.zoom,
      candidate: Math.min(this.saved.candidate, Math.max(0, candidates - 1)),
      candidates,
      notice: this.photo ? "" : this.notice,
    })
  }

  /** Whether the photo is still the same; done when the new one is there. */
  look() {
    return this.follower.look()
  }

  /** @param {CanvasRenderingContext2D} context @param {Place} size */
  #draw(context, size) {
    const { view, photo, clicks, show, near } = this
    if (!photo) return
    view.resize(size, photo.size)
    const { picture: answer, old } = this.reply
    draw(context, { view, photo, clicks, show, near, answer, old, cross: this.cross.place })
    this.stage.dataset.cursor = this.tool === "hand" ? "pan" : near && near.kind !== "stroke" ? "mark" : ""
  }

  // Gestures

  /** @param {Drag | null} drag */
  dragged(drag) {
    this.draft = drag && this.#result(drag)
    this.refresh(DRAG_PAUSE)
  }

  /** @param {Drag} drag */
  dropped(drag) {
    this.commit(this.#result(drag) ?? this.saved)
  }

  /** @param {Drag} drag @returns {value.Clicks | null} */
  #result({ kind, label, mark, from, to, path, again }) {
    const { saved } = this
    if (kind === "box") return value.withBox(saved, from, to)
    if (kind === "stroke") return value.withStroke(saved, label, Math.max(1, this.brush / this.view.scale), path)
    if (kind === "move" && mark?.kind === "point") return value.withPointAt(saved, mark.at, to)
    if (kind === "move" && mark?.kind === "box") return value.withSides(saved, mark.sides, to)
    if (kind !== "point" || again) return null
    const isThere = mark?.kind === "point" && saved.points[mark.at].label === label
    return isThere ? value.without(saved, mark) : value.withPoint(saved, from, label)
  }

  /** @param {value.Mark | null} mark under the pointer */
  hovered(mark) {
    if (JSON.stringify(mark) === JSON.stringify(this.near)) return
    this.near = mark
    this.paint()
  }

  /** The view has changed. */
  viewed() {
    if (this.memory && this.photo) this.memory.view = { photo: this.follower.key, zoom: this.view.zoom, middle: this.view.middle }
    this.#update()
    this.paint()
  }

  // Actions of buttons and keys

  undo() {
    const text = this.memory?.history.undo()
    if (text !== undefined) back(() => (this.widget.value = text))
    this.refresh()
  }

  redo() {
    const text = this.memory?.history.redo()
    if (text !== undefined) back(() => (this.widget.value = text), true)
    this.refresh()
  }

  clear() {
    this.commit(value.nothing())
  }

  /** @param {import("./panel.js").Tool} tool */
  choose(tool) {
    this.tool = tool
    this.near = null
    this.viewed()
  }

  flipLabel() {
    this.label = this.label ? 0 : 1
    this.viewed()
  }

  /** @param {import("./answers.js").Show} show */
  showAs(show) {
    this.show = show
    if (this.memory) this.memory.show = show
    this.refresh()
  }

  nextShow() {
    this.showAs(SHOWS[(SHOWS.indexOf(this.show) + 1) % SHOWS.length])
  }

  /** @param {number} by */
  nextCandidate(by) {
    const { candidates } = this.reply
    const now = Math.min(this.saved.candidate, candidates - 1)
    if (candidates > 1) this.chooseCandidate((now + by + candidates) % candidates)
  }

  /** @param {number} candidate */
  chooseCandidate(candidate) {
    if (candidate < this.reply.candidates) this.commit(value.withCandidate(this.saved, candidate))
  }

  /** @param {number} factor 0: all of the photo */
  zoom(factor) {
    if (factor) this.view.zoomBy(factor, this.cross.place ? this.view.toStage(this.cross.place) : undefined)
    else this.view.fit()
    this.viewed()
  }

  /** @param {number} factor */
  brushBy(factor) {
    this.brush = Math.min(60, Math.max(3, this.brush * factor))
    this.panel.say(`Brush: ${Math.round(this.brush)} pixels`)
  }

  toggleHelp() {
    this.panel.toggleHelp()
  }

  /** Hold on to the focus through an undo of ComfyUI's, which makes this editor anew. */
  expectUndo() {
    if (this.memory && document.activeElement === this.stage) this.memory.refocus = Date.now() + 5000
  }

  paint() {
    this.canvas.paint()
  }

  /** The node is gone. */
  end() {
    this.reply.end()
    this.canvas.end()
  }

  cancel() {
    this.cross.drop()
    this.gestures.cancel()
    if (this.panel.isHelping) this.panel.toggleHelp()
  }
}
