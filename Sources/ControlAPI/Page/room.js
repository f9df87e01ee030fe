// Who is in the room, and who speaks. Names are text, never markup.

import { LayoutChoice } from "/layout-choice.js";
import { problem, token } from "/token.js";

const waits = [1, 2, 4, 8, 15];
/// So many people are shown every so many milliseconds, not with each event.
const [manyPeople, manyTime] = [50, 200];
/// How long the event of one's own request may be on its way, in milliseconds.
const echoTime = 500;

export class Room {
  /// - countsAudience: whether those who only watch are counted rather than named, all but oneself: there may be thousands.
  constructor({ name, token, countsAudience, elements, on }) {
    Object.assign(this, { name, token, countsAudience, elements, on });
    this.people = new Map();
    /// How many only watch.
    this.audience = 0;
    this.layouts = new LayoutChoice({ path: this.path, token, headers: this.headers, elements: elements.layouts, notice: on.notice });
    /// Those in the lobby.
    this.lobby = new Map();
    /// What stands in the list, by id: made anew only where it says something else, so that a click finds what it was meant for.
    this.items = new Map();
    this.floor = null;
    this.ownId = null;
    /// Requests about oneself that are under way. Answers and events come by different ways: until both are in, what is known may be older.
    this.asking = 0;
    this.asked = -Infinity;
    this.attempt = 0;
    /// Counts the readings of the whole room.
    this.reading = 0;
    /// Whether one was in the room, and not only in its lobby.
    this.hasEntered = false;
    this.isOver = false;
  }

  get headers() { return this.token ? { Authorization: `Bearer ${this.token}` } : {}; }
  get query() { return this.countsAudience ? "?audience=count" : ""; }
  get path() { return `/v1/rooms/${encodeURIComponent(this.name)}`; }

  /// Listens from now on; what runs already reads the room again.
  start() {
    if (this.socket) return this.refresh();
    this.listen();
    this.layouts.list();
  }

  stop() {
    this.isOver = true;
    clearTimeout(this.timer);
    clearTimeout(this.telling);
    clearTimeout(this.showing);
    this.socket?.close();
    this.lead?.stop();
    this.items.clear();
    this.elements.participants.replaceChildren();
    this.layouts.end();
  }

  // MARK: Events

  listen() {
    if (this.isOver) return;
    const protocols = this.token ? ["tutti.events", `bearer.${this.token}`] : ["tutti.events"];
    const socket = new WebSocket(`${location.origin.replace(/^http/, "ws")}${this.path}/events${this.query}`, protocols);
    this.socket = socket;
    socket.onopen = () => {
      this.attempt = 0;
      this.refresh();
    };
    socket.onmessage = ({ data }) => this.apply(JSON.parse(data));
    socket.onclose = () => {
      if (this.isOver) return;
      // A server that dies closes its connections in dying: nothing else tells so soon.
      this.on.lost();
      this.timer = setTimeout(() => this.listen(), 1000 * waits[Math.min(this.attempt++, waits.length - 1)]);
    };
  }

  /// Reads the whole room again; the events tell only what changes from then on. Those that come meanwhile wait, since the room
  /// as it is read may be older.
  async refresh() {
    this.waiting ??= [];
    const number = (this.reading += 1);
    let room = null;
    try {
      const response = await fetch(this.path + this.query, { headers: this.headers });
      if (response.ok) room = await response.json();
    } catch { /* The socket's next connection asks again. */ }
    // Asked for once more meanwhile, the later answer is newer.
    if (this.isOver || number !== this.reading) return;
    if (room) this.take(room);
    const waiting = this.waiting;
    this.waiting = null;
    for (const event of waiting) this.apply(event);
  }

  /// The room as it is.
  take(room) {
    this.people = new Map(room.participants.map((person) => [person.id, person]));
    this.audience = room.audience;
    this.layouts.take(room);
    this.lobby = new Map(room.waiting.map((person) => [person.id, person]));
    this.lead?.follow(room);
    this.on.stage(room.stage, this.isWaiting);
    this.floor = room.floor;
    this.on.pictures(room.outputs);
    this.on.sounds([{ name: "main", bitrate: room.audio.bitrate }, ...room.audio.outputs]);
    this.show();
    this.tellOwn();
  }

