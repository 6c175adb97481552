/**
 * `response.http.headers.config`: rules such as `set X-Frame-Options: DENY, "add Cache-Control: no-cache, no-store"`,
 * separated by commas, in double quotes where they hold one. Source: RestServerConfig.validateHttpResponseHeaderConfig.
 */
import type { RequestHandler } from 'express';

import { ConfigError } from '../api/index.ts';

interface HeaderRule {
  readonly action: string;
  readonly name: string;
  readonly value: string;
}

const actions = ['set', 'add', 'setDate', 'addDate'];

/** Throws a ConfigError. */
export function headerRules(text: string): RequestHandler {
  const rules =
    text
      .match(/"[^"]*"|[^,"]+/g)
      ?.filter((part) => part.trim() !== '')
      .map(ruleOf) ?? [];
  return (_request, response, next) => {
    for (const { action, name, value } of rules) {
      const shown = action.endsWith('Date') ? new Date(Number(value)).toUTCString() : value;
      if (action.startsWith('set')) response.setHeader(name, shown);
      else response.appendHeader(name, shown);
    }
    next();
  };
}

function ruleOf(part: string): HeaderRule {
  const rule = part
    .trim()
    .replace(/^"(.*)"$/, '$1')
    .trim();
  const [, action = '', name = '', value = ''] = /^(\S+)\s+([^\s:]+)\s*:\s*(.*)$/s.exec(rule) ?? [];
  if (!actions.includes(action) || name === '') {
    throw new ConfigError(
      `response.http.headers.config: "${rule}" is no rule; write "[action] [header name]:[header value]" with an action of ${actions.join(', ')}`,
    );
  }
  if (action.endsWith('Date') && !Number.isFinite(Number(value))) {
    throw new ConfigError(`response.http.headers.config: "${rule}" needs a date in milliseconds since 1970`);
  }
  return { action, name, value };
}
