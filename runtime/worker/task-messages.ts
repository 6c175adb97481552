/** What the main thread and a task thread say to each other, beside the calls of `rpc.ts`. */
import type { MessagePort } from 'node:worker_threads';
import type { RawConfig, TaskReport } from '../api/index.ts';
import type { Log } from '../ports/log.ts';
import type { LabelledFigure } from '../pipeline/task-figures.ts';
import type { SourceDelivery } from '../plugins/source-delivery.ts';
import type { OffsetsTopic } from '../ports/stores.ts';
import type { TaskSpec } from '../ports/tasks.ts';

export type ToTask =
  | { readonly kind: 'pause'; readonly paused: boolean }
  | { readonly kind: 'stop' }
  | { readonly kind: 'ping'; readonly number: number };

export type FromTask =
  | { readonly kind: 'running' | 'paused' | 'resumed' | 'stopped' }
  | { readonly kind: 'failed'; readonly trace: string; readonly passes: boolean }
  | { readonly kind: 'topic-used'; readonly topic: string }
  | { readonly kind: 'noted'; readonly text: string | undefined }
  | { readonly kind: 'reported'; readonly report: TaskReport | undefined }
  | {
      readonly kind: 'pong';
      readonly number: number;
      readonly attributes: Readonly<Record<string, number>>;
      readonly labelled: readonly LabelledFigure[];
    }
  | { readonly kind: 'log'; readonly level: LogLevel; readonly message: string; readonly fields?: Readonly<Record<string, unknown>> };

export type LogLevel = 'debug' | 'info' | 'warn' | 'error';

/** What tasks need to know of the worker's settings. */
export interface TaskSettings {
  /** `key.converter`, `value.converter`, `header.converter` and what belongs to them. */
  readonly converters: RawConfig;
  /** Where plugins are looked for, as `plugins/` takes it. */
  readonly pluginPath: readonly string[];
  readonly offsetFlushIntervalMs: number;
  readonly topicCreation: boolean;
  /** The worker's own client settings, prefix taken off; a connector's overrides win over them. */
  readonly clients?: { readonly producer: RawConfig; readonly consumer: RawConfig };
  /** Left out: as the embedded log has it. */
  readonly delivery?: SourceDelivery;
}

/** Where the offsets of a source task are, as the main thread has opened them for it. */
export interface OffsetPlace {
  /** Undefined where they are in no topic. */
  readonly topic: OffsetsTopic | undefined;
  /** The task writes them there with each append; see OffsetStore.atomicTopic. */
  readonly atomic: boolean;
  /** They are copied elsewhere after they were committed there. */
  readonly copied: boolean;
}

export interface TaskThreadData {
  readonly spec: TaskSpec;
  readonly settings: TaskSettings;
  readonly logKind: Log['kind'];
  readonly logPort: MessagePort;
}
