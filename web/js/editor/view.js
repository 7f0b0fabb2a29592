// Where the photo lies on its stage: all of it, or a part of it enlarged. Numbers only.

/** @typedef {[number, number]} Place x and y in pixels */

const MOST = 16 // times as large as when all of it is seen
const EDGE = 4 // pixels of the stage around the photo, where nothing else is asked for

export class View {
  /** @type {Place} */ stage = [1, 1]
  /** @type {Place} */ photo = [1, 1]
  zoom = 1
  /** @type {Place} what of the photo lies in the middle of the stage, each in 0..1 */
  middle = [0.5, 0.5]

  /** @param {number} [edge] pixels of the stage around the photo */
  constructor(edge = EDGE) {
    this.edge = edge
  }

  /** Stage pixels per picture pixel. */
  get scale() {
    const fit = Math.min((this.stage[0] - 2 * this.edge) / this.photo[0], (this.stage[1] - 2 * this.edge) / this.photo[1])
    return Math.max(1e-6, fit) * this.zoom
  }

  /** Where the photo's upper left corner lies on the stage. @returns {Place} */
  get corner() {
    const { scale } = this
    /** @param {number} side */
    const along = (side) => this.stage[side] / 2 - this.middle[side] * this.photo[side] * scale
    return [along(0), along(1)]
  }

  /** @param {Place} place of the photo @returns {Place} of the stage */
  toStage([x, y]) {
    const { scale, corner } = this
    return [corner[0] + x * scale, corner[1] + y * scale]
  }

  /** @param {Place} place of the stage @returns {Place} of the photo; beyond it, the nearest pixel's middle */
  toPhoto(place) {
    const [x, y] = this.beyond(place)
    const [width, height] = this.photo
    return [clamp(x, 0.5, width - 0.5), clamp(y, 0.5, height - 0.5)]
  }

  /** @param {Place} place of the stage @returns {Place} of the photo, or of where it would go on */
  beyond([x, y]) {
    const { scale, corner } = this
    return [(x - corner[0]) / scale, (y - corner[1]) / scale]
  }

  /** Enlarge by a factor, so that what lies at a place of the stage stays there. @param {number} factor @param {Place} [at] */
  zoomBy(factor, at = [this.stage[0] / 2, this.stage[1] / 2]) {
    const before = this.#shareAt(at)
    this.zoom = clamp(this.zoom * factor, 1, MOST)
    const after = this.#shareAt(at)
    this.middle = [this.middle[0] + before[0] - after[0], this.middle[1] + before[1] - after[1]]
    this.#settle()
  }

  /** Move the photo by so many pixels of the stage. @param {number} dx @param {number} dy */
  panBy(dx, dy) {
    const { scale } = this
    this.middle = [this.middle[0] - dx / (this.photo[0] * scale), this.middle[1] - dy / (this.photo[1] * scale)]
    this.#settle()
  }

  /** Move no further than it takes to bring a place of the photo into sight. @param {Place} place */
  reveal(place) {
    const margin = 24
    const moves = this.toStage(place).map((at, side) => {
      const most = Math.max(margin, this.stage[side] - margin)
      return clamp(at, margin, most) - at
    })
    if (this.zoom > 1) this.panBy(moves[0], moves[1])
  }

  fit() {
    this.zoom = 1
    this.#settle()
  }

  /** @param {Place} stage @param {Place} photo */
  resize(stage, photo) {
    this.stage = stage
    this.photo = photo
    this.#settle()
  }

  /** @param {Place} at @returns {Place} */
  #shareAt([x, y]) {
    const { scale, corner } = this
    return [(x - corner[0]) / scale / this.photo[0], (y - corner[1]) / scale / this.photo[1]]
  }

  /** Nothing but the photo where the photo fills the stage; the photo in the middle where it does not. */
  #settle() {
    const { scale } = this
    /** @param {number} side */
    const along = (side) => {
      const half = (this.stage[side] - 2 * this.edge) / 2 / (this.photo[side] * scale)
      return half >= 0.5 ? 0.5 : clamp(this.middle[side], half, 1 - half)
    }
    this.middle = [along(0), along(1)]
  }
}

/** @param {number} value @param {number} least @param {number} most */
const clamp = (value, least, most) => Math.min(Math.max(value, least), Math.max(least, most))
