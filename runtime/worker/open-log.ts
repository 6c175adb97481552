import type { Log } from '../ports/log.ts';

/** Which log a worker stands on. */
export type LogSettings =
  | { readonly kind: 'embedded'; readonly directory: string; readonly synchronous?: 'normal' | 'full'; readonly readOnly?: boolean }
  /** The worker's own client settings, `producer.`, `consumer.` and `admin.` prefixed ones included. */
  | { readonly kind: 'kafka'; readonly settings: Readonly<Record<string, string>> };

/** Opens the log in this thread; only the side that is needed is loaded. */
export async function openLog(settings: LogSettings, warn: (message: string) => void = () => {}): Promise<Log> {
  if (settings.kind === 'kafka') {
    const { openKafkaLog } = await import('../kafka/kafka-log.ts');
    return openKafkaLog(settings.settings, { warn });
  }
  const { openEmbeddedLog } = await import('../embedded/embedded-log.ts');
  const { directory, kind: _kind, ...options } = settings;
  return openEmbeddedLog(directory, { ...options, log: { warn } });
}
