/**
 * The Java classes that Debezium's keys are made of, as object streams describe them: serial version, flags, fields
 * (type code, name, and the signature of an object), superclass. Source: Java Object Serialization Specification,
 * chapter 6; the versions are those of OpenJDK, pgjdbc 42.7 and Debezium 3.3.
 */
export interface JavaClass {
  readonly version: string;
  /** 2: default fields; 3: and data of its own behind them. */
  readonly flags: number;
  readonly fields: readonly (readonly [code: string, name: string, signature?: string])[];
  readonly parent?: string;
}

const number = (version: string, code: string): JavaClass => ({
  version,
  flags: 2,
  fields: [[code, 'value']],
  parent: 'java.lang.Number',
});

export const javaClasses: Readonly<Record<string, JavaClass>> = {
  '[Ljava.lang.Object;': { version: '90ce589f1073296c', flags: 2, fields: [] },
  '[B': { version: 'acf317f8060854e0', flags: 2, fields: [] },
  'java.lang.Number': { version: '86ac951d0b94e08b', flags: 2, fields: [] },
  'java.lang.Integer': number('12e2a0a4f7818738', 'I'),
  'java.lang.Long': number('3b8be490cc8f23df', 'J'),
  'java.lang.Float': number('daedc9a2db3cf0ec', 'F'),
  'java.lang.Double': number('80b3c24a296bfb04', 'D'),
  'java.lang.Boolean': { version: 'cd207280d59cfaee', flags: 2, fields: [['Z', 'value']] },
  'java.util.UUID': {
    version: 'bc9903f7986d852f',
    flags: 2,
    fields: [
      ['J', 'leastSigBits'],
      ['J', 'mostSigBits'],
    ],
  },
  'java.math.BigDecimal': {
    version: '54c71557f981284f',
    flags: 3,
    fields: [
      ['I', 'scale'],
      ['L', 'intVal', 'Ljava/math/BigInteger;'],
    ],
    parent: 'java.lang.Number',
  },
  'java.math.BigInteger': {
    version: '8cfc9f1fa93bfb1d',
    flags: 3,
    fields: [
      ['I', 'bitCount'],
      ['I', 'bitLength'],
      ['I', 'firstNonzeroByteNum'],
      ['I', 'lowestSetBit'],
      ['I', 'signum'],
      ['[', 'magnitude', '[B'],
    ],
    parent: 'java.lang.Number',
  },
  'io.debezium.data.SpecialValueDecimal': {
    version: '0000000000000001',
    flags: 2,
    fields: [
      ['L', 'decimalValue', 'Ljava/math/BigDecimal;'],
      ['L', 'specialValue', 'Lio/debezium/data/SpecialValueDecimal$SpecialValue;'],
    ],
  },
  'java.util.Date': { version: '686a81014b597419', flags: 3, fields: [] },
  'java.sql.Date': { version: '14fa46683f356697', flags: 2, fields: [], parent: 'java.util.Date' },
  'java.sql.Timestamp': { version: '2618d5c80153bf65', flags: 2, fields: [['I', 'nanos']], parent: 'java.util.Date' },
  'org.postgresql.util.PGobject': {
    version: '4bf895caac6f6444',
    flags: 2,
    fields: [
      ['L', 'type', 'Ljava/lang/String;'],
      ['L', 'value', 'Ljava/lang/String;'],
    ],
  },
};
