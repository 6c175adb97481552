/** What a file format is: records become raw bytes, raw bytes become blocks, blocks make the file. */
import type { ByteSink, Schema } from '@millrace/runtime/api';

export interface FileFormat {
  /** With its dot, the codec's included: `.json.gz`. */
  readonly extension: string;
  /** Whether a file holds records of one schema only. */
  readonly needsSchema: boolean;
  /** Whether the format wants its keys and headers wrapped into a struct. */
  readonly envelope: 'never' | 'headers' | 'always';
  /**
   * Begins a file whose first record has this schema. `name` is the object's; whatever in the file must be unlike
   * other files comes from it, so that the same records make the same bytes. Throws a DataError for a schema that
   * the format cannot hold.
   */
  open(schema: Schema | null, name: string): FileEncoder;
}

export interface FileEncoder {
  /**
   * Appends a record's raw bytes. Throws a DataError for one that does not fit, having perhaps written some of it:
   * the caller takes them back.
   */
  encode(schema: Schema | null, value: unknown, out: ByteSink): void;
  /** A value whose raw bytes are its own, and `lineEnd` after them: they need not be encoded. Undefined for others. */
  verbatim?(value: unknown): Uint8Array | undefined;
  readonly lineEnd?: Uint8Array;
  /** Raw bytes from which on a block is made; null where raw bytes are the file's content as they are. */
  readonly blockBytes: number | null;
  /** What the file begins with. */
  readonly header?: Uint8Array;
  /**
   * Whether blocks may be made before the file's end; where not, their raw bytes wait until then. Asked once, at the
   * first of them.
   */
  mayStart?(): boolean;
  /** The raw bytes of `records` records as they stand in the file. */
  block?(raw: Uint8Array, records: number): Uint8Array | Promise<Uint8Array>;
  /** What the file ends with, after its last block. */
  end?(): Uint8Array | Promise<Uint8Array>;
  /** The file is done with, or given up; may be called twice. */
  close?(): void;
}
