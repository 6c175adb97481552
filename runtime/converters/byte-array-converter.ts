import { DataError, schemas } from '../api/index.ts';
import { converterPlugin } from './converter-plugin.ts';

/** org.apache.kafka.connect.converters.ByteArrayConverter: bytes go through as they are. */
export default converterPlugin({}, () => ({
  missing: { schema: schemas.optionalBytes, value: null },
  encode(schema, value) {
    if (schema !== null && schema.type !== 'bytes')
      throw new DataError(`Invalid schema type for ByteArrayConverter: ${schema.type.toUpperCase()}`);
    if (value === null || value === undefined) return null;
    if (!(value instanceof Uint8Array)) throw new DataError(`ByteArrayConverter is not compatible with objects of type ${typeof value}`);
    return value;
  },
  // A copy: a sink that keeps one value would keep the whole batch that its bytes stand in.
  decode: (bytes) => ({ schema: schemas.optionalBytes, value: new Uint8Array(bytes) }),
  decodeSerialized: (bytes, form) => ({ schema: schemas.optionalBytes, value: form === 'bytes' ? bytes : new Uint8Array(bytes) }),
}));
