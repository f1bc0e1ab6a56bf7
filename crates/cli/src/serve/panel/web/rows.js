// Lines of a page before and after, from what stayed and what was edited. Which is which the server says; nothing is compared here.
//
// Gives groups in order: { kept: [line, …], left, right }, lines that are the same on both sides, from these line numbers on; and
// { changed: [{ left, right }, …] }, where each side is null or { n, parts }, and a part { text } or { text, edit, patches }.

export function rows(segments) {
  const groups = [];
  const sides = [new Side(), new Side()];
  const [left, right] = sides;
  let touched = false;

  const keep = (line) => {
    const last = groups.at(-1);
    if (last?.kept) last.kept.push(line);
    else groups.push({ kept: [line], left: left.n, right: right.n });
    left.n += 1;
    right.n += 1;
  };
  const close = () => {
    sides.forEach((side) => side.end());
    const n = Math.max(left.lines.length, right.lines.length);
    const changed = Array.from({ length: n }, (_, at) => ({ left: left.lines[at] ?? null, right: right.lines[at] ?? null }));
    const last = groups.at(-1);
    if (last?.changed) last.changed.push(...changed);
    else groups.push({ changed });
    sides.forEach((side) => (side.lines = []));
    touched = false;
  };

  for (const segment of segments) {
    if (segment.kept === undefined) {
      const { edit, patches } = segment;
      touched = true;
      left.edit(segment.was, { edit, patches });
      right.edit(segment.with, { edit, patches });
      continue;
    }
    const lines = segment.kept.split('\n');
    const rest = lines.pop();
    lines.forEach((line, at) => {
      if (at === 0 && (touched || left.parts.length || right.parts.length)) {
        sides.forEach((side) => side.add({ text: line }));
        close();
      } else {
        keep(line);
      }
    });
    if (rest) sides.forEach((side) => side.add({ text: rest }));
  }
  if (touched) {
    close();
  } else if (left.parts.length) {
    keep(left.parts.map(({ text }) => text).join(''));
  }
  return groups;
}

class Side {
  n = 1;
  lines = [];
  parts = [];

  add(part) {
    if (part.text || part.patches) this.parts.push(part);
  }

  edit(text, mark) {
    const lines = text.split('\n');
    lines.forEach((line, at) => {
      this.add({ text: line, ...mark });
      if (at < lines.length - 1) this.end();
    });
  }

  end() {
    this.lines.push({ n: this.n, parts: this.parts });
    this.n += 1;
    this.parts = [];
  }
}
