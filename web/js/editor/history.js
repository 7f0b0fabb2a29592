// Undo and redo of one editor. What ComfyUI itself undoes is followed, so that the two never disagree.

const MOST = 100

export class History {
  /** @param {string} now the value to begin with */
  constructor(now) {
    this.now = now
    /** @type {string[]} */
    this.past = []
    /** @type {string[]} */
    this.future = []
  }

  /** A step forward: a click, say. @param {string} value */
  add(value) {
    if (value === this.now) return
    this.past.push(this.now)
    if (this.past.length > MOST) this.past.shift()
    this.now = value
    this.future = []
  }

  /** The value one step back; undefined where there is none. */
  undo() {
    return this.#move(this.past, this.future)
  }

  /** The value one step forward again; undefined where there is none. */
  redo() {
    return this.#move(this.future, this.past)
  }

  /** A value that came from elsewhere: ComfyUI's own undo or redo, or a workflow that was opened. @param {string} value */
  follow(value) {
    if (value === this.now) return
    if (value === this.past.at(-1)) this.undo()
    else if (value === this.future.at(-1)) this.redo()
    else this.restart(value)
  }

  /** Forget all steps. @param {string} value */
  restart(value) {
    this.now = value
    this.past = []
    this.future = []
  }

  /** @param {string[]} from @param {string[]} to */
  #move(from, to) {
    const value = from.pop()
    if (value === undefined) return undefined
    to.push(this.now)
    this.now = value
    return value
  }
}
