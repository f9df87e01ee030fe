// A text with line numbers, colours and marked faults. The browser's own text area does the editing; a copy behind it has the colours.

const pattern = /(\/\/[^\n]*|\/\*[\s\S]*?(?:\*\/|$))|("(?:\\[\s\S]|[^"\\\n])*"?|'(?:\\[\s\S]|[^'\\\n])*'?)(\s*:)?|([A-Za-z_$][\w$]*)(\s*:)?|([-+]?(?:0x[\da-f]+|\d*\.?\d+(?:e[-+]?\d+)?))/gi;
/// Longer texts are shown without colours, so that typing stays quick.
const colouredMax = 100_000;

export class Editor {
  /// - on.change: the text was changed by its author.
  constructor({ text, ink, gutter, on }) {
    Object.assign(this, { text, ink, gutter, on, findings: [], lineCount: 0, leaves: false });
    text.addEventListener("input", () => { this.draw(); on.change(); });
    text.addEventListener("scroll", () => this.follow());
    /// Sees keys first: { key(event) }, true where a key was for it.
    this.assistant = null;
    text.addEventListener("keydown", (event) => { if (!this.assistant?.key(event)) this.key(event); });
    text.addEventListener("blur", () => { this.leaves = false; });
    new ResizeObserver(() => this.follow()).observe(text);
  }

  get value() { return this.text.value; }

  set value(text) {
    this.text.value = text;
    this.text.setSelectionRange(0, 0);
    this.text.scrollTop = this.text.scrollLeft = 0;
    this.findings = [];
    this.draw();
  }

  /// Marks faults and advice: [{ line, column, detail, kind }].
  mark(findings) {
    this.findings = findings;
    this.draw();
  }

