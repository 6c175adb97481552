import { readFileSync } from 'node:fs';
import { uptime } from 'node:os';

/** What tells this boot of the machine from another one. Source: proc(5), random/boot_id; elsewhere the minute it began in. */
export function bootId(): string {
  try {
    return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
  } catch {
    return `since ${Math.round((Date.now() / 1000 - uptime()) / 60)}`;
  }
}
