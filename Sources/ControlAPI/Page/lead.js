// What those see who lead a room: who waits, who is on the stage, and the switches of the room.

import { grantedRole, problem, token } from "/token.js";

/// Whether a token lets its bearer lead; without tokens everybody may. The server decides: this only spares others the buttons.
export const mayLead = !token || grantedRole === "host" || grantedRole === "admin";

const switches = { "on-air": ["stage", "onAir"], "lobby-switch": ["admission", "lobby"], "lock-switch": ["admission", "locked"] };

/// More places than these are chosen by their number over the API.
const placesMax = 25;

/// More people than these are told of by their number.
const namesMax = 3;

/// The slots of all variants: by id where they have one, else by their number from 0.
function placesOf({ variants }) {
  const ids = new Set();
  let numbered = new Set();
  for (const { slots, grid } of variants ?? []) {
    for (const [index, { id }] of (slots ?? []).entries()) id ? ids.add(id) : numbered.add(index);
    for (let index = 0; grid && index < grid.columns * grid.rows; index++) numbered.add((slots?.length ?? 0) + index);
  }
  numbered = [...numbered].sort((a, b) => a - b).slice(0, placesMax);
  return [...ids, ...numbered];
}

/// Names as a sentence says them, the first ones of many.
function listed(names) {
  const parts = names.length > namesMax ? [...names.slice(0, namesMax), `${names.length - namesMax} more`] : names;
  return parts.length > 1 ? `${parts.slice(0, -1).join(", ")} and ${parts.at(-1)}` : parts[0];
}

export class Lead {
  /// - room: the Room whose people and settings these are.
  /// - find: gives an element by its id.
  constructor(room, find, notice) {
    Object.assign(this, { room, find, notice });
    this.settings = { stage: {}, admission: {} };
    /// What somebody can be pinned to: ids and numbers of the slots of the room's layout.
    this.places = [];
    this.layout = null;
    /// Whom the list of those who wait shows: made anew only where it says something else, so that a click finds what it was meant for.
    this.waiting = "";
    /// Who was told of already, by the list he is on, and what stands in the notice.
    this.called = { lobby: new Set(), hands: new Set() };
    this.calling = null;
    for (const [id, [part, key]] of Object.entries(switches)) {
      this.find(id).onchange = ({ target }) => this.ask("PATCH", "", { [part]: { [key]: target.checked } });
    }
    this.find("mute-all").onclick = () => this.ask("PATCH", "/participants", { audioMuted: true });
  }

  /// Shows what hosts are offered, or nothing of it.
  show(isShown) { this.find("lead").hidden = this.find("layout-card").hidden = !isShown; }

  stop() {
    this.show(false);
    this.find("waiting").replaceChildren();
  }

  /// What the room says of itself, or an event of what changed.
  follow({ stage, admission, layout }) {
    if (layout) this.listPlaces(layout);
    this.settings = { stage: stage ?? this.settings.stage, admission: admission ?? this.settings.admission };
    for (const [id, [part, key]] of Object.entries(switches)) this.find(id).checked = Boolean(this.settings[part][key]);
  }

  async listPlaces(name) {
    this.layout = name;
    try {
      const response = await fetch(`/v1/layouts/${encodeURIComponent(name)}`, { headers: this.room.headers });
      if (!response.ok) return;
      const places = placesOf(await response.json());
      if (this.layout !== name || this.room.isOver) return;
      this.places = places;
      this.room.show();
    } catch { /* Nobody is pinned then. */ }
  }

  showWaiting(people) {
    const waiting = JSON.stringify(people.map(({ id, name }) => [id, name]));
    if (waiting === this.waiting) return;
    this.waiting = waiting;
    this.call("lobby", people.filter(({ id }) => id !== this.room.ownId), (names, isOne) => `${names} ${isOne ? "waits" : "wait"} in the lobby to be let in.`);
    this.find("waiting").replaceChildren(...people.map((person) => {
      const item = document.createElement("li");
      const name = document.createElement("span");
      name.className = "person-name";
      name.textContent = person.name || "Guest";
      const buttons = document.createElement("span");
      buttons.className = "acts";
      buttons.append(
        this.button("Admit", () => this.change(person, { admitted: true })), this.button("Refuse", () => this.remove(person)));
      item.append(name, buttons);
      return item;
    }));
  }

