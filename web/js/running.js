// Whether a graph runs that the answers to clicks wait for: on a server that computes on its processor (nodes/route.py).

import { api } from "../../../scripts/api.js"

let isOnProcessor = false
let isRunning = false
let isFollowing = false
/** @type {Set<() => void>} */
const listeners = new Set()

export const isGraphRunning = () => isOnProcessor && isRunning

/** Be told when a graph begins or ends; returns what ends that. @param {() => void} listener */
export function whenGraphsRun(listener) {
  if (!isFollowing) followGraphs() // no request for a page without such an editor
  listeners.add(listener)
  return () => void listeners.delete(listener)
}

/** @param {{exec_info?: {queue_remaining?: number}} | null} status of the server: how many graphs run or wait, of other pages too */
function take(status) {
  const before = isGraphRunning()
  isRunning = Boolean(status?.exec_info?.queue_remaining)
  if (before !== isGraphRunning()) for (const listener of listeners) listener()
}

/** @param {string} route @returns {Promise<any>} */
const ask = async (route) => (await api.fetchApi(route)).json()

/** Follow the server from now on. */
async function followGraphs() {
  isFollowing = true
  api.addEventListener("status", ({ detail }) => take(detail))
  try {
    isOnProcessor = (await ask("/system_stats")).devices?.[0]?.type === "cpu"
    take(await ask("/prompt"))
  } catch {
    // Nothing is known of this server: then the editor says that it looks, as it does without a graph.
  }
}
