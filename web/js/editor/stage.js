// The canvas of an editor: as sharp as the screen shows it, drawn once per frame at most.

const MOST = 4096 // pixels a side

/**
 * @param {HTMLCanvasElement} stage
 * @param {(context: CanvasRenderingContext2D, size: [number, number]) => void} draw in pixels of the stage, on a clear canvas
 */
export function stageOf(stage, draw) {
  const context = /** @type {CanvasRenderingContext2D} */ (stage.getContext("2d"))
  let asked = 0
  let ratio = 0

  /** Pixels of the screen per pixel of the stage: the graph may be enlarged. */
  const ratioNow = () => {
    const enlarged = stage.getBoundingClientRect().width / (stage.clientWidth || 1) || 1
    const most = MOST / Math.max(1, stage.clientWidth, stage.clientHeight)
    return Math.min(most, enlarged * (window.devicePixelRatio || 1))
  }

  const render = () => {
    asked = 0
    const [width, height] = [stage.clientWidth, stage.clientHeight]
    if (!width || !height) return
    ratio = ratioNow()
    const [across, down] = [Math.round(width * ratio), Math.round(height * ratio)]
    if (stage.width !== across || stage.height !== down) Object.assign(stage, { width: across, height: down })
    context.setTransform(across / width, 0, 0, down / height, 0, 0)
    context.clearRect(0, 0, width, height)
    draw(context, [width, height])
  }

  const paint = () => {
    asked ||= requestAnimationFrame(render)
  }
  const observer = new ResizeObserver(paint)
  observer.observe(stage)
  return {
    paint,
    /** Draw anew where the graph has been enlarged since. */
    check: () => void (Math.abs(ratioNow() - ratio) > 0.01 && paint()),
    end: () => {
      observer.disconnect()
      cancelAnimationFrame(asked)
    },
  }
}
