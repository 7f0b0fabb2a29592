// What the server answers to clicks: the newest question only, and known answers at once.

import { api } from "../../../../scripts/api.js"

/** @typedef {import("./value.js").Clicks} Clicks */
/** @typedef {"mask" | "cutout" | "plate"} Show */
/** @typedef {{picture: import("./photo.js").Name, clicks: Clicks, show: Show, side: number}} Question */
/** @typedef {{area: number, candidates: number, candidate: number, seconds: number, note?: string}} Numbers */
/** @typedef {{picture: ImageBitmap, numbers: Numbers}} Answer */

const ROUTE = "/paintseg/answer"
const KEPT = 12 // answers of all editors together; one of 1024 pixels takes 4 MB
const BUSY = 503
const AGAIN = 600 // milliseconds until a busy server is asked again

/** @type {Map<string, Answer>} the oldest first */
const known = new Map()

/** An answer that is known already. @param {Question} question @returns {Answer | undefined} */
export function knownAnswer(question) {
  const key = JSON.stringify(question)
  const answer = known.get(key)
  if (answer) keep(key, answer)
  return answer
}

/** @param {string} key @param {Answer} answer */
function keep(key, answer) {
  known.delete(key)
  known.set(key, answer)
  for (const oldest of known.keys()) {
    if (known.size <= KEPT) break
    known.delete(oldest)
  }
}

/** Asks for one editor. A newer question ends an older one, whose answer is never told. */
export class Asker {
  /** @type {AbortController | undefined} */ #running
  /** @type {ReturnType<typeof setTimeout> | undefined} a question that waits */ #timer
  #key = ""
  #hasEnded = false

  /**
   * @param {() => string} client a name for this editor that no other has
   * @param {object} told
   * @param {(answer: Answer) => void} told.answered
   * @param {(sentence: string) => void} told.refused
   * @param {(busy: boolean, why?: string) => void} told.busy
   */
  constructor(client, told) {
    this.client = client
    this.told = told
  }

  /** Ask after `pause` milliseconds, unless another question or `stop` comes first. @param {Question} question @param {number} [pause] */
  ask(question, pause = 0) {
    if (this.#hasEnded) return
    const key = JSON.stringify(question)
    const isUnderWay = this.#running && key === this.#key
    if (isUnderWay && (pause || !this.#timer)) return
    this.stop()
    this.#key = key
    const running = (this.#running = new AbortController())
    this.told.busy(true)
    this.#wait(question, running, pause)
  }

  /** @param {Question} question @param {AbortController} running @param {number} pause */
  #wait(question, running, pause) {
    this.#timer = setTimeout(() => {
      this.#timer = undefined
      this.#fetch(question, running)
    }, pause)
  }

  stop() {
    clearTimeout(this.#timer)
    this.#timer = undefined
    this.#running?.abort()
    if (this.#running) this.told.busy(false)
    this.#running = undefined
  }

  /** Ask no more. */
  end() {
    this.#hasEnded = true
    this.stop()
  }

  /** @param {Question} question @param {AbortController} running */
  async #fetch(question, running) {
    const isOver = () => running.signal.aborted || this.#running !== running
    try {
      const response = await api.fetchApi(ROUTE, {
        method: "POST",
        headers: { "Content-Type": "application/json" },
        body: JSON.stringify({ ...question, client: this.client() }),
        signal: running.signal,
      })
      if (isOver()) return
      if (response.status === BUSY) {
        this.told.busy(true, await sentenceOf(response))
        if (!isOver()) this.#wait(question, running, AGAIN)
        return
      }
      const answer = response.ok ? await read(response) : undefined
      const sentence = answer ? "" : await sentenceOf(response)
      if (answer) keep(JSON.stringify(question), answer)
      if (isOver()) return
      this.#end()
      if (answer) this.told.answered(answer)
      else this.told.refused(sentence)
    } catch (error) {
      if (isOver()) return
      this.#end()
      this.told.refused(`The server did not answer: ${error instanceof Error ? error.message : error}`)
    }
  }

  #end() {
    this.#running = undefined
    this.told.busy(false)
  }
}

/** @param {Response} response @returns {Promise<Answer>} */
async function read(response) {
  const numbers = JSON.parse(response.headers.get("X-PaintSeg") ?? "{}")
  const picture = await createImageBitmap(await response.blob(), { colorSpaceConversion: "none" })
  return { picture, numbers }
}

/** @param {Response} response */
async function sentenceOf(response) {
  try {
    return (await response.json()).error ?? `The server answered ${response.status}.`
  } catch {
    return response.status === 404 || response.status === 405
      ? "This server cannot answer clicks: update ComfyUI-PaintSeg and start ComfyUI anew."
      : `The server answered ${response.status}.`
  }
}
