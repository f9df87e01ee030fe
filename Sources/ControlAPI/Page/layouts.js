// The page for authors of layouts: a file, what there is to say of it, and its picture as rooms will show it.

import { headers, problem, token } from "/token.js";
import { Editor, element } from "/layout-editor.js";
import { Completion } from "/layout-completion.js";
import { Preview } from "/layout-preview.js";
import { member, number, parse } from "/layout-text.js";

const $ = (id) => document.getElementById(id);
/// How long nobody types before the text is looked at, in milliseconds.
const pause = 120;
const beginnings = {
  "plain grid": `{
  "variants": [
    { "grid": { "columns": 1, "rows": 1 } },
    { "grid": { "columns": 2, "rows": 1 } },
    { "grid": { "columns": 2, "rows": 2 } },
    { "grid": { "columns": 3, "rows": 3, "empty": "collapse" } }
  ]
}
`,
  "plain speaker": `{
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
/// Names of the layouts that came with the server, whatever became of them since.
let shipped = [];
/// What is under way: a text that is read, one that is saved, one that is looked at.
let reading = null;
let isSaving = false;
let looking = null;
let timer = 0;

const preview = new Preview({
  change: () => look(), chosen: ({ line, column }) => editor.goTo(line, column), standing: (slot) => standing(slot)?.place ?? null, moved: move,
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
  $("save").disabled = !isChanged() || !isWritable || isSaving;
  $("delete").disabled = !open || !isWritable && open.saved !== null;
  $("restore").hidden = !shipped.includes(open?.name);
  $("save").title = isWritable ? "Save (Ctrl+S)" : "The server cannot write into its directory of layouts.";
}

// MARK: Files

async function list(chosen) {
  const response = await fetch("/v1/layouts", { headers });
  if (!response.ok) throw new Error(await problem(response));
  const { layouts, faulty, writable, shipped: known } = await response.json();
  [isWritable, shipped] = [writable, known];
  const names = [...new Set([...layouts, ...faulty])].sort();
  if (chosen && !names.includes(chosen)) names.push(chosen);
  $("file").replaceChildren(...names.map((name) => new Option(faulty.includes(name) ? `${name} (has faults)` : name, name)));
  $("beginning-shipped").replaceChildren(...shipped.map((name) => new Option(name, name)));
  $("beginning-shipped").hidden = !shipped.length;
  if (chosen) $("file").value = chosen;
  return names;
}

/// Opens a layout; of two that are asked for, the later one.
async function read(name) {
  reading?.abort();
  const { signal } = (reading = new AbortController());
  try {
    const response = await fetch(`/v1/layouts/${encodeURIComponent(name)}`, { signal, headers: { ...headers, Accept: "application/json5" } });
    if (!response.ok) throw new Error(await problem(response));
    const text = await response.text();
    signal.throwIfAborted();
    begin({ name, saved: text, tag: response.headers.get("ETag") }, text);
  } catch (error) { if (!signal.aborted) throw error; }
}

/// The text that a layout came with.
async function shippedText(name) {
  const response = await fetch(`/v1/layouts/${encodeURIComponent(name)}/shipped`, { headers: { ...headers, Accept: "application/json5" } });
  if (!response.ok) throw new Error(await problem(response));
  return response.text();
}

function begin(file, text) {
  reading?.abort();
  // What was never saved is nowhere once it is left.
  if (open?.saved === null && open.name !== file.name) optionOf(open.name)?.remove();
  open = file;
  editor.value = text;
  notice("");
  if (!optionOf(file.name)) $("file").append(new Option(file.name, file.name));
  $("file").value = file.name;
  showState();
  look();
}

const optionOf = (name) => [...$("file").options].find((option) => option.value === name);
const mayLeave = () => !isChanged() || confirm(`${open.name} is not saved. Leave your changes behind?`);

async function choose(name) {
  if (!mayLeave()) {
    $("file").value = open.name;
    return;
  }
  try { await read(name); } catch (error) {
    notice(error.message);
    if (open) $("file").value = open.name;
  }
}

async function save({ isForced = false } = {}) {
  if (!open || isSaving || $("save").disabled && !isForced) return;
  const file = open;
  const { name } = file;
  const text = editor.value;
  const condition = isForced ? {} : file.tag ? { "If-Match": file.tag } : { "If-None-Match": "*" };
  status("busy", "Saving…");
  isSaving = true;
  showState();
  try {
    const response = await fetch(`/v1/layouts/${encodeURIComponent(name)}`, {
      method: "PUT", headers: { ...headers, ...condition, "Content-Type": "application/json5" }, body: text,
    });
    if (!response.ok) {
      status("bad", "Not saved");
      notice(await problem(response), response.status === 412);
      return;
    }
    const done = response.status === 201 ? `${name} is made` : `${name} is saved: rooms show it now`;
    // Another may have been opened meanwhile.
    Object.assign(file, { saved: text, tag: response.headers.get("ETag"), done });
    notice("");
    status("good", done);
    await list(open.name).catch((error) => notice(error.message));
  } catch (error) {
    status("bad", "Not saved");
    notice(`The server cannot be reached: ${error.message}`);
  } finally {
    isSaving = false;
    showState();
  }
}

/// Takes the file away; what was never saved is only left behind.
async function remove() {
  if (!open) return;
  const { name, saved, tag } = open;
  const comesBack = shipped.includes(name) ? " It came with the server: New… can begin with it again." : " Its file is gone then.";
  if (!confirm(saved === null ? `${name} was never saved. Drop it?` : `Delete the layout ${name}?${comesBack}`)) return;
  try {
    if (saved !== null) {
      const response = await fetch(`/v1/layouts/${encodeURIComponent(name)}`, { method: "DELETE", headers: { ...headers, ...(tag ? { "If-Match": tag } : {}) } });
      if (!response.ok) {
        status("bad", "Not deleted");
        return notice(await problem(response));
      }
    }
    open = null;
    await openFirst(await list());
    status("good", `${name} is deleted`);
  } catch (error) { notice(error.message); }
}

/// Opens one of these, or begins one where there is none.
async function openFirst(names, wanted) {
  if (names.length) return read(names.includes(wanted) ? wanted : names[0]);
  begin({ name: "grid", saved: null, tag: null }, beginnings["plain grid"]);
}

async function make() {
  const beginning = $("beginning").value;
  const origin = $("beginning").selectedOptions[0].parentElement === $("beginning-shipped") ? beginning : null;
  const name = $("new-name").value.trim();
  if (optionOf(name)) return notice(`There is a layout ${name} already.`);
  const isCopy = !origin && !beginnings[beginning];
  if (!isCopy && !mayLeave()) return;
  try {
    const text = origin ? await shippedText(origin) : beginnings[beginning] ?? editor.value;
    begin({ name, saved: null, tag: null }, text.replace(/("name"|\bname)\s*:\s*(["'])[^"'\n]*\2/, `$1: $2${name}$2`));
  } catch (error) { return notice(error.message); }
  editor.text.focus();
}

/// Brings back the text that the open layout came with, to be looked at and saved; undo takes it back.
async function restore() {
  const { name } = open;
  try {
    const text = await shippedText(name);
    if (open.name !== name) return;
    if (text === editor.value) return status("good", `${name} is as it came with the server`);
    editor.replace(0, editor.value.length, text);
  } catch (error) { notice(error.message); }
}

// MARK: Looking

/// Checks the text and draws it; what is newer ends what is older.
async function look() {
  looking?.abort();
  if (!open) return;
  const { signal } = (looking = new AbortController());
  const began = performance.now();
  const { name } = open;
  const { count, size } = preview;
  const text = editor.value;
  // What is told of places in a text is of no use for one that was changed meanwhile, which is looked at soon.
  const isCurrent = () => editor.value === text;
  const ask = (what) => fetch(`/v1/layouts/${encodeURIComponent(name)}/${what}?${preview.query}`, {
    method: "POST", signal, headers: { ...headers, "Content-Type": "application/json5" }, body: text,
  });
  try {
    let answer = await ask("check");
    if (!answer.ok) return await refused(answer, signal);
    let { faults, notes, arrangement } = await answer.json();
    signal.throwIfAborted();
    if (arrangement && preview.offer(arrangement)) {
      answer = await ask("check");
      if (!answer.ok) return await refused(answer, signal);
      ({ faults, notes, arrangement } = await answer.json());
      signal.throwIfAborted();
    }
    if (isCurrent()) tell(faults, notes);
    if (!arrangement) return preview.age();
    const picture = await ask("preview.png");
    if (!picture.ok) return await refused(picture, signal);
    await preview.show(await picture.blob(), `${name} with ${count} people on ${size}`, signal);
    if (isCurrent()) preview.arrange(arrangement, size);
    // What was told of the picture before is over.
    if (refused.words && $("notice-words").textContent === refused.words) notice("");
    remember(name);
    document.body.dataset.looked = String(Math.round(performance.now() - began));
  } catch (error) {
    if (!signal.aborted) status("bad", "The server cannot be reached");
  }
}

// MARK: Moving slots

const sides = ["x", "y", "width", "height"];

/// The text as it is now, read once however many slots are looked for.
function readText() {
  if (readText.text !== editor.value) Object.assign(readText, { text: editor.value, root: parse(editor.value) });
  return readText.root;
}

/// Where a slot's numbers stand in the text: { node, units, canvas, least, at, box, place }, place being where they put it; null where
/// it has none of its own, as in a grid.
function standing(slot) {
  const root = readText();
  const variant = member(root, "variants")?.items?.[preview.arrangement?.variant];
  const node = member(variant, "slots")?.items?.[slot.slot];
  const at = Object.fromEntries(sides.map((key) => [key, number(member(node, key))]));
  if (Object.values(at).some((value) => value === null)) return null;
  const told = member(root, "units")?.items?.map(number) ?? [];
  const units = [0, 1].map((axis) => told[axis] ?? 360);
  const canvas = preview.arrangedSize.split("x").map(Number);
  const edge = (value, axis) => Math.floor(value * canvas[axis] / units[axis] + 0.5);
  const box = (values) => {
    const [x, y] = [edge(values.x, 0), edge(values.y, 1)];
    return { x, y, width: edge(values.x + values.width, 0) - x, height: edge(values.y + values.height, 1) - y };
  };
  // Units much coarser than pixels are written with a fraction.
  const least = [0, 1].map((axis) => (canvas[axis] / units[axis] > 6 ? 0.1 : 1));
  return { node, units, canvas, least, at, box, place: { ...box(at), step: least.map((each, axis) => each * canvas[axis] / units[axis]) } };
}

/// Writes where a slot is now into its numbers; comments and all else stay as they are.
function move(slot, box) {
  const found = standing(slot);
  if (!found) return;
  const { node, units, canvas, least, at } = found;
  const unit = (pixels, axis) => Math.round(pixels * units[axis] / canvas[axis] / least[axis]) * least[axis];
  const tidy = (value) => String(Number(value.toFixed(3)));
  const wanted = {
    x: unit(box.x, 0), y: unit(box.y, 1),
    width: Math.max(unit(box.x + box.width, 0) - unit(box.x, 0), least[0]), height: Math.max(unit(box.y + box.height, 1) - unit(box.y, 1), least[1]),
  };
  // What was not dragged keeps its number.
  for (const key of sides) if (box[key] === slot[key]) wanted[key] = at[key];
  const values = sides.map((key) => ({ ...member(node, key), words: tidy(wanted[key]), isSame: wanted[key] === at[key] }));
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
  Object.assign(slot, found.box(wanted));
  preview.redraw();
}

/// 503 is for a moment; anything else is for the author.
async function refused(response, signal) {
  if (response.status === 503) {
    setTimeout(() => { if (!signal.aborted) look(); }, 1000 * Number(response.headers.get("Retry-After") ?? 1));
    return status("busy", "The server is busy; the picture follows");
  }
  status("bad", "No picture");
  refused.words = await problem(response);
  notice(refused.words);
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
function remember(name) {
  const query = new URLSearchParams({ layout: name, ...Object.fromEntries(preview.query) });
  history.replaceState(null, "", `${location.pathname}?${query}`);
}

// MARK: Start

$("file").addEventListener("change", () => choose($("file").value));
$("save").addEventListener("click", () => save());
$("keep-mine").addEventListener("click", () => save({ isForced: true }));
$("take-theirs").addEventListener("click", () => read(open.name).catch((error) => notice(error.message)));
$("restore").addEventListener("click", restore);
$("delete").addEventListener("click", remove);
$("new").addEventListener("click", () => {
  $("new-name").value = "";
  $("beginning").value = "copy";
  $("naming").showModal();
});
// What comes back is to have its own name.
$("beginning").addEventListener("change", () => {
  const { value } = $("beginning");
  if (shipped.includes(value) && !$("new-name").value && !optionOf(value)) $("new-name").value = value;
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
list().then((names) => openFirst(names, wanted)).catch((error) => {
  status("bad", "No layouts");
  notice(error.message);
});
