import { deepEqual, equal, throws } from 'node:assert/strict';
import { describe, it } from 'node:test';
import { SerializedValue, schemas, structOf, structSchema, timestampSchema } from '@millrace/runtime/api';
import { choosePartitioner } from '../partitioning/choose.ts';
import { fieldPartitioner } from '../partitioning/partitioner.ts';
import { pathFormat } from '../partitioning/path-format.ts';
import { nextScheduled, timeZone } from '../partitioning/time-zone.ts';
import { timestampExtractor } from '../partitioning/timestamps.ts';
import { bucketConfig, formatClass, parse, record } from './harness.ts';

const utc = timeZone('UTC');

describe('path formats', () => {
  const time = Date.UTC(2027, 0, 3, 15, 4, 5, 67);
  const cases: readonly (readonly [pattern: string, path: string])[] = [
    ["'year'=YYYY/'month'=MM/'day'=dd/'hour'=HH", 'year=2027/month=01/day=03/hour=15'],
    // The week of the year belongs to the year before, and YYYY is not its year but the era's.
    ["YYYY x xx 'w'ww e", '2027 2026 26 w53 7'],
    ['yy y yyyyy M d', '27 2027 02027 1 3'],
    ['MMM MMMM E EEEE', 'Jan January Sun Sunday'],
    ['D kk h K a mm:ss.SSS S SSSSS', '3 15 3 3 PM 04:05.067 0 06700'],
  ];
  for (const [pattern, path] of cases) {
    it(`${pattern} is ${path}`, () => equal(pathFormat(pattern, 'en-US', utc)(time, 0), path));
  }

  it('quote text, and tell the zone', () => {
    equal(pathFormat("'it''s' '' Z ZZ ZZZ", 'en_US', timeZone('Asia/Kolkata'))(time, 19_800_000), "it's ' +0530 +05:30 Asia/Kolkata");
    equal(pathFormat('MMMM', 'fr', utc)(time, 0), 'janvier');
    throws(() => pathFormat('YYYY/b', 'en', utc), /Illegal pattern component: b/);
  });
});

describe('time zones', () => {
  it('know offsets by name and by number', () => {
    const paris = timeZone('Europe/Paris');
    deepEqual([Date.UTC(2026, 0, 1), Date.UTC(2026, 6, 1)].map(paris.offsetAt), [3_600_000, 7_200_000]);
    // To the minute at which clocks change.
    const change = Date.UTC(2026, 2, 29, 1);
    deepEqual([change - 1, change].map(paris.offsetAt), [3_600_000, 7_200_000]);
    equal(timeZone('-05:30').offsetAt(0), -19_800_000);
    throws(() => timeZone('Mars/Olympus'), RangeError);
  });

  it('count schedules from midnight, whatever its day lasts', () => {
    const paris = timeZone('Europe/Paris');
    const hour = 3_600_000;
    equal(nextScheduled(Date.UTC(2026, 0, 1, 10, 20), hour, utc), Date.UTC(2026, 0, 1, 11));
    // 23 hours long: local midnight comes before ten hours have passed three times.
    equal(nextScheduled(Date.UTC(2026, 2, 29, 20), 10 * hour, paris), Date.UTC(2026, 2, 29, 22));
    equal(nextScheduled(Date.UTC(2026, 2, 28, 23), 10 * hour, paris), Date.UTC(2026, 2, 29, 9));
  });
});

