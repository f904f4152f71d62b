import pg from 'pg';
import type { Mortal } from './mortal.ts';

/** The SQL function that the driver of the `Rpc` port calls with a statement. */
const called = /\bpublic\."(\w+)"\(/;

/** Has every connection of this process pass the points of calls over TCP. */
export function makeQueriesMortal(mortal: Mortal): void {
  const prototype = pg.Client.prototype as {
    query: (this: pg.Client, ...args: unknown[]) => unknown;
  };
  const { query } = prototype;
  prototype.query = function (...args) {
    const [config, ...rest] = args;
    const text = typeof config === 'object' && config !== null && 'text' in config ? String(config.text) : '';
    const name = called.exec(text)?.[1];
    if (name === undefined || rest.some((each) => typeof each === 'function')) return query.apply(this, args);
    return mortal.pass(name, async () => await query.apply(this, args));
  };
}
