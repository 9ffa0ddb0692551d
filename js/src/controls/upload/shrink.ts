// How a picture is made small enough to send. Pure.

/** Width and height so that the longer side is at most `limit`; never enlarged, never below one pixel. */
export function fitSize(width: number, height: number, limit: number): [number, number] {
  const share = Math.min(1, limit / Math.max(width, height));
  return [Math.max(1, Math.round(width * share)), Math.max(1, Math.round(height * share))];
}

/** Whether a file can be sent untouched, pixel for pixel: small enough, and of a kind that every decoder reads. */
export function canSendUntouched(
  file: { type: string; size: number },
  width: number,
  height: number,
  limits: { side: number; bytes: number },
): boolean {
  const plain = file.type === "image/png" || file.type === "image/jpeg";
  return plain && file.size <= limits.bytes && Math.max(width, height) <= limits.side;
}

/** Whether any pixel of RGBA data lets the background through. */
export function hasTransparency(rgba: Uint8ClampedArray): boolean {
  for (let at = 3; at < rgba.length; at += 4) if (rgba[at] !== 255) return true;
  return false;
}

/** A size in bytes as a person reads it. */
export function formatBytes(bytes: number): string {
  const mebibytes = bytes / 2 ** 20;
  if (mebibytes >= 1) return `${mebibytes >= 10 ? Math.round(mebibytes) : mebibytes.toFixed(1)} MiB`;
  return `${Math.max(1, Math.round(bytes / 1024))} KiB`;
}
