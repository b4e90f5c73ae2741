// Choose pictures: by dropping a zip, files or a folder, or by a dialogue; and send them with progress.
import { Failure, notice } from "/static/api.js";

const csrf = () => document.querySelector("meta[name=csrf]")?.content ?? "";

// All files below what was dropped, with their paths.
async function dropped(transfer) {
  const entries = [...transfer.items].map((item) => item.webkitGetAsEntry?.()).filter(Boolean);
  if (!entries.length) return [...transfer.files].map((file) => [file, file.name]);
  const found = [];
  const walk = async (entry, path) => {
    if (entry.isFile) found.push([await new Promise((done, fail) => entry.file(done, fail)), path + entry.name]);
    else {
      const reader = entry.createReader();
      for (;;) {
        const some = await new Promise((done, fail) => reader.readEntries(done, fail));
        if (!some.length) break;
        for (const one of some) await walk(one, `${path}${entry.name}/`);
      }
    }
  };
  for (const entry of entries) await walk(entry, "");
  return found;
}

const size = (bytes) => (bytes < 1e6 ? `${Math.ceil(bytes / 1e3)} kB` : `${(bytes / 1e6).toFixed(bytes < 1e7 ? 1 : 0)} MB`);

export function send(address, data, progress) {
  return new Promise((done, fail) => {
    const request = new XMLHttpRequest();
    request.open("POST", address);
    request.setRequestHeader("X-CSRF-Token", csrf());
    request.upload.onprogress = (event) => event.lengthComputable && progress(event.loaded / event.total);
    request.onerror = () => fail(new Failure(0, { message: "the server cannot be reached", hint: "nothing was lost here; send it again" }));
    request.onload = () => {
      let found = {};
      try { found = JSON.parse(request.responseText); } catch { /* an answer of a proxy */ }
      if (request.status < 300) done(found);
      else fail(new Failure(request.status, found.error ?? { message: `the server answered ${request.status}` }));
    };
    request.send(data);
  });
}

// Makes a form with a drop zone work; `then` gets what the server answered. `whenDropped` sends at once.
export function uploads(form, address, then, { whenDropped = false } = {}) {
  if (!form) return;
  const zone = form.querySelector("[data-drop]");
  const input = zone.querySelector("input[name=files]");
  const directory = zone.querySelector("[data-directory]");
  const words = zone.querySelector("[data-chosen]");
  const problem = form.querySelector(".problem");
  const bar = form.querySelector("[data-sending]");
  const folder = form.querySelector("select[name=folder]");
  let files = [];

  if ("webkitdirectory" in directory) {
    directory.webkitdirectory = true;
    zone.querySelector("[data-folder-choice]").hidden = false;
  }
  function choose(chosen) {
    files = chosen;
    if (folder) folder.value = "";
    const all = files.reduce((sum, [file]) => sum + file.size, 0);
    words.textContent = files.length ? `${files.length === 1 ? files[0][1] : `${files.length} files`}, ${size(all)}` : "";
    problem.hidden = true;
  }
  input.addEventListener("change", () => choose([...input.files].map((file) => [file, file.name])));
  directory.addEventListener("change", () => choose([...directory.files].map((file) => [file, file.webkitRelativePath || file.name])));
  folder?.addEventListener("change", () => {
    if (folder.value) [files, words.textContent] = [[], ""];
  });
  let over = 0;
  zone.addEventListener("dragenter", (event) => { event.preventDefault(); over += 1; zone.classList.add("over"); });
  zone.addEventListener("dragover", (event) => event.preventDefault());
  zone.addEventListener("dragleave", () => { over -= 1; if (over <= 0) zone.classList.remove("over"); });
  zone.addEventListener("drop", async (event) => {
    event.preventDefault();
    over = 0;
    zone.classList.remove("over");
    choose(await dropped(event.dataTransfer));
    if (whenDropped && files.length) form.requestSubmit();
  });

  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const buttons = form.querySelectorAll("button");
    problem.hidden = true;
    const data = new FormData(form);
    data.delete("files");
    for (const [file, name] of files) data.append("files", file, name);
    if (!files.length && !data.get("folder") && !data.get("ranking")) {
      problem.textContent = "Choose pictures first: drop a zip here, or take a folder.";
      problem.hidden = false;
      return;
    }
    buttons.forEach((button) => (button.disabled = true));
    bar.hidden = !files.length;
    try {
      await then(await send(typeof address === "function" ? address(data) : address, data, (share) => (bar.value = share)));
    } catch (error) {
      problem.textContent = error.message;
      problem.hidden = false;
      if (!error.status) notice(error.message);
    } finally {
      bar.hidden = true;
      bar.value = 0;
      buttons.forEach((button) => (button.disabled = false));
    }
  });
}
