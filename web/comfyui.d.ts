// What ComfyUI's front end gives to extensions, as far as this pack uses it. It publishes no types for plain JavaScript.

declare module "*/scripts/app.js" {
  /** The page's one application: graph, canvas, settings, stores. */
  export const app: any
}

declare module "*/scripts/api.js" {
  interface Api extends EventTarget {
    clientId?: string
    addEventListener(type: string, listener: (event: CustomEvent<any>) => void): void
    apiURL(route: string): string
    dispatchCustomEvent(type: string, detail?: unknown): boolean
    fetchApi(route: string, options?: RequestInit): Promise<Response>
    getWorkflowTemplates?: (...asked: unknown[]) => Promise<Record<string, string[]>>
  }
  /** The connection to the server; its addresses hold behind a path prefix too. */
  export const api: Api
}

/** The graph library, a global of the page. */
declare const LiteGraph: any

/** What the graph library keeps: nodes, also those that stand for subgraphs; their widgets; links; graphs. */
type GraphNode = any
type GraphWidget = any
type GraphLink = any
type Graph = any
