import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { DataError } from '@millrace/runtime/api';

import { itemsAt, parseItems } from '../values/array-text.ts';
import { bitType, byteaType, unknownType } from '../values/binary.ts';
import { hstoreType, parseHstore, pointType } from '../values/composite.ts';
import { integerTypes } from '../values/integers.ts';
import { floatTypes, moneyType, numericType } from '../values/numbers.ts';
import { dateType, intervalType, timeType, timestampType, timestamptzType, timetzType } from '../values/temporal.ts';
import { textType } from '../values/text.ts';
import type { ValueType } from '../values/value-type.ts';
import { decode, numeric, standard } from './value-cases.ts';

const table: readonly [name: string, type: ValueType, cases: readonly (readonly [string, unknown])[]][] = [
  ['unknown', unknownType(standard), [['16/B3', '31362f4233']]],
  ['unknown, hex', unknownType({ binary: 'hex' }), [['16/B3', '31362f4233']]],
  ['unknown, base64-url-safe', unknownType({ binary: 'base64-url-safe' }), [['~?~?', 'fj9-Pw==']]],
  [
    'int8',
    integerTypes.int8,
    [
      ['0', 0],
      ['-1', -1],
      ['9007199254740991', 9007199254740991],
      ['9007199254740993', 9007199254740993n],
      ['-9223372036854775808', -9223372036854775808n],
    ],
  ],
  [
    'bool',
    integerTypes.bool,
    [
      ['t', true],
      ['f', false],
    ],
  ],
  [
    'float8',
    floatTypes.float8,
    [
      ['1.5', 1.5],
      ['-0', -0],
      ['1e+21', 1e21],
      ['NaN', NaN],
      ['-Infinity', -Infinity],
    ],
  ],
  [
    'numeric(10,2)',
    numericType(numeric(10, 2), standard),
    [
      ['1.10', '1.10'],
      ['-99999999.99', '-99999999.99'],
      ['0.00', '0.00'],
      ['NaN', null],
    ],
  ],
  ['numeric(5,-2)', numericType(numeric(5, -2), standard), [['12300', '12300']]],
  [
    'numeric',
    numericType(-1, standard),
    [
      ['123.4500', [2, '3039']],
      ['100', [0, '64']],
      ['0.000', [0, '00']],
      ['-1.5', [1, 'f1']],
      ['Infinity', null],
    ],
  ],
  [
    'numeric as string',
    numericType(-1, { ...standard, decimals: 'string' }),
    [
      ['123.4500', '123.4500'],
      ['NaN', 'NAN'],
      ['-Infinity', 'NEGATIVE_INFINITY'],
    ],
  ],
  [
    'numeric as double',
    numericType(-1, { ...standard, decimals: 'double' }),
    [
      ['123.4500', 123.45],
      ['NaN', NaN],
    ],
  ],
  [
    'money',
    moneyType(standard),
    [
      ['$1,234.56', '1234.56'],
      ['-$0.01', '-0.01'],
      ['$0.00', '0.00'],
    ],
  ],
  [
    'date',
    dateType(standard),
    [
      ['1970-01-01', 0],
      ['2024-02-29', 19782],
      ['0044-03-15 BC', -735160],
      ['1500-01-01', -171664],
      ['20000-01-01', 6585322],
      ['infinity', -2147472692],
      ['-infinity', -2147472691],
    ],
  ],
  ['date, connect', dateType({ ...standard, times: 'connect' }), [['2024-02-29', '2024-02-29T00:00:00.000Z']]],
  ['date, isostring', dateType({ ...standard, times: 'isostring' }), [['2024-02-29', '2024-02-29Z']]],
  [
    'time',
    timeType(-1, standard),
    [
      ['13:14:15.123456', 47655123456],
      ['24:00:00', 86400000000],
      ['12:00:00.1', 43200100000],
    ],
  ],
  ['time(3)', timeType(3, standard), [['13:14:15.123', 47655123]]],
  [
    'time(3), adaptive_time_microseconds',
    timeType(3, { ...standard, times: 'adaptive_time_microseconds' }),
    [['13:14:15.123', 47655123000]],
  ],
  [
    'timestamp',
    timestampType(-1, standard),
    [
      ['2024-02-29 13:14:15.123456', 1709212455123456],
      ['1969-12-31 23:59:59.999999', -1],
      ['9999-12-31 23:59:59.999999', 253402300799999999n],
      ['infinity', 9223372036825200000n],
    ],
  ],
  [
    'timestamp(3)',
    timestampType(3, standard),
    [
      ['2024-02-29 13:14:15.123', 1709212455123],
      ['1969-12-31 23:59:59.999', -1],
      ['-infinity', -9223372036832400n],
    ],
  ],
  [
    'timestamp, nanoseconds',
    timestampType(-1, { ...standard, times: 'nanoseconds' }),
    [['2024-02-29 13:14:15.123456', 1709212455123456000n]],
  ],
  [
    'timestamp, connect',
    timestampType(-1, { ...standard, times: 'connect' }),
    [['1969-12-31 23:59:59.999999', '1969-12-31T23:59:59.999Z']],
  ],
  ['timestamp, isostring', timestampType(-1, { ...standard, times: 'isostring' }), [['2024-02-29 13:14:15.12', '2024-02-29T13:14:15.12Z']]],
  [
    'timestamptz',
    timestamptzType(-1),
    [
      ['2024-02-29 11:14:15.1+00', '2024-02-29T11:14:15.100000Z'],
      ['2024-02-29 00:14:15+02:30', '2024-02-28T21:44:15.000000Z'],
      ['0044-03-15 10:00:00+00 BC', '-0043-03-15T10:00:00.000000Z'],
      ['20000-01-01 00:00:00+00', '+20000-01-01T00:00:00.000000Z'],
      ['infinity', 'infinity'],
    ],
  ],
  ['timestamptz(0)', timestamptzType(0), [['2024-02-29 11:14:15+00', '2024-02-29T11:14:15Z']]],
  [
    'timetz',
    timetzType,
    [
      ['13:14:15.123456+02', '11:14:15.123456Z'],
      ['13:14:15.123-05:30', '18:44:15.123Z'],
      ['24:00:00+00', '00:00:00Z'],
      ['00:30:00+01', '23:30:00Z'],
    ],
  ],
  [
    'interval',
    intervalType(standard),
    [
      ['1 year 2 mons 3 days 04:05:06.789', 37091106789000],
      ['-1 years -2 mons +3 days -04:05:06.789', -36572706789000],
      ['00:00:00', 0],
      ['-00:00:01', -1000000],
    ],
  ],
  [
    'interval as string',
    intervalType({ ...standard, intervals: 'string' }),
    [
      ['1 year 2 mons 3 days 04:05:06.789', 'P1Y2M3DT4H5M6.789S'],
      ['00:00:00', 'P0Y0M0DT0H0M0S'],
      ['-1 mons -00:00:01.5', 'P0Y-1M0DT0H0M-1.5S'],
    ],
  ],
  [
    'bytea',
    byteaType(standard),
    [
      ['\\x00ff', '00ff'],
      ['\\x', ''],
    ],
  ],
  ['bytea as base64-url-safe', byteaType({ ...standard, binary: 'base64-url-safe' }), [['\\xfbff', '-_8=']]],
  [
    'bit(12)',
    bitType(12, false),
    [
      ['101100111000', '380b'],
      ['000000000000', ''],
    ],
  ],
  [
    'bit',
    bitType(1, false),
    [
      ['1', true],
      ['0', false],
    ],
  ],
  ['uuid', textType('uuid', standard) as ValueType, [['2c0e1bb2-0d0a-4e0e-8e86-54f83f5a94a1', '2c0e1bb2-0d0a-4e0e-8e86-54f83f5a94a1']]],
  ['point', pointType, [['(1.5,-2)', [1.5, -2, '0101000000000000000000f83f00000000000000c0', null]]]],
  [
    'hstore',
    hstoreType(standard),
    [
      ['"a"=>"1", "b"=>NULL, "c d"=>"q\\"uote"', '{"a":"1","b":null,"c d":"q\\"uote"}'],
      ['', '{}'],
      ['"2"=>"x", "1"=>"y"', '{"2":"x","1":"y"}'],
    ],
  ],
];

