// The value of the editor: placements, as JSON in the node's widget `placements`. Numbers only, and no page.

/**
 * Where a layer goes, as paintseg.layers.Placement has it; what is not said is as it was.
 *
 * @typedef {object} Placement
 * @property {number} layer 0 is the front one
 * @property {number | null} [x] where the middle of what is seen of it goes, in pixels
 * @property {number | null} [y]
 * @property {number} [dx] then moved by so many pixels
 * @property {number} [dy]
 * @property {number} [scale]
 * @property {number} [rotation] degrees, counter-clockwise
 * @property {boolean} [flip]
 * @property {number} [opacity]
 * @property {number | null} [order] the lower, the further in front
 * @property {number} [shadow]
 * @property {string | null} [fingerprint] which layer it was made for
 */
/** @typedef {{placement: Placement, at: number, key: string}} Item a layer as it is shown; `at`: its place in the list, -1 if nothing is said of it */
/** @typedef {{fingerprint: string, box?: number[], opacity?: number}} Layer what the server told of a layer */

const RESTING = { x: null, y: null, dx: 0, dy: 0, scale: 1, rotation: 0, flip: false, opacity: 1, order: null, shadow: 0 }
const EMPTY_ABLE = new Set(["x", "y", "order", "fingerprint"])

/** @param {string} name @param {unknown} value */
function fits(name, value) {
  if (name === "layer") return Number.isInteger(value) && Number(value) >= 0
  if (name === "fingerprint") return typeof value === "string" || value === null
  if (!(name in RESTING)) return false
  if (name === "flip") return typeof value === "boolean"
  if (value === null) return EMPTY_ABLE.has(name)
  if (typeof value !== "number" || !Number.isFinite(value)) return false
  return name === "scale" ? value > 0 : name === "opacity" || name === "shadow" ? value >= 0 && value <= 1 : true
}

/** Placements of a text; null for what is none. @param {string} text @returns {Placement[] | null} */
export function read(text) {
  if (!text.trim()) return []
  try {
    const given = JSON.parse(text)
    const entries = Array.isArray(given) ? given : [given]
    const good = entries.every((entry) =>
      entry && typeof entry === "object" && !Array.isArray(entry) && Object.entries(entry).every(([name, value]) => fits(name, value)))
    return good ? entries.map((entry) => ({ layer: 0, ...entry })) : null
  } catch {
    return null
  }
}

/** Whether a placement says nothing but which layer it is of. @param {Placement} placement */
export const isResting = (placement) =>
  Object.entries(RESTING).every(([name, value]) => (placement[/** @type {keyof Placement} */ (name)] ?? value) === value)

/** @param {Placement[]} list */
export const isOurs = (list) => list.some(({ fingerprint }) => fingerprint)

/** @param {Placement[]} list one placement a line @returns {string} */
export const write = (list) => (list.length ? `[${list.map((one) => JSON.stringify(one)).join(",\n ")}]` : "")

/** @param {Placement} placement */
const depth = ({ layer, order }) => order ?? layer

/**
 * What is shown, front to back.
 *
 * @param {Placement[]} list
 * @param {Placement} numbers what the node's number widgets say; they count while the list is empty
 * @param {Layer[]} layers
 * @returns {Item[]}
 */
export function items(list, numbers, layers) {
  const said = list.length ? list : isResting(numbers) ? [] : [numbers]
  const named = new Set(said.map(({ layer }) => layer))
  const onlyListed = list.length > 0 && !isOurs(list)
  const resting = layers.map((_, layer) => ({ layer })).filter(({ layer }) => !onlyListed && !named.has(layer))
  /** @type {Map<number, number>} */
  const counted = new Map()
  return [...said, ...resting]
    .map((placement, at) => {
      const nth = counted.get(placement.layer) ?? 0
      counted.set(placement.layer, nth + 1)
      return { placement, at: at < list.length ? at : -1, key: `${placement.layer}.${nth}` }
    })
    .filter(({ placement }) => layers[placement.layer]?.box)
    .sort((one, other) => depth(one.placement) - depth(other.placement))
}

/**
 * The list with one item changed. A layer whose list says nothing of it gets an entry with its fingerprint; in a
 * list that somebody wrote without any, entries stay without.
 *
 * @param {Placement[]} list @param {Placement} numbers @param {Layer[]} layers @param {Item} item
 * @param {Partial<Placement>} change @returns {Placement[]}
 */
export function changed(list, numbers, layers, item, change) {
  const signed = !list.length || isOurs(list)
  /** @param {Placement} placement @returns {Placement} */
  const tidy = (placement) => {
    const kept = Object.entries(placement).filter(([name, value]) => !(name in RESTING) || value !== RESTING[/** @type {keyof RESTING} */ (name)])
    const made = /** @type {Placement} */ (Object.fromEntries(kept))
    return signed ? { ...made, fingerprint: made.fingerprint ?? layers[made.layer]?.fingerprint } : made
  }
  const made = tidy({ ...item.placement, ...change })
  const begun = !list.length && !isResting(numbers) && item.placement !== numbers ? [tidy(numbers)] : [...list]
  if (item.at >= 0) begun[item.at] = made
  else begun.push(made)
  if (!signed) return begun
  const left = begun.filter((one) => !isResting(one))
  // An empty list would bring the numbers back into force.
  return left.length || isResting(numbers) ? left : [made]
}

/** What an item was before anybody moved it. */
export const REST = Object.freeze({ ...RESTING })

/** The order that brings an item in front of the next one ahead, or behind the next one; undefined where there is none. @param {Item[]} shown @param {Item} item @param {boolean} forward */
export function orderPast(shown, item, forward) {
  const depths = shown.map(({ placement }) => depth(placement))
  const at = shown.findIndex(({ key }) => key === item.key)
  const way = forward ? depths.slice(0, at).reverse() : depths.slice(at + 1)
  if (!way.length) return undefined
  const beyond = way.find((one) => one !== way[0])
  return beyond === undefined ? way[0] + (forward ? -1 : 1) : (way[0] + beyond) / 2
}
