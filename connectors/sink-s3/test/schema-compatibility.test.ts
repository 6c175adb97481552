import { deepEqual, equal, throws } from 'node:assert/strict';
import { describe, it } from 'node:test';
import { isStruct, schemaOf, schemas, structOf, structSchema } from '@millrace/runtime/api';
import type { Schema, Struct } from '@millrace/runtime/api';
import { schemaRules } from '../schema-compatibility.ts';

const version = (number: number, fields: readonly (readonly [string, Schema])[]) => structSchema(fields, { name: 'row', version: number });
const first = version(1, [['id', schemas.int32]]);
const second = version(2, [
  ['id', schemas.int64],
  ['note', schemaOf('string', { defaultValue: 'none' })],
]);

describe('schema.compatibility', () => {
  it('NONE closes files at every change', () => {
    const rules = schemaRules('NONE');
    deepEqual([rules.changes(first, second), rules.changes(first, version(1, [['id', schemas.int32]]))], [true, false]);
    deepEqual([rules.changes(null, null), rules.changes(first, null), rules.changes(null, first)], [false, true, true]);
  });

  it('BACKWARD and FULL close them for a newer schema, and project older records', () => {
    for (const mode of ['BACKWARD', 'FULL'] as const) {
      const rules = schemaRules(mode);
      deepEqual([rules.changes(second, first), rules.changes(first, second)], [true, false]);
      const projected = rules.project(first, structOf(first, { id: 7 }), second) as Struct;
      deepEqual([isStruct(projected), projected.get('id'), projected.get('note')], [true, 7n, 'none']);
    }
  });

  it('FORWARD closes them for an older one', () => {
    const rules = schemaRules('FORWARD');
    const wider = version(3, [['id', schemas.int32]]);
    deepEqual([rules.changes(first, wider), rules.changes(wider, first)], [true, false]);
    equal(rules.changes(second, first), true, 'an int64 has no place in an int32');
  });

  it('closes them where projection would lose or lack something', () => {
    const rules = schemaRules('BACKWARD');
    const lacking = version(2, [['other', schemas.string]]);
    const optional = version(1, [['id', schemas.optionalInt32]]);
    deepEqual([rules.changes(first, lacking), rules.changes(optional, version(2, [['id', schemas.int32]]))], [true, true]);
    throws(() => rules.changes(structSchema([]), structSchema([['a', schemas.int32]])), /schema\.compatibility=BACKWARD needs versions/);
  });
});
