// What was clicked on a photo, as the node's value keeps it: pure functions, each gives a new value.
//
// Coordinates are picture pixels from the upper left corner; the middle of the first pixel is (0.5, 0.5).

/** @typedef {0 | 1} Label 1: the object. 0: what is not the object. */
/** @typedef {{x: number, y: number, label: Label}} Point */
/** @typedef {[number, number]} Place */
/** @typedef {{label: Label, width: number, points: Place[]}} Stroke */
/** @typedef {[number, number, number, number]} Box left, upper, right and lower edge */
/**
 * @typedef {object} Clicks
 * @property {Place} [size] width and height of the picture that was shown; without them the picture as it comes
 * @property {string} [photo] fingerprint of that picture, see photo.js
 * @property {Point[]} points
 * @property {Stroke[]} strokes
 * @property {Box | null} box
 * @property {number} candidate which of the candidates was chosen, 0 the best
 */
/** @typedef {{kind: "point", at: number} | {kind: "stroke", at: number} | {kind: "box", sides: number[]}} Mark */

export const VERSION = 1
const SAME_SHAPE = 0.01 // by how much width/height may differ for a photo to count as the same in another size

/** @returns {Clicks} */
export const nothing = () => ({ points: [], strokes: [], box: null, candidate: 0 })

/** @param {Clicks} clicks */
export const isEmpty = ({ points, strokes, box }) => !points.length && !strokes.length && !box

/** @param {unknown} one @returns {one is number[]} */
const numbers = (one) => Array.isArray(one) && one.every(Number.isFinite)

/**
 * Read a node's value, as saved, as typed by a person, or as an object.
 *
 * @param {unknown} given
 * @returns {Clicks | null} null where it is no such value; the caller leaves it alone then
 */
export function read(given) {
  if (given === "" || given == null) return nothing()
  try {
    const told = typeof given === "string" ? JSON.parse(given) : given
    if (typeof told !== "object") return null
    const { points = [], strokes = [], box = null, candidate = 0, size, photo } = told
    const sound =
      points.every((/** @type {any} */ { x, y, label = 1 }) => numbers([x, y]) && (label === 0 || label === 1)) &&
      strokes.every((/** @type {any} */ { points, width = 1, label = 1 }) =>
        points.length && points.every((/** @type {any} */ place) => numbers(place) && place.length === 2) &&
        width > 0 && (label === 0 || label === 1)) &&
      (box === null || (numbers(box) && box.length === 4)) &&
      (size == null || (numbers(size) && size.length === 2 && size[0] > 0 && size[1] > 0)) &&
      Number.isInteger(candidate) && candidate >= 0
    if (!sound) return null
    return {
      ...(size ? { size } : {}),
      ...(photo ? { photo } : {}),
      points: points.map((/** @type {any} */ { x, y, label = 1 }) => ({ x, y, label })),
      strokes: strokes.map((/** @type {any} */ { points, width = 1, label = 1 }) => ({ label, width, points })),
      box,
      candidate,
    }
  } catch {
    return null
  }
}

/**
 * The value as it is saved; "" for no clicks at all.
 *
 * @param {Clicks} clicks
 */
export function write(clicks) {
  if (isEmpty(clicks)) return ""
  const { size, photo, points, strokes, box, candidate } = clicks
  return JSON.stringify({ version: VERSION, size, photo, points, strokes, box, candidate })
}

/** Every change but the choice among candidates makes new candidates. @param {Clicks} clicks @param {Partial<Clicks>} change */
const changed = (clicks, change) => ({ ...clicks, candidate: 0, ...change })

/** @param {number} number */
const rounded = (number) => Math.round(number * 10) / 10

/** @param {Clicks} clicks @param {Place} place @param {Label} label */
export const withPoint = (clicks, [x, y], label) =>
  changed(clicks, { points: [...clicks.points, { x: rounded(x), y: rounded(y), label }] })

/** @param {Clicks} clicks @param {number} at @param {Place} place */
export const withPointAt = (clicks, at, [x, y]) =>
  changed(clicks, {
    points: clicks.points.map((point, index) => (index === at ? { ...point, x: rounded(x), y: rounded(y) } : point)),
  })

/**
 * A box from any two opposite corners; null for one without an area.
 *
 * @param {Clicks} clicks @param {Place} one @param {Place} other
 */
export function withBox(clicks, one, other) {
  const [left, right] = [one[0], other[0]].sort((a, b) => a - b)
  const [upper, lower] = [one[1], other[1]].sort((a, b) => a - b)
  const box = /** @type {Box} */ ([left, upper, right, lower].map(rounded))
  return changed(clicks, { box: box[2] > box[0] && box[3] > box[1] ? box : null })
}

/** The box with some of its sides (0 left, 1 upper, 2 right, 3 lower) at a place. @param {Clicks} clicks @param {number[]} sides @param {Place} place */
export function withSides(clicks, sides, place) {
  const box = [.../** @type {Box} */ (clicks.box)]
  for (const side of sides) box[side] = place[side % 2]
  return withBox(clicks, [box[0], box[1]], [box[2], box[3]])
}

