// What the editor says.

export const TOOLS = {
  point: ["Point and box", "Click: the object. Right click or Alt-click: what is not the object. Drag: a box. (P)"],
  stroke: ["Stroke", "Drag over the object; with the right button or Alt over what is not the object. (S)"],
  hand: ["Move the view", "Drag to move the enlarged photo. (H)"],
}
export const SHOWS = {
  mask: ["Mask", "The photo with the mask on it (V)"],
  cutout: ["Cut-out", "The object alone (V)"],
  plate: ["Without it", "The photo without the object, painted by the embedded painter (V)"],
}
export const LABELS = ["Now marking what is not the object (X)", "Now marking the object (X)"]
export const UNDO = "Undo (U)"
export const REDO = "Redo (Shift+U)"
export const CLEAR = "Clear all clicks (Shift+Delete)"
export const ZOOM_IN = "Enlarge (+)"
export const ZOOM_OUT = "Make smaller (-)"
export const FIT = "See all of the photo (0)"
export const HELP = "Help (?)"
export const NEXT = "Next candidate (C)"
export const PREVIOUS = "Candidate before (Shift+C)"
export const STAGE =
  "Photo to click on. Arrow keys move a cross, Enter marks the object there, Shift+Enter what is not the object, " +
  "Delete takes a mark away. Press the question mark for all keys."

export const NO_PHOTO = "Wire a photo to image."
export const UNKNOWN_PHOTO = "The photo shows here after one run: the node before has to make it first."
export const LOADING = "Loading the photo ..."
export const NO_FILE = "The photo cannot be shown: its file is gone or is no picture."
export const START = "Click on the object."
export const ONLY_OTHER = "Click on the object too: so far only what is not the object is marked."
export const THINKING = "Looking ..."
export const WAITING = "Waits for the running graph ..."
export const OTHER_PHOTO = "Another photo: the clicks on the last one were taken away. ComfyUI's undo, Ctrl+Z, brings both back."
export const UNREADABLE = "The value of this node is no such JSON as the help page describes. A click begins anew."

/** @param {import("./answers.js").Numbers} numbers */
export function told({ area, seconds, note }) {
  const share = `${(100 * area).toFixed(area < 0.1 ? 1 : 0)} % of the photo`
  return `${share} · ${seconds?.toFixed(2)} s${note ? `. ${note}` : ""}`
}

export const KEYS = [
  ["click", "the object is here"],
  ["right click, Alt-click", "this is not the object"],
  ["drag", "a box around the object"],
  ["Shift-drag", "a stroke over the object; right-drag: over what is not"],
  ["drag a dot or an edge", "moves it; a click on a dot takes it away"],
  ["arrows, Enter, Shift+Enter", "cross, object, not the object"],
  ["B, then B", "two corners of a box; D, then D: a stroke along the cross's way"],
  ["Delete, Shift+Delete", "take away one mark, all marks"],
  ["1 2 3, or C", "which mask is meant; V: next view"],
  ["U, Shift+U", "undo, redo"],
  ["wheel, + - 0", "enlarge; two fingers do so too; H: move"],
  ["X, [ ]", "swap object and not; brush size"],
]
