// One picture with its mask, as the server has it and as the browser kept it.
import { Failure, call } from "/static/api.js";
import { Mask } from "/static/label/mask.js";
import { decode } from "/static/label/png.js";

export async function maskOf(address, width, height) {
  let answer;
  try {
    answer = await fetch(address);
  } catch {
    throw new Failure(0, { message: "the server cannot be reached", hint: "try again in a moment" });
  }
  if (!answer.ok) throw new Failure(answer.status, (await answer.json()).error);
  const version = Number(answer.headers.get("ETag").replaceAll('"', ""));
  const found = await decode(await answer.blob());
  if (found.width !== width || found.height !== height)
    throw new Failure(422, { message: `the mask is ${found.width} × ${found.height} px, its picture ${width} × ${height}` });
  return { version, data: found.data };
}

export async function shown(image, address) {
  image.src = address;
  try {
    await image.decode();
  } catch {
    // Only the answer itself says why.
    const answer = await fetch(address).catch(() => null);
    if (!answer) throw new Failure(0, { message: "the server cannot be reached", hint: "try again in a moment" });
    if (answer.ok) throw new Failure(422, { message: "the browser cannot show this picture", hint: "it may be too large" });
    throw new Failure(answer.status, (await answer.json()).error);
  }
}

// What is known of a picture, and its mask: that of `who` alone, or the one that counts.
export async function openedPicture(set, key, image, who) {
  const address = `/api/labels/${set}/pictures/${key}`;
  const [label] = await Promise.all([call("GET", address), shown(image, `${address}/image`)]);
  const [width, height] = [image.naturalWidth, image.naturalHeight];
  const there = who ? label.opinions[who] : label.saved;
  const query = who ? `?who=${encodeURIComponent(who)}` : "";
  const found = there ? await maskOf(`${address}/mask${query}`, width, height) : { version: 0 };
  return { label, version: found.version, mask: new Mask(width, height, found.data) };
}
