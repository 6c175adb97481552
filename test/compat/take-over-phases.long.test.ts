/** Debezium → ours → Debezium in the midst of reading tables: a snapshot, an incremental one, and just after one. */
import { equal } from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';

import { kafkaTopicReader } from '../chaos/topic-reader.ts';
import { until } from '../chaos/until.ts';
import { startConnect } from '../services/connect.ts';
import { startMillrace } from '../services/millrace.ts';
import { createDatabase } from '../services/postgres.ts';
import { useKafka, usePostgres } from '../services/share.ts';
import { check, inPhase, openPhaseSite, phaseConfig, phases, told } from './take-over-phase.ts';
import type { PhaseName } from './take-over-phase.ts';

test(
  'a snapshot, an incremental one, and what comes after: Debezium begins, Millrace goes on, and back',
  { timeout: 10 * 60_000 },
  async () => {
    const { brokers } = await useKafka();
    const prefix = `phases_${randomBytes(4).toString('hex')}`;
    await using database = await createDatabase(await usePostgres(), 'phases');
    await using site = await openPhaseSite(database);
    const reader = kafkaTopicReader(brokers);
    const topic = (name: string): string => `${prefix}_${name}.public.${name}`;

    /** New tables in the hands of whoever runs, in their phases, and the rows of one that is read again: from which record on. */
    const begin = async (url: string, suffix: string): Promise<void> => {
      await site.close();
      for (const phase of phases) {
        const name = `${phase}_${suffix}`;
        await site.table(name);
        const config = phaseConfig(phase, prefix, name, database);
        const answer = await fetch(`${url}/connectors/${prefix}_${name}/config`, {
          method: 'PUT',
          headers: { 'content-type': 'application/json' },
          body: JSON.stringify(config),
        });
        equal(answer.status, 201, await answer.text());
      }
      await until('it streams', () => site.streams(`${prefix}_inc_${suffix}`));
      await site.signal(`inc_${suffix}`);
      for (const phase of phases) await inPhase(phase, reader, prefix, `${phase}_${suffix}`);
    };
    const changeAll = async (suffix: string): Promise<void> => {
      await site.dismiss();
      for (const phase of phases) await site.change(`${phase}_${suffix}`);
      await site.open();
    };
    const ended = async (suffix: string): Promise<void> => {
      for (const phase of phases) await complete(phase, `${phase}_${suffix}`);
    };
    const complete = async (phase: PhaseName, name: string): Promise<void> => {
      const contents = await site.contents(name);
      let last: Error | undefined;
      await until(`${name} is complete`, async () => {
        try {
          check(phase, name, await told(reader, topic(name)), contents);
          return true;
        } catch (error) {
          last = error as Error;
          return false;
        }
      }).catch((error: Error) => {
        throw last ?? error;
      });
    };

    const properties = { 'offset.flush.interval.ms': '500', 'plugin.discovery': 'service_load' };
    await using jvm = await startConnect({ brokers, group: prefix, logLevel: 'WARN', heap: ['-Xms128M', '-Xmx512M'], properties });
    await begin(jvm.url, 'one');
    await jvm.stop();
    await changeAll('one');
    await using millrace = await startMillrace({ brokers, group: prefix });
    await ended('one');
    await begin(millrace.url, 'two');
    await millrace.stop();
    await changeAll('two');
    await jvm.restart();
    await ended('two');
    await ended('one');
  },
);
