// Where an item lies on the picture, what of it is under a place, and what a drag makes of it. Numbers only.

/** @typedef {import("../editor/view.js").Place} Place */
/** @typedef {import("./value.js").Placement} Placement */
/** @typedef {{middle: Place, size: Place, angle: number, flip: boolean}} Frame `angle` in radians, clockwise as canvases turn; `size` in pixels of the picture */
/** @typedef {"move" | "scale" | "turn"} Kind */

const LEAST = 0.01
const MOST = 50
const LONGEST = 16384 // pixels a side, and the area below: what paintseg.layers.compose allows
const AREA = 2 ** 26
const SNAP = 15 // degrees, with Shift

/** @param {Placement} placement @param {number[]} box x0, y0, x1, y1 @returns {Frame} */
export function frameOf({ x, y, dx = 0, dy = 0, scale = 1, rotation = 0, flip = false }, [x0, y0, x1, y1]) {
  return {
    middle: [(x ?? (x0 + x1) / 2) + dx, (y ?? (y0 + y1) / 2) + dy],
    size: [(x1 - x0) * scale, (y1 - y0) * scale],
    angle: (-rotation * Math.PI) / 180,
    flip,
  }
}

/** A place of the picture in the frame's own axes, from its middle. @param {Frame} frame @param {Place} place @returns {Place} */
export function inside({ middle, angle }, [x, y]) {
  const [dx, dy, cos, sin] = [x - middle[0], y - middle[1], Math.cos(angle), Math.sin(angle)]
  return [dx * cos + dy * sin, dy * cos - dx * sin]
}

/** The other way. @param {Frame} frame @param {Place} own @returns {Place} */
export function outside({ middle, angle }, [x, y]) {
  const [cos, sin] = [Math.cos(angle), Math.sin(angle)]
  return [middle[0] + x * cos - y * sin, middle[1] + x * sin + y * cos]
}

/** The four corners, clockwise from the upper left. @param {Frame} frame @returns {Place[]} */
export function corners(frame) {
  const [across, down] = [frame.size[0] / 2, frame.size[1] / 2]
  return [[-across, -down], [across, -down], [across, down], [-across, down]].map(([x, y]) => outside(frame, [x, y]))
}

/**
 * The knob that turns: above the frame, or where that is not on the stage below it, or else inside.
 *
 * @param {Frame} frame @param {number} far from the frame, in pixels of the picture @param {(place: Place) => boolean} isSeen
 * @returns {{knob: Place, from: Place}} the knob, and where its stalk begins
 */
export function knobOf(frame, far, isSeen) {
  const half = frame.size[1] / 2
  const ways = [[-half, -half - far], [half, half + far], [-half, -half + far]]
  const made = ways.map(([from, to]) => ({ from: outside(frame, [0, from]), knob: outside(frame, [0, to]) }))
  return made.find(({ knob }) => isSeen(knob)) ?? made[2]
}

/** Where in a layer's picture (0..1 each) a place lies; null beside it. @param {Frame} frame @param {Place} place @returns {Place | null} */
export function shareAt(frame, place) {
  const [x, y] = inside(frame, place)
  const [across, down] = [x / frame.size[0] + 0.5, y / frame.size[1] + 0.5]
  if (across < 0 || across > 1 || down < 0 || down > 1) return null
  return [frame.flip ? 1 - across : across, down]
}

/** @param {number} value @param {number} digits */
const rounded = (value, digits) => Number(value.toFixed(digits))

/** @param {Placement} placement @param {number} right @param {number} down pixels @returns {Partial<Placement>} */
export function moved(placement, right, down) {
  const { x, y, dx = 0, dy = 0 } = placement
  return {
    ...(x == null ? { dx: Math.round(dx + right) } : { x: rounded(x + right, 1) }),
    ...(y == null ? { dy: Math.round(dy + down) } : { y: rounded(y + down, 1) }),
  }
}

/** @param {Placement} placement @param {number} factor @param {number[]} box @returns {Partial<Placement>} */
export function scaled({ scale = 1 }, factor, [x0, y0, x1, y1]) {
  const [width, height] = [x1 - x0, y1 - y0]
  const room = Math.min(MOST, LONGEST / Math.max(width, height), Math.sqrt(2 * AREA) / (width + height)) // turned by 45 degrees
  return { scale: rounded(Math.min(Math.max(scale * factor, LEAST), Math.max(room, 1)), 3) }
}

/** @param {Placement} placement @param {number} degrees counter-clockwise @param {boolean} [snap] @returns {Partial<Placement>} */
export function turned({ rotation = 0 }, degrees, snap = false) {
  const free = rotation + degrees
  const angle = snap ? Math.round(free / SNAP) * SNAP : rounded(free, 1)
  return { rotation: rounded(((((angle + 180) % 360) + 360) % 360) - 180, 1) + 0 }
}

/**
 * What a drag makes of a placement.
 *
 * @param {Kind} kind @param {Placement} placement as it was before @param {number[]} box @param {Place} from @param {Place} to
 * @param {boolean} snap @returns {Partial<Placement>}
 */
export function dragged(kind, placement, box, from, to, snap) {
  if (kind === "move") return moved(placement, to[0] - from[0], to[1] - from[1])
  const { middle } = frameOf(placement, box)
  const [before, now] = [from, to].map(([x, y]) => [x - middle[0], y - middle[1]])
  if (kind === "scale") return scaled(placement, Math.hypot(now[0], now[1]) / Math.max(1, Math.hypot(before[0], before[1])), box)
  const turn = Math.atan2(before[1], before[0]) - Math.atan2(now[1], now[0])
  return turned(placement, (turn * 180) / Math.PI, snap)
}
