// A picture of the reader's own: a file, or the camera of a phone. It never leaves the page.
import { element } from "../core/element.ts";
import { type InputForm, middle } from "./input.ts";

/** A control that hands on the RGB bytes of a chosen picture, cut and scaled to the network's input. */
export function ownPicture(text: string, form: InputForm, take: (rgb: Uint8Array) => Promise<void>): HTMLElement {
  const label = element("label", "own-picture");
  const input = element("input", "", { type: "file", accept: "image/*" });
  label.append(`${text} `, input);
  input.addEventListener("change", async () => {
    const file = input.files?.[0];
    if (file) await take(await pixelsFor(file, form));
  });
  return label;
}

async function pixelsFor(file: Blob, { shape }: InputForm): Promise<Uint8Array> {
  const [channels, height, width] = shape;
  const bitmap = await createImageBitmap(file);
  const canvas = new OffscreenCanvas(width, height);
  const context = canvas.getContext("2d", { willReadFrequently: true }) as OffscreenCanvasRenderingContext2D;
  context.imageSmoothingQuality = "high";
  context.fillStyle = "#fff"; // behind transparent parts
  context.fillRect(0, 0, width, height);
  context.drawImage(bitmap, ...middle([bitmap.width, bitmap.height], height, width), 0, 0, width, height);
  const { data } = context.getImageData(0, 0, width, height);
  const rgb = new Uint8Array(height * width * 3);
  for (let at = 0; at < height * width; at++) {
    const [r, g, b] = [data[4 * at]!, data[4 * at + 1]!, data[4 * at + 2]!];
    const grey = 0.299 * r + 0.587 * g + 0.114 * b;
    rgb.set(channels === 1 ? [grey, grey, grey] : [r, g, b], 3 * at);
  }
  return rgb;
}
