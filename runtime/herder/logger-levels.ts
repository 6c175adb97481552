import { RequestError } from '../ports/herder.ts';
import type { LoggerLevel } from '../ports/herder.ts';

/** The worker's loggers, levels under log4j's names: OFF, FATAL, ERROR, WARN, INFO, DEBUG, TRACE. */
export interface LogLevels {
  /** The level of every logger there is, by name; the one above all is `root`. */
  levels(): Readonly<Record<string, string>>;
  /** Sets the level of one logger by its exact name, which may be new. */
  set(logger: string, level: string): void;
}

export interface LoggerRequests {
  /** What another worker, or this one, set for the whole cluster; a level that there is not is passed over. */
  setByCluster(name: string, level: string): void;
  loggers(): Readonly<Record<string, LoggerLevel>>;
  logger(name: string): LoggerLevel;
  setLogger(name: string, level: string, scope: 'worker' | 'cluster'): Promise<readonly string[] | undefined>;
}

const known = ['OFF', 'FATAL', 'ERROR', 'WARN', 'INFO', 'DEBUG', 'TRACE', 'ALL'];

/**
 * `/admin/loggers`. `tellCluster` has every worker set it, this one too; left out, there is this worker alone.
 * Source: org.apache.kafka.connect.runtime.Loggers (KIP-495, KIP-976).
 */
export function createLoggerRequests(logLevels: LogLevels, tellCluster?: (name: string, level: string) => Promise<void>): LoggerRequests {
  const modified = new Map<string, number>();
  const entry = (name: string, level: string): LoggerLevel => ({ level, last_modified: modified.get(name) ?? null });

  function set(name: string, level: string): readonly string[] {
    const below = Object.keys(logLevels.levels()).filter((other) => name === 'root' || other.startsWith(`${name}.`));
    const affected = [...new Set([name, ...below])].sort();
    for (const logger of affected) {
      logLevels.set(logger, level);
      modified.set(logger, Date.now());
    }
    return affected;
  }

  return {
    loggers() {
      const entries = Object.entries(logLevels.levels()).sort(([a], [b]) => (a < b ? -1 : 1));
      return Object.fromEntries(entries.map(([name, level]) => [name, entry(name, level)]));
    },
    logger(name) {
      const levels = logLevels.levels();
      const level = Object.hasOwn(levels, name) ? levels[name] : undefined;
      if (level === undefined) throw new RequestError(404, `Logger ${name} not found.`);
      return entry(name, level);
    },
    setByCluster(name, level) {
      if (known.includes(level.toUpperCase())) set(name, level.toUpperCase());
    },
    async setLogger(name, level, scope) {
      const wanted = level.toUpperCase();
      if (!known.includes(wanted)) throw new RequestError(404, `invalid log level '${level}'.`);
      if (scope === 'worker') return set(name, wanted);
      if (tellCluster === undefined) set(name, wanted);
      else await tellCluster(name, wanted);
      return undefined;
    },
  };
}
