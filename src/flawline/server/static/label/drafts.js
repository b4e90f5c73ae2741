// What is not saved yet, kept in the browser until it is: it survives a crash, a reload and a server that is away.

const open = () => new Promise((done, fail) => {
  const asked = indexedDB.open("flawline-label", 1);
  asked.onupgradeneeded = () => asked.result.createObjectStore("drafts");
  asked.onsuccess = () => done(asked.result);
  asked.onerror = () => fail(asked.error);
});

async function run(mode, work) {
  const base = await open();
  try {
    return await new Promise((done, fail) => {
      const steps = base.transaction("drafts", mode);
      const asked = work(steps.objectStore("drafts"));
      steps.oncomplete = () => done(asked.result);
      steps.onerror = steps.onabort = () => fail(steps.error);
    });
  } finally {
    base.close();
  }
}

// A browser that keeps nothing (a private window, a full disk) still labels; only a crash would lose the last stroke.
const quietly = (work) => work.catch(() => undefined);

export const keepDraft = (name, draft) => quietly(run("readwrite", (store) => store.put(draft, name)));
export const dropDraft = (name) => quietly(run("readwrite", (store) => store.delete(name)));
export const draftNames = () => quietly(run("readonly", (store) => store.getAllKeys()));
export const draftOf = (name) => quietly(run("readonly", (store) => store.get(name)));