describe('timestamps', () => {
  const at = timestampExtractor('RecordField', 'a.at');
  const nested = (value: unknown) => record(0, { a: { at: value } });
  const cases: readonly (readonly [value: unknown, time: number])[] = [
    [5, 5],
    [9n, 9],
    ['-17', -17],
    ['2026-01-02', Date.UTC(2026, 0, 2)],
    ['2026', 2026],
    ['2026-03', Date.UTC(2026, 2, 1)],
    ['2026-01-02T03:04:05.678Z', Date.UTC(2026, 0, 2, 3, 4, 5, 678)],
    ['2026-01-02T03:04:05,5+02:00', Date.UTC(2026, 0, 2, 1, 4, 5, 500)],
    ['2026-01-02T03', Date.UTC(2026, 0, 2, 3)],
  ];
  for (const [value, time] of cases) it(`${String(value)} is ${time}`, () => equal(at(nested(value), 0), time));

  it('come from values that were left in their bytes', () => {
    const value = new SerializedValue(Buffer.from('{"a":{"at":7}}'), (bytes) => JSON.parse(String(bytes)) as unknown);
    equal(at(record(0, value), 0), 7);
    equal(fieldPartitioner(['a.at'], '/').encode(record(0, value), null), 'a.at=7');
  });

  it('come from fields with a schema too', () => {
    const schema = structSchema([['a', structSchema([['at', timestampSchema()]])]]);
    const value = structOf(schema, { a: structOf(schema.fields[0]?.schema as never, { at: new Date(7) }) });
    equal(at(record(0, value, { schema }), 0), 7);
  });

  it('are missed', () => {
    throws(() => at(record(0, { b: 1 }), 0), /the value has no field "a"/);
    throws(() => at(record(0, 'text'), 0), /neither a struct nor a map/);
    throws(() => at(nested('yesterday'), 0), /timestamp\.field a\.at is "yesterday"/);
    throws(() => at(nested(true), 0), /timestamp\.field a\.at is a boolean/);
    throws(() => timestampExtractor('Record', '')({ ...record(0, 1), timestamp: null }, 0), /the record has no timestamp/);
    equal(timestampExtractor('Wallclock', '')(record(0, 1), 42), 42);
  });
});

describe('folders', () => {
  const folder = (keys: Record<string, string>, value: unknown, schema: Parameters<typeof record>[2] = {}): string => {
    const partitioner = choosePartitioner(
      parse({ ...bucketConfig('http://localhost', 'bucket'), 'format.class': formatClass('Json'), 'flush.size': '1', ...keys }),
    );
    const each = record(0, value, { partition: 4, timestamp: Date.UTC(2026, 4, 5, 6), ...schema });
    return partitioner.encode(each, partitioner.timestampMs(each, 0));
  };
  const time = { timezone: 'UTC', locale: 'en', 'timestamp.extractor': 'Record' };
  const names = structSchema([['f', schemas.optionalString]], { name: 'shop.Row' });

  it('are named by each partitioner', () => {
    equal(folder({}, 1), 'partition=4');
    equal(folder({ ...time, 'partitioner.class': 'DailyPartitioner' }, 1), 'year=2026/month=05/day=05');
    equal(folder({ ...time, 'partitioner.class': 'HourlyPartitioner', 'directory.delim': '-' }, 1), 'year=2026-month=05-day=05-hour=06');
    const weekly = {
      'partitioner.class': 'TimeBasedPartitioner',
      'partition.duration.ms': '604800000',
      'path.format': "'from'=YYYY-MM-dd/",
    };
    equal(folder({ ...time, ...weekly }, 1), 'from=2026-04-30');
    const fields = { 'partitioner.class': 'FieldPartitioner', 'partition.field.name': 'f' };
    equal(folder(fields, structOf(names, { f: 'x' }), { schema: names }), 'f=x');
    equal(folder(fields, structOf(names, {}), { schema: names }), 'f=null');
    throws(() => folder(fields, { f: 1.5 }), /partition\.field\.name f is number: folders are made of whole numbers, text and booleans/);
  });

  it('may bear the name of the schema', () => {
    const value = structOf(names, {});
    equal(folder({ 's3.schema.partition.affix.type': 'PREFIX' }, value, { schema: names }), 'schema_name=shop.Row/partition=4');
    equal(folder({ 's3.schema.partition.affix.type': 'SUFFIX' }, 1), 'partition=4/schema_name=null');
  });

  it('keep records without a value apart', () => {
    const tombstones = { 'behavior.on.null.values': 'write', 'store.kafka.keys': 'true', 'tombstone.encoded.partition': 'gone' };
    equal(folder(tombstones, null), 'gone');
    equal(folder({ ...tombstones, ...time, 'partitioner.class': 'DailyPartitioner' }, 1), 'year=2026/month=05/day=05');
  });
});
