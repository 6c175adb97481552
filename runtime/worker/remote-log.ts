/** The Log port over a MessagePort to the log thread: what task threads and the main thread see as the log. */
import type { MessagePort } from 'node:worker_threads';
import type { Log, LogGroup, LogProducer, LogReader, TransactionalProducer } from '../ports/log.ts';
import { callOverPort } from './rpc.ts';
import type { Caller } from './rpc.ts';

export function remoteLog(port: MessagePort, kind: Log['kind']): Log {
  const caller = callOverPort(port, 'the log thread');
  const ask = <T>(method: string, ...args: readonly unknown[]): Promise<T> => caller.call<T>(method, args);
  return {
    kind,
    clusterId: () => ask('clusterId'),
    describeTopics: (names) => ask('describeTopics', names),
    topicConfig: (name) => ask('topicConfig', name),
    createTopics: (specs) => ask('createTopics', specs),
    deleteTopics: (names) => ask('deleteTopics', names),
    offsetsAt: (partitions, time) => ask('offsetsAt', partitions, time),
    groupOffsets: (groupId) => ask('groupOffsets', groupId),
    alterGroupOffsets: (groupId, offsets) => ask('alterGroupOffsets', groupId, offsets),
    deleteGroup: (groupId) => ask('deleteGroup', groupId),
    openProducer: async (options) => remoteProducer(caller, await ask('openProducer', options)),
    openTransactionalProducer: async (options) => remoteTransactionalProducer(caller, await ask('openTransactionalProducer', options)),
    fenceProducers: (transactionalIds) => ask('fenceProducers', transactionalIds),
    openReader: async (options) => remoteReader(caller, await ask('openReader', options)),
    openGroup: async (options) => remoteGroup(caller, await ask('openGroup', options)),
    async [Symbol.asyncDispose]() {
      port.close();
    },
  };
}

function remoteProducer(caller: Caller, handle: number): LogProducer {
  return {
    append: (batches) => caller.call('append', [handle, batches], { transfer: batches.map(({ buffer }) => buffer) }),
    [Symbol.asyncDispose]: () => caller.call('close', [handle]),
  };
}

function remoteTransactionalProducer(caller: Caller, handle: number): TransactionalProducer {
  return {
    ...remoteProducer(caller, handle),
    commitTransaction: () => caller.call('commitTransaction', [handle]),
    abortTransaction: () => caller.call('abortTransaction', [handle]),
  };
}

function remoteReader(caller: Caller, handle: number): LogReader {
  return {
    assign: (positions) => void caller.call('assign', [handle, positions]).catch(ignore),
    fetch: (limits, signal) => caller.call('fetch', [handle, limits], { signal }),
    [Symbol.asyncDispose]: () => caller.call('close', [handle]),
  };
}

function remoteGroup(caller: Caller, handle: number): LogGroup {
  return {
    poll: (limits, signal) => caller.call('poll', [handle, limits], { signal }),
    commit: (offsets, batches = []) => caller.call('commit', [handle, offsets, batches], { transfer: batches.map(({ buffer }) => buffer) }),
    seek: (offsets) => void caller.call('seek', [handle, offsets]).catch(ignore),
    pause: (partitions) => void caller.call('pause', [handle, partitions]).catch(ignore),
    resume: (partitions) => void caller.call('resume', [handle, partitions]).catch(ignore),
    [Symbol.asyncDispose]: () => caller.call('close', [handle]),
  };
}

/** Messages of one port arrive in order, so the next fetch or poll sees what was asked, or rejects with the reason. */
function ignore(): void {}
