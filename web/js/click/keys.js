// Every action by keyboard, while the stage has the focus.

import { listenToKeys as listen } from "../editor/keys.js"

/** @typedef {import("./editor.js").Editor} Editor */

/** @type {import("../editor/keys.js").Actions<Editor>} by the key without modifiers */
const ACTIONS = {
  "+": (editor) => editor.zoom(1.5),
  "=": (editor) => editor.zoom(1.5),
  "-": (editor) => editor.zoom(1 / 1.5),
  0: (editor) => editor.zoom(0),
  p: (editor) => editor.choose("point"),
  s: (editor) => editor.choose("stroke"),
  h: (editor) => editor.choose("hand"),
  x: (editor) => editor.flipLabel(),
  1: (editor) => editor.chooseCandidate(0),
  2: (editor) => editor.chooseCandidate(1),
  3: (editor) => editor.chooseCandidate(2),
  c: (editor) => editor.nextCandidate(1),
  v: (editor) => editor.nextShow(),
  b: (editor) => editor.cross.corner(),
  d: (editor) => editor.cross.stroke(),
  u: (editor) => editor.undo(),
  y: (editor) => editor.redo(),
  "[": (editor) => editor.brushBy(1 / 1.25),
  "]": (editor) => editor.brushBy(1.25),
  "?": (editor) => editor.toggleHelp(),
  enter: (editor) => editor.cross.mark(1),
  delete: (editor) => editor.cross.remove(),
  backspace: (editor) => editor.cross.remove(),
  escape: (editor) => editor.cancel(),
}
/** @type {import("../editor/keys.js").Actions<Editor>} with Shift */
const SHIFTED = {
  ...ACTIONS,
  enter: (editor) => editor.cross.mark(0),
  c: (editor) => editor.nextCandidate(-1),
  u: (editor) => editor.redo(),
  delete: (editor) => editor.clear(),
  backspace: (editor) => editor.clear(),
}

/** @param {Editor} editor */
export const listenToKeys = (editor) => listen(editor, ACTIONS, SHIFTED, (dx, dy, share) => editor.cross.move(dx, dy, share))
