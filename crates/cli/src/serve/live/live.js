// Loads the page again when the configuration was saved, and shows what is wrong with it when it can't be used.
(() => {
  const own = document.currentScript;
  if (own) own.remove();
  if (window.top !== window.self || !window.EventSource) return;

  let source, generation, overlay;

  const hide = () => {
    if (overlay) overlay.remove();
    overlay = undefined;
  };

  const show = (problems) => {
    hide();
    overlay = document.createElement("engraft-problems");
    const root = overlay.attachShadow({ mode: "open" });
    // A constructed sheet, as policies may forbid style elements.
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(`
      :host { all: initial; position: fixed; inset: auto 0 0 0; z-index: 2147483647; }
      section { font: 14px/1.5 ui-monospace, monospace; color: #fff; background: #2b0b0b; border-top: 3px solid #e5484d;
                padding: 1rem 1.25rem; max-height: 50vh; overflow: auto; box-sizing: border-box; }
      h2 { font: 600 15px/1.4 system-ui, sans-serif; margin: 0 0 .5rem; }
      pre { font: inherit; margin: 0; white-space: pre-wrap; overflow-wrap: anywhere; }
    `);
    root.adoptedStyleSheets = [sheet];
    const section = document.createElement("section");
    section.setAttribute("role", "alert");
    const title = document.createElement("h2");
    title.textContent = "engraft: the saved configuration can't be used; the page shows the one before";
    const text = document.createElement("pre");
    text.textContent = problems;
    section.append(title, text);
    root.append(section);
    document.documentElement.append(overlay);
  };

  const open = () => {
    if (source) return;
    source = new EventSource("/__engraft/live");
    source.onmessage = (event) => {
      const now = JSON.parse(event.data);
      if (generation !== undefined && generation !== now.generation) {
        location.reload();
        return;
      }
      generation = now.generation;
      if (now.problems) show(now.problems);
      else hide();
    };
  };

  // Browsers allow six connections to one host over HTTP/1.1: pages that nobody looks at give theirs up.
  const follow = () => {
    if (document.visibilityState === "visible") open();
    else if (source) {
      source.close();
      source = undefined;
    }
  };
  document.addEventListener("visibilitychange", follow);
  // A connection keeps pages out of the cache that goes back and forward.
  addEventListener("pagehide", () => {
    if (source) source.close();
    source = undefined;
  });
  addEventListener("pageshow", follow);
  follow();
})();
