// The outline of a soft mask as line segments (marching squares, with the level's place between pixels).

/**
 * @param {Uint8Array | Uint8ClampedArray} mask row by row
 * @param {number} width
 * @param {number} height
 * @param {number} level in 0..255; what is at least that counts as inside
 * @returns {Float32Array} x0, y0, x1, y1 of each segment, in the mask's pixels; the middle of the first is (0.5, 0.5)
 */
export function contour(mask, width, height, level) {
  const found = []
  /** @param {number} x @param {number} y */
  const at = (x, y) => (x < 0 || y < 0 || x >= width || y >= height ? 0 : mask[y * width + x])
  /** How far from the first value to the second the level is crossed. @param {number} one @param {number} two */
  const between = (one, two) => (level - 0.5 - one) / (two - one)
  for (let y = -1; y < height; y++) {
    for (let x = -1; x < width; x++) {
      const a = at(x, y)
      const b = at(x + 1, y)
      const c = at(x + 1, y + 1)
      const d = at(x, y + 1)
      const kind = (a >= level ? 1 : 0) | (b >= level ? 2 : 0) | (c >= level ? 4 : 0) | (d >= level ? 8 : 0)
      if (kind === 0 || kind === 15) continue
      const [left, upper] = [x + 0.5, y + 0.5]
      const top = [left + between(a, b), upper]
      const right = [left + 1, upper + between(b, c)]
      const bottom = [left + between(d, c), upper + 1]
      const side = [left, upper + between(a, d)]
      for (const [from, to] of pairs(kind, top, right, bottom, side)) found.push(from[0], from[1], to[0], to[1])
    }
  }
  return Float32Array.from(found)
}

/**
 * Which edges of a cell the outline joins.
 *
 * @param {number} kind corners inside: 1 upper left, 2 upper right, 4 lower right, 8 lower left
 * @param {number[]} top @param {number[]} right @param {number[]} bottom @param {number[]} side
 */
function pairs(kind, top, right, bottom, side) {
  switch (kind) {
    case 1: case 14: return [[side, top]]
    case 2: case 13: return [[top, right]]
    case 4: case 11: return [[right, bottom]]
    case 8: case 7: return [[bottom, side]]
    case 3: case 12: return [[side, right]]
    case 6: case 9: return [[top, bottom]]
    case 5: return [[side, top], [right, bottom]]
    default: return [[top, right], [bottom, side]]
  }
}
