/** The stream with what costs more for each row: schemas in each record, transforms. */
import { measureRuns, measurementTable, whatWasRead } from './bench-site.ts';
import type { Run } from './bench-site.ts';
import { mean, times } from './part.ts';
import type { PartOptions, PartResult } from './part.ts';

const schemas = { 'key.converter.schemas.enable': 'true', 'value.converter.schemas.enable': 'true' };
const transforms = {
  transforms: 'unwrap,where',
  'transforms.unwrap.type': 'io.debezium.transforms.ExtractNewRecordState',
  'transforms.where.type': 'org.apache.kafka.connect.transforms.InsertField$Value',
  'transforms.where.static.field': 'region',
  'transforms.where.static.value': 'eu-west',
};

export async function benchConversions({ rows: all, say }: PartOptions): Promise<PartResult> {
  const rows = Math.round(all / 2);
  const run = (who: Run['who'], what: string, config: Readonly<Record<string, string>> = {}): Run => ({
    who,
    reads: 'stream',
    label: `${who}, ${what}`,
    config,
  });
  const results = await measureRuns(
    [
      run('Millrace', 'plain'),
      run('Millrace', 'schemas', schemas),
      run('Debezium tuned', 'schemas', schemas),
      run('Millrace', 'two SMTs', transforms),
      run('Debezium tuned', 'two SMTs', transforms),
      run('Millrace', 'plain, again'),
    ],
    rows,
    say,
  );
  const [plainFirst, withSchemas, , withTransforms, , plainAgain] = results.map((it) => it.rowsPerSecond) as number[];
  const plain = mean([plainFirst!, plainAgain!]);
  const half = (figure: string, rate: number) => ({
    figure,
    target: '≥ half of plain',
    measured: `${times(rate / plain)} of plain`,
    met: rate / plain >= 0.5,
  });
  return {
    lines: [
      '## Schemas in each record, and transforms',
      '',
      `The stream as above, with \`schemas.enable=true\` for key and value, and with the transforms ExtractNewRecordState and InsertField$Value. ` +
        `${whatWasRead(rows)} There is no Avro converter yet.`,
      '',
      ...measurementTable(results, results[0]!, 'plain'),
    ],
    targets: [half('rows/s with schemas.enable=true', withSchemas!), half('rows/s with two SMTs', withTransforms!)],
  };
}