  /// Says who raised a hand: one who leads may be looking elsewhere.
  showHands(people) {
    this.call("hands", people.filter((person) => person.handRaised && person.id !== this.room.ownId), (names) => `${names} raised a hand.`);
  }

  /// Tells who is on a list when somebody comes to it. What still stands there follows who goes, to the last.
  call(list, people, words) {
    const before = this.called[list];
    const hasCome = people.some(({ id }) => !before.has(id));
    this.called[list] = new Set(people.map(({ id }) => id));
    const shown = this.find("error").textContent;
    if (!hasCome && (this.calling?.list !== list || this.calling.words !== shown)) return;
    this.calling = people.length ? { list, words: words(listed(people.map(({ name }) => name || "Guest")), people.length === 1) } : null;
    if (this.calling?.words !== shown) this.notice(this.calling?.words ?? "", "news");
  }

  /// The buttons beside somebody in the list, and what they depend on.
  acts(person) {
    const isSpotlit = this.settings.stage.spotlight === person.id;
    const isOnStage = person.role !== "viewer";
    const acts = [];
    if (isOnStage && person.sends?.audio) {
      acts.push(person.audioMuted ? ["Unmute", () => this.change(person, { audioMuted: false })] : ["Mute", () => this.change(person, { audioMuted: true })]);
    }
    if (isOnStage) acts.push([isSpotlit ? "End spotlight" : "Spotlight", () => this.ask("PATCH", "", { stage: { spotlight: isSpotlit ? null : person.id } })]);
    acts.push(isOnStage ? ["To audience", () => this.change(person, { role: "viewer" })] : ["To stage", () => this.change(person, { role: "panelist" })]);
    if (person.handRaised) acts.push(["Lower hand", () => this.change(person, { handRaised: false })]);
    acts.push(["Remove", () => this.remove(person)]);
    return acts;
  }

  /// The menu of somebody: the button that opens it, and what it opens.
  elements(person) {
    const opener = document.createElement("details");
    const summary = document.createElement("summary");
    summary.textContent = "⋯";
    summary.setAttribute("aria-label", `What to do with ${person.name || "Guest"}`);
    opener.append(summary);
    const menu = document.createElement("div");
    menu.className = "menu";
    const close = () => {
      opener.open = false;
      summary.focus({ preventScroll: true });
    };
    menu.append(...this.acts(person).map(([words, act]) => this.button(words, () => { close(); act(); })));
    if (person.role !== "viewer" && (this.places.length || (person.pin ?? null) !== null)) menu.append(this.placeChoice(person));
    menu.addEventListener("keydown", (event) => { if (event.key === "Escape") close(); });
    return [opener, menu];
  }

  /// Where somebody is to stand, whoever speaks.
  placeChoice(person) {
    const label = document.createElement("label");
    label.className = "place";
    const select = document.createElement("select");
    const pin = person.pin ?? null;
    const places = pin === null || this.places.includes(pin) ? this.places : [pin, ...this.places];
    const words = (place) => (typeof place === "number" ? `Place ${place + 1}` : `Slot ${place}`);
    select.append(new Option("anywhere", "null"), ...places.map((place) => new Option(words(place), JSON.stringify(place))));
    select.value = JSON.stringify(pin);
    select.addEventListener("change", async () => {
      await this.change(person, { slot: JSON.parse(select.value) });
      // What was not done must not look done.
      select.value = JSON.stringify(this.room.people.get(person.id)?.pin ?? null);
    });
    label.append("Pinned to", select);
    return label;
  }

  button(words, act) {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "quiet";
    button.textContent = words;
    button.addEventListener("click", act);
    return button;
  }

  change(person, patch) { return this.ask("PATCH", `/participants/${person.id}`, patch); }
  remove(person) { return this.ask("DELETE", `/participants/${person.id}`); }

  async ask(method, path, body) {
    try {
      const response = await fetch(this.room.path + path, {
        method, headers: { ...this.room.headers, ...(body ? { "Content-Type": "application/json" } : {}) }, body: body && JSON.stringify(body),
      });
      if (response.ok) {
        const answer = await response.json().catch(() => null);
        if (method === "PATCH" && this.room.people.has(answer?.id)) this.room.people.set(answer.id, answer);
        return this.notice("");
      }
      this.notice(await problem(response));
    } catch { this.notice("The server cannot be reached."); }
    // What was not done must not look done.
    this.follow({});
  }
}