  apply(event) {
    if (this.waiting) return this.waiting.push(event);
    switch (event.type) {
      case "participant-waiting":
        this.lobby.set(event.id, event.participant);
        if (this.isWaiting) this.on.stage(null, true);
        break;
      case "participant-joined":
        const wasWaiting = this.isWaiting;
        this.lobby.delete(event.id);
        // Who was let in was told nothing of the others before.
        if (event.id === this.ownId && wasWaiting) return this.refresh();
        // Falls through: he is as he is told.
      case "participant-changed":
        if (event.participant) this.know(event.participant);
        if (event.id === this.ownId) this.tellOwn();
        break;
      case "audience-changed": this.audience = event.audience; break;
      case "room-changed":
        this.lead?.follow(event);
        this.on.stage(event.stage, this.isWaiting);
        break;
      case "participant-left":
        this.people.delete(event.id);
        this.lobby.delete(event.id);
        if (event.id === this.ownId && event.reason !== "disconnected") return this.on.removed(event.reason, this.closing);
        break;
      case "speaking-started":
      case "speaking-stopped": {
        const person = this.people.get(event.id);
        if (person) person.speaking = event.type === "speaking-started";
        break;
      }
      case "picture-switched": {
        const person = this.people.get(event.id);
        if (person) person.receives.output = event.output;
        if (event.id === this.ownId) this.tellOwn();
        break;
      }
      case "floor-changed": this.floor = event.floor; break;
      // Told as well when the file of an output's layout was saved, which is not the room's.
      case "layout-changed":
      // Whose output is gone is sent the first, which is not told of him.
      case "outputs-changed": return this.refresh();
      case "overload": this.on.notice(event.detail, "news"); break;
      case "room-closing":
        this.closing = event.reason;
        this.on.notice(`The room is closing: ${event.reason}.`, "news");
        break;
    }
    this.show();
  }

  /// Takes in what somebody is now.
  know(person) {
    if (person.admitted === false) this.lobby.set(person.id, person);
    // Who goes from the stage to where all are counted is told of for the last time.
    else if (this.countsAudience && person.role === "viewer" && person.id !== this.ownId) this.people.delete(person.id);
    else this.people.set(person.id, person);
  }

  // MARK: Oneself

  get isWaiting() { return this.lobby.has(this.ownId); }

  /// What hosts are offered: nothing to who waits, unless nobody is there who could let him in.
  get leading() {
    this.hasEntered ||= this.people.has(this.ownId);
    const isInside = this.isWaiting ? !this.people.size : this.hasEntered;
    return isInside ? this.lead : null;
  }

  tellOwn() {
    clearTimeout(this.telling);
    if (this.asking || this.isOver) return;
    const rest = echoTime - (performance.now() - this.asked);
    if (rest > 0) this.telling = setTimeout(() => this.tellOwn(), rest);
    else if (this.people.has(this.ownId)) this.on.own(this.people.get(this.ownId));
  }

  /// Asks the server to change something about oneself: { done, words }. Tokens of some roles may not.
  async change(patch) {
    if (!this.ownId) return { done: false, words: "You are not in the room yet." };
    this.asking += 1;
    try {
      const response = await fetch(`${this.path}/participants/${this.ownId}`, {
        method: "PATCH", headers: { ...this.headers, "Content-Type": "application/json" }, body: JSON.stringify(patch),
      });
      return { done: response.ok, words: response.ok ? "" : await problem(response) };
    } catch {
      return { done: false, words: "The server cannot be reached." };
    } finally {
      this.asking -= 1;
      this.asked = performance.now();
      this.tellOwn();
    }
  }

  // MARK: People

  /// Shows the people: at once, or many of them a little later, with what else comes until then.
  show() {
    if (this.people.size < manyPeople) return this.showNow();
    this.showing ??= setTimeout(() => this.showNow(), manyTime);
  }

