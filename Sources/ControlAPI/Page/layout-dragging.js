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
  /// - on.step: the least step of a slot in pixels, [across, down]; null where it does not stand in the text by itself.
  /// - on.moved: a slot was moved or resized: (slot, { x, y, width, height }) in pixels.
  /// - on.chosen: a slot was only clicked.
  constructor(outlines, on) { Object.assign(this, { outlines, on, slots: [], canvas: [1, 1], held: null }); }

  /// What is shown now.
  follow(slots, width, height) { Object.assign(this, { slots, canvas: [width, height] }); }

  /// Lets a slot's group be dragged.
  attach(group, slot, make) {
    group.addEventListener("pointerdown", (event) => this.begin(event, group, slot, [0, 0]));
    group.addEventListener("click", () => { if (!this.hasMoved) this.on.chosen(slot); });
    group.addEventListener("keydown", (event) => this.key(event, slot));
    if (!this.on.step(slot)) return;
    group.classList.add("free");
    for (const [index, side] of handles.entries()) {
      const handle = make("circle", { class: "handle", r: Math.max(...this.canvas) / 130 });
      handle.style.cursor = `${cursors[index]}-resize`;
      handle.addEventListener("pointerdown", (event) => {
        event.stopPropagation();
        this.begin(event, group, slot, side);
      });
      group.append(handle);
    }
    this.draw(group, slot);
  }

  key(event, slot) {
    const way = arrows[event.key];
    if (event.key === "Enter" || event.key === " ") {
      event.preventDefault();
      return this.on.chosen(slot);
    }
    const step = way && this.on.step(slot);
    if (!step || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    // Edges lie on even pixels, so that colours do too.
    const by = way.map((sign, axis) => sign * step[axis] * Math.max(1, Math.ceil(2 / step[axis])));
    this.on.moved(slot, event.shiftKey ? this.resized(slot, [1, 1], by) : this.moved(slot, by));
  }

  begin(event, group, slot, side) {
    this.hasMoved = false;
    if (event.button !== 0 || !this.on.step(slot)) return;
    event.preventDefault();
    group.focus({ preventScroll: true });
    const scale = this.outlines.getBoundingClientRect().width / this.canvas[0];
    const target = event.target;
    target.setPointerCapture(event.pointerId);
    this.held = { box: null };
    const move = ({ clientX, clientY }) => {
      const by = [clientX - event.clientX, clientY - event.clientY];
      if (!this.hasMoved && Math.hypot(...by) < trembleMax) return;
      this.hasMoved = true;
      const distance = by.map((each) => each / scale);
      const isMoving = side[0] === 0 && side[1] === 0;
      this.held.box = isMoving ? this.moved(slot, distance, pull / scale) : this.resized(slot, side, distance, pull / scale);
      this.draw(group, this.held.box);
    };
    const end = ({ type }) => {
      target.removeEventListener("pointermove", move);
      const { box } = this.held ?? {};
      this.held = null;
      if (!box) return;
      if (type === "pointerup") this.on.moved(slot, box);
      else this.draw(group, slot);
    };
    target.addEventListener("pointermove", move);
    for (const type of ["pointerup", "pointercancel"]) target.addEventListener(type, end, { once: true });
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
    set(group.querySelector("rect"), { x, y, width, height });
    const text = group.querySelector("text");
    const size = Number(text.getAttribute("font-size"));
    set(text, { x: x + size / 2, y: y + size * 1.3 });
    for (const [index, handle] of [...group.querySelectorAll(".handle")].entries()) {
      const [across, down] = handles[index];
      // Within, where neither a neighbour nor the edge of the canvas hides it.
      const inset = Number(handle.getAttribute("r")) * 1.4;
      set(handle, { cx: x + width * (across + 1) / 2 - across * inset, cy: y + height * (down + 1) / 2 - down * inset });
    }
  }
}
