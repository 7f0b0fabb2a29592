// The layers as they are arranged just now: what the text says, what a drag makes of it, and the pictures it is about.

import { Fields } from "./fields.js"
import * as value from "./value.js"

/** @typedef {import("./value.js").Item} Item */
/** @typedef {import("./value.js").Placement} Placement */

export class Arrangement {
  text = ""
  /** @type {Placement[] | null} null: the text is none */ saved = []
  /** @type {Placement[] | null} what a drag would make of them */ draft = null
  /** @type {import("./pictures.js").Pictures | null} of the last run */ loaded = null

  /** @param {any} node */
  constructor(node) {
    this.fields = new Fields(node)
  }

  /** The value that the text has: of a saved workflow, of an undo, typed. @param {string} text */
  receive(text) {
    this.text = text
    this.saved = value.read(text)
    this.draft = null
    this.fields.grey(Boolean(text.trim()))
  }

  /** The pictures, while layers can be moved. */
  get pictures() {
    return this.saved && !this.fields.isWired ? this.loaded : null
  }

  get layers() {
    return this.loaded?.layers ?? []
  }

  /** Whether some placements were made for other layers than those of the last run. */
  get hasStrangers() {
    return !this.draft && this.saved !== null && this.list.length < this.saved.length
  }

  /** The placements that hold for these layers. */
  get list() {
    const strangers = this.loaded?.strangers ?? []
    return this.draft ?? (this.saved ?? []).filter(({ fingerprint }) => !fingerprint || !strangers.includes(fingerprint))
  }

  /** @returns {Item[]} front to back */
  get items() {
    return value.items(this.list, this.fields.numbers, this.layers)
  }

  /** The list with one item changed. @param {Item} item @param {Partial<Placement>} change */
  with(item, change) {
    return value.changed(this.list, this.fields.numbers, this.layers, item, change)
  }

  /** What of an item's layer is seen, x0, y0, x1, y1. @param {Item} item */
  boxOf(item) {
    return /** @type {number[]} */ (this.layers[item.placement.layer].box)
  }
}
