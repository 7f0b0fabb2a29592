// The editor's buttons and its line of words. What they do is the editor's.

import { button, element, group, keyList, stageElement, toggleKeyList } from "../editor/elements.js"
import { icon } from "../editor/icons.js"
import * as words from "./words.js"

/** @typedef {import("./answers.js").Show} Show */
/** @typedef {"point" | "stroke" | "hand"} Tool */
/** @typedef {"" | "note" | "bad"} Tone */

export class Panel {
  /** @param {import("./editor.js").Editor} editor */
  constructor(editor) {
    /** @type {Map<string, HTMLButtonElement>} */
    this.tools = new Map()
    for (const [tool, [, title]] of Object.entries(words.TOOLS)) {
      this.tools.set(tool, button(title, icon(tool), () => editor.choose(/** @type {Tool} */ (tool))))
    }
    this.label = button(words.LABELS[1], icon("plus"), () => editor.flipLabel(), { class: "label" })
    this.undo = button(words.UNDO, icon("undo"), () => editor.undo())
    this.redo = button(words.REDO, icon("redo"), () => editor.redo())
    this.clear = button(words.CLEAR, icon("clear"), () => editor.clear())
    this.zoomOut = button(words.ZOOM_OUT, icon("zoomOut"), () => editor.zoom(1 / 1.5))
    this.fit = button(words.FIT, icon("fit"), () => editor.zoom(0))
    this.zoomIn = button(words.ZOOM_IN, icon("zoomIn"), () => editor.zoom(1.5))
    this.help = button(words.HELP, icon("help"), () => editor.toggleHelp(), { "aria-expanded": "false" })
    this.above = element("div", { class: "bar", role: "toolbar", "aria-label": "Clicks" },
      group("Tool", ...this.tools.values()), group("What is marked", this.label),
      group("History", this.undo, this.redo, this.clear), group("Enlarge", this.zoomOut, this.fit, this.zoomIn),
      element("span", { class: "spring" }), group("Help", this.help))

    this.stage = stageElement(words.STAGE)
    this.notice = element("div", { class: "notice" })
    this.keys = keyList(words.KEYS, () => this.toggleHelp())
    this.field = element("div", { class: "field" }, this.stage, this.notice, this.keys)

    /** @type {Map<string, HTMLButtonElement>} */
    this.shows = new Map()
    for (const [show, [name, title]] of Object.entries(words.SHOWS)) {
      this.shows.set(show, button(title, name, () => editor.showAs(/** @type {Show} */ (show)), { role: "radio" }))
    }
    const views = element("div", { class: "group views", role: "radiogroup", "aria-label": "View" }, ...this.shows.values())
    this.previous = button(words.PREVIOUS, icon("previous"), () => editor.nextCandidate(-1))
    this.which = element("span", { class: "which", "aria-live": "polite" })
    this.next = button(words.NEXT, icon("next"), () => editor.nextCandidate(1))
    this.candidates = group("Candidates", this.previous, this.which, this.next)
    this.below = element("div", { class: "bar" }, views, element("span", { class: "spring" }), this.candidates)
    this.spinner = element("span", { class: "spinner", "aria-hidden": "true", hidden: "" })
    this.words = element("span", {})
    // Right below the photo: a long text lies over the photo's lower edge, which so stays where it is (editor/style.js).
    this.status = element("div", { class: "status", role: "status", "aria-live": "polite" }, this.spinner, this.words)

    // The node's tooltip would follow the pointer over the photo: an empty title of our own ends that.
    this.root = element("div", { class: "paintseg-editor paintseg-click", title: "" }, this.above, this.field, this.status, this.below)
    this.spin(false)
  }

  /**
   * Show how things are.
   *
   * @param {object} state
   * @param {Tool} state.tool
   * @param {number} state.label
   * @param {Show} state.show
   * @param {boolean} state.canUndo
   * @param {boolean} state.canRedo
   * @param {boolean} state.canClear
   * @param {number} state.zoom
   * @param {number} state.candidate
   * @param {number} state.candidates
   * @param {string} state.notice in place of a photo
   */
  update(state) {
    for (const [tool, one] of this.tools) one.setAttribute("aria-pressed", String(tool === state.tool))
    for (const [show, one] of this.shows) one.setAttribute("aria-checked", String(show === state.show))
    if (this.label.dataset.label !== `${state.label}`) {
      this.label.dataset.label = `${state.label}`
      this.label.title = words.LABELS[state.label]
      this.label.setAttribute("aria-label", words.LABELS[state.label])
      this.label.replaceChildren(icon(state.label ? "plus" : "minus"))
    }
    this.undo.disabled = !state.canUndo
    this.redo.disabled = !state.canRedo
    this.clear.disabled = !state.canClear
    this.zoomOut.disabled = this.fit.disabled = state.zoom <= 1
    this.which.textContent = state.candidates ? `${state.candidate + 1} / ${state.candidates}` : "- / -"
    this.previous.disabled = this.next.disabled = state.candidates < 2
    this.notice.textContent = state.notice
  }

  /** @param {string} text @param {Tone} [tone] */
  say(text, tone = "") {
    this.words.textContent = text
    this.status.dataset.tone = tone
  }

  /** @param {boolean} busy */
  spin(busy) {
    this.spinner.toggleAttribute("hidden", !busy)
    this.root.setAttribute("aria-busy", String(busy))
  }

  get isHelping() {
    return !this.keys.hasAttribute("hidden")
  }

  toggleHelp() {
    toggleKeyList(this)
  }
}
