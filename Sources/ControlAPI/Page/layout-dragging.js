// Slots that are moved and resized in the picture: by pointer or arrow keys, held at the edges of others, written back as numbers.

/// As far as a pointer may tremble in a click, and as far as edges draw one another, in pixels of the screen.
const trembleMax = 3;
const pull = 7;
/// The least side of a slot, in pixels of the canvas.
const sideMin = 8;
const arrows = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
const handles = [[-1, -1], [0, -1], [1, -1], [1, 0], [1, 1], [0, 1], [-1, 1], [-1, 0]];
const cursors = ["nwse", "ns", "nesw", "ew", "nwse", "ns", "nesw", "ew"];

export class Dragging {
  /// - outlines: the drawing whose groups are slots.
  /// - on.standing: where a slot's own numbers in the text have it now: { x, y, width, height, step } in pixels, step being the least
  ///   it can be moved by, [across, down]; null where it has none.
  /// - on.moved: a slot was moved or resized: (slot, { x, y, width, height }) in pixels.
  /// - on.chosen: a slot was only clicked.
  constructor(outlines, on) { Object.assign(this, { outlines, on, slots: [], canvas: [1, 1], held: null }); }

  /// Draws the slots that are shown now. Groups are kept from one drawing to the next, in their order, so that neither the keyboard
  /// nor a pointer that is down loses what it holds.
  show(slots, width, height) {
    Object.assign(this, { slots, canvas: [width, height] });
    this.outlines.setAttribute("viewBox", `0 0 ${width} ${height}`);
    while (this.outlines.childElementCount > slots.length) this.outlines.lastElementChild.remove();
    while (this.outlines.childElementCount < slots.length) this.outlines.append(this.group(this.outlines.childElementCount));
    for (const [index, slot] of slots.entries()) this.bring(this.outlines.children[index], slot);
  }

  /// The group of the slot that is shown at a place of the order, whichever slot that is later.
  group(index) {
    const make = (tag, attributes) => {
      const made = document.createElementNS("http://www.w3.org/2000/svg", tag);
      for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
      return made;
    };
    const group = make("g", { tabindex: "0", role: "button" });
    group.append(make("rect", {}), make("text", {}));
    group.addEventListener("pointerdown", (event) => this.begin(event, group, index, [0, 0]));
    group.addEventListener("click", () => { if (!this.hasMoved) this.on.chosen(this.slots[index]); });
    group.addEventListener("keydown", (event) => this.key(event, group, index));
    for (const [place, side] of handles.entries()) {
      const handle = make("circle", { class: "handle" });
      handle.style.cursor = `${cursors[place]}-resize`;
      handle.addEventListener("pointerdown", (event) => {
        event.stopPropagation();
        this.begin(event, group, index, side);
      });
      group.append(handle);
    }
    return group;
  }

  bring(group, slot) {
    const title = slot.id ?? `slot ${slot.slot}`;
    group.dataset.slot = slot.slot;
    group.setAttribute("aria-label", `${title}, ${slot.shows ?? "empty"}: line ${slot.line}`);
    group.querySelector("text").textContent = `${title} · ${slot.width}×${slot.height}`;
    // One that closed up with others, or is of a grid, has no numbers of its own for where it is.
    const place = this.on.standing(slot);
    group.classList.toggle("free", ["x", "y", "width", "height"].every((key) => place?.[key] === slot[key]));
    // What is being dragged stays under the pointer.
    if (this.held?.group !== group) this.draw(group, slot);
  }

