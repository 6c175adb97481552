import { readFileSync } from 'node:fs';

/** Resident memory of a process, of its threads too. Source: proc(5), VmRSS. */
export function residentBytes(pid: number): number {
  const [, kilobytes] = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
  if (kilobytes === undefined) throw new Error(`process ${pid} tells no VmRSS: it is a zombie`);
  return Number(kilobytes) * 1024;
}
