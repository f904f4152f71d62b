import { endpoints } from './http/target.ts';
import { payloads } from './payloads/target.ts';
import { sqlFunctions } from './sql/target.ts';
import type { FuzzTarget } from './target.ts';

export const targets: readonly FuzzTarget[] = [sqlFunctions, endpoints, payloads];