  showNow() {
    clearTimeout(this.showing);
    this.showing = null;
    const { participants, count, alone } = this.elements;
    // Raised hands first, as they were raised, and last who only watches: nobody is to look for the others among many.
    const place = ({ handRaisedAt, role }) => handRaisedAt ?? (role === "viewer" ? "~~" : "~");
    const people = [...this.people.values()].sort((one, other) => (place(one) < place(other) ? -1 : place(one) > place(other) ? 1 : 0));
    this.lead?.show(Boolean(this.leading));
    for (const id of this.items.keys()) if (!this.people.has(id)) this.items.delete(id);
    const items = people.map((person) => this.item(person));
    const unnamed = this.countsAudience ? Math.max(0, this.audience - people.filter(({ role }) => role === "viewer").length) : 0;
    if (unnamed) items.push(this.audienceItem(unnamed));
    // What stays is not touched, and the keyboard stays with whom it was at.
    const focused = participants.contains(document.activeElement) ? document.activeElement.closest("li").dataset.id : null;
    for (const child of [...participants.children]) if (!items.includes(child)) child.remove();
    for (const [index, item] of items.entries()) if (participants.children[index] !== item) participants.insertBefore(item, participants.children[index] ?? null);
    if (focused && !participants.contains(document.activeElement)) this.items.get(focused)?.item.querySelector("summary")?.focus({ preventScroll: true });
    this.leading?.showWaiting([...this.lobby.values()]);
    this.leading?.showHands(people);
    count.textContent = String(people.length + unnamed);
    // Who waits may be told of nobody, whoever is there.
    const isKeptFrom = this.isWaiting && !people.length;
    count.hidden = isKeptFrom;
    alone.hidden = people.length + unnamed > 1;
    // The link has nobody's token in it.
    const advice = token ? "" : " Copy the link and send it to someone.";
    alone.textContent = isKeptFrom ? "You see who is here once you are let in." : `Nobody else is here yet.${advice}`;
  }

  item(person) {
    const signature = JSON.stringify([person.name, this.note(person), person.id === this.ownId, this.leading?.acts(person).map(([words]) => words), this.leading?.places, person.pin]);
    const known = this.items.get(person.id);
    const item = known?.signature === signature ? known.item : this.makeItem(person);
    if (item !== known?.item) {
      // Whoever has somebody's menu open keeps it, whatever changes meanwhile.
      const menu = item.querySelector("details");
      if (menu) menu.open = known?.item.querySelector("details")?.open ?? false;
      this.items.set(person.id, { signature, item });
    }
    item.classList.toggle("speaking", Boolean(person.speaking && !person.audioMuted));
    return item;
  }

  /// What stands for all who only watch.
  audienceItem(number) {
    this.audienceElement ??= element("li", "audience", "");
    this.audienceElement.textContent = number === 1 ? "One who watches" : `${number} who watch`;
    return this.audienceElement;
  }

  makeItem(person) {
    const item = document.createElement("li");
    item.dataset.id = person.id;
    const name = person.name || "Guest";
    const avatar = element("span", "avatar", initials(name));
    avatar.setAttribute("aria-hidden", "true");
    const label = element("span", "person-name", name);
    label.title = name;
    if (person.id === this.ownId) label.append(" ", element("small", "", "you"));
    item.append(avatar, label, element("span", "person-note", this.note(person)));
    if (this.leading && person.id !== this.ownId) item.append(...this.leading.elements(person));
    return item;
  }

  note(person) {
    if (person.handRaised) return "✋ hand raised";
    if (person.sideRoom) return `in ${person.sideRoom}`;
    if (person.audioMuted && person.sends?.audio) return person.deaf ? "muted, hears nothing" : "muted";
    if (person.deaf) return "hears nothing";
    if (person.speaking) return "speaking";
    const isSeen = person.sends?.video && !person.videoMuted;
    if (!person.sends?.audio && !person.sends?.video) return "watching";
    if (person.id === this.floor) return "has the floor";
    if (!isSeen) return person.sends?.audio ? "audio only" : "picture off";
    return "";
  }
}

function element(tag, className, text) {
  const made = document.createElement(tag);
  if (className) made.className = className;
  made.textContent = text;
  return made;
}

function initials(name) {
  const words = name.trim().split(/\s+/).filter((word) => /[\p{L}\p{N}]/u.test(word));
  const letters = words.length > 1 ? [words[0], words[words.length - 1]] : words;
  return letters.map((word) => [...word].find((c) => /[\p{L}\p{N}]/u.test(c)) ?? "").join("").toUpperCase() || "·";
}
