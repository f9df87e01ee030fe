// The page for authors of layouts: a file, what there is to say of it, and its picture as rooms will show it.

import { token, headers } from "/token.js";
import { Editor, element } from "/layout-editor.js";
import { Completion } from "/layout-completion.js";
import { Preview } from "/layout-preview.js";
import { member, number, objectAt, parse } from "/layout-text.js";

const $ = (id) => document.getElementById(id);
/// How long nobody types before the text is looked at, in milliseconds.
const pause = 120;
const beginnings = {
  grid: `{
  "variants": [
    { "grid": { "columns": 1, "rows": 1 } },
    { "grid": { "columns": 2, "rows": 1 } },
    { "grid": { "columns": 2, "rows": 2 } },
    { "grid": { "columns": 3, "rows": 3, "empty": "collapse" } }
  ]
}
`,
  speaker: `{
  "units": [360, 360],
  "variants": [
    { "slots": [
      { "id": "speaker", "x": 0, "y": 0, "width": 360, "height": 270, "source": "floor" },
      { "x": 0, "y": 270, "width": 90, "height": 90 },
      { "x": 90, "y": 270, "width": 90, "height": 90 },
      { "x": 180, "y": 270, "width": 90, "height": 90 },
      { "x": 270, "y": 270, "width": 90, "height": 90 }
    ] }
  ]
}
`,
};

/// What is open: its name, its text as it is on the server (null for a new one) and that text's tag.
let open = null;
let isWritable = true;
let looking = null;
let timer = 0;

const preview = new Preview({
  change: () => look(), chosen: ({ line, column }) => editor.goTo(line, column), step: (slot) => standing(slot)?.step ?? null, moved: move,
});
const editor = new Editor({
  text: $("text"), ink: $("ink"), gutter: $("gutter"),
  on: { change: () => { showState(); clearTimeout(timer); timer = setTimeout(look, pause); } },
});

new Completion({ editor, list: $("completion") });

// MARK: Words

function status(tone, words) {
  $("status").dataset.tone = tone;
  $("status").textContent = words;
}

function notice(words, isConflict = false) {
  $("notice-words").textContent = words;
  $("notice").hidden = !words;
  $("take-theirs").hidden = $("keep-mine").hidden = !isConflict;
}

const isChanged = () => open !== null && editor.value !== open.saved;

function showState() {
  document.title = `${isChanged() ? "• " : ""}${open?.name ?? "Layouts"} · Tutti`;
  $("save").disabled = !isChanged() || !isWritable;
  $("delete").disabled = !open || !isWritable && open.saved !== null;
  $("save").title = isWritable ? "Save (Ctrl+S)" : "The server cannot write into its directory of layouts.";
}

async function problem(response) {
  const answer = await response.json().catch(() => null);
  return answer?.detail ?? `The server answered ${response.status}.`;
}

// MARK: Files

async function list(chosen) {
  const response = await fetch("/v1/layouts", { headers });
  if (!response.ok) throw new Error(await problem(response));
  const { layouts, faulty, writable } = await response.json();
  isWritable = writable;
  const names = [...new Set([...layouts, ...faulty])].sort();
  if (chosen && !names.includes(chosen)) names.push(chosen);
  $("file").replaceChildren(...names.map((name) => new Option(faulty.includes(name) ? `${name} (has faults)` : name, name)));
  if (chosen) $("file").value = chosen;
  return names;
}

async function read(name) {
  const response = await fetch(`/v1/layouts/${encodeURIComponent(name)}`, { headers: { ...headers, Accept: "application/json5" } });
  if (!response.ok) throw new Error(await problem(response));
  const text = await response.text();
  begin({ name, saved: text, tag: response.headers.get("ETag") }, text);
}

function begin(file, text) {
  open = file;
  editor.value = text;
  notice("");
  $("file").value = file.name;
  showState();
  look();
}

async function choose(name) {
  if (isChanged() && !confirm(`${open.name} is not saved. Leave your changes behind?`)) {
    $("file").value = open.name;
    return;
  }
  try { await read(name); } catch (error) { notice(error.message); }
}

async function save({ isForced = false } = {}) {
  if (!open || $("save").disabled && !isForced) return;
  const { name } = open;
  const text = editor.value;
  const condition = isForced ? {} : open.tag ? { "If-Match": open.tag } : { "If-None-Match": "*" };
  status("busy", "Saving…");
  try {
    const response = await fetch(`/v1/layouts/${encodeURIComponent(name)}`, {
      method: "PUT", headers: { ...headers, ...condition, "Content-Type": "application/json5" }, body: text,
    });
    if (!response.ok) {
      status("bad", "Not saved");
      return notice(await problem(response), response.status === 412);
    }
    const done = response.status === 201 ? `${name} is made` : `${name} is saved: rooms show it now`;
    open = { name, saved: text, tag: response.headers.get("ETag"), done };
    notice("");
    status("good", done);
    await list(name);
  } catch (error) {
    status("bad", "Not saved");
    notice(`The server cannot be reached: ${error.message}`);
  }
  showState();
}

