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
  // A copy: the batch that the bytes stand in is reused.
  decode: (bytes) => ({ schema: schemas.optionalBytes, value: new Uint8Array(bytes) }),
}));
