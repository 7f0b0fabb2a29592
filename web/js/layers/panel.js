// The buttons of the editor of layers and its line of words. What they do is the editor's.

import { button, element, group, keyList, stageElement, toggleKeyList } from "../editor/elements.js"
import { icon } from "../editor/icons.js"
import * as words from "./words.js"

export class Panel {
  /** @param {import("./editor.js").Editor} editor */
  constructor(editor) {
    this.previous = button(words.PREVIOUS, icon("previous"), () => editor.takeNext(-1))
    this.which = element("span", { class: "which" })
    this.next = button(words.NEXT, icon("next"), () => editor.takeNext(1))
    this.forward = button(words.FORWARD, icon("forward"), () => editor.pass(true))
    this.backward = button(words.BACKWARD, icon("backward"), () => editor.pass(false))
    this.mirror = button(words.MIRROR, icon("mirror"), () => editor.mirror())
    this.reset = button(words.RESET, icon("reset"), () => editor.reset())
    this.undo = button(words.UNDO, icon("undo"), () => editor.undo())
    this.redo = button(words.REDO, icon("redo"), () => editor.redo())
    this.clear = button(words.CLEAR, icon("clear"), () => editor.clear())
    this.fit = button(words.FIT, icon("fit"), () => editor.zoom(0))
    this.zoomIn = button(words.ZOOM_IN, icon("zoomIn"), () => editor.zoom(1.5))
    this.help = button(words.HELP, icon("help"), () => this.toggleHelp(), { "aria-expanded": "false" })
    this.above = element("div", { class: "bar", role: "toolbar", "aria-label": "Layers" },
      group("Which layer", this.previous, this.which, this.next), group("Order", this.forward, this.backward),
      group("Layer", this.mirror, this.reset), group("History", this.undo, this.redo, this.clear),
      group("Enlarge", this.fit, this.zoomIn), element("span", { class: "spring" }), group("Help", this.help))
    this.stage = stageElement(words.STAGE)
    this.notice = element("div", { class: "notice" })
    this.keys = keyList(words.KEYS, () => this.toggleHelp())
    this.field = element("div", { class: "field" }, this.stage, this.notice, this.keys)
    this.counts = element("div", { class: "counts" })
    this.words = element("span", {})
    this.status = element("div", { class: "status", role: "status", "aria-live": "polite" }, this.words)
    // The node's tooltip would follow the pointer over the picture: an empty title of our own ends that.
    this.root = element("div", { class: "paintseg-editor paintseg-layers", title: "" },
      this.above, this.field, this.status, this.counts)
  }

  /**
   * Show how things are.
   *
   * @param {object} state
   * @param {string} state.which the layer that is taken hold of
   * @param {boolean} state.canTake whether there are layers
   * @param {boolean} state.canChange whether one is taken hold of
   * @param {boolean} state.canForward
   * @param {boolean} state.canBackward
   * @param {boolean} state.canReset
   * @param {boolean} state.canUndo
   * @param {boolean} state.canRedo
   * @param {boolean} state.canClear
   * @param {boolean} state.canZoom
   * @param {number} state.zoom
   * @param {string} state.notice in place of the picture
   * @param {string} state.counts what the layers are placed by
   */
  update(state) {
    this.which.textContent = state.which
    this.previous.disabled = this.next.disabled = !state.canTake
    this.mirror.disabled = !state.canChange
    this.reset.disabled = !state.canReset
    this.forward.disabled = !state.canForward
    this.backward.disabled = !state.canBackward
    this.undo.disabled = !state.canUndo
    this.redo.disabled = !state.canRedo
    this.clear.disabled = !state.canClear
    this.zoomIn.disabled = !state.canZoom
    this.fit.disabled = state.zoom <= 1
    this.notice.textContent = state.notice
    this.counts.textContent = state.counts
  }

  /** @param {string} text @param {"" | "note" | "bad"} [tone] */
  say(text, tone = "") {
    this.words.textContent = text
    this.status.dataset.tone = tone
  }

  get isHelping() {
    return !this.keys.hasAttribute("hidden")
  }

  toggleHelp() {
    toggleKeyList(this)
  }
}
