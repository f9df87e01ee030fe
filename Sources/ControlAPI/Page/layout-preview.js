// The picture of a layout with made-up people, what they do, and where its slots are.

import { Dragging } from "/layout-dragging.js";

const names = ["Ada", "Ben", "Chiara", "David", "Emeka", "Fatima", "Goran", "Hana", "Ivo", "Jun", "Kim", "Leila"];
const nameOf = (index) => names[index % names.length] + (index >= names.length ? ` ${Math.floor(index / names.length) + 1}` : "");
const $ = (id) => document.getElementById(id);

export class Preview {
  /// - on.change: something else is to be shown.
  /// - on.chosen: a slot was clicked: { line, column }.
  /// - on.standing, on.moved: as of `Dragging`.
  constructor(on) {
    this.on = on;
    /// Who has each role and each key: the number of a person from 1, 0 for nobody.
    this.holders = new Map();
    /// The roles and keys that the layout asks for.
    this.wishes = [];
    this.dragging = new Dragging($("outlines"), on);
    $("settings").addEventListener("input", (event) => this.changed(event));
    $("settings").addEventListener("submit", (event) => event.preventDefault());
    $("shows-outlines").addEventListener("change", () => { $("outlines").toggleAttribute("data-shown", $("shows-outlines").checked); });
    this.takeAddress();
    this.list();
  }

  // MARK: Settings

  get count() { return Number($("participants").value); }

  get size() {
    const own = $("own-size").value.replace("×", "x").trim();
    return $("size").value || (/^\d{2,4}x\d{2,4}$/.test(own) ? own : "960x540");
  }

  /// As the server takes it.
  get query() {
    const query = new URLSearchParams({ participants: this.count, size: this.size, floor: $("floor").value, screen: $("screen").value });
    if ($("cameras").value) query.set("cameras", $("cameras").value);
    for (const kind of ["roles", "slots"]) {
      if (this.wishes.some((wish) => JSON.parse(wish)[0] === kind)) query.set(kind, this.heldBy(kind).join(","));
    }
    return query;
  }

  /// The roles, or keys, of the first people, in their order.
  heldBy(kind) {
    const list = [];
    for (const [wish, number] of this.holders) {
      const [wished, word] = JSON.parse(wish);
      if (wished === kind && number > 0) list[number - 1] = word;
    }
    return Array.from(list, (word) => word ?? "");
  }

  takeAddress() {
    const query = new URLSearchParams(location.search);
    const people = Number(query.get("participants"));
    if (people >= 1 && people <= 60) $("participants").value = people;
    const size = query.get("size");
    if (size && [...$("size").options].some((option) => option.value === size)) $("size").value = size;
    else if (size && /^\d{2,4}x\d{2,4}$/.test(size)) [$("size").value, $("own-size").value] = ["", size];
    this.first = { floor: query.get("floor") ?? "1", screen: query.get("screen") ?? "0", cameras: query.get("cameras") ?? "" };
  }

  changed(event) {
    if (event.target.dataset.wish) this.holders.set(event.target.dataset.wish, Number(event.target.value));
    if (event.target.id === "shows-outlines") return;
    this.list();
    this.on.change();
  }

  /// Brings the choices in line with the number of people.
  list() {
    $("participants-said").textContent = String(this.count);
    $("own-size-label").hidden = Boolean($("size").value);
    const people = Array.from({ length: this.count }, (_, index) => new Option(nameOf(index), String(index + 1)));
    const fill = (select, options) => {
      const chosen = select.options.length ? select.value : this.first[select.id] ?? select.dataset.first;
      select.replaceChildren(...options);
      select.value = chosen;
      if (select.selectedIndex < 0) select.selectedIndex = 0;
    };
    const choices = () => [new Option("nobody", "0"), ...people.map((option) => option.cloneNode(true))];
    fill($("floor"), choices());
    fill($("screen"), choices());
    fill($("cameras"), [new Option("all", ""), ...Array.from({ length: this.count + 1 }, (_, index) => new Option(index ? `the first ${index}` : "none", String(index)))]);
    for (const select of $("wishes").querySelectorAll("select")) fill(select, choices());
  }

  /// Offers the roles and keys that the layout has slots for; each is given to somebody at first.
  offer({ roles, keys }) {
    const wishes = [...roles.map((word) => ["roles", word]), ...keys.map((word) => ["slots", word])].map((wish) => JSON.stringify(wish));
    if (wishes.join() === this.wishes.join()) return false;
    this.wishes = wishes;
    const known = this.holders;
    this.holders = new Map(wishes.map((wish, index) => [wish, known.get(wish) ?? index + 1]));
    $("wishes").replaceChildren(...wishes.map((wish, index) => {
      const [kind, word] = JSON.parse(wish);
      const label = document.createElement("label");
      const select = document.createElement("select");
      label.append(`${kind === "roles" ? "Role" : "Key"} ${word}`, select);
      select.dataset.wish = wish;
      select.dataset.first = String(this.holders.get(wish) ?? index + 1);
      return label;
    }));
    this.list();
    return true;
  }

  // MARK: Picture

  /// Shows a picture; those of before are let go. Nothing is shown once it is not wanted any more.
  async show(blob, words, signal) {
    const address = URL.createObjectURL(blob);
    const image = new Image();
    image.src = address;
    try {
      await image.decode();
      signal.throwIfAborted();
    } catch (error) {
      URL.revokeObjectURL(address);
      throw error;
    }
    const old = $("picture").src;
    $("picture").src = address;
    $("picture").alt = words;
    if (old.startsWith("blob:")) URL.revokeObjectURL(old);
    $("stand").removeAttribute("data-old");
  }

  /// The text has faults: what is shown is of one before.
  age() { $("stand").dataset.old = ""; }

  /// - size: of the canvas that it was asked for.
  arrange(arrangement, size) {
    Object.assign(this, { arrangement, arrangedSize: size });
    const [width, height] = size.split("x").map(Number);
    $("canvas").style.setProperty("--width", width);
    $("canvas").style.setProperty("--height", height);
    this.dragging.show(arrangement.slots, width, height);
    const shown = arrangement.slots.filter((slot) => slot.shows).length;
    $("variant").textContent = `Variant ${arrangement.variant + 1} of ${arrangement.variants}, line ${arrangement.line}`;
    $("variant").onclick = () => this.on.chosen(arrangement);
    const people = new Set(Array.from({ length: this.count }, (_, index) => nameOf(index)));
    const hidden = this.count - arrangement.slots.filter((slot) => people.has(slot.shows)).length;
    const missing = hidden === 0 ? "" : hidden === 1 ? " · 1 person is not shown" : ` · ${hidden} people are not shown`;
    $("use").textContent = ` · ${shown} of ${arrangement.slots.length} slots in use${missing}`;
  }

  /// Puts everything back to where the text has it.
  redraw() { if (this.arrangement) this.arrange(this.arrangement, this.arrangedSize); }
}
