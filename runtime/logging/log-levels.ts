/**
 * Levels by logger name, changed at run time (KIP-495): a name's level is its own, or that of the nearest name
 * above it (`a.b` is above `a.b.c`), or root's. Source: org.apache.kafka.connect.runtime.Loggers.
 */
export type Level = 'OFF' | 'FATAL' | 'ERROR' | 'WARN' | 'INFO' | 'DEBUG' | 'TRACE' | 'ALL';

/** From the one that says least. */
export const levelNames: readonly Level[] = ['OFF', 'FATAL', 'ERROR', 'WARN', 'INFO', 'DEBUG', 'TRACE', 'ALL'];

/** What the herder's `/admin/loggers` works with. */
export interface LogLevels {
  /** `root`, and every name that logs or was set. */
  levels(): Readonly<Record<string, string>>;
  /** Of that name alone; names below it that have a level of their own keep it. Throws a RangeError for an unknown level. */
  set(name: string, level: string): void;
  /** Makes a name known, so that {@link LogLevels.levels} lists it. */
  know(name: string): void;
  levelOf(name: string): Level;
  /** Called after each change. */
  onChange(listener: () => void): void;
}

export function createLogLevels(root: string = 'INFO'): LogLevels {
  const own = new Map<string, Level>([['root', levelFrom(root)]]);
  const known = new Set<string>(['root']);
  const listeners: (() => void)[] = [];

  const levelOf = (name: string): Level => {
    for (let at = name; at !== ''; at = at.slice(0, Math.max(0, at.lastIndexOf('.')))) {
      const level = own.get(at);
      if (level !== undefined) return level;
    }
    return own.get('root') ?? 'INFO';
  };

  return {
    levels: () => Object.fromEntries([...known].sort().map((name) => [name, levelOf(name)])),
    set(name, level) {
      own.set(name, levelFrom(level));
      known.add(name);
      for (const listener of listeners) listener();
    },
    know: (name) => void known.add(name),
    levelOf,
    onChange: (listener) => void listeners.push(listener),
  };
}

function levelFrom(text: string): Level {
  const level = levelNames.find((each) => each === text.toUpperCase());
  if (level === undefined) throw new RangeError(`"${text}" is no log level: choose one of ${levelNames.join(', ')}`);
  return level;
}
