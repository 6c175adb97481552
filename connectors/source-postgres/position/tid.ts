/** Where a row stands in its table: block and number in the block (PostgreSQL's `ctid`), as one number that sorts alike. */
export type Tid = number;

const perBlock = 0x1_0000;

/** Before every row of a block: rows in it are counted from 1. */
export const startOfBlock = (block: number): Tid => block * perBlock;
export const blockOf = (tid: Tid): number => Math.floor(tid / perBlock);
export const formatTid = (tid: Tid): string => `(${blockOf(tid)},${tid % perBlock})`;

/** Reads `(block,number)`; throws a TypeError for anything else. */
export function parseTid(text: string): Tid {
  const match = /^\((\d{1,10}),(\d{1,5})\)$/.exec(text);
  if (match === null) throw new TypeError(`"${text}" is not a ctid`);
  return startOfBlock(Number(match[1])) + Number(match[2]);
}

/** The rows behind `after`, and before block `toBlock`, where there is one. */
export interface TidRange {
  readonly after: Tid;
  readonly toBlock: number | undefined;
}

export const everything: TidRange = { after: 0, toBlock: undefined };

/** The condition that gives these rows, as a TID range scan understands it (PostgreSQL 14 and later); none for all. */
export function tidCondition({ after, toBlock }: TidRange): string | undefined {
  if (after === 0 && toBlock === undefined) return undefined;
  const upTo = toBlock === undefined ? '' : ` and ctid < '${formatTid(startOfBlock(toBlock))}'::tid`;
  return `ctid > '${formatTid(after)}'::tid${upTo}`;
}
