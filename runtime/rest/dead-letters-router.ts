/** `/connectors/{n}/dead-letters`: none of Kafka Connect's paths. */
import { Router } from 'express';

import type { DeadLetter, DeadLetters, LetterOutcome, LetterPlace, LetterReport } from '../ports/dead-letters.ts';
import { RequestError } from '../ports/herder.ts';
import { discardRequestOf, listQueryOf, placeOf, resubmitRequestOf } from './dead-letters-request.ts';
import { ok, resource } from './resource.ts';
import type { Call } from './resource.ts';

/** Of each key, value and header in a list. */
const shownBytes = 1_000;
const mostShownBytes = 1 << 20;

export function deadLettersRouter(letters: DeadLetters): Router {
  const router = Router({ caseSensitive: true });
  const at = '/connectors/:name/dead-letters';
  const nameOf = (call: Call): string => call.param('name');
  resource(router, at, {
    GET: async (call) => {
      const { topic, letters: page, next } = await letters.list(nameOf(call), listQueryOf(call.query));
      const most = bytesOf(call.query.get('bytes'));
      return ok({ topic, letters: page.map((letter) => shown(letter, most)), next: placeText(next) });
    },
  });
  resource(router, `${at}/resubmit`, {
    POST: async (call) => ok(reportOf(await letters.resubmit(nameOf(call), resubmitRequestOf(call.body())))),
  });
  resource(router, `${at}/discard`, {
    POST: async (call) => ok(reportOf(await letters.discard(nameOf(call), discardRequestOf(call.body())))),
  });
  resource(router, `${at}/:partition/:offset`, {
    GET: async (call) => {
      const place = placeOf(`${call.param('partition')}:${call.param('offset')}`, 'partition/offset');
      return ok(shown(await letters.get(nameOf(call), place), Infinity));
    },
  });
  return router;
}

function bytesOf(text: string | null): number {
  if (text === null) return shownBytes;
  if (/^\d{1,7}$/.test(text) && Number(text) <= mostShownBytes) return Number(text);
  throw new RequestError(400, `"bytes" must be a whole number up to ${mostShownBytes}, but is "${text}"`);
}

const placeText = (place: LetterPlace | undefined): string | null => (place === undefined ? null : `${place.partition}:${place.offset}`);

function shown({ entry, origin, failure, ...letter }: DeadLetter, most: number): object {
  return {
    partition: letter.partition,
    offset: letter.offset,
    state: letter.state,
    timestamp: letter.timestampMs,
    origin: origin ?? null,
    failure,
    key: bytesShown(letter.key, most),
    value: bytesShown(letter.value, most),
    headers: letter.headers.map(({ key, value }) => ({ key, value: bytesShown(value, most) })),
    outcome: entry === undefined ? null : { ...entry, atMs: undefined, at: new Date(entry.atMs).toISOString() },
  };
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** As an edit takes it: what is whole can be sent back as it is. */
function bytesShown(bytes: Uint8Array | null, most: number): object | null {
  if (bytes === null) return null;
  const cut = bytes.length > most;
  // A character that is cut in two would make text look like bytes.
  let end = cut ? most : bytes.length;
  while (cut && end > 0 && ((bytes[end] ?? 0) & 0xc0) === 0x80) end--;
  const part = bytes.subarray(0, end);
  return { ...textOrBase64(part), ...(cut && { cutFrom: bytes.length }) };
}

function textOrBase64(bytes: Uint8Array): object {
  try {
    return { text: utf8.decode(bytes) };
  } catch {
    return { base64: Buffer.from(bytes).toString('base64') };
  }
}

function reportOf({ topic, outcomes, dryRun, next }: LetterReport): object {
  const counts: Partial<Record<LetterOutcome['outcome'], number>> = {};
  for (const { outcome } of outcomes) counts[outcome] = (counts[outcome] ?? 0) + 1;
  return { topic, dryRun, counts, letters: outcomes, next: placeText(next) };
}
