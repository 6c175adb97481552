/** Folder and cluster compared: what has to be done, without doing it. */
import type { RawConfig } from '../../api/index.ts';
import type { FileProblem, FolderConnector } from './connector-folder.ts';
import { ownerKey } from './owner.ts';
import type { Owner } from './owner.ts';

/** The cluster's connectors and their configs, as GET shows them. */
export type ClusterConfigs = ReadonlyMap<string, RawConfig>;

export interface KeyChange {
  readonly key: string;
  /** Left out: the key is new. */
  readonly before?: string;
  /** Left out: the key goes. */
  readonly after?: string;
}

/** `config` is what is to be written: the file's, and the marker where the connector is this folder's own. */
export type Change =
  | {
      readonly action: 'create';
      readonly name: string;
      readonly connector: FolderConnector;
      readonly config: RawConfig;
      readonly keys: readonly KeyChange[];
    }
  | {
      readonly action: 'change';
      readonly name: string;
      readonly connector: FolderConnector;
      readonly config: RawConfig;
      readonly keys: readonly KeyChange[];
    }
  | { readonly action: 'delete'; readonly name: string };

export interface Plan {
  /** Deletions first, so that what they held (a replication slot, a file) is free for a connector that was renamed. */
  readonly changes: readonly Change[];
  readonly unchanged: readonly FolderConnector[];
  /** Of this folder once, without a file now, and kept because pruning was not asked for. */
  readonly leftOver: readonly string[];
  /** They have a file, and were made by somebody else: they are changed, and never pruned. */
  readonly unowned: readonly string[];
  /** Why this folder may not touch what is there; nothing may be done then. */
  readonly problems: readonly FileProblem[];
}

export interface PlanOptions {
  readonly owner: Owner;
  readonly prune: boolean;
  /** Makes connectors that others made this folder's own. */
  readonly adopt: boolean;
}

export function makePlan(folder: readonly FolderConnector[], cluster: ClusterConfigs, options: PlanOptions): Plan {
  const { owner, prune, adopt } = options;
  const changes: Change[] = [];
  const unchanged: FolderConnector[] = [];
  const unowned: string[] = [];
  const problems: FileProblem[] = [];

  for (const connector of folder) {
    const { name, file } = connector;
    const there = cluster.get(name);
    if (there === undefined) {
      const config = written(connector, owner.name);
      changes.push({ action: 'create', name, connector, config, keys: keyChanges({}, connector.config) });
      continue;
    }
    const itsOwner = there[ownerKey];
    if (itsOwner !== undefined && itsOwner !== owner.name && !adopt) {
      problems.push({
        file,
        reason: `the connector "${name}" belongs to "${itsOwner}", and this folder is "${owner.name}". Take the file out of one of them, or take the connector over with --adopt.`,
      });
      continue;
    }
    const config = written(connector, adopt ? owner.name : itsOwner);
    const keys = keyChanges(there, config);
    if (config[ownerKey] === undefined) unowned.push(name);
    if (keys.length === 0) unchanged.push(connector);
    else changes.push({ action: 'change', name, connector, config, keys });
  }

  const named = new Set(folder.map(({ name }) => name));
  const ours = [...cluster].filter(([, config]) => config[ownerKey] === owner.name).map(([name]) => name);
  const gone = ours.filter((name) => !named.has(name)).toSorted();
  const created = changes.filter((change) => change.action === 'create');
  if (owner.isDefault && (prune || adopt || created.length > 0) && gone.length > 0 && gone.length === ours.length) {
    const isRenamed = gone.some((name) => created.some(({ config }) => keyChanges(cluster.get(name) ?? {}, config).length === 0));
    if (!isRenamed) problems.push(sameName(owner.name, gone));
  }

  const deletions = prune ? gone.map((name): Change => ({ action: 'delete', name })) : [];
  return { changes: [...deletions, ...changes], unchanged, leftOver: prune ? [] : gone, unowned, problems };
}

/**
 * Two folders that are both called `connectors` must not prune each other's: the second one is stopped at its first
 * run, when nothing says that what is there is its own.
 */
function sameName(owner: string, gone: readonly string[]): FileProblem {
  const some = gone.length > 3 ? `${gone.slice(0, 3).join(', ')} and ${gone.length - 3} more` : gone.join(', ');
  return {
    file: '.',
    reason:
      `the cluster has connectors of a folder "${owner}" (${some}), and none of them has a file here: this may be another folder of that name. ` +
      `Give this one a name of its own with --owner NAME or {"owner": "NAME"} in .millrace-apply.json; if it is the same folder, name it "${owner}" there.`,
  };
}

function written({ name, config }: FolderConnector, owner: string | undefined): RawConfig {
  return { ...config, name, ...(owner !== undefined && { [ownerKey]: owner }) };
}

/** Sorted by key; the connector's name is not compared, since it is the same by definition. */
export function keyChanges(before: RawConfig, after: RawConfig): readonly KeyChange[] {
  const keys = new Set([...Object.keys(before), ...Object.keys(after)]);
  keys.delete('name');
  return [...keys].toSorted().flatMap((key) => {
    const [old, now] = [before[key], after[key]];
    if (old === now) return [];
    return [{ key, ...(old !== undefined && { before: old }), ...(now !== undefined && { after: now }) }];
  });
}
