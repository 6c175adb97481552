/** Points and hstores. */
import { DataError, ValueStruct, mapSchema, schemaOf, schemas, structSchema } from '@millrace/runtime/api';
import type { StructSchema } from '@millrace/runtime/api';

import { asciiText, structType, utf8Text, valueType } from './value-type.ts';
import type { ValueSettings, ValueType } from './value-type.ts';

const pointSchema = structSchema(
  [
    ['x', schemas.float64],
    ['y', schemas.float64],
    ['wkb', schemas.optionalBytes],
    ['srid', schemas.optionalInt32],
  ],
  { name: 'io.debezium.data.geometry.Point', version: 1, doc: 'Geometry (POINT)' },
);

function point(schema: StructSchema, x: number, y: number): ValueStruct {
  const wkb = Buffer.alloc(21);
  wkb[0] = 1; // little-endian
  wkb.writeUInt32LE(1, 1); // a point
  wkb.writeDoubleLE(x, 5);
  wkb.writeDoubleLE(y, 13);
  return new ValueStruct(schema, [x, y, wkb, null]);
}

export const pointType: ValueType = structType(pointSchema, (schema) => ({
  zero: point(schema, 0, 0),
  decode(bytes, start, end) {
    const text = asciiText(bytes, start, end);
    const match = /^\((.+),(.+)\)$/.exec(text);
    if (match === null) throw new DataError(`"${text}" is not a point`);
    return point(schema, Number(match[1]), Number(match[2]));
  },
}));

export function hstoreType({ hstore, placeholder }: ValueSettings): ValueType {
  if (hstore === 'map') {
    const schema = mapSchema(schemas.string, schemas.optionalString);
    return valueType(schema, 'other', (b, s, e) => parseHstore(utf8Text(b, s, e)), new Map(), {
      unavailable: new Map([[placeholder, placeholder]]),
      generated: undefined,
    });
  }
  const schema = schemaOf('string', { name: 'io.debezium.data.Json', version: 1 });
  return valueType(schema, 'other', (b, s, e) => json(parseHstore(utf8Text(b, s, e))), '{}', {
    unavailable: json(new Map([[placeholder, placeholder]])),
    generated: undefined,
  });
}

// Not through an object, which would reorder keys that look like numbers.
const json = (map: Map<string, string | null>): string =>
  `{${[...map].map(([key, value]) => `${JSON.stringify(key)}:${JSON.stringify(value)}`).join(',')}}`;

/** `"a"=>"1", "b"=>NULL`, as hstore_out writes it: always quoted. */
export function parseHstore(text: string): Map<string, string | null> {
  const map = new Map<string, string | null>();
  const pair = /"((?:[^"\\]|\\.)*)"=>(?:"((?:[^"\\]|\\.)*)"|NULL)(?:, )?/gsy;
  while (pair.lastIndex < text.length) {
    const at = pair.lastIndex;
    const match = pair.exec(text);
    if (match === null) throw new DataError(`not an hstore value, at character ${at} of ${text.length}`);
    map.set(unescaped(match[1] ?? ''), match[2] === undefined ? null : unescaped(match[2]));
  }
  return map;
}

const unescaped = (text: string): string => text.replace(/\\(.)/gs, '$1');
