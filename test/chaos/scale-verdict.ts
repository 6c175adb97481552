/**
 * What arrived in the topics of `scale-tables.ts`, put into a table of the same database, and compared there: tens of
 * millions of rows are nothing to keep in JavaScript. Each topic has one partition, so that its offsets are its order.
 */
import type { Client } from 'pg';

import { connect, scaleTables } from './scale-tables.ts';
import type { ScaleTable } from './scale-tables.ts';
import type { LongTopicReader, TopicRecord } from './topic-reader.ts';

/** Not published, and not logged: the connector sees nothing of it. */
const made = `create schema verdict;
create unlogged table verdict.arrived (
  source text not null, seq bigint not null, op text not null, id bigint not null, version int, note text, lsn bigint not null);`;

interface Row {
  readonly id: number;
  readonly version?: number;
  readonly note?: string;
}

interface Envelope {
  readonly op: 'r' | 'c' | 'u' | 'd';
  readonly before: Row | null;
  readonly after: Row | null;
  readonly source: { readonly lsn: number };
}

export interface Verdict {
  readonly arrived: number;
  readonly read: number;
  /** Rows of which the first that came was a change: they changed before a snapshot that was broken off came to them. */
  readonly byStreamAlone: number;
  /** Moments of the snapshot: one, where it was gone on with each time. */
  readonly moments: number;
  /** What must not be, each with how often and one example; nothing when all is well. */
  readonly problems: readonly string[];
}

/** `topicOf` names each table's topic. */
export async function judge(url: string, reader: LongTopicReader, topicOf: (table: ScaleTable) => string): Promise<Verdict> {
  await using client = await connect(url);
  await client.query(made);
  for (const table of scaleTables) await reader.each(topicOf(table), (records) => insert(client, table, records));
  await client.query(`set work_mem = '256MB'; analyze verdict.arrived`);
  await client.query(`create unlogged table verdict.applied as
    select distinct on (source, id) source, id, op, version, note from verdict.arrived order by source, id, seq desc`);

  const problems: string[] = [];
  const look = async (what: string, query: string): Promise<void> => {
    const { rows } = await client.query<{ count: string; example: string }>(
      `select count(*), min(found::text) as example from (${query}) found`,
    );
    const { count = '0', example = '' } = rows[0] ?? {};
    if (count !== '0') problems.push(`${what}: ${count}, such as ${example}`);
  };
  for (const table of scaleTables) {
    const applied = `select id, version, note from verdict.applied where source = '${table}' and op <> 'd'`;
    const held = `select id, version, note from public.${table}`;
    await look(`rows of ${table} that the topic does not have so`, `${held} except all ${applied}`);
    await look(`rows that ${table} does not have so`, `${applied} except all ${held}`);
  }
  for (const [what, condition] of orderLaws) await look(what, `select * from (${inOrder}) o where ${condition}`);

  const { rows } = await client.query<Record<'arrived' | 'read' | 'moments' | 'alone', string>>(`
    select count(*) as arrived, count(*) filter (where op = 'r') as read, count(distinct lsn) filter (where op = 'r') as moments,
      (select count(*) from (select distinct on (source, id) op from verdict.arrived order by source, id, seq) f where op in ('u', 'd')) as alone
    from verdict.arrived`);
  const { arrived, read, moments, alone } = rows[0] as (typeof rows)[0];
  return { arrived: Number(arrived), read: Number(read), moments: Number(moments), byStreamAlone: Number(alone), problems };
}

/** Rows that came more than once, each beside what came of it before. */
const inOrder = `
  select a.source, a.seq, a.id, a.op, a.version, lag(a.op) over w as earlier, lag(a.version) over w as earlier_version
  from verdict.arrived a
  join (select source, id from verdict.arrived group by source, id having count(*) > 1) several using (source, id)
  window w as (partition by a.source, a.id order by a.seq)`;

const orderLaws: readonly (readonly [string, string])[] = [
  ['rows that came as r a second time', `op = 'r' and earlier = 'r'`],
  ['rows that came as r after a change of theirs', `op = 'r' and earlier <> 'r'`],
  ['rows that were created though they were there', `op = 'c' and earlier is not null`],
  ['changes that are lost, came twice or too late', `op = 'u' and version <> earlier_version + 1`],
  ['rows that were deleted at another version', `op = 'd' and version <> earlier_version`],
  ['changes of rows that were deleted', `earlier = 'd'`],
];

async function insert(client: Client, table: ScaleTable, records: readonly TopicRecord[]): Promise<void> {
  const columns: [string[], string[], number[], (number | null)[], (string | null)[], number[]] = [[], [], [], [], [], []];
  for (const { offset, value } of records) {
    if (value === null) continue;
    const { op, before, after, source } = JSON.parse(value) as Envelope;
    const row = after ?? before;
    if (row === null) throw new Error(`a change without its row: ${value}`);
    const [seqs, ops, ids, versions, notes, lsns] = columns;
    seqs.push(String(offset));
    ops.push(op);
    ids.push(row.id);
    // Of a row that was deleted, a key tells itself alone: Debezium's envelope has zeros for the rest.
    versions.push(op === 'd' && table !== 'keyless' ? null : (row.version ?? null));
    notes.push(row.note ?? null);
    lsns.push(source.lsn);
  }
  await client.query(
    `insert into verdict.arrived select '${table}', *
     from unnest($1::bigint[], $2::text[], $3::bigint[], $4::int[], $5::text[], $6::bigint[])`,
    columns,
  );
}
