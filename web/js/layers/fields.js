// The node's own widgets beside the editor: the text that holds the placements, and the numbers that count without it.

/** @typedef {import("./value.js").Placement} Placement */

const TEXT = "placements"
const TALL = 80 // graph pixels
const NUMBERS = ["layer", "dx", "dy", "scale", "rotation", "flip", "opacity", "shadow"]

export class Fields {
  /** @type {Placement} */ numbers = { layer: 0 }
  isWired = false

  /** @param {any} node */
  constructor(node) {
    this.node = node
    const text = this.#widget(TEXT)
    if (text?.options) text.options.getMaxHeight = () => TALL // classic nodes would share what room there is
  }

  /** @param {string} name */
  #widget(name) {
    return this.node.widgets?.find((/** @type {GraphWidget} */ one) => one.name === name)
  }

  get text() {
    return String(this.#widget(TEXT)?.value ?? "")
  }

  set text(text) {
    const widget = this.#widget(TEXT)
    if (widget) widget.value = text
  }

  /** Look at numbers and wires anew; whether they have changed. */
  look() {
    const inputs = this.node.inputs ?? []
    const wired = inputs.some((/** @type {any} */ { name, link }) => name === TEXT && link != null)
    const numbers = /** @type {Placement} */ (Object.fromEntries(
      NUMBERS.map((name) => [name, this.#widget(name)?.value]).filter(([, value]) => value !== undefined)))
    if (wired === this.isWired && JSON.stringify(numbers) === JSON.stringify(this.numbers)) return false
    this.isWired = wired
    this.numbers = numbers
    return true
  }

  /** Grey the numbers out while they do not count. @param {boolean} grey */
  grey(grey) {
    for (const name of NUMBERS) {
      const widget = this.#widget(name)
      if (widget) widget.disabled = grey
    }
    this.node.setDirtyCanvas?.(true, true)
  }
}
