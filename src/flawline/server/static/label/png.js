// Masks as PNG: written as grey levels here, read by the browser.

const CRC = Uint32Array.from({ length: 256 }, (_, n) => {
  for (let k = 0; k < 8; k++) n = n & 1 ? 0xedb88320 ^ (n >>> 1) : n >>> 1;
  return n >>> 0;
});

function chunk(kind, data) {
  const made = new Uint8Array(12 + data.length);
  const view = new DataView(made.buffer);
  view.setUint32(0, data.length);
  made.set([...kind].map((letter) => letter.charCodeAt(0)), 4);
  made.set(data, 8);
  let crc = ~0 >>> 0;
  for (let k = 4; k < 8 + data.length; k++) crc = CRC[(crc ^ made[k]) & 255] ^ (crc >>> 8);
  view.setUint32(8 + data.length, ~crc >>> 0);
  return made;
}

export async function encode({ width, height, data }) {
  // Every row begins with the number of its filter: 0, none.
  const rows = new Uint8Array((width + 1) * height);
  for (let y = 0; y < height; y++) rows.set(data.subarray(y * width, (y + 1) * width), y * (width + 1) + 1);
  const packed = new Blob([rows]).stream().pipeThrough(new CompressionStream("deflate"));
  const head = new Uint8Array(13);
  new DataView(head.buffer).setUint32(0, width);
  new DataView(head.buffer).setUint32(4, height);
  head.set([8, 0, 0, 0, 0], 8);
  const body = new Uint8Array(await new Response(packed).arrayBuffer());
  const parts = [new Uint8Array([137, 80, 78, 71, 13, 10, 26, 10]), chunk("IHDR", head), chunk("IDAT", body), chunk("IEND", new Uint8Array())];
  return new Blob(parts, { type: "image/png" });
}

export async function decode(blob) {
  const bitmap = await createImageBitmap(blob, { colorSpaceConversion: "none", premultiplyAlpha: "none" });
  const canvas = new OffscreenCanvas(bitmap.width, bitmap.height);
  const context = canvas.getContext("2d", { willReadFrequently: true });
  context.drawImage(bitmap, 0, 0);
  const { data } = context.getImageData(0, 0, bitmap.width, bitmap.height);
  const found = new Uint8Array(bitmap.width * bitmap.height);
  for (let k = 0; k < found.length; k++) found[k] = data[4 * k];
  return { width: bitmap.width, height: bitmap.height, data: found };
}
