import { readFileSync } from 'node:fs';

// What Linux knows about a process. All figures are of the process: of all its threads, those that
// have ended included, and none of its children.

// USER_HZ: the kernel counts in other units, and shows these to user space on every architecture.
const TICKS_PER_SECOND = 100;

/** User and system time since its start. */
export function cpuSeconds(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  // "pid (name) state …", and the name may hold anything: fields 14 and 15, counted from behind it.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
}

/** What all processes of the machine have used since it booted, kernel threads included. */
export function machineCpuSeconds(): number {
  const [, user, nice, system, , , irq, softirq] = readFileSync('/proc/stat', 'utf8').split('\n', 1)[0]!.split(/\s+/);
  return [user, nice, system, irq, softirq].reduce((sum, ticks) => sum + Number(ticks), 0) / TICKS_PER_SECOND;
}

/** Resident memory now. */
export const rssBytes = (pid: number): number => statusBytes(pid, 'VmRSS');

/** Resident memory at its highest since the start. */
export const peakRssBytes = (pid: number): number => statusBytes(pid, 'VmHWM');

function statusBytes(pid: number, field: 'VmRSS' | 'VmHWM'): number {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  const match = new RegExp(`^${field}:\\s+(\\d+) kB$`, 'm').exec(status);
  if (!match) throw new Error(`/proc/${pid}/status has no ${field}: has the process ended?`);
  return Number(match[1]) * 1024;
}