describe('values', () => {
  for (const [name, type, cases] of table) {
    for (const [text, expected] of cases) test(`${name}: ${text}`, () => assert.deepEqual(decode(type, text), expected));
  }

  test('what is no value is a DataError', () => {
    for (const [type, text] of [
      [integerTypes.int4, 'x'],
      [integerTypes.int4, ''],
      [floatTypes.float8, 'x'],
      [dateType(standard), 'soon'],
      [timeType(-1, standard), '1'],
      [pointType, '1,2'],
      [hstoreType(standard), 'a'],
      [byteaType(standard), 'abc'],
    ] as const) {
      assert.throws(() => decode(type, text), DataError, text);
    }
  });

  test('arrays', () => {
    assert.deepEqual(parseItems('{a,"b c",NULL,"NULL","q\\"x\\\\","","é,{}"}'), ['a', 'b c', null, 'NULL', 'q"x\\', '', 'é,{}']);
    assert.deepEqual(parseItems('{}'), []);
    assert.deepEqual(parseItems('{{1,2},{3,4}}'), [
      ['1', '2'],
      ['3', '4'],
    ]);
    assert.deepEqual(parseItems('[0:1]={7,8}'), ['7', '8']);
    for (const wrong of ['', 'x', '{1', '{{1}', '[1:2]']) assert.throws(() => parseItems(wrong), DataError, wrong);
  });

  test('arrays have the dimensions that their column was declared with', () => {
    const cases: readonly [text: string, dims: number, expected: unknown][] = [
      ['{{1,2},{3,4}}', 1, ['1', '2', '3', '4']],
      [
        '{{{1},{2}},{{3},{4}}}',
        2,
        [
          ['1', '2'],
          ['3', '4'],
        ],
      ],
      ['{1,NULL}', 2, [['1', null]]],
      ['{}', 3, []],
    ];
    for (const [text, dims, expected] of cases) assert.deepEqual(itemsAt(parseItems(text), dims), expected, text);
  });

  test('hstores', () => {
    assert.deepEqual([...parseHstore('"a\\\\b"=>"NULL"')], [['a\\b', 'NULL']]);
  });
});
