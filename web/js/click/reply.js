// What the server says of the clicks as they are. While it has not said it: nothing, or what it said before a graph ran.

import { api } from "../../../../scripts/api.js"
import { placeOf } from "../nodes.js"
import { isGraphRunning, whenGraphsRun } from "../running.js"
import { Asker, knownAnswer } from "./answers.js"
import * as words from "./words.js"

const SIDES = [1024, 2048] // of the picture that is asked for: as a rule, and of an enlarged photo
const ENLARGED = 2.5

export class Reply {
  /** @type {ImageBitmap | null} */ picture = null
  candidates = 0
  #asked = ""
  /** @type {{picture: ImageBitmap, show: import("./answers.js").Show} | null} */ #last = null
  /** @type {() => void} */ #stopListening
  #isBusy = false
  #hasWaited = false // for a graph, since it was asked

  /** @param {import("./editor.js").Editor} editor */
  constructor(editor) {
    this.editor = editor
    // Of its own even where a tab was duplicated, client id and all, or the node was made anew.
    const own = Math.random().toString(36).slice(2)
    this.asker = new Asker(() => `${api.clientId ?? ""}:${own}:${placeOf(editor.node)}`, {
      answered: (answer) => this.#take(answer),
      refused: (sentence) => {
        editor.panel.say(sentence, "bad")
        editor.paint()
      },
      busy: (busy, why) => {
        this.#isBusy = busy
        if (!busy) this.#hasWaited = false
        editor.panel.spin(busy)
        this.#wait(why)
      },
    })
    this.#stopListening = whenGraphsRun(() => {
      this.#wait()
      editor.paint()
    })
  }

  /** The last answer, of other clicks: seen while a graph keeps the server from answering these. */
  get old() {
    return this.#hasWaited && this.#last?.show === this.editor.show ? this.#last.picture : null
  }

  /** Say what is waited for. @param {string} [why] in the server's words */
  #wait(why) {
    if (!this.#isBusy) return
    const waits = isGraphRunning()
    this.#hasWaited ||= waits
    this.editor.panel.say(why || (waits ? words.WAITING : words.THINKING))
  }

  /** The node is gone. */
  end() {
    this.#stopListening()
    this.asker.end()
  }

  /** Ask, unless it is known. @param {number} pause milliseconds that the clicks must rest before */
  ask(pause) {
    const { photo, clicks, show, view, panel } = this.editor
    const marked = [...clicks.points, ...clicks.strokes]
    if (!photo || !(clicks.box || marked.some(({ label }) => label))) {
      this.#forget("")
      this.#last = null
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
    this.#forget(asked) // no mask of other clicks, not for a moment, unless it is dimmed
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
    this.#last = { picture, show: this.editor.show }
    this.candidates = numbers.candidates ?? 0
    this.editor.panel.say(words.told(numbers))
    this.editor.viewed()
  }
}
