// Which layout the room shows, and which of its outputs show another.

import { problem } from "/token.js";

/// Stands for the whole room among the names of outputs, which are never empty.
const wholeRoom = "";

export class LayoutChoice {
  /// - elements: list, empty, edit, of, ofLabel.
  constructor({ path, token, headers, elements, notice }) {
    Object.assign(this, { path, token, headers, elements, notice });
    this.layout = null;
    this.outputs = [];
    this.target = wholeRoom;
    this.buttons = new Map();
    this.ended = new AbortController();
    // Layouts are made and changed in another tab: back here, they are to be seen.
    document.addEventListener("visibilitychange", () => { if (!document.hidden && this.buttons.size) this.list(); }, { signal: this.ended.signal });
    elements.of.onchange = () => {
      this.target = elements.of.value;
      this.show();
    };
  }

  /// What the room is set to now; what is not said stays.
  take({ layout = this.layout, outputs = this.outputs }) {
    Object.assign(this, { layout, outputs });
    this.show();
  }

  end() {
    this.isOver = true;
    this.ended.abort();
    this.elements.list.replaceChildren();
    this.elements.ofLabel.hidden = true;
  }

  /// The output that is chosen for; none where it is the room.
  get output() { return this.outputs.find(({ name }) => name === this.target); }

  show() {
    const { of, ofLabel, edit } = this.elements;
    if (this.outputs.length > 1 || this.outputs.some((output) => output.layout)) {
      const said = (output) => `${output.name}, ${output.width} × ${output.height}${output.layout ? `: ${output.layout}` : ""}`;
      of.replaceChildren(new Option("the whole room", wholeRoom), ...this.outputs.map((output) => new Option(said(output), output.name)));
      if (!this.output) this.target = wholeRoom;
      of.value = this.target;
      ofLabel.hidden = this.isOver;
    } else ofLabel.hidden = true;
    const shown = this.output ? this.output.layout ?? null : this.layout;
    for (const [name, button] of this.buttons) button.setAttribute("aria-pressed", String(name === shown));
    const edited = shown ?? this.layout;
    if (edited) edit.href = `/layouts?layout=${encodeURIComponent(edited)}${this.token ? `#token=${this.token}` : ""}`;
  }

  async list() {
    let names = [];
    try {
      const response = await fetch("/v1/layouts", { headers: this.headers });
      if (response.ok) names = (await response.json()).layouts;
    } catch { if (this.buttons.size) return; }
    if (this.isOver) return;
    const before = this.buttons;
    this.buttons = new Map(names.map((name) => [name, before.get(name) ?? this.button(name)]));
    if (names.join() !== [...before.keys()].join()) this.elements.list.replaceChildren(...this.buttons.values());
    for (const [name, button] of this.buttons) this.preview(name, button);
    this.elements.empty.hidden = names.length > 0;
    this.show();
  }

  button(name) {
    const button = document.createElement("button");
    button.type = "button";
    button.dataset.layout = name;
    const label = document.createElement("span");
    label.textContent = name;
    button.append(label);
    button.addEventListener("click", () => this.choose(name));
    return button;
  }

  async preview(name, button) {
    try {
      const response = await fetch(`/v1/layouts/${encodeURIComponent(name)}/preview.png?participants=4&screen=4&size=192x108`, { headers: this.headers });
      if (!response.ok) return;
      const image = new Image();
      image.alt = "";
      image.src = URL.createObjectURL(await response.blob());
      try { await image.decode(); } finally { URL.revokeObjectURL(image.src); }
      button.querySelector("img")?.remove();
      button.prepend(image);
    } catch { /* The name alone will do. */ }
  }

  /// Of an output that shows the layout already, it is taken back: it shows the room's again.
  async choose(layout) {
    const { output } = this;
    const own = output?.layout === layout ? undefined : layout;
    const outputs = this.outputs.map((each) => (each === output ? { ...each, layout: own } : each));
    const change = output ? { outputs } : { layout };
    try {
      const response = await fetch(this.path, {
        method: "PATCH", headers: { ...this.headers, "Content-Type": "application/json" }, body: JSON.stringify(change),
      });
      if (response.ok) {
        this.take(change);
        return this.notice("");
      }
      this.notice(`The layout could not be changed. ${await problem(response)}`);
    } catch {
      this.notice("The layout could not be changed: the server cannot be reached.");
    }
  }
}
