/** The figures in docs/benchmarks.md: each part replaces its own section and its own rows of the table of targets. */
import { readFile, writeFile } from 'node:fs/promises';
import { table } from './part.ts';
import type { PartResult } from './part.ts';

const file = new URL('../docs/benchmarks.md', import.meta.url);
const begin = '<!-- figures -->';
const end = '<!-- end of figures -->';
const head = ['part', 'figure', 'target', 'measured', ''];

/** `order` is that of all parts; sections of others are left as they are. */
export async function writePart(order: readonly string[], name: string, result: PartResult): Promise<void> {
  const doc = await readFile(file, 'utf8');
  const [before, rest] = doc.split(begin);
  const [figures, after] = rest?.split(end) ?? [];
  if (before === undefined || figures === undefined || after === undefined)
    throw new Error(`${file.pathname} has lost the marks of its figures`);
  await writeFile(file, `${before}${begin}\n\n${withPart(figures, order, name, result)}\n\n${end}${after}`);
}

/** The figures with those of one part replaced. */
export function withPart(figures: string, order: readonly string[], name: string, { lines, targets }: PartResult): string {
  const sections = new Map(order.map((part) => [part, sectionOf(figures, part)]));
  sections.set(name, lines.join('\n'));
  const rows = order.flatMap((part) =>
    part === name
      ? targets.map(({ figure, target, measured, met }) => [part, figure, target, measured, met ? 'met' : '**missed**'])
      : targetRows(figures, part),
  );
  return [
    ...(rows.length === 0 ? [] : ['## Targets', '', ...table(head, rows), '']),
    ...order.flatMap((part) => {
      const section = sections.get(part);
      return section === undefined ? [] : [mark(part), '', section, '', endMark(part), ''];
    }),
  ]
    .join('\n')
    .trimEnd();
}

const mark = (part: string): string => `<!-- part ${part} -->`;
const endMark = (part: string): string => `<!-- end of part ${part} -->`;

function sectionOf(figures: string, part: string): string | undefined {
  return figures.split(mark(part))[1]?.split(endMark(part))[0]?.trim();
}

function targetRows(figures: string, part: string): string[][] {
  return figures
    .split('\n')
    .filter((line) => line.startsWith(`| ${part} |`))
    .map((line) => line.slice(2, -2).split(' | '));
}
