/** Times of Debezium's types, moved to a time zone. Source: io.debezium.transforms.TimezoneConverter. */
import { logical } from '../../api/index.ts';
import type { Schema } from '../../api/index.ts';
import { offsetText } from './zone-offset.ts';
import type { ZoneOffsets } from './zone-offset.ts';

const perMs: Readonly<Record<string, bigint>> = {
  'io.debezium.time.Timestamp': 1n,
  'io.debezium.time.MicroTimestamp': 1_000n,
  'io.debezium.time.NanoTimestamp': 1_000_000n,
};
const zonedTimestamp = 'io.debezium.time.ZonedTimestamp';
const zonedTime = 'io.debezium.time.ZonedTime';

export const isTimeField = ({ name = '' }: Schema): boolean =>
  name in perMs || name === zonedTimestamp || name === zonedTime || name === logical.timestamp;

/**
 * A time with a zone stays the same moment, told by the zone's clock. One without is taken for what the zone's clock
 * showed, and becomes that moment. What is no time (infinity) stays.
 */
export function timeInZone({ name = '' }: Schema, value: unknown, zone: ZoneOffsets): unknown {
  if (value instanceof Date) return new Date(value.getTime() - zone.ofLocal(value.getTime()));
  const unit = perMs[name];
  if (unit !== undefined && (typeof value === 'number' || typeof value === 'bigint')) {
    const units = BigInt(value);
    const moved = units - BigInt(zone.ofLocal(Number(units / unit))) * unit;
    return typeof value === 'number' && Number.isSafeInteger(Number(moved)) ? Number(moved) : moved;
  }
  if (typeof value !== 'string') return value;
  return name === zonedTime ? clockInZone(value, zone) : momentInZone(value, zone);
}

const moment = /^(\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2})(?:\.(\d+))?(Z|[+-]\d{2}:\d{2})$/;

function momentInZone(text: string, zone: ZoneOffsets): string {
  const [, seconds = '', fraction, offset = ''] = moment.exec(text) ?? [];
  const epochMs = Date.parse(seconds + offset);
  if (Number.isNaN(epochMs)) return text;
  // Debezium asks for the offset of the wall clock as it is written.
  const shift = zone.ofLocal(Date.parse(`${seconds}Z`));
  return `${new Date(epochMs + shift).toISOString().slice(0, -5)}${fractionText(fraction)}${offsetText(shift)}`;
}

const clock = /^(\d{2}:\d{2}:\d{2})(?:\.(\d+))?(Z|[+-]\d{2}:\d{2})$/;

/** A time of day has no date to ask for an offset: today's counts. */
function clockInZone(text: string, zone: ZoneOffsets): string {
  const [, seconds = '', fraction, offset = ''] = clock.exec(text) ?? [];
  const ms = Date.parse(`1970-01-02T${seconds}${offset}`);
  if (Number.isNaN(ms)) return text;
  const shift = zone.at(Date.now());
  return `${new Date(ms + shift).toISOString().slice(11, 19)}${fractionText(fraction)}${offsetText(shift)}`;
}

const fractionText = (digits: string | undefined): string => {
  const kept = (digits ?? '').replace(/0+$/, '');
  return kept === '' ? '' : `.${kept}`;
};
