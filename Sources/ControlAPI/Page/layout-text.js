// Where the parts of a layout's text stand: a reading of JSON5 that makes the best of a text that is being written.

/// Deeper than any layout.
const depthMax = 64;

/// The value that a text holds: { kind, start, end, text }, kind one of object, array, string, bare, nothing; an object has members
/// [{ key, keyStart, keyEnd, colon, value }], an array items; both say whether they are closed.
export function parse(text) { return new Reader(text).value(0); }

class Reader {
  constructor(text) { Object.assign(this, { text, at: 0 }); }

  skip() {
    const pattern = /(?:\s|\/\/[^\n]*|\/\*[\s\S]*?(?:\*\/|$))*/y;
    pattern.lastIndex = this.at;
    pattern.test(this.text);
    this.at = Math.max(this.at, pattern.lastIndex);
  }

  match(pattern) {
    pattern.lastIndex = this.at;
    const found = pattern.exec(this.text)?.[0];
    if (found) this.at += found.length;
    return found;
  }

  word() { return this.match(/"(?:\\[\s\S]|[^"\\\n])*"?|'(?:\\[\s\S]|[^'\\\n])*'?|[^\s,:{}[\]"'/]+/y); }

  value(depth) {
    this.skip();
    const start = this.at;
    const first = this.text[start];
    if (first === "{" && depth < depthMax) return this.object(depth);
    if (first === "[" && depth < depthMax) return this.array(depth);
    const word = this.word() ?? "";
    return { kind: !word ? "nothing" : /^["']/.test(word) ? "string" : "bare", start, end: this.at, text: word };
  }

  object(depth) {
    const members = [];
    return this.container({ kind: "object", members }, "}", "]", () => {
      const keyStart = this.at;
      const key = this.word();
      if (!key) return false;
      const member = { key: unquoted(key), keyStart, keyEnd: this.at, colon: -1, value: null };
      members.push(member);
      this.skip();
      if (this.text[this.at] === ":") {
        member.colon = this.at++;
        member.value = this.value(depth + 1);
      }
      return true;
    });
  }

  array(depth) {
    const items = [];
    return this.container({ kind: "array", items }, "]", "}", () => {
      const item = this.value(depth + 1);
      if (item.kind === "nothing") return false;
      items.push(item);
      return true;
    });
  }

  /// Reads one entry after the other up to the closing bracket, to the end of the text, or to a bracket that closes something around.
  /// - one: reads an entry; false where there is none, and what stands there is passed over.
  container(node, closing, foreign, one) {
    Object.assign(node, { start: this.at++, isClosed: false });
    for (;;) {
      this.skip();
      const next = this.text[this.at];
      if (next === undefined || next === foreign) break;
      if (next === closing) { this.at += 1; node.isClosed = true; break; }
      if (!one()) this.at += 1;
    }
    node.end = this.at;
    return node;
  }
}

export const unquoted = (word) => word.replace(/^["']/, "").replace(/["']$/, "");
const isContainer = (node) => node?.kind === "object" || node?.kind === "array";
const contains = (node, offset) => offset > node.start && (offset < node.end || !node.isClosed && offset <= node.end);

/// The objects and arrays around a place, outermost first: [{ node, key }], key being the member or item each stands in.
export function around(root, offset) {
  const path = [];
  let step = { node: root, key: null };
  while (isContainer(step.node) && contains(step.node, offset)) {
    path.push(step);
    const children = step.node.kind === "object"
      ? step.node.members.map((member) => ({ node: member.value, key: member.key }))
      : step.node.items.map((node, index) => ({ node, key: index }));
    step = children.find(({ node }) => isContainer(node) && contains(node, offset)) ?? { node: null };
  }
  return path;
}

/// The value of an object's member; null where it has none.
export const member = (node, key) => (node?.kind === "object" ? node.members.find((each) => each.key === key)?.value ?? null : null);

/// What a bare value counts; null for what is no number.
export function number(node) {
  const value = node?.kind === "bare" ? Number(node.text) : NaN;
  return Number.isFinite(value) ? value : null;
}

/// Whether a place lies in a comment.
export function isInComment(text, offset) {
  for (const match of text.matchAll(/"(?:\\[\s\S]|[^"\\\n])*"?|'(?:\\[\s\S]|[^'\\\n])*'?|\/\/[^\n]*|\/\*[\s\S]*?(?:\*\/|$)/g)) {
    if (match.index >= offset) return false;
    const end = match.index + match[0].length;
    if (match[0][0] === "/" && (offset < end || offset === end && !match[0].endsWith("*/"))) return true;
  }
  return false;
}
