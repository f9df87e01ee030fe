// What may stand at the caret, by the schema of layouts: keys that an object has not yet, and values that are one of a few.

import { element } from "/layout-editor.js";
import { around, isInComment, parse, unquoted } from "/layout-text.js";

const shownMax = 30;

export class Completion {
  /// - list: an empty element for the choices.
  constructor({ editor, list }) {
    Object.assign(this, { editor, list, schema: null, offers: [], chosen: 0, place: null });
    editor.assistant = this;
    editor.text.setAttribute("aria-controls", list.id);
    editor.text.addEventListener("input", (event) => this.typed(event));
    for (const away of ["blur", "pointerdown"]) editor.text.addEventListener(away, () => this.close());
    // What is typed beyond the edge scrolls the text.
    editor.text.addEventListener("scroll", () => { if (this.isOpen) this.stand(); });
    // Pressed, it would take the focus from the text.
    list.addEventListener("pointerdown", (event) => event.preventDefault());
    fetch("/layout-schema.json").then((response) => response.json()).then((schema) => { this.schema = schema; }).catch(() => {});
  }

  get isOpen() { return !this.list.hidden; }

  /// Letters and what begins a member or a value; not what is pasted, moved or taken away from closed choices.
  typed(event) {
    const isWriting = event.inputType === "insertText" && /^["'\w$:{,[ ]$/.test(event.data ?? "");
    const isErasing = event.inputType === "deleteContentBackward" && this.isOpen;
    if (isWriting || isErasing) this.offer(event.data === " " || event.data === "," ? "quiet" : "");
    else this.close();
  }

  /// - Returns: whether the key was meant for the choices.
  key(event) {
    if (event.key === " " && event.ctrlKey) {
      event.preventDefault();
      this.offer("asked");
      return true;
    }
    if (!this.isOpen) return false;
    const steps = { ArrowDown: 1, ArrowUp: -1, PageDown: 8, PageUp: -8 };
    if (steps[event.key]) this.choose(this.chosen + steps[event.key]);
    else if (event.key === "Enter" || event.key === "Tab" && !event.shiftKey) this.take(this.offers[this.chosen]);
    else if (event.key === "Escape") this.close();
    else {
      if (["ArrowLeft", "ArrowRight", "Home", "End"].includes(event.key)) this.close();
      return false;
    }
    event.preventDefault();
    return true;
  }

  /// - why: "asked" by its key, "quiet" after what only may begin something: then only what is there to be chosen from few is shown.
  offer(why) {
    const { value, caret } = this.editor;
    if (!this.schema || value.length > 100_000 || isInComment(value, caret)) return this.close();
    const place = placeAt(value, caret);
    const written = place && unquoted(value.slice(place.from, caret)).toLowerCase();
    const offers = place ? this.offersFor(place).filter(({ text }) => text.toLowerCase().startsWith(written)) : [];
    const isDone = offers.length === 1 && offers[0].text.toLowerCase() === written && why !== "asked";
    if (!offers.length || isDone || why === "quiet" && place.isKey && !written) return this.close();
    Object.assign(this, { offers: offers.slice(0, shownMax), place });
    this.show();
  }

  offersFor({ path, isKey, present }) {
    let schemas = this.expand([this.schema]);
    for (const step of path) schemas = this.expand(schemas.map((schema) => inside(schema, step)));
    const offers = new Map();
    const add = (text, about, insert) => { if (!offers.has(text)) offers.set(text, { text, about, insert }); };
    for (const schema of schemas) {
      if (isKey) {
        for (const [key, value] of Object.entries(schema.properties ?? {})) {
          if (present.has(key)) continue;
          const meant = this.expand([value]);
          add(key, meant.find(({ description }) => description)?.description ?? "", null);
        }
        continue;
      }
      for (const value of schema.enum ?? ("const" in schema ? [schema.const] : [])) add(String(value), "", JSON.stringify(value));
      if ([schema.type].flat().includes("boolean")) for (const value of ["true", "false"]) add(value, "", value);
    }
    return [...offers.values()];
  }

  /// Schemas and all that they refer to or leave a choice of.
  expand(schemas) {
    const found = [];
    const waiting = schemas.filter((schema) => schema && typeof schema === "object");
    while (waiting.length && found.length < 200) {
      const schema = waiting.shift();
      if (found.includes(schema)) continue;
      found.push(schema);
      if (schema.$ref) waiting.push(schema.$ref.slice(2).split("/").reduce((part, key) => part?.[key], this.schema) ?? {});
      for (const choice of ["oneOf", "anyOf", "allOf"]) waiting.push(...(schema[choice] ?? []));
    }
    return found;
  }

  // MARK: The choices

  show() {
    this.list.replaceChildren(...this.offers.map(({ text, about }, index) => {
      const item = element("li", "", "");
      item.id = `completion-${index}`;
      item.setAttribute("role", "option");
      item.append(element("span", "what", text), element("span", "about", about));
      item.addEventListener("click", () => this.take(this.offers[index]));
      return item;
    }));
    this.list.hidden = false;
    this.choose(0);
    this.stand();
  }

  /// Puts the choices beside the caret.
  stand() {
    const { left, top, height } = this.editor.caretPlace;
    const { width, height: tall } = this.list.getBoundingClientRect();
    this.list.style.left = `${Math.max(4, Math.min(left, innerWidth - width - 4))}px`;
    this.list.style.top = `${top + height + tall + 4 > innerHeight && top > tall ? top - tall - 2 : top + height + 2}px`;
  }

  choose(index) {
    this.chosen = Math.max(0, Math.min(index, this.offers.length - 1));
    for (const [place, item] of [...this.list.children].entries()) item.setAttribute("aria-selected", String(place === this.chosen));
    this.list.children[this.chosen]?.scrollIntoView({ block: "nearest" });
    this.editor.text.setAttribute("aria-activedescendant", `completion-${this.chosen}`);
  }

  close() {
    this.list.hidden = true;
    this.list.replaceChildren();
    this.editor.text.removeAttribute("aria-activedescendant");
  }

  take({ text, insert }) {
    const { from, to, isKey, hasColon, isBare } = this.place;
    this.close();
    const key = isBare ? text : JSON.stringify(text);
    this.editor.replace(from, to, isKey ? key + (hasColon ? "" : ": ") : insert);
    // A value that is one of a few is the next thing to choose.
    if (isKey && !hasColon) this.offer("");
  }
}

/// What the caret stands in: { path, isKey, present, from, to, … }; null where nothing can be said.
function placeAt(text, caret) {
  const place = standing(text, caret);
  if (!place) return null;
  // A word whose closing quote is still to be written is read with what stands behind it.
  if (/[{}[\],:]/.test(text.slice(place.from, place.to))) place.to = caret;
  return { ...place, hasColon: /^\s*:/.test(text.slice(place.to)) };
}

function standing(text, caret) {
  const root = parse(text);
  const steps = around(root, caret);
  const inner = steps.at(-1)?.node;
  if (!inner) return null;
  const path = steps.slice(1).map(({ key }) => key);
  const isBare = inner.kind === "object" && inner.members.length > 0 && inner.members.every(({ keyStart }) => !/["']/.test(text[keyStart]));
  if (inner.kind === "array") {
    const item = inner.items.find(({ start, end }) => start <= caret && caret <= end);
    if (item && item.kind !== "string" && item.kind !== "bare") return null;
    return { path: [...path, 0], isKey: false, from: item?.start ?? caret, to: item?.end ?? caret };
  }
  const last = inner.members.findLast(({ keyStart }) => keyStart <= caret);
  const present = new Set(inner.members.filter((member) => member !== last || caret > member.keyEnd).map(({ key }) => key));
  if (last && caret <= last.keyEnd) {
    return { path, isKey: true, present, from: last.keyStart, to: last.keyEnd, isBare: isBare && text[last.keyStart] !== '"' };
  }
  const before = text.slice(last ? (last.value?.end ?? last.keyEnd) : inner.start + 1, caret).replace(/\/\*[\s\S]*?\*\/|\/\/[^\n]*/g, "");
  if (last && last.colon >= 0 && last.colon < caret) {
    const { value } = last;
    const isWriting = value.kind === "nothing" ? !before.includes(",") : value.start <= caret && caret <= value.end;
    if (isWriting) {
      if (value.kind === "object" || value.kind === "array") return null;
      const [from, to] = value.kind === "nothing" ? [caret, caret] : [value.start, value.end];
      return { path: [...path, last.key], isKey: false, from, to };
    }
    if (!before.includes(",")) return null;
  } else if (last) return null;
  return { path, isKey: true, present, from: caret, to: caret, isBare };
}

function inside(schema, step) {
  if (typeof step === "number") return schema.items ?? null;
  return schema.properties?.[step] ?? (typeof schema.additionalProperties === "object" ? schema.additionalProperties : null);
}
