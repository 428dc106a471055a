"use strict";
// Draws figures when they come near the window, in the theme of the reader's system, and all of them before printing.
(() => {
  const root = document.documentElement;
  const systemIsDark = window.matchMedia("(prefers-color-scheme: dark)");
  const templates = JSON.parse(document.getElementById("templates").textContent);
  const places = [...document.querySelectorAll(".lazy-figure")];
  const config = { responsive: true, displaylogo: false, showLink: false, plotlyServerURL: "" };
  const PRINTED_WIDTH = 700;

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

  const draw = (place, name, width) => {
    const figure = figureOf(place, name);
    if (width) { Object.assign(figure.layout, { width, autosize: false }); }
    place.dataset.drawn = name;
    return Plotly.react(place, figure.data, figure.layout, config);
  };

  const observer = new IntersectionObserver((entries) => {
    for (const entry of entries) {
      if (entry.isIntersecting && entry.target.dataset.drawn !== theme()) { draw(entry.target, theme()); }
    }
  }, { rootMargin: "800px 0px" });
  for (const place of places) { observer.observe(place); }

  // A change of theme redraws what is in view; the rest follows when it comes near.
  systemIsDark.addEventListener("change", () => {
    for (const place of places) { observer.unobserve(place); observer.observe(place); }
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

  // On a telephone the contents start folded; on a wide window they are a column of their own and always open.
  const wide = window.matchMedia("(min-width: 75rem)");
  const contents = document.getElementById("contents");
  const fold = () => { contents.open = wide.matches; };
  wide.addEventListener("change", fold);
  fold();
})();
