/**
 * The values of a transaction's rows as PostgreSQL reads them: text in UTF-8, all in one buffer, with where each begins and
 * ends. Rows wait while the transaction before is on its way, often thousands of them; as strings and arrays they cost the
 * garbage collector more than everything else took.
 */
import { ByteSink, DataError } from '@millrace/runtime/api';

/** Where a cell begins, when it holds no text: NULL, or a value that is to be left as it is. */
const isNull = -1;
const isKept = -2;
const noLine = -1;

/** Places are kept in 32 bits. */
const mostBytes = 0x7fff_ffff;
/** What is kept when the rows are gone; a few large ones should not hold memory for good. */
const keptBytes = 4 * 1024 * 1024;
const firstSpans = 4096;
const mostKeptSpans = 1024 * 1024;

export class Rows {
  #text = new ByteSink();
  /**
   * Start and end of each cell, in pairs; a row is known by where its first pair stands. The pair before that one is of the
   * row's line, where what stands in `text` is one that COPY takes as it is.
   */
  #spans = new Int32Array(firstSpans);
  #used = 0;

  get text(): ByteSink {
    return this.#text;
  }

  /** What the rows take, about. */
  get sizeBytes(): number {
    return this.text.position + 4 * this.#used;
  }

  /** Begins a row of so many cells, to be set one by one. */
  begin(cells: number): number {
    const row = this.#used + 2;
    this.#used = row + 2 * cells;
    if (this.#used > this.#spans.length) {
      const grown = new Int32Array(Math.max(this.#used, this.#spans.length * 2));
      grown.set(this.#spans);
      this.#spans = grown;
    }
    this.#spans[row - 2] = noLine;
    return row;
  }

  /** Takes back the last row. `position` is where the text stood before it began. */
  undo(row: number, position: number): void {
    this.#used = row - 2;
    this.text.position = position;
  }

  setNull(row: number, at: number): void {
    this.#spans[row + 2 * at] = isNull;
  }

  /** The value is to be left as it is. */
  setKept(row: number, at: number): void {
    this.#spans[row + 2 * at] = isKept;
  }

  /** What was written from `start` on. Throws a DataError where there is too much of it. */
  setWritten(row: number, at: number, start: number): void {
    if (this.text.position > mostBytes) throw new DataError(`the values that wait to be written take more than ${mostBytes} bytes`);
    this.#spans[row + 2 * at] = start;
    this.#spans[row + 2 * at + 1] = this.text.position;
  }

  /** All from `start` on is the row's line. */
  setLine(row: number, start: number): void {
    this.#spans[row - 2] = start;
    this.#spans[row - 1] = this.text.position;
  }

  /** Where the row's line begins in `text.bytes`; negative where it is to be made of the cells. */
  lineStart(row: number): number {
    return this.#spans[row - 2] as number;
  }

  lineEnd(row: number): number {
    return this.#spans[row - 1] as number;
  }

  isKept(row: number, at: number): boolean {
    return this.#spans[row + 2 * at] === isKept;
  }

  /** Where the cell begins in `text.bytes`; negative for one without text, which NULL is written for. */
  start(row: number, at: number): number {
    return this.#spans[row + 2 * at] as number;
  }

  end(row: number, at: number): number {
    return this.#spans[row + 2 * at + 1] as number;
  }

  /** A row as `over`, with the cells of `under` where it has none; and whether any is still missing. */
  merge(under: number, over: number, cells: number): { readonly row: number; readonly sparse: boolean } {
    const row = this.begin(cells);
    const spans = this.#spans;
    let sparse = false;
    for (let at = 0; at < 2 * cells; at += 2) {
      const from = (spans[over + at] === isKept ? under : over) + at;
      spans[row + at] = spans[from] as number;
      spans[row + at + 1] = spans[from + 1] as number;
      sparse ||= spans[row + at] === isKept;
    }
    return { row, sparse };
  }

  clear(): void {
    this.#used = 0;
    if (this.text.bytes.length > keptBytes) this.#text = new ByteSink();
    this.text.clear();
    if (this.#spans.length > mostKeptSpans) this.#spans = new Int32Array(firstSpans);
  }
}
