import { javaText } from '@millrace/runtime/api';
import type { SinkRecord } from '@millrace/runtime/api';

/** A record's value as the JVM's String.valueOf prints it, and a newline. */
export function lineOf({ value, valueSchema }: SinkRecord): string {
  return typeof value === 'string' ? `${value}\n` : `${javaText(valueSchema, value)}\n`;
}
