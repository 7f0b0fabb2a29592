// What the server says of the clicks as they are, and nothing while it has not said it.

import { api } from "../../../../scripts/api.js"
import { placeOf } from "../nodes.js"
import { Asker, knownAnswer } from "./answers.js"
import * as words from "./words.js"

const SIDES = [1024, 2048] // of the picture that is asked for: as a rule, and of an enlarged photo
const ENLARGED = 2.5

export class Reply {
  /** @type {ImageBitmap | null} */ picture = null
  candidates = 0
  #asked = ""

  /** @param {import("./editor.js").Editor} editor */
  constructor(editor) {
    this.editor = editor
    // Of its own even where a tab was duplicated, client id and all, or the node was made anew.
    const own = Math.random().toString(36).slice(2)
    this.asker = new Asker(() => `${api.clientId ?? ""}:${own}:${placeOf(editor.node)}`, {
      answered: (answer) => this.#take(answer),
      refused: (sentence) => editor.panel.say(sentence, "bad"),
      busy: (busy, why) => {
        editor.panel.spin(busy)
        if (busy) editor.panel.say(why || words.THINKING)
      },
    })
  }

  /** Ask, unless it is known. @param {number} pause milliseconds that the clicks must rest before */
  ask(pause) {
    const { photo, clicks, show, view, panel } = this.editor
    const marked = [...clicks.points, ...clicks.strokes]
    if (!photo || !(clicks.box || marked.some(({ label }) => label))) {
      this.#forget("")
      this.asker.stop()
      if (photo && this.editor.isUnreadable) panel.say(words.UNREADABLE, "bad")
      else panel.say(!photo ? "" : marked.length ? words.ONLY_OTHER : words.START)
      return
    }
    const { points, strokes, box, candidate } = clicks
    const side = SIDES[view.zoom > ENLARGED ? 1 : 0]
    const question = { picture: photo.name, clicks: { size: photo.size, points, strokes, box, candidate }, show, side }
    const asked = JSON.stringify(question)
    if (asked === this.#asked && this.picture) return
    this.#forget(asked) // no mask of other clicks, not for a moment
    const known = knownAnswer(question)
    if (!known) return this.asker.ask(question, pause)
    this.asker.stop()
    this.#take(known)
  }

  /** @param {string} asked */
  #forget(asked) {
    this.#asked = asked
    this.picture = null
    this.candidates = 0
  }

  /** @param {import("./answers.js").Answer} answer */
  #take({ picture, numbers }) {
    this.picture = picture
    this.candidates = numbers.candidates ?? 0
    this.editor.panel.say(words.told(numbers))
    this.editor.viewed()
  }
}
