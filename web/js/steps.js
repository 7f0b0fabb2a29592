// The steps of ComfyUI's undo list, for changes that a program makes and for those of editors of our own.

import { app } from "../../../scripts/app.js"

const trackerNow = () => app.extensionManager?.workflow?.activeWorkflow?.changeTracker
const graphNow = () => JSON.parse(JSON.stringify(app.rootGraph.serialize()))

/** What of a saved graph a person decides; sizes and places settle by themselves while pictures arrive. @param {any} state */
function decided(state) {
  /** @type {any[]} */
  const graphs = [state, ...(state.definitions?.subgraphs ?? [])]
  const nodes = graphs.flatMap((graph) => graph.nodes ?? [])
  return JSON.stringify(nodes.map(({ id, mode, widgets_values, inputs }) =>
    `${id} ${mode} ${JSON.stringify(widgets_values)} ${inputs?.map((/** @type {{link: unknown}} */ { link }) => link)}`).sort())
}

/** Whether a workflow is being opened or undone; what is changed then would land in the wrong one. */
export function isBusy() {
  const tracker = trackerNow()
  return Boolean(tracker?._restoringState || tracker?.constructor?.isLoadingGraph)
}

/** Make a step of what was changed just now. ComfyUI itself does so at the next click or key only. */
export function step() {
  const tracker = trackerNow()
  if (tracker?.captureCanvasState) tracker.captureCanvasState()
  else tracker?.checkState?.() // its name in older front ends
}

/**
 * Change the graph without a step of its own in the undo list: going back to a box that does not fit would have it
 * fitted again, for ever. What the user did just before keeps its step.
 *
 * @param {() => void} change
 */
export function quietly(change) {
  const tracker = trackerNow()
  if (tracker?.activeState && decided(tracker.activeState) !== decided(graphNow())) step()
  change()
  if (tracker?.activeState) {
    tracker.activeState = graphNow()
    tracker.updateModified?.()
  }
  app.canvas?.setDirty(true, true)
}

/**
 * Change the graph to what it was a step before (or, forwards, after), as an editor's own undo does. The step leaves
 * ComfyUI's list then, as if ComfyUI had undone it, but no node is made anew. Where ComfyUI's last step was another
 * one, the change is a new step.
 *
 * @param {() => void} change @param {boolean} [forwards]
 */
export function back(change, forwards = false) {
  const tracker = trackerNow()
  const [from, to] = forwards ? ["redoQueue", "undoQueue"] : ["undoQueue", "redoQueue"]
  const last = tracker?.[from]?.at(-1)
  change()
  if (last && decided(last) === decided(graphNow())) {
    tracker[from].pop()
    tracker[to].push(tracker.activeState)
    tracker.activeState = graphNow()
    tracker.updateModified?.()
  } else step()
  app.canvas?.setDirty(true, true)
}