  key(event, group, index) {
    const slot = this.slots[index];
    const way = arrows[event.key];
    if (event.key === "Enter" || event.key === " ") {
      event.preventDefault();
      return this.on.chosen(slot);
    }
    if (!way || !group.classList.contains("free") || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    // By the text and not by what is shown: that may be of a moment before.
    const place = this.on.standing(slot);
    if (!place) return;
    // Edges lie on even pixels, so that colours do too.
    const by = way.map((sign, axis) => sign * place.step[axis] * Math.max(1, Math.ceil(2 / place.step[axis])));
    Object.assign(slot, { x: place.x, y: place.y, width: place.width, height: place.height });
    this.on.moved(slot, event.shiftKey ? this.resized(slot, [1, 1], by) : this.moved(slot, by));
  }

  begin(event, group, index, side) {
    this.hasMoved = false;
    if (event.button !== 0 || this.held || !group.classList.contains("free")) return;
    event.preventDefault();
    group.focus({ preventScroll: true });
    const slot = this.slots[index];
    const scale = this.outlines.getBoundingClientRect().width / this.canvas[0];
    const target = event.target;
    target.setPointerCapture(event.pointerId);
    this.held = { group, box: null };
    const move = ({ clientX, clientY }) => {
      const by = [clientX - event.clientX, clientY - event.clientY];
      if (!this.hasMoved && Math.hypot(...by) < trembleMax) return;
      this.hasMoved = true;
      const distance = by.map((each) => each / scale);
      const isMoving = side[0] === 0 && side[1] === 0;
      this.held.box = isMoving ? this.moved(slot, distance, pull / scale) : this.resized(slot, side, distance, pull / scale);
      this.draw(group, this.held.box);
    };
    const ended = new AbortController();
    const end = ({ type }) => {
      ended.abort();
      const { box } = this.held;
      this.held = null;
      const now = this.slots[index];
      if (box && now && type === "pointerup") this.on.moved(now, box);
      else if (now) this.draw(group, now);
    };
    target.addEventListener("pointermove", move, { signal: ended.signal });
    for (const type of ["pointerup", "pointercancel"]) target.addEventListener(type, end, { signal: ended.signal });
  }

  // MARK: Where to

  /// The places that edges are drawn to along one axis: those of the canvas, its middle, and of the other slots.
  lines(slot, axis) {
    const [start, side] = axis === 0 ? ["x", "width"] : ["y", "height"];
    const lines = [0, this.canvas[axis] / 2, this.canvas[axis]];
    for (const other of this.slots) if (other.slot !== slot.slot) lines.push(other[start], other[start] + other[side]);
    return lines;
  }

  /// How far the nearest line is from one of some edges; 0 where none is near.
  correction(slot, axis, edges, reach) {
    let best = 0, nearest = reach;
    for (const line of this.lines(slot, axis)) {
      for (const edge of edges) if (Math.abs(line - edge) < nearest) [best, nearest] = [line - edge, Math.abs(line - edge)];
    }
    return best;
  }

  moved(slot, [right, down], reach = 0) {
    const place = (axis, start, side, by) => {
      const at = start + by + this.correction(slot, axis, [start + by, start + side + by], reach);
      return Math.max(0, Math.min(at, this.canvas[axis] - side));
    };
    return { x: place(0, slot.x, slot.width, right), y: place(1, slot.y, slot.height, down), width: slot.width, height: slot.height };
  }

  resized(slot, side, by, reach = 0) {
    const span = (axis, start, length) => {
      let [from, to] = [start, start + length];
      if (side[axis] < 0) from = Math.max(0, Math.min(from + by[axis] + this.correction(slot, axis, [from + by[axis]], reach), to - sideMin));
      if (side[axis] > 0) to = Math.min(this.canvas[axis], Math.max(to + by[axis] + this.correction(slot, axis, [to + by[axis]], reach), from + sideMin));
      return [from, to - from];
    };
    const [x, width] = span(0, slot.x, slot.width);
    const [y, height] = span(1, slot.y, slot.height);
    return { x, y, width, height };
  }

  draw(group, { x, y, width, height }) {
    const set = (element, attributes) => { for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value); };
    const side = Math.max(...this.canvas);
    const size = Math.max(side / 60, 6);
    set(group.querySelector("rect"), { x, y, width, height, "stroke-width": side / 500 });
    set(group.querySelector("text"), { x: x + size / 2, y: y + size * 1.3, "font-size": size });
    for (const [index, handle] of [...group.querySelectorAll(".handle")].entries()) {
      const [across, down] = handles[index];
      // Within, where neither a neighbour nor the edge of the canvas hides it.
      const inset = side / 130 * 1.4;
      set(handle, { cx: x + width * (across + 1) / 2 - across * inset, cy: y + height * (down + 1) / 2 - down * inset, r: side / 130 });
    }
  }
}
