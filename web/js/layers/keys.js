// Every action on layers by keyboard, while the stage has the focus.

import { listenToKeys as listen } from "../editor/keys.js"

/** @typedef {import("./editor.js").Editor} Editor */

const FACTOR = 1.05
const TURN = 5 // degrees

/** @type {import("../editor/keys.js").Actions<Editor>} by the key without modifiers */
const ACTIONS = {
  "+": (editor) => editor.scaleBy(FACTOR),
  "=": (editor) => editor.scaleBy(FACTOR),
  "-": (editor) => editor.scaleBy(1 / FACTOR),
  "[": (editor) => editor.turnBy(TURN),
  "]": (editor) => editor.turnBy(-TURN),
  n: (editor) => editor.takeNext(1),
  f: (editor) => editor.pass(true),
  b: (editor) => editor.pass(false),
  m: (editor) => editor.mirror(),
  u: (editor) => editor.undo(),
  y: (editor) => editor.redo(),
  z: (editor) => editor.zoom(1.5),
  0: (editor) => editor.zoom(0),
  "?": (editor) => editor.panel.toggleHelp(),
  delete: (editor) => editor.reset(),
  backspace: (editor) => editor.reset(),
  escape: (editor) => editor.cancel(),
}
/** @type {import("../editor/keys.js").Actions<Editor>} with Shift */
const SHIFTED = {
  ...ACTIONS,
  n: (editor) => editor.takeNext(-1),
  u: (editor) => editor.redo(),
  z: (editor) => editor.zoom(1 / 1.5),
  delete: (editor) => editor.clear(),
  backspace: (editor) => editor.clear(),
}

/** @param {Editor} editor */
export const listenToKeys = (editor) => listen(editor, ACTIONS, SHIFTED, (dx, dy, share) => editor.moveBy(dx, dy, share))
