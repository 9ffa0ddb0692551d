// Makes a picture ready to be sent: the browser decodes, turns and shrinks it, so that little travels.
import { canSendUntouched, fitSize, formatBytes, hasTransparency } from "./shrink.ts";

const JPEG_QUALITY = 0.95;

/** A sentence for the user. */
export class Refusal extends Error {}

export interface Limits {
  /** Pixels of the longer side. */
  readonly side: number;
  readonly bytes: number;
}

/** The bytes to send for `file`, upright and within `limits`. */
export async function prepare(file: File, limits: Limits): Promise<Blob> {
  let bitmap: ImageBitmap;
  try {
    bitmap = await createImageBitmap(file, { imageOrientation: "from-image" });
  } catch {
    return checkUndecoded(file, limits);
  }
  try {
    return canSendUntouched(file, bitmap.width, bitmap.height, limits) ? file : await shrink(file, bitmap, limits);
  } finally {
    bitmap.close();
  }
}

/** Python may read what the browser cannot (TIFF, say), but a message has its limits. */
function checkUndecoded(file: File, limits: Limits): File {
  if (file.size === 0) throw new Refusal("This file is empty.");
  if (file.size <= limits.bytes) return file;
  const size = `${formatBytes(file.size)} is over the limit of ${formatBytes(limits.bytes)}`;
  throw new Refusal(`The browser cannot decode this file to shrink it, and ${size}: save it as PNG or JPEG.`);
}

/** As PNG what was one or is transparent, else, or if that is too large, as JPEG. */
async function shrink(file: File, bitmap: ImageBitmap, limits: Limits): Promise<Blob> {
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = fitSize(bitmap.width, bitmap.height, limits.side);
  const drawing = canvas.getContext("2d");
  if (!drawing) throw new Refusal("The browser could not shrink this picture.");
  drawing.imageSmoothingQuality = "high";
  drawing.drawImage(bitmap, 0, 0, canvas.width, canvas.height);
  const { data } = drawing.getImageData(0, 0, canvas.width, canvas.height);
  const lossless = file.type === "image/png" || hasTransparency(data);
  const first = await encode(canvas, lossless ? "image/png" : "image/jpeg");
  if (first.size <= limits.bytes) return first;
  drawing.globalCompositeOperation = "destination-over"; // JPEG has no alpha: white behind, not black
  drawing.fillStyle = "#fff";
  drawing.fillRect(0, 0, canvas.width, canvas.height);
  const second = await encode(canvas, "image/jpeg");
  if (second.size <= limits.bytes) return second;
  throw new Refusal(`This picture is over the limit of ${formatBytes(limits.bytes)} even when shrunk.`);
}

function encode(canvas: HTMLCanvasElement, type: string): Promise<Blob> {
  return new Promise((resolve, reject) => {
    const finish = (blob: Blob | null) =>
      blob ? resolve(blob) : reject(new Refusal("The browser could not encode this picture."));
    canvas.toBlob(finish, type, JPEG_QUALITY);
  });
}