/** @param {Clicks} clicks @param {Label} label @param {number} width @param {Place[]} places */
export const withStroke = (clicks, label, width, places) => {
  const points = simplified(places, width / 8).map(([x, y]) => /** @type {Place} */ ([rounded(x), rounded(y)]))
  return changed(clicks, { strokes: [...clicks.strokes, { label, width: rounded(width), points }] })
}

/** @param {Clicks} clicks @param {Mark} mark */
export function without(clicks, mark) {
  if (mark.kind === "box") return changed(clicks, { box: null })
  const list = mark.kind === "point" ? "points" : "strokes"
  return changed(clicks, { [list]: clicks[list].filter((/** @type {unknown} */ _, /** @type {number} */ index) => index !== mark.at) })
}

/** @param {Clicks} clicks @param {number} candidate */
export const withCandidate = (clicks, candidate) => ({ ...clicks, candidate })

/**
 * The clicks as they lie on the same photo in another size.
 *
 * @param {Clicks} clicks
 * @param {Place} size width and height of the picture that is shown now
 * @returns {Clicks | null} null where the photo has another shape: it is another photo
 */
export function resized(clicks, size) {
  if (!clicks.size) return clicks
  const [across, down] = [size[0] / clicks.size[0], size[1] / clicks.size[1]]
  if (Math.abs(across / down - 1) > SAME_SHAPE) return null
  if (across === 1 && down === 1) return clicks
  /** @param {Place} place @returns {Place} */
  const at = ([x, y]) => [rounded(x * across), rounded(y * down)]
  const box = clicks.box && /** @type {Box} */ ([...at([clicks.box[0], clicks.box[1]]), ...at([clicks.box[2], clicks.box[3]])])
  return {
    ...clicks,
    size,
    points: clicks.points.map(({ x, y, label }) => ({ x: at([x, y])[0], y: at([x, y])[1], label })),
    strokes: clicks.strokes.map(({ label, width, points }) => ({ label, width: rounded(width * across), points: points.map(at) })),
    box,
  }
}

/**
 * The mark within reach of a place: a point before an edge of the box, an edge before a stroke; the last set first.
 *
 * @param {Clicks} clicks @param {Place} place @param {number} reach in picture pixels
 * @returns {Mark | null}
 */
export function markAt({ points, strokes, box }, place, reach) {
  const point = nearest(points.map(({ x, y }) => Math.hypot(x - place[0], y - place[1])), reach)
  if (point !== null) return { kind: "point", at: point }
  const sides = box ? sidesAt(box, place, reach) : []
  if (sides.length) return { kind: "box", sides }
  const stroke = nearest(strokes.map((one) => distance(place, one.points) - one.width / 2), reach)
  return stroke === null ? null : { kind: "stroke", at: stroke }
}

/** @param {number[]} distances @param {number} reach */
function nearest(distances, reach) {
  const least = Math.min(...distances)
  return least <= reach ? distances.lastIndexOf(least) : null
}

/** @param {Box} box @param {Place} place @param {number} reach */
function sidesAt([left, upper, right, lower], [x, y], reach) {
  if (x < left - reach || x > right + reach || y < upper - reach || y > lower + reach) return []
  const across = Math.abs(x - left) <= Math.abs(x - right) ? [0, x - left] : [2, x - right]
  const down = Math.abs(y - upper) <= Math.abs(y - lower) ? [1, y - upper] : [3, y - lower]
  return [across, down].filter(([, away]) => Math.abs(away) <= reach).map(([side]) => side)
}

/** From a place to a line through places. @param {Place} place @param {Place[]} line */
function distance(place, line) {
  let least = Math.hypot(place[0] - line[0][0], place[1] - line[0][1])
  for (let at = 1; at < line.length; at++) least = Math.min(least, toSegment(place, line[at - 1], line[at]))
  return least
}

/** @param {Place} place @param {Place} from @param {Place} to */
function toSegment([x, y], [left, upper], [right, lower]) {
  const [dx, dy] = [right - left, lower - upper]
  const along = dx || dy ? Math.max(0, Math.min(1, ((x - left) * dx + (y - upper) * dy) / (dx * dx + dy * dy))) : 0
  return Math.hypot(x - left - along * dx, y - upper - along * dy)
}

/**
 * A line with fewer points that goes nowhere further than `tolerance` from the old one (Douglas and Peucker, 1973).
 *
 * @param {Place[]} line @param {number} tolerance
 * @returns {Place[]}
 */
export function simplified(line, tolerance) {
  if (line.length < 3) return line
  const [first, last] = [line[0], line[line.length - 1]]
  let [far, furthest] = [0, 0]
  for (let at = 1; at < line.length - 1; at++) {
    const away = toSegment(line[at], first, last)
    if (away > furthest) [far, furthest] = [at, away]
  }
  if (furthest <= tolerance) return [first, last]
  return [...simplified(line.slice(0, far + 1), tolerance).slice(0, -1), ...simplified(line.slice(far), tolerance)]
}

/** The mark that most likely was set last: points are set after boxes and strokes. @param {Clicks} clicks @returns {Mark | null} */
export function lastOf({ points, strokes, box }) {
  if (points.length) return { kind: "point", at: points.length - 1 }
  if (strokes.length) return { kind: "stroke", at: strokes.length - 1 }
  return box && { kind: "box", sides: [0, 1, 2, 3] }
}
