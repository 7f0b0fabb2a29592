// Nodes of the open workflow: how the server and the browser name them, in subgraphs too.

import { app } from "../../../scripts/app.js"

/** All nodes of a graph, those inside its subgraphs too. @param {Graph} graph @returns {Iterable<GraphNode>} */
export function* allNodes(graph = app.rootGraph) {
  for (const node of graph?.nodes ?? []) {
    yield node
    if (node.isSubgraphNode?.()) yield* allNodes(node.subgraph)
  }
}

/** The node that stands for a subgraph in the graph around it; of several the first. @param {Graph} subgraph @returns {GraphNode} */
export function hostOf(subgraph) {
  for (const node of allNodes()) if (node.subgraph === subgraph) return node
}

/** What the browser keeps a node's pictures under, in `app.nodeOutputs` for one. @param {GraphNode} node */
export function placeOf(node) {
  return node.graph === app.rootGraph ? `${node.id}` : `${node.graph.id}:${node.id}`
}

/** A node's id as the server knows it: those of the subgraphs it is in come first. @param {GraphNode} node @returns {string | undefined} */
export function executionId(node) {
  if (node.graph === app.rootGraph) return `${node.id}`
  const host = hostOf(node.graph)
  return host && `${executionId(host)}:${node.id}`
}

/**
 * The nodes on the way to an execution id such as "12:3", from the outermost subgraph inwards; none if it leads nowhere.
 *
 * @param {string | number} id @returns {GraphNode[]}
 */
export function wayTo(id) {
  const way = []
  let graph = app.rootGraph
  for (const step of String(id).split(":")) {
    const node = graph?.getNodeById(step) ?? graph?.getNodeById(Number(step))
    if (!node) return []
    way.push(node)
    graph = node.subgraph
  }
  return way
}
