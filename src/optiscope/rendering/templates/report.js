"use strict";
// Draws figures when they come near the window, in the theme of the reader's system, and all of them before printing.
(() => {
  const root = document.documentElement;
  const systemIsDark = window.matchMedia("(prefers-color-scheme: dark)");
  const templates = JSON.parse(document.getElementById("templates").textContent);
  const places = [...document.querySelectorAll(".lazy-figure")];
  const config = { responsive: true, displaylogo: false, showLink: false, plotlyServerURL: "" };
  const PRINTED_WIDTH = 700;
  const NARROW = 560;
  const PANELS_WIDTH = 680;

  /** The theme that the page has now. */
  const theme = () => {
    const asked = root.dataset.theme;
    return asked === "auto" ? (systemIsDark.matches ? "dark" : "light") : asked;
  };

  /** The figure of a place in the given theme, as values that plotly may change. */
  const figureOf = (place, name) => {
    const source = JSON.parse(document.getElementById(`${place.id}-data`).textContent);
    if (name === "dark") {
      for (const [path, value] of source.dark) {
        const last = path[path.length - 1];
        const parent = path.slice(0, -1).reduce((part, key) => part[key], source.figure);
        if (value === null && !Array.isArray(parent)) { delete parent[last]; } else { parent[last] = value; }
      }
    }
    source.figure.layout.template = structuredClone(templates[name]);
    return source.figure;
  };

  /** The text in lines of at most so many letters; words are kept whole. */
  const wrapped = (text, letters) => {
    const lines = [""];
    for (const word of text.replaceAll("<br>", " ").split(/\s+/)) {
      const line = lines[lines.length - 1];
      if (line && line.length + 1 + word.length > letters) { lines.push(word); } else { lines[lines.length - 1] = line ? `${line} ${word}` : word; }
    }
    return lines;
  };

  /** Whether a figure has panels side by side. */
  const hasPanels = (layout) => Object.keys(layout).some((key) => key.startsWith("xaxis") && (layout[key].domain || [0])[0] > 0.3);

  /** Makes a figure legible in a narrow window: title in several lines, legend below the axes. */
  const fitNarrow = (figure, width) => {
    const { layout } = figure;
    const title = layout.title || {};
    const margin = { t: 60, b: 54, l: 70, ...layout.margin };
    let height = layout.height || 450;
    const rewrap = (part, letters, lineHeight) => {
      if (!part || !part.text) { return; }
      const before = part.text.split("<br>").length;
      const lines = wrapped(part.text, letters);
      part.text = lines.join("<br>");
      margin.t += (lines.length - before) * lineHeight;
      height += (lines.length - before) * lineHeight;
    };
    const room = width - 84;
    rewrap(title, Math.floor(room / 9.5), 22);
    rewrap(title.subtitle, Math.floor(room / 6.4), 17);
    const names = figure.data.filter((trace) => trace.showlegend !== false && trace.name).map((trace) => trace.name);
    if (layout.showlegend !== false && names.length > 1) {
      layout.legend = {
        ...layout.legend, orientation: "h", xref: "container", x: 0.02, xanchor: "left",
        yref: "container", y: 0.01, yanchor: "bottom", entrywidth: width - 80, entrywidthmode: "pixels",
      };
      margin.b += 20 * names.length + 8;
      height += 20 * names.length + 8;
    }
    if (Object.keys(layout).filter((key) => key.startsWith("yaxis")).length > 1) { height += 150; }
    Object.assign(layout, { margin: { ...margin, r: Math.min(margin.r ?? 28, 16) }, height });
    layout.margin.l = Math.min(layout.margin.l, 52);
    const eye = layout.scene?.camera?.eye;
    // A scene is as large as its height; a window that is higher than wide needs a step back.
    if (eye) { for (const axis of Object.keys(eye)) { eye[axis] *= 2.1; } }
    for (const menu of layout.updatemenus || []) {
      // Buttons that stand in a row begin at the edge of the window and not of the axes.
      if (menu.direction === "right") { Object.assign(menu, { x: -margin.l / Math.max(width - margin.l - 90, 120) }); }
    }
    layout.dragmode = false; // a finger that moves over a figure scrolls the page
  };

  const draw = (place, name, printedWidth) => {
    const figure = figureOf(place, name);
    place.style.minWidth = "";
    if (printedWidth) {
      Object.assign(figure.layout, { width: printedWidth, autosize: false });
      const { margin, sliders, updatemenus } = figure.layout;
      if (sliders || updatemenus) { // nobody can press a button on paper, nor needs the room for it
        Object.assign(figure.layout, { sliders: [], updatemenus: [], margin: { ...margin, b: Math.min(margin?.b ?? 54, 54) } });
      }
    } else if (place.clientWidth < NARROW) {
      if (hasPanels(figure.layout)) {
        // Panels side by side keep a width at which they can be read; the figure scrolls within its frame.
        place.style.minWidth = `${PANELS_WIDTH}px`;
        figure.layout.dragmode = false;
      } else {
        fitNarrow(figure, place.clientWidth);
      }
    }
    place.dataset.drawn = name;
    // On a telephone the icons would stand over the title, and nobody hovers.
    const narrow = place.clientWidth < NARROW || figure.layout.dragmode === false;
    const drawn = Plotly.react(place, figure.data, figure.layout, narrow ? { ...config, displayModeBar: false } : config);
    if (!figure.frames || !figure.frames.length) { return drawn; }
    delete place.dataset.moves;
    // Frames of the same names take the place of those that may be there from before.
    return drawn.then(() => Plotly.addFrames(place, figure.frames)).then(() => { place.dataset.moves = name; });
  };

  const observer = new IntersectionObserver((entries) => {
    for (const entry of entries) {
      if (entry.isIntersecting && entry.target.dataset.drawn !== theme()) { draw(entry.target, theme()); }
    }
  }, { rootMargin: "800px 0px" });
  const lookAgain = () => {
    for (const place of places) { observer.unobserve(place); observer.observe(place); }
  };
  lookAgain();

  // A change of theme redraws what is in view; the rest follows when it comes near.
  systemIsDark.addEventListener("change", lookAgain);
  // So does a change between a narrow and a wide window.
  window.matchMedia("(min-width: 37.5rem)").addEventListener("change", () => {
    for (const place of places) { delete place.dataset.drawn; }
    lookAgain();
  });

  let folded = [];
  window.addEventListener("beforeprint", () => {
    folded = [...document.querySelectorAll("details:not([open])")];
    for (const details of folded) { details.open = true; }
    for (const place of places) { draw(place, "light", PRINTED_WIDTH); }
  });
  window.addEventListener("afterprint", () => {
    for (const details of folded) { details.open = false; }
    for (const place of places) { draw(place, theme()); }
  });

  // An animation that is interrupted, as by the pause button, is rejected by plotly.js, for no reason.
  window.addEventListener("unhandledrejection", (event) => { if (event.reason === undefined) { event.preventDefault(); } });

  // A link to a folded table unfolds it.
  const unfold = () => {
    const target = document.getElementById(decodeURIComponent(window.location.hash.slice(1)));
    if (target instanceof HTMLDetailsElement) { target.open = true; }
  };
  window.addEventListener("hashchange", unfold);
  unfold();

  // On a telephone the contents start folded; on a wide window they are a column of their own and always open.
  const wide = window.matchMedia("(min-width: 75rem)");
  const contents = document.getElementById("contents");
  const fold = () => { contents.open = wide.matches; };
  wide.addEventListener("change", fold);
  fold();
})();
