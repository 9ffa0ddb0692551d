// Brings into view what a press has opened elsewhere on the page.

/** So long, in milliseconds, what opens may take to come, and then to grow. */
const COMING = 20_000;
const GROWING = 3_000;

/** Scroll as little as shows `element` whole, or its beginning where it is higher than the window; not if that is seen. */
function show(element: Element): void {
  const { top, bottom } = element.getBoundingClientRect();
  if (top >= 0 && (bottom <= innerHeight || top <= innerHeight / 2)) return;
  element.scrollIntoView({ block: bottom - top <= innerHeight ? "nearest" : "start" });
}

/**
 * Scroll to what of `selectors` comes within `root`, unless it is in view: as soon as it has a height, and while it
 * grows. The hand's own scrolling ends that, and so does `signal`.
 */
export function revealNext(root: Element, selectors: string, signal: AbortSignal): void {
  const before = new Set(root.querySelectorAll(selectors));
  const done = new AbortController();
  const end = () => done.abort();
  signal.addEventListener("abort", end, { signal: done.signal });
  for (const name of ["wheel", "touchmove", "keydown", "pointerdown"]) {
    window.addEventListener(name, end, { capture: true, passive: true, signal: done.signal });
  }
  let seen = false;
  const grown = new ResizeObserver((entries) => {
    const entry = entries.find(({ contentRect, target }) => target.isConnected && contentRect.height > 0);
    if (entry === undefined) return;
    show(entry.target);
    if (!seen) setTimeout(end, GROWING);
    seen = true;
  });
  // All that comes: the host puts something in a view's place until that is made.
  const coming = new MutationObserver(() => {
    for (const each of root.querySelectorAll(selectors)) {
      if (!before.has(each)) grown.observe(each);
      before.add(each);
    }
  });
  coming.observe(root, { childList: true, subtree: true });
  setTimeout(end, COMING);
  done.signal.addEventListener("abort", () => {
    coming.disconnect();
    grown.disconnect();
  });
}
