"use strict";

// The page is complete without this. It adds sorting, search, a dark mode by choice, and a link to what is shown.
(() => {
  const root = document.documentElement;
  const THEME = "w2s-theme";
  const NUMBER = /[-+]?\d[\d,]*(\.\d+)?(e[-+]?\d+)?/i;
  const DIRECTIONS = { up: 1, down: -1 };
  const system = matchMedia("(prefers-color-scheme: dark)");
  const tables = [];
  const claims = [];

  // Browsers may refuse storage, for instance to pages that are opened from a file.
  function remembered() {
    try {
      return localStorage.getItem(THEME);
    } catch {
      return null;
    }
  }

  function remember(theme) {
    try {
      if (theme) localStorage.setItem(THEME, theme);
      else localStorage.removeItem(THEME);
    } catch {
      return;
    }
  }

  function setTheme(theme) {
    if (theme === "dark" || theme === "light") root.dataset.theme = theme;
    else delete root.dataset.theme;
  }

  function isDark() {
    return root.dataset.theme ? root.dataset.theme === "dark" : system.matches;
  }

  function prepareTheme() {
    const button = document.getElementById("theme");
    const show = () => button.setAttribute("aria-pressed", String(isDark()));
    button.addEventListener("click", () => {
      const dark = !isDark();
      setTheme(dark === system.matches ? "" : dark ? "dark" : "light");
      remember(root.dataset.theme);
      show();
    });
    system.addEventListener("change", show);
    button.hidden = false;
    show();
  }

  // -- sorting ------------------------------------------------------------------------------------------------

  function textOf(row, column) {
    const cell = row.cells[column];
    return cell.dataset.value ?? cell.textContent.trim();
  }

  function numberIn(text) {
    const found = text.replace(/[−–]/g, "-").match(NUMBER);
    return found ? Number(found[0].replaceAll(",", "")) : NaN;
  }

  function compared(a, b, direction) {
    if (Number.isNaN(a) || Number.isNaN(b)) return Number.isNaN(a) - Number.isNaN(b); // nothing comes last
    return direction * (a - b);
  }

  function sorted(rows, column, direction, isNumber) {
    const order = new Intl.Collator("en", { numeric: true });
    const keyed = rows.map((row) => ({ row, text: textOf(row, column) }));
    keyed.sort((a, b) =>
      isNumber ? compared(numberIn(a.text), numberIn(b.text), direction) : direction * order.compare(a.text, b.text)
    );
    return keyed.map((one) => one.row);
  }

  function prepareTable(table) {
    const heads = [...table.tHead.rows[0].cells];
    const rows = [...table.tBodies[0].rows];
    const one = { heads, column: 0, direction: 0 };
    one.sort = (column, direction) => {
      Object.assign(one, { column, direction });
      heads.forEach((head) => head.removeAttribute("aria-sort"));
      if (direction) heads[column].setAttribute("aria-sort", direction > 0 ? "ascending" : "descending");
      const isNumber = heads[column].matches(".right, .number");
      table.tBodies[0].append(...(direction ? sorted(rows, column, direction, isNumber) : rows));
    };
    heads.forEach((head, column) => {
      if (head.matches(".unsorted")) return;
      const button = document.createElement("button");
      button.type = "button";
      button.append(...head.childNodes);
      head.append(button);
      button.addEventListener("click", () => {
        const direction = one.column === column ? one.direction : 0;
        one.sort(column, direction === 0 ? 1 : direction === 1 ? -1 : 0);
        write();
      });
    });
    tables.push(one);
  }

  // -- filters ------------------------------------------------------------------------------------------------

  function radios(name) {
    return [...document.querySelectorAll(`input[type=radio][name=${name}]`)];
  }

  function chosen(name) {
    return radios(name).find((radio) => radio.checked)?.value ?? "all";
  }

  function choose(name, value) {
    const all = radios(name);
    const radio = all.find((one) => one.value === value) ?? all[0];
    if (radio) radio.checked = true;
  }

  function sought() {
    return document.getElementById("search")?.value.trim() ?? "";
  }

  function prepareFilters() {
    const search = document.getElementById("search");
    if (!search) return;
    for (const section of document.querySelectorAll("section.claim")) {
      const row = document.getElementById(`row-${section.id}`);
      const words = `${section.id} ${row.textContent} ${section.textContent}`.toLowerCase();
      claims.push({ section, row, words, verdict: row.dataset.verdict, setting: row.dataset.setting });
    }
    search.closest("[hidden]").hidden = false;
    for (const input of [search, ...radios("verdict"), ...radios("setting")]) {
      input.addEventListener("input", () => {
        filter();
        write();
      });
    }
  }

  // What the choices hide, the style sheet hides; this hides what the search does not find, and tables without a row.
  function filter() {
    const parts = sought().toLowerCase().split(/\s+/);
    const wanted = { verdict: chosen("verdict"), setting: chosen("setting") };
    const seen = new Set();
    let count = 0;
    for (const claim of claims) {
      const isFound = parts.every((part) => claim.words.includes(part));
      claim.row.hidden = claim.section.hidden = !isFound;
      const isWanted = Object.entries(wanted).every(([name, value]) => value === "all" || claim[name] === value);
      if (isFound && isWanted) {
        seen.add(claim.row.closest("table"));
        count += 1;
      }
    }
    for (const table of new Set(claims.map((claim) => claim.row.closest("table")))) table.hidden = !seen.has(table);
    const said = document.getElementById("shown");
    if (said) said.textContent = count === claims.length ? "" : `${count} of ${claims.length} claims shown`;
  }

  // -- a link to what is shown: #<section>?verdict=holds&setting=nlp&search=...&sort=<table>.<column>.<up or down> --

  function parts() {
    const [anchor, ...rest] = location.hash.slice(1).split("?");
    return { anchor, state: new URLSearchParams(rest.join("?")), hasState: rest.length > 0 };
  }

  function write() {
    const state = new URLSearchParams();
    for (const name of ["verdict", "setting"]) if (chosen(name) !== "all") state.set(name, chosen(name));
    if (sought()) state.set("search", sought());
    tables.forEach(({ column, direction }, number) => {
      if (direction) state.append("sort", `${number}.${column}.${direction > 0 ? "up" : "down"}`);
    });
    const query = String(state);
    const hash = `#${parts().anchor}${query ? `?${query}` : ""}`;
    if (hash === "#" && !location.hash) return;
    try {
      history.replaceState(null, "", hash);
    } catch {
      return;
    }
  }

  function read() {
    const { state } = parts();
    for (const name of ["verdict", "setting"]) choose(name, state.get(name));
    const search = document.getElementById("search");
    if (search) search.value = state.get("search") ?? "";
    for (const one of tables) if (one.direction) one.sort(one.column, 0);
    for (const words of state.getAll("sort")) {
      const [number, column, name] = words.split(".");
      const one = tables[Number(number)];
      if (one?.heads[Number(column)] && DIRECTIONS[name]) one.sort(Number(column), DIRECTIONS[name]);
    }
    filter();
  }

  // -- printing: browsers leave out what is folded --------------------------------------------------------------

  function preparePrint() {
    let folded = [];
    addEventListener("beforeprint", () => {
      folded = [...document.querySelectorAll("details:not([open])")];
      folded.forEach((one) => (one.open = true));
    });
    addEventListener("afterprint", () => folded.forEach((one) => (one.open = false)));
  }

  setTheme(remembered());
  root.classList.add("scripted");
  document.addEventListener("DOMContentLoaded", () => {
    prepareTheme();
    for (const table of document.querySelectorAll("table.sortable")) {
      if (table.tBodies[0].rows.length > 1) prepareTable(table);
    }
    prepareFilters();
    preparePrint();
    read();
    addEventListener("hashchange", () => (parts().hasState ? read() : write()));
    const { anchor, hasState } = parts();
    if (anchor && hasState) location.replace(`#${anchor}`); // the browser looks for an id with the state in it
    else write();
  });
})();
