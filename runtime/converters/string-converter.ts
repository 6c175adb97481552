import { isUtf8 } from 'node:buffer';
import { ConfigError, SerializedValue, defineConfig, javaText, schemas } from '../api/index.ts';
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
  const schema = schemas.optionalString;
  const decode = (bytes: Uint8Array): string =>
    (Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)).toString(encoding);
  return {
    missing: { schema, value: null },
    encode: (of, value) => (value === null || value === undefined ? null : Buffer.from(javaText(of, value), encoding)),
    decode: (bytes) => ({ schema, value: decode(bytes) }),
    decodeSerialized: (bytes, form) => {
      const same = form === 'text' && encoding === 'utf8' && isUtf8(bytes);
      return { schema, value: same ? new SerializedValue(bytes, decode) : decode(bytes) };
    },
  };
});
