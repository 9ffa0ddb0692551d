// Binary values of a page: one block, gzipped, in base64, after the JSON that refers to it.

type Binary = (key: never) => DataView;

/**
 * JSON with {"$bytes": key} for binary values, which `binary(key)` gives, {"$levels": ...} for maps in 8 bits, and
 * {"$image": key} for pictures, which `image(key)` gives.
 */
export function revived(value: unknown, binary: Binary, image: Binary = binary): unknown {
  if (Array.isArray(value)) return value.map((item) => revived(item, binary, image));
  if (value === null || typeof value !== "object") return value;
  if ("$bytes" in value) return binary(value.$bytes as never);
  if ("$image" in value) return image(value.$image as never);
  if ("$levels" in value) {
    const { $levels, low, high } = value as { $levels: unknown; low: number; high: number };
    return fromLevels(binary($levels as never), low, high);
  }
  return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, revived(item, binary, image)]));
}

/** Numbers that were rounded to 254 steps from `low` to `high`, as float32; level 255 is none. */
export function fromLevels(levels: DataView, low: number, high: number): DataView {
  const values = new Float32Array(levels.byteLength);
  for (let at = 0; at < values.length; at++) {
    const level = levels.getUint8(at);
    values[at] = level === 255 ? Number.NaN : low + ((high - low) * level) / 254;
  }
  return new DataView(values.buffer);
}

/** The bytes that base64 `text` means. */
export function decoded(text: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
}

export async function unzipped(bytes: Uint8Array<ArrayBuffer>): Promise<ArrayBuffer> {
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
  return new Response(stream).arrayBuffer();
}

/** Four bytes with the length of the JSON, the JSON, and the binary values, which begin at a multiple of 8. */
export function split(block: ArrayBuffer): { content: unknown; values: ArrayBuffer } {
  const length = new DataView(block).getUint32(0, true);
  const json = new TextDecoder().decode(new Uint8Array(block, 4, length));
  return { content: JSON.parse(json), values: block.slice(Math.ceil((4 + length) / 8) * 8) };
}

/** The RGB pixels of a picture in a file, row by row. */
export async function pixelsOf(file: DataView<ArrayBuffer>): Promise<DataView> {
  const bitmap = await createImageBitmap(new Blob([file]), { colorSpaceConversion: "none" });
  const canvas = new OffscreenCanvas(bitmap.width, bitmap.height);
  const context = canvas.getContext("2d", { willReadFrequently: true }) as OffscreenCanvasRenderingContext2D;
  context.drawImage(bitmap, 0, 0);
  const { data } = context.getImageData(0, 0, bitmap.width, bitmap.height);
  const rgb = new Uint8Array((data.length / 4) * 3);
  for (let from = 0, to = 0; from < data.length; from += 4, to += 3) {
    rgb[to] = data[from]!;
    rgb[to + 1] = data[from + 1]!;
    rgb[to + 2] = data[from + 2]!;
  }
  return new DataView(rgb.buffer);
}
