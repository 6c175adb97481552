import { isUtf8 } from 'node:buffer';
import { DataError, schemas } from '../api/index.ts';
import type { HeaderConverterPlugin } from '../api/index.ts';
import { inferValue } from './simple-values/infer.ts';
import { simpleText } from './simple-values/simple-text.ts';

/** org.apache.kafka.connect.storage.SimpleHeaderConverter: text out; in, a type is inferred from the text. */
const simpleHeaderConverter: HeaderConverterPlugin = {
  kind: 'header_converter',
  config: {},
  createHeaderConverter: () => ({
    writeHeader: (_topic, _key, schema, value) => (value === null || value === undefined ? null : Buffer.from(simpleText(schema, value))),
    readHeader(_topic, key, bytes) {
      if (bytes === null) return { schema: null, value: null };
      const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
      if (!isUtf8(buffer)) throw new DataError(`header "${key}": its bytes are not UTF-8 text`);
      const text = buffer.toString('utf8');
      return text === '' ? { schema: schemas.string, value: text } : inferValue(text);
    },
  }),
};

export default simpleHeaderConverter;