  /// Puts the caret to a place and selects what stands there.
  goTo(line, column) {
    const start = this.offset(line, column);
    const word = this.value.slice(start).match(/^("[^"\n]*"?|'[^'\n]*'?|[\w.$-]+|\S)/);
    this.text.focus();
    this.text.setSelectionRange(start, start + (word?.[0].length ?? 0));
    const height = parseFloat(getComputedStyle(this.text).lineHeight);
    const top = (line - 1) * height;
    if (top < this.text.scrollTop || top > this.text.scrollTop + this.text.clientHeight - 2 * height) {
      this.text.scrollTop = top - this.text.clientHeight / 3;
    }
    this.follow();
  }

  get caret() { return this.text.selectionStart; }

  /// Where the caret stands in the window: { left, top, height }.
  get caretPlace() {
    const { left, top } = this.text.getBoundingClientRect();
    const style = getComputedStyle(this.text);
    const height = parseFloat(style.lineHeight);
    const pen = document.createElement("canvas").getContext("2d");
    pen.font = style.font;
    const before = this.value.slice(0, this.caret);
    const line = before.slice(before.lastIndexOf("\n") + 1);
    return {
      left: left + parseFloat(style.paddingLeft) + pen.measureText(line).width - this.text.scrollLeft,
      top: top + parseFloat(style.paddingTop) + (before.split("\n").length - 1) * height - this.text.scrollTop, height,
    };
  }

  /// Puts other words in place of those between two offsets, so that undo takes it back.
  replace(from, to, words) {
    this.text.focus();
    this.text.setSelectionRange(from, to);
    this.type(words);
  }

  offset(line, column) {
    let start = 0;
    for (let number = 1; number < line; number++) {
      const end = this.value.indexOf("\n", start);
      if (end < 0) return this.value.length;
      start = end + 1;
    }
    // Columns count characters as the server does, not code units.
    return start + [...this.value.slice(start, start + 2 * column)].slice(0, column - 1).join("").length;
  }

  // MARK: Keys

  key(event) {
    if (event.key === "Escape") { this.leaves = true; return; }
    if (event.key === "Tab" && !this.leaves && !event.ctrlKey && !event.altKey) {
      event.preventDefault();
      this.indent(event.shiftKey);
    } else if (event.key === "Enter" && !event.ctrlKey && !event.metaKey) {
      event.preventDefault();
      this.newLine();
    }
    if (event.key !== "Tab" && event.key !== "Shift") this.leaves = false;
  }

  /// As if it were typed, so that undo takes it back.
  type(text) { document.execCommand(text ? "insertText" : "delete", false, text); }

  newLine() {
    const before = this.value.slice(0, this.text.selectionStart);
    const line = before.slice(before.lastIndexOf("\n") + 1);
    const opens = /[{[]\s*$/.test(line) ? "  " : "";
    this.type("\n" + line.match(/^\s*/)[0] + opens);
  }

  indent(isBack) {
    const { selectionStart: start, selectionEnd: end } = this.text;
    if (start === end && !isBack) return this.type("  ");
    const from = this.value.lastIndexOf("\n", start - 1) + 1;
    const lines = this.value.slice(from, end).split("\n");
    const moved = lines.map((line) => (isBack ? line.replace(/^ {1,2}/, "") : line && "  " + line)).join("\n");
    this.text.setSelectionRange(from, end);
    this.type(moved);
    this.text.setSelectionRange(start === end ? this.text.selectionStart : from, from + moved.length);
  }

  // MARK: Drawing

  draw() {
    const text = this.value;
    const lines = text.split("\n").length;
    if (lines !== this.lineCount) {
      this.lineCount = lines;
      this.gutter.replaceChildren(...Array.from({ length: lines }, (_, index) => element("span", "", String(index + 1))));
    }
    for (const [index, number] of [...this.gutter.children].entries()) number.className = this.kindOf(index + 1);
    const marks = this.findings.map(({ line, column, kind }) => ({ at: this.offset(line, column), kind }));
    this.ink.replaceChildren(...(text.length > colouredMax ? [text] : coloured(text, marks)), "\n");
    this.follow();
  }

  kindOf(line) {
    const kinds = this.findings.filter((finding) => finding.line === line).map((finding) => finding.kind);
    return kinds.includes("fault") ? "fault" : kinds.length ? "note" : "";
  }

  follow() {
    const { scrollTop, scrollLeft } = this.text;
    this.ink.style.transform = `translate(${-scrollLeft}px, ${-scrollTop}px)`;
    this.gutter.style.transform = `translateY(${-scrollTop}px)`;
  }
}

/// The text as nodes: words by their kind, and those that begin at a mark underlined.
function coloured(text, marks) {
  const nodes = [];
  const waiting = [...marks].sort((a, b) => a.at - b.at);
  const add = (part, kind, start) => {
    if (!part) return;
    const mark = waiting.find(({ at }) => at >= start && at < start + part.length && !(kind === "" && /\s/.test(part[at - start])));
    if (!mark) return nodes.push(kind ? element("span", kind, part) : part);
    waiting.splice(waiting.indexOf(mark), 1);
    const cut = kind ? 0 : mark.at - start;
    add(part.slice(0, cut), kind, start);
    const length = kind ? part.length : 1;
    nodes.push(element("span", `${kind} marked-${mark.kind}`, part.slice(cut, cut + length)));
    add(part.slice(cut + length), kind, start + cut + length);
  };
  let end = 0;
  for (const match of text.matchAll(pattern)) {
    add(text.slice(end, match.index), "", end);
    const [whole, comment, string, isStringKey, word, isWordKey] = match;
    const colon = isStringKey ?? isWordKey ?? "";
    const kind = comment ? "comment" : colon ? "key" : string ? "string" : word ? "word" : "number";
    add(whole.slice(0, whole.length - colon.length), kind, match.index);
    add(colon, "", match.index + whole.length - colon.length);
    end = match.index + whole.length;
  }
  add(text.slice(end), "", end);
  return nodes;
}

export function element(tag, className, text) {
  const made = document.createElement(tag);
  if (className) made.className = className;
  made.textContent = text;
  return made;
}