/// Takes the file away; what was never saved is only left behind.
async function remove() {
  if (!open) return;
  const { name, saved, tag } = open;
  if (!confirm(saved === null ? `${name} was never saved. Drop it?` : `Delete the layout ${name}? Its file is gone then.`)) return;
  try {
    if (saved !== null) {
      const response = await fetch(`/v1/layouts/${encodeURIComponent(name)}`, { method: "DELETE", headers: { ...headers, ...(tag ? { "If-Match": tag } : {}) } });
      if (!response.ok) {
        status("bad", "Not deleted");
        return notice(await problem(response));
      }
    }
    open = null;
    const names = await list();
    await read(names[0]);
    status("good", `${name} is deleted`);
  } catch (error) { notice(error.message); }
}

function make() {
  const name = $("new-name").value.trim();
  if ([...$("file").options].some((option) => option.value === name)) return notice(`There is a layout ${name} already.`);
  const beginning = beginnings[$("beginning").value];
  if (beginning && isChanged() && !confirm(`${open.name} is not saved. Leave your changes behind?`)) return;
  const text = beginning ?? editor.value.replace(/("name"|\bname)\s*:\s*(["'])[^"'\n]*\2/, `$1: $2${name}$2`);
  $("file").append(new Option(name, name));
  begin({ name, saved: null, tag: null }, text);
  editor.text.focus();
}

// MARK: Looking

/// Checks the text and draws it; what is newer ends what is older.
async function look() {
  if (!open) return;
  looking?.abort();
  const { signal } = (looking = new AbortController());
  const began = performance.now();
  const ask = (what) => fetch(`/v1/layouts/${encodeURIComponent(open.name)}/${what}?${preview.query}`, {
    method: "POST", signal, headers: { ...headers, "Content-Type": "application/json5" }, body: editor.value,
  });
  try {
    let answer = await ask("check");
    if (!answer.ok) return await refused(answer, signal);
    let { faults, notes, arrangement } = await answer.json();
    if (arrangement && preview.offer(arrangement)) ({ faults, notes, arrangement } = await (await ask("check")).json());
    tell(faults, notes);
    if (!arrangement) return preview.age();
    const picture = await ask("preview.png");
    if (!picture.ok) return await refused(picture, signal);
    const blob = await picture.blob();
    if (signal.aborted) return;
    await preview.show(blob, `${open.name} with ${preview.count} people on ${preview.size}`);
    preview.arrange(arrangement);
    remember();
    document.body.dataset.looked = String(Math.round(performance.now() - began));
  } catch (error) {
    if (error.name !== "AbortError") status("bad", "The server cannot be reached");
  }
}

// MARK: Moving slots

const axes = [["x", 0, 0], ["y", 1, 1], ["width", 0, 0], ["height", 1, 1]];

/// Where a slot's numbers stand in the text: { node, units, step }; null where it has none of its own, as in a grid, or where they
/// are not what is shown.
function standing(slot) {
  const root = parse(editor.value);
  const node = objectAt(root, editor.offset(slot.line, slot.column));
  const told = member(root, "units")?.items?.map(number) ?? [];
  const units = [0, 1].map((axis) => told[axis] ?? 360);
  const canvas = preview.size.split("x").map(Number);
  const edge = (value, axis) => Math.floor(value * canvas[axis] / units[axis] + 0.5);
  const at = Object.fromEntries(axes.map(([key]) => [key, number(member(node, key))]));
  if (!node || Object.values(at).some((value) => value === null)) return null;
  const isShown = edge(at.x, 0) === slot.x && edge(at.y, 1) === slot.y
    && edge(at.x + at.width, 0) === slot.x + slot.width && edge(at.y + at.height, 1) === slot.y + slot.height;
  // Units much coarser than pixels are written with a fraction.
  const least = [0, 1].map((axis) => (canvas[axis] / units[axis] > 6 ? 0.1 : 1));
  return isShown ? { node, units, canvas, least, at, edge, step: least.map((each, axis) => each * canvas[axis] / units[axis]) } : null;
}

/// Writes where a slot is now into its numbers; comments and all else stay as they are.
function move(slot, box) {
  const found = standing(slot);
  if (!found) return;
  const { node, units, canvas, least, at, edge } = found;
  const unit = (pixels, axis) => Math.round(pixels * units[axis] / canvas[axis] / least[axis]) * least[axis];
  const tidy = (value) => String(Number(value.toFixed(3)));
  const wanted = {
    x: unit(box.x, 0), y: unit(box.y, 1),
    width: Math.max(unit(box.x + box.width, 0) - unit(box.x, 0), least[0]), height: Math.max(unit(box.y + box.height, 1) - unit(box.y, 1), least[1]),
  };
  // What was not dragged keeps its number.
  if (box.width === slot.width) wanted.width = at.width;
  if (box.height === slot.height) wanted.height = at.height;
  if (box.x === slot.x) wanted.x = at.x;
  if (box.y === slot.y) wanted.y = at.y;
  const values = axes.map(([key]) => ({ ...member(node, key), words: tidy(wanted[key]), isSame: wanted[key] === at[key] }));
  const changed = values.filter(({ isSame }) => !isSame).sort((a, b) => a.start - b.start);
  if (!changed.length) return preview.redraw();
  const from = changed[0].start;
  const to = changed.at(-1).end;
  let words = "", end = from;
  for (const value of changed) {
    words += editor.value.slice(end, value.start) + value.words;
    end = value.end;
  }
  const focused = document.activeElement;
  editor.replace(from, to, words);
  if (focused instanceof SVGElement) focused.focus({ preventScroll: true });
  // The next step need not wait for the server's picture of this one.
  const [x, y] = [edge(wanted.x, 0), edge(wanted.y, 1)];
  Object.assign(slot, { x, y, width: edge(wanted.x + wanted.width, 0) - x, height: edge(wanted.y + wanted.height, 1) - y });
  preview.redraw();
}

/// 503 is for a moment; anything else is for the author.
async function refused(response, signal) {
  if (response.status === 503) {
    setTimeout(() => { if (!signal.aborted) look(); }, 1000 * Number(response.headers.get("Retry-After") ?? 1));
    return status("busy", "The server is busy; the picture follows");
  }
  status("bad", "No picture");
  notice(await problem(response));
}

function tell(faults, notes) {
  const findings = [...faults.map((fault) => ({ ...fault, kind: "fault" })), ...notes.map((note) => ({ ...note, kind: "note" }))];
  editor.mark(findings);
  // Advice is there for who wants it, and stays open once it was.
  const isOpen = $("findings").querySelector("details")?.open ?? false;
  $("findings").replaceChildren(...findings.filter(({ kind }) => kind === "fault").map(item));
  if (notes.length) {
    const advice = document.createElement("details");
    const list = document.createElement("ul");
    list.append(...findings.filter(({ kind }) => kind === "note").map(item));
    advice.append(element("summary", "", notes.length === 1 ? "1 piece of advice" : `${notes.length} pieces of advice`), list);
    advice.open = isOpen;
    const entry = document.createElement("li");
    entry.append(advice);
    $("findings").append(entry);
  }
  if (faults.length) status("bad", faults.length === 1 ? "1 fault" : `${faults.length} faults`);
  // A picture that was asked for before does not take back what saving said.
  else status("good", isChanged() ? "No faults, not saved" : open?.done ?? "No faults");
}

function item(finding) {
  const item = document.createElement("li");
  const button = element("button", finding.kind, "");
  button.type = "button";
  button.append(element("span", "place", `${finding.line}:${finding.column}`), element("span", "detail", finding.detail));
  button.addEventListener("click", () => editor.goTo(finding.line, finding.column));
  item.append(button);
  return item;
}

/// The next fault after the caret, or advice where there is no fault, from the first again after the last.
function nextFault() {
  const hasFaults = editor.findings.some(({ kind }) => kind === "fault");
  const faults = editor.findings.filter(({ kind }) => kind === "fault" || !hasFaults);
  if (!faults.length) return;
  const next = faults.find(({ line, column }) => editor.offset(line, column) > editor.caret) ?? faults[0];
  editor.goTo(next.line, next.column);
}

/// What is looked at stands in the address, so that it can be sent to somebody.
function remember() {
  const query = new URLSearchParams({ layout: open.name, ...Object.fromEntries(preview.query) });
  history.replaceState(null, "", `${location.pathname}?${query}`);
}

// MARK: Start

$("file").addEventListener("change", () => choose($("file").value));
$("save").addEventListener("click", () => save());
$("keep-mine").addEventListener("click", () => save({ isForced: true }));
$("take-theirs").addEventListener("click", () => read(open.name).catch((error) => notice(error.message)));
$("delete").addEventListener("click", remove);
$("new").addEventListener("click", () => {
  $("new-name").value = "";
  $("naming").showModal();
});
$("naming-cancel").addEventListener("click", () => $("naming").close());
$("naming-form").addEventListener("submit", make);
document.addEventListener("keydown", (event) => {
  if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "s") {
    event.preventDefault();
    save();
  } else if (event.key === "F8") {
    event.preventDefault();
    nextFault();
  }
});
addEventListener("beforeunload", (event) => { if (isChanged()) event.preventDefault(); });
for (const link of document.querySelectorAll("a.mark")) if (token) link.href = `/#token=${token}`;

const wanted = new URLSearchParams(location.search).get("layout");
list().then((names) => read(names.includes(wanted) ? wanted : names[0])).catch((error) => {
  status("bad", "No layouts");
  notice(error.message);
});
