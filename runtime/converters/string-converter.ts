import { ConfigError, defineConfig, javaText, schemas } from '../api/index.ts';
import { converterPlugin } from './converter-plugin.ts';

const config = defineConfig({
  'converter.encoding': {
    type: 'string',
    default: 'UTF-8',
    importance: 'high',
    doc: 'The name of the Java character set to use for encoding strings as byte arrays.',
    group: 'Encoding',
    displayName: 'Encoding',
  },
});

const encodings: Readonly<Record<string, BufferEncoding>> = {
  'utf-8': 'utf8',
  utf8: 'utf8',
  'us-ascii': 'latin1',
  ascii: 'latin1',
  'iso-8859-1': 'latin1',
  latin1: 'latin1',
  'utf-16le': 'utf16le',
};

/** org.apache.kafka.connect.storage.StringConverter: anything is written as String.valueOf prints it. */
export default converterPlugin(config, (values) => {
  const name = String(values['converter.encoding'] ?? 'UTF-8');
  const encoding = encodings[name.toLowerCase()];
  if (encoding === undefined) throw new ConfigError(`converter.encoding: "${name}" is not among ${Object.keys(encodings).join(', ')}`);
  return {
    missing: { schema: schemas.optionalString, value: null },
    encode: (schema, value) => (value === null || value === undefined ? null : Buffer.from(javaText(schema, value), encoding)),
    decode: (bytes) => ({
      schema: schemas.optionalString,
      value: (Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)).toString(encoding),
    }),
  };
});
