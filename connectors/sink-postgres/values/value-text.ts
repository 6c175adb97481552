/** How a value of a record becomes the text that PostgreSQL reads into a column. */
import { DataError } from '@millrace/runtime/api';
import type { Schema } from '@millrace/runtime/api';

/** Never called with null. Throws a DataError for a value that the column cannot hold. */
export type ValueText = (value: unknown) => string;

export interface Encoder {
  readonly text: ValueText;
  /** Its text never holds what COPY or an array literal would need to escape. */
  readonly plain: boolean;
}

export const plain = (text: ValueText): Encoder => ({ text, plain: true });
export const escaped = (text: ValueText): Encoder => ({ text, plain: false });

/** What is shown of a schema in messages. */
export const schemaLabel = (schema: Schema): string => (schema.name === undefined ? schema.type : `${schema.name} (${schema.type})`);

/** Digits and nothing else: what is no number would break the row that it stands in. */
export function numberText(value: unknown): string {
  if (typeof value === 'number' || typeof value === 'bigint') return String(value);
  throw new DataError(`"${String(value)}" is no number`);
}
