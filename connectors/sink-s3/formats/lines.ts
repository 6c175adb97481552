/** JSON lines, and bytes with a separator between. */
import { DataError, SerializedValue } from '@millrace/runtime/api';
import type { FileFormat } from './file-format.ts';
import { jsonText } from './json-text.ts';
import type { DecimalFormat } from './json-text.ts';

const newline = Uint8Array.of(0x0a);

/** Each value as a line of JSON. Source: io.confluent.connect.s3.format.json.JsonRecordWriterProvider. */
export function jsonFormat(decimals: DecimalFormat): FileFormat {
  const text = jsonText(decimals);
  return {
    extension: '.json',
    needsSchema: false,
    envelope: 'headers',
    open: () => ({
      blockBytes: null,
      verbatim: (value) => (value instanceof SerializedValue ? value.bytes : undefined),
      lineEnd: newline,
      encode(schema, value, out) {
        if (value instanceof SerializedValue) out.copy(value.bytes);
        else text.write(schema, value, out);
        out.byte(0x0a);
      },
    }),
  };
}

/** Bytes as they are, the separator after each record. Source: ByteArrayRecordWriterProvider. */
export function bytesFormat(extension: string, separator: string): FileFormat {
  const end = Buffer.from(separator);
  return {
    extension,
    needsSchema: false,
    envelope: 'never',
    open: () => ({
      blockBytes: null,
      verbatim: (value) => (value instanceof Uint8Array ? value : undefined),
      lineEnd: end,
      encode(_schema, value, out) {
        if (!(value instanceof Uint8Array)) {
          throw new DataError(`ByteArrayFormat writes bytes, and this is ${value === null ? 'null' : `a ${typeof value}`}.`, {
            hint: 'Set the converter to org.apache.kafka.connect.converters.ByteArrayConverter.',
          });
        }
        out.copy(value);
        out.copy(end);
      },
    }),
  };
}
