// Keeps an editor's photo the one that its node is given, and its clicks those of that photo.

import { isBusy, quietly } from "../steps.js"
import { fetchPhoto, isSamePhoto, isWired, nameOf } from "./photo.js"
import * as value from "./value.js"
import * as words from "./words.js"

export class Follower {
  /** What is shown, as text; "" without a photo. */ key = ""
  #lastPrint = ""
  /** @type {Promise<void>} */ #loading = Promise.resolve()

  /** @param {import("./editor.js").Editor} editor @param {string} input the name of the socket that brings the photo */
  constructor(editor, input) {
    this.editor = editor
    this.input = input
  }

  /** Look whether the photo is still the same; done when the new one is there. */
  look() {
    const { node } = this.editor
    if (!node.graph || isBusy()) return this.#loading
    const name = nameOf(node, this.input)
    const key = name ? JSON.stringify(name) : isWired(node, this.input) ? "wired" : ""
    if (key !== this.key) {
      this.key = key
      this.#loading = this.#load(name, key)
    }
    return this.#loading
  }

  /** @param {import("./photo.js").Name | undefined} name @param {string} key */
  async #load(name, key) {
    const { editor } = this
    editor.leave(name ? words.LOADING : key ? words.UNKNOWN_PHOTO : words.NO_PHOTO)
    if (!name) return
    try {
      const photo = await fetchPhoto(name)
      if (key !== this.key) return
      editor.photo = photo
    } catch {
      if (key === this.key) editor.leave(words.NO_FILE)
      return
    }
    editor.recall()
    const cleared = this.meet()
    editor.refresh()
    if (cleared) editor.panel.say(words.OTHER_PHOTO, "note")
  }

  /** Bring photo and clicks together; those of another photo are taken away. Returns whether they were. */
  meet() {
    const { editor } = this
    if (!editor.photo) return false
    const known = editor.saved.photo ?? this.#lastPrint
    const other = known && !isSamePhoto(known, editor.photo.print)
    const fitted = other ? null : value.resized(editor.saved, editor.photo.size)
    this.#lastPrint = editor.photo.print
    if (fitted) editor.saved = fitted
    if (fitted || value.isEmpty(editor.saved)) return false
    if (isBusy()) {
      this.key = "" // once more when it is over
      return false
    }
    editor.memory?.history.restart("")
    quietly(() => (editor.widget.value = ""))
    return true
  }
}
