/** How a value of a record becomes the text that PostgreSQL reads into a column. */
import { DataError } from '@millrace/runtime/api';
import type { ByteSink, Schema } from '@millrace/runtime/api';

import { writeDecimal } from './digits.ts';

/** Never called with null. Throws a DataError for a value that the column cannot hold. */
export type ValueText = (value: unknown) => string;

/** Writes what the text of the value is, without making it. */
export type ValueWrite = (value: unknown, out: ByteSink) => void;

export interface Encoder {
  readonly text: ValueText;
  readonly write: ValueWrite;
  /** Its text never holds what COPY or an array literal would need to escape. */
  readonly plain: boolean;
}

const writing =
  (text: ValueText): ValueWrite =>
  (value, out) =>
    out.text(text(value));

export const plain = (text: ValueText, write: ValueWrite = writing(text)): Encoder => ({ text, write, plain: true });
export const escaped = (text: ValueText): Encoder => ({ text, write: writing(text), plain: false });

/** What is shown of a schema in messages. */
export const schemaLabel = (schema: Schema): string => (schema.name === undefined ? schema.type : `${schema.name} (${schema.type})`);

/** Digits and nothing else: what is no number would break the row that it stands in. */
export function numberText(value: unknown): string {
  if (typeof value === 'number' || typeof value === 'bigint') return String(value);
  throw new DataError(`"${String(value)}" is no number`);
}

export function writeNumber(value: unknown, out: ByteSink): void {
  if (typeof value === 'number') writeDecimal(out, value);
  else out.text(numberText(value));
}
