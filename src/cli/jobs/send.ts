import { send as sendEvent, sendOptions } from '../command/send-command.ts';
import type { Command } from './command.ts';

/** `npm run send` under another name. */
export const send: Command = {
  summary: 'sends an event, to Inngest where it is reachable',
  options: sendOptions,
  operands: 'types',
  run: sendEvent,
};
