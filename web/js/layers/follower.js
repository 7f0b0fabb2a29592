// Keeps an editor's text, numbers and pictures those of its node, and its placements those of these layers.

import { isBusy, quietly } from "../steps.js"
import { fetchPictures, keyOf } from "./pictures.js"
import * as value from "./value.js"
import * as words from "./words.js"

export class Follower {
  /** What the pictures are known by; "" before the first run. */ key = ""
  /** What is said in place of them. */ notice = words.NOT_YET

  /** @param {import("./editor.js").Editor} editor */
  constructor(editor) {
    this.editor = editor
  }

  /** Look whether text, numbers, wires and pictures are still the same. */
  look() {
    const { node, arrangement } = this.editor
    if (!node.graph || isBusy()) return
    const { text } = arrangement.fields
    if (text !== arrangement.text) this.editor.receive(text)
    if (arrangement.fields.look()) this.editor.refresh()
    const key = keyOf(node)
    if (key && key !== this.key) this.#load(key)
  }

  /** @param {string} key */
  async #load(key) {
    const { editor } = this
    const { arrangement } = editor
    this.key = key
    if (!arrangement.loaded) this.notice = words.LOADING
    try {
      const pictures = await fetchPictures(editor.node)
      if (key !== this.key) return
      editor.gestures.cancel()
      arrangement.loaded = pictures
      this.notice = pictures.layers.some(({ box }) => box) ? "" : words.NO_LAYER
    } catch {
      if (key !== this.key) return
      arrangement.loaded = null
      this.notice = words.GONE
    }
    editor.recall()
    editor.refresh()
    this.#dropStrangers()
  }

  /** Placements that the server found to be of other layers are taken away. */
  #dropStrangers() {
    const { editor } = this
    const { arrangement } = editor
    if (!arrangement.hasStrangers) return
    if (isBusy()) {
      this.key = "" // once more when it is over
      return
    }
    const text = value.write(arrangement.list)
    editor.memory?.history.restart(text)
    quietly(() => (arrangement.fields.text = text))
    editor.receive(text)
    editor.panel.say(words.OTHERS, "note")
  }
}
