/** What a part of `npm run bench` is given, and what it gives back. */

export interface PartOptions {
  /** Of the table `orders`; parts that take longer for each row take fewer. */
  readonly rows: number;
  /** How long each rate of the latency part is measured. */
  readonly seconds: number;
  /** Events of the seed figure. */
  readonly seedRows: number;
  readonly say: (line: string) => void;
}

export interface PartResult {
  /** Markdown: a heading, what was measured, tables. */
  readonly lines: readonly string[];
  readonly targets: readonly Target[];
}

/** One line of the table of targets. */
export interface Target {
  readonly figure: string;
  readonly target: string;
  readonly measured: string;
  readonly met: boolean;
}

export type Part = (options: PartOptions) => Promise<PartResult>;

export const count = (n: number): string => Math.round(n).toLocaleString('en');
export const times = (ratio: number): string => `${ratio.toFixed(2)}×`;
export const percent = (share: number): string => `${(share * 100).toFixed(0)} %`;
export const megabytes = (bytes: number): string => String(Math.round(bytes / 1e6));
export const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;

export function table(head: readonly string[], rows: readonly (readonly string[])[]): string[] {
  return [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`);
}
