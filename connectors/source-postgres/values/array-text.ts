/** Arrays in PostgreSQL's text format: `{1,NULL,"a b"}`, `{{1,2},{3,4}}`, `[0:1]={7,8}`. */
import { DataError } from '@millrace/runtime/api';

/** The text of an item, null, or the items of an inner array. */
export type ArrayItem = string | null | readonly ArrayItem[];

/** The items as they are nested. Throws a DataError. */
export function parseItems(text: string): readonly ArrayItem[] {
  // Bounds other than from 1 on are written before: `[0:1]={1,2}`.
  let at = text.startsWith('[') ? text.indexOf('=') + 1 : 0;
  if (text[at] !== '{') throw new DataError(`"${text.slice(0, 40)}" is not an array`);
  const root: ArrayItem[] = [];
  const outer: ArrayItem[][] = [];
  let items = root;
  for (let opened = false; at < text.length;) {
    const char = text[at] as string;
    if (char === '{') {
      if (opened) {
        const inner: ArrayItem[] = [];
        items.push(inner);
        outer.push(items);
        items = inner;
      }
      opened = true;
      at++;
    } else if (char === '}') {
      at++;
      const next = outer.pop();
      if (next === undefined) return root;
      items = next;
    } else if (char === ',') {
      at++;
    } else if (char === '"') {
      let item = '';
      for (at++; at < text.length && text[at] !== '"'; at++) {
        if (text[at] === '\\') at++;
        item += text[at];
      }
      at++;
      items.push(item);
    } else {
      const from = at;
      while (at < text.length && text[at] !== ',' && text[at] !== '}') at++;
      const item = text.slice(from, at);
      items.push(item === 'NULL' ? null : item);
    }
  }
  throw new DataError(`"${text.slice(0, 40)}" is not a complete array`);
}

/**
 * The items in so many dimensions, whatever they have: PostgreSQL does not hold values to the dimensions that the
 * column was declared with. Further ones are flattened, missing ones put around.
 */
export function itemsAt(items: readonly ArrayItem[], dims: number): readonly ArrayItem[] {
  if (items.length === 0) return items;
  let depth = 1;
  for (let first = items[0]; Array.isArray(first); first = first[0]) depth++;
  let shaped = items;
  for (; depth < dims; depth++) shaped = [shaped];
  return depth === dims ? shaped : flattened(shaped, dims, depth);
}

function flattened(items: readonly ArrayItem[], dims: number, depth: number): readonly ArrayItem[] {
  if (dims === 1) return (items as readonly unknown[]).flat(depth - 1) as ArrayItem[];
  return items.map((inner) => flattened(inner as readonly ArrayItem[], dims - 1, depth - 1));
}
