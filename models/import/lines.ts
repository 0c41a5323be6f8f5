/**
 * Lines on which the elements of a list begin, where the list is the value of `key` in the outermost object of a JSON text: a
 * mistake in a file of a hundred thousand labels is to be found by it. The text has been parsed before, so it is JSON.
 */
export function elementLines(text: string, key: string): number[] {
  const lines: number[] = [];
  let [line, depth, inside, lastString] = [1, 0, false, ''];
  for (let at = 0; at < text.length; at++) {
    const c = text[at] as string;
    if (c === '\n') line++;
    else if (c === '"') {
      const end = stringEnd(text, at);
      if (depth === 1) lastString = text.slice(at + 1, end);
      at = end;
    } else if (c === '[' || c === '{') {
      if (inside && depth === 2) lines.push(line);
      if (c === '[' && depth === 1 && lastString === key) inside = true;
      depth++;
    } else if (c === ']' || c === '}') {
      depth--;
      if (depth === 1) inside = false;
    }
  }
  return lines;
}

/** Of the quote that ends a string. */
function stringEnd(text: string, from: number): number {
  let at = from + 1;
  while (at < text.length && text[at] !== '"') at += text[at] === '\\' ? 2 : 1;
  return at;
}
