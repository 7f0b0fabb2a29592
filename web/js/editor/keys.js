// Actions by keyboard, while an editor's stage has the focus.

/** @template Editor @typedef {Record<string, (editor: Editor) => void>} Actions by the key, in small letters */
/** @typedef {{root: HTMLElement, stage: HTMLElement, panel: {isHelping: boolean}, expectUndo: () => void}} Focused */

const STEP = 0.02 // of the picture's longer side, for an arrow key; with Shift one pixel
/** @type {Record<string, [number, number]>} */
const ARROWS = { arrowleft: [-1, 0], arrowright: [1, 0], arrowup: [0, -1], arrowdown: [0, 1] }
const KEPT_FROM_COMFYUI = new Set(["delete", "backspace"])

/**
 * @template {Focused} Editor
 * @param {Editor} editor
 * @param {Actions<Editor>} actions without modifiers
 * @param {Actions<Editor>} shifted with Shift
 * @param {(dx: number, dy: number, share: number) => void} move by an arrow key: -1, 0 or 1 along either axis, times a
 *   share of the picture's longer side; 0: one pixel
 */
export function listenToKeys(editor, actions, shifted, move) {
  editor.root.addEventListener("keydown", (event) => {
    const key = event.key.toLowerCase()
    // Wherever the focus is in the editor: these would delete the node.
    if (KEPT_FROM_COMFYUI.has(key)) event.stopPropagation()
    if (event.ctrlKey || event.metaKey) editor.expectUndo()
    const closesHelp = key === "escape" && editor.panel.isHelping // from its button too
    if ((event.target !== editor.stage && !closesHelp) || event.ctrlKey || event.metaKey || event.altKey) return
    const arrow = ARROWS[key]
    const action = (event.shiftKey ? shifted : actions)[key]
    if (!arrow && !action) return
    event.stopPropagation()
    event.preventDefault()
    if (arrow) move(arrow[0], arrow[1], event.shiftKey ? 0 : STEP)
    else action(editor)
  })
}
