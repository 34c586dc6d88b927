// What wheel, mouse, fingers and keys do to the stage.

const WHEEL = { page: 0.0015, pinch: 0.01 }; // how much a pixel of the wheel zooms; a pinch on a touchpad turns it little
const LINE_PX = 16;
const SCROLL_END_MS = 300; // a wheel that has just scrolled the page goes on doing so
const KEY_ZOOM = 1.25;
const KEY_PAN_PX = 60;
const PANS = { ArrowLeft: [1, 0], ArrowRight: [-1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] };

/**
 * @typedef {object} Target
 * @property {boolean} canPan whether a drag moves the picture; else it moves the divider
 * @property {(factor: number, point?: {x: number, y: number}) => boolean} zoomBy returns whether anything changed
 * @property {(x: number, y: number) => void} panBy
 * @property {(scale: number) => void} zoomTo
 * @property {() => void} fit
 * @property {(x: number) => void} moveDividerTo
 */

/** Let wheel, mouse, fingers and keys on the stage act on the target. */
export function followGestures(stage, divider, target) {
  followWheel(stage, target);
  followPointers(stage, divider, target);
  stage.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.altKey || event.metaKey || !press(event, event.target === stage, target)) return;
    event.preventDefault();
  });
}

function followWheel(stage, target) {
  let scrolledAt = -Infinity;
  addEventListener("scroll", (event) => (scrolledAt = event.timeStamp), { passive: true });
  stage.addEventListener(
    "wheel",
    (event) => {
      if (!event.ctrlKey && event.timeStamp - scrolledAt < SCROLL_END_MS) return;
      const pixels = event.deltaY * (event.deltaMode === WheelEvent.DOM_DELTA_LINE ? LINE_PX : 1);
      const factor = Math.exp(-pixels * (event.ctrlKey ? WHEEL.pinch : WHEEL.page));
      // A picture that cannot become smaller lets the page scroll.
      if (target.zoomBy(factor, placeIn(stage, event)) || event.ctrlKey) event.preventDefault();
    },
    { passive: false },
  );
}

function followPointers(stage, divider, target) {
  const points = new Map(); // of the fingers, or of the mouse with its button down
  let isPanning = false;
  stage.addEventListener("pointerdown", (event) => {
    if (event.button !== 0) return;
    event.preventDefault();
    stage.setPointerCapture(event.pointerId);
    points.set(event.pointerId, placeIn(stage, event));
    isPanning = points.size > 1 || (target.canPan && event.target !== divider);
    (isPanning || divider.hidden ? stage : divider).focus({ preventScroll: true });
    if (!isPanning) target.moveDividerTo(placeIn(stage, event).x);
  });
  stage.addEventListener("pointermove", (event) => {
    if (!points.has(event.pointerId)) return;
    const before = middleOf(points);
    points.set(event.pointerId, placeIn(stage, event));
    const after = middleOf(points);
    if (!isPanning) return target.moveDividerTo(after.x);
    if (before.spread > 0) target.zoomBy(after.spread / before.spread, before); // first, so that there is room to move
    target.panBy(after.x - before.x, after.y - before.y);
  });
  const forget = (event) => points.delete(event.pointerId);
  stage.addEventListener("pointerup", forget);
  stage.addEventListener("pointercancel", forget);
}

/** Act on a key; return whether it means anything here. Arrows on the divider belong to the divider. */
function press({ key }, isOnStage, target) {
  if (key === "+" || key === "=") target.zoomBy(KEY_ZOOM);
  else if (key === "-") target.zoomBy(1 / KEY_ZOOM);
  else if (key === "0") target.fit();
  else if (key === "1") target.zoomTo(1);
  else if (isOnStage && target.canPan && key in PANS) target.panBy(...PANS[key].map((way) => way * KEY_PAN_PX));
  else return false;
  return true;
}

function placeIn(stage, { clientX, clientY }) {
  const { left, top } = stage.getBoundingClientRect();
  return { x: clientX - left, y: clientY - top };
}

/** The middle of one or two fingers, and how far these are apart. */
function middleOf(points) {
  const [one, other = one] = points.values();
  return {
    x: (one.x + other.x) / 2,
    y: (one.y + other.y) / 2,
    spread: Math.hypot(one.x - other.x, one.y - other.y),
  };
}
