// What the editor of layers says.

/** @typedef {import("./value.js").Placement} Placement */

export const PREVIOUS = "Layer before (Shift+N)"
export const NEXT = "Next layer (N)"
export const FORWARD = "One layer forward (F)"
export const BACKWARD = "One layer back (B)"
export const MIRROR = "Mirror it (M)"
export const RESET = "Put it back where it was (Delete)"
export const UNDO = "Undo (U)"
export const REDO = "Redo (Shift+U)"
export const CLEAR = "Put all layers back (Shift+Delete)"
export const ZOOM_IN = "Enlarge the view (Z)"
export const FIT = "See all of the picture (0)"
export const HELP = "Help (?)"
export const STAGE =
  "Picture whose layers are moved. N takes the next layer, arrow keys move it, plus and minus scale it, square " +
  "brackets turn it, Delete puts it back. Press the question mark for all keys."

export const NOT_YET = "Run once: then the layers show here, to be dragged, scaled and turned."
export const LOADING = "Loading the layers ..."
export const GONE = "The pictures of the last run are gone: run once more."
export const NO_LAYER = "Nothing is to be seen on any of the layers."
export const WIRED = "The placements come by wire: they place the layers."
export const UNREADABLE = "The text in placements is no JSON as the help page describes it. Correct it there, or empty it."

export const START = "Drag a layer."
export const PICTURE_COUNTS = "These placements count, not the numbers above."
export const OTHERS = "Other layers have come: what was made for those before was taken away. ComfyUI's undo, Ctrl+Z, brings it back."

/** @param {Placement} placement */
export function told({ layer, x, y, dx = 0, dy = 0, scale = 1, rotation = 0, flip, opacity = 1 }) {
  const parts = []
  if (x != null || y != null) parts.push(`at ${x ?? "its"}, ${y ?? "its"}`)
  if (dx) parts.push(`${Math.abs(dx)} ${dx > 0 ? "right" : "left"}`)
  if (dy) parts.push(`${Math.abs(dy)} ${dy > 0 ? "down" : "up"}`)
  if (scale !== 1) parts.push(`${Number((100 * scale).toFixed(1))} %`)
  if (rotation) parts.push(`turned ${rotation}°`)
  if (flip) parts.push("mirrored")
  if (opacity !== 1) parts.push(`opacity ${opacity}`)
  return `Layer ${layer}: ${parts.join(", ") || "where it was"}`
}

export const KEYS = [
  ["drag", "moves a layer; a corner scales it, the knob turns it (with Shift in steps of 15°)"],
  ["arrows", "move it; with Shift by one pixel"],
  ["+ -, or Alt+wheel", "scale it"],
  ["[ ], or Shift+wheel", "turn it"],
  ["N, Shift+N", "next layer, layer before"],
  ["F, B", "one layer forward, back"],
  ["M", "mirror it"],
  ["Delete, Shift+Delete", "put one layer back, all layers"],
  ["U, Shift+U", "undo, redo"],
  ["wheel, Z, Shift+Z, 0", "enlarge the view; two fingers do so too; drag beside the layers: move it"],
  ["Escape", "let the layer go"],
]
