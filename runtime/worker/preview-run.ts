/** A preview, in the thread that is kept for it alone. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger, RawConfig } from '../api/index.ts';
import { previewPipeline } from '../pipeline/preview.ts';
import { composeChain } from '../pipeline/transform-chain.ts';
import { configWarnings } from '../plugins/config-warnings.ts';
import { buildPipelineParts } from '../plugins/pipeline-parts.ts';
import type { PluginIndex } from '../plugins/plugin-index.ts';
import type { Preview, PreviewFailure, PreviewOptions, PreviewRecord, ShownBytes } from '../ports/preview.ts';
import type { PluginThreadData } from './plugin-threads.ts';

const json = 'org.apache.kafka.connect.json.JsonConverter';
/** Where transforms drop nearly everything, somebody has to stop. */
const mostLookedAt = (records: number): number => Math.max(1_000, 20 * records);
/** Of one answer. */
const mostBytes = 16 * 1024 * 1024;
/** For the connector to close what it opened. */
const closeMs = 3_000;

/** Undefined where the connector has no preview. Rejects with what the connector rejects with. */
export async function runPreview(
  config: RawConfig,
  { records, timeoutMs }: PreviewOptions,
  index: PluginIndex,
  { converters, delivery, maxRequestSize, topicCreation = true }: PluginThreadData,
  signal: AbortSignal,
): Promise<Preview | undefined> {
  const notes = new Set<string>();
  const note = (text: string): void => void notes.add(text);
  const log: Logger = { debug() {}, info() {}, warn: note, error: note };
  const defaults = { 'key.converter': json, 'value.converter': json, ...converters };
  const parts = await buildPipelineParts(config, defaults, index, log, delivery);
  if (parts.kind !== 'source' || parts.plugin.preview === undefined) return undefined;
  for (const warning of await configWarnings(config, index, { topicCreation, ...(delivery && { delivery }) })) note(warning);
  const maxRecordBytes = Number(config['producer.override.max.request.size'] ?? maxRequestSize ?? 1_048_576) - requestOverheadBytes;
  const pipeline = previewPipeline(composeChain(parts.transforms), { ...parts, maxRecordBytes }, config);

  // The time is the connector's: what it takes to load it, it cannot help.
  const over = AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]);
  const shown: (PreviewRecord | PreviewFailure)[] = [];
  let dropped = 0;
  let bytes = 0;
  const context = { connector: config['name'] ?? '', rawConfig: config, records, timeoutMs, signal: over, log, note };
  const iterator = parts.plugin.preview(parts.values, context)[Symbol.asyncIterator]();
  const late = aborted(over);
  try {
    while (shown.length < records) {
      const next = await Promise.race([iterator.next(), late]);
      if (next === undefined || next.done === true) break;
      const found = pipeline.show(next.value);
      if (found === undefined) dropped++;
      else {
        shown.push(found);
        bytes += sizeOf(found);
      }
      if (bytes >= mostBytes && shown.length < records) {
        note(`no more than ${shown.length} records are shown, since they are large: ask for fewer at once.`);
        break;
      }
      if (dropped + shown.length >= mostLookedAt(records)) {
        note(`no more than ${dropped + shown.length} records were looked at: the transforms drop most of them.`);
        break;
      }
    }
  } catch (error) {
    // What it was doing was cut off.
    if (!over.aborted) throw error;
  } finally {
    const closed = Promise.resolve(iterator.return?.()).catch(() => undefined);
    await Promise.race([closed, sleep(closeMs)]);
  }
  const timedOut = over.aborted && shown.length < records;
  if (timedOut) note(`the time limit of ${timeoutMs} ms was over: these are the records that were found by then.`);
  if (dropped > 0) note(`${dropped} more ${dropped === 1 ? 'record was' : 'records were'} looked at, which the transforms drop.`);
  noteFailures(shown, pipeline.outcome, note);
  return { records: shown, dropped, timedOut, notes: [...notes] };
}

/** What a request holds beside its one batch. */
const requestOverheadBytes = 512;

function noteFailures(shown: Preview['records'], outcome: PreviewFailure['error']['outcome'], note: (text: string) => void): void {
  const failed = shown.filter((each) => 'error' in each).length;
  if (failed === 0) return;
  const what = failed === 1 ? 'one of these records fails' : `${failed} of these records fail`;
  if (outcome === 'task fails') note(`${what}: without errors.tolerance=all the task stops at the first that does.`);
  else note(`${what}: ${outcome === 'dead letter' ? 'it becomes a dead letter' : 'it is left out'}, as errors.tolerance=all says.`);
}

function aborted(signal: AbortSignal): Promise<undefined> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve(undefined);
    signal.addEventListener('abort', () => resolve(undefined), { once: true });
  });
}

function sizeOf(found: PreviewRecord | PreviewFailure): number {
  if ('error' in found) return found.error.message.length;
  const parts: (ShownBytes | null)[] = [found.key, found.value, ...found.headers.map(({ value }) => value)];
  return parts.reduce((sum, part) => sum + (part?.bytes.length ?? 0), 0);
}
