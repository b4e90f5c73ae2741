// What each key does.

const TYPING = "input:not([type=range]):not([type=checkbox]),textarea,select";

export function bindKeys(app) {
  const { tools, view, proposals } = app;
  const plain = {
    b: () => tools.choose("brush"), e: () => tools.choose("eraser"), p: () => tools.choose("polygon"), w: () => tools.choose("wand"), f: () => tools.choose("fill"),
    "[": () => tools.resize(-1), "]": () => tools.resize(1), z: () => app.undo(), Z: () => app.redo(), h: () => app.hideMasks(), o: () => app.nextOpacity(),
    g: () => app.propose(), c: () => app.compare(), 0: () => view.fit(), "+": () => view.zoom(1.25), "=": () => view.zoom(1.25), "-": () => view.zoom(0.8),
    ArrowLeft: () => view.move(60, 0), ArrowRight: () => view.move(-60, 0), ArrowUp: () => view.move(0, 60), ArrowDown: () => view.move(0, -60),
    PageDown: () => app.go(1), PageUp: () => app.go(-1),
    Enter: () => app.enter(), Delete: () => app.remove(), Backspace: () => app.remove(), Escape: () => app.escape(),
  };
  document.addEventListener("keydown", (event) => {
    if (event.target.matches(TYPING) || document.querySelector("dialog[open]")) return;
    if (event.key === " ") {
      if (event.target.matches("button,a,summary")) return;
      tools.space = true;
      return event.preventDefault();
    }
    if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "z") {
      event.preventDefault();
      return event.shiftKey ? app.redo() : app.undo();
    }
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    // Buttons and links keep their own keys.
    if (event.target.matches("a,button,summary") && event.key === "Enter") return;
    if (event.key === "Tab") {
      if (document.activeElement !== app.stage || !proposals.left.length) return;
      event.preventDefault();
      return proposals.step(event.shiftKey ? -1 : 1);
    }
    const act = plain[event.key] ?? (/^[1-9]$/.test(event.key) ? () => app.digit(Number(event.key)) : null);
    if (!act) return;
    event.preventDefault();
    act();
  });
  document.addEventListener("keyup", (event) => {
    if (event.key === " ") tools.space = false;
  });
}
