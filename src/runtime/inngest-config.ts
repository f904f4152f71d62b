import type { EnvRecord, Setting } from './config-reader.ts';
import { httpUrl, matching, optional, type Read, required, secret, Unexpected } from './config-values.ts';

/**
 * Where this deployment stands for Inngest. `local`: the Dev Server, nothing is signed. `preview`: a branch
 * environment of Inngest Cloud. `production`: its production environment.
 */
export type InngestEnvironment = 'local' | 'preview' | 'production';

/** The Inngest keys; undefined ones are not set. */
export interface InngestConfig {
  environment: InngestEnvironment;
  /** True in `local`: the Dev Server's protocol, nothing is signed. False: Inngest Cloud. */
  isDev: boolean;
  eventKey: string | undefined;
  signingKey: string | undefined;
  /** The Dev Server, or an Inngest that somebody hosts. */
  baseUrl: string | undefined;
  /** Name of the branch environment, in a preview. */
  branch: string | undefined;
  /** Where Inngest is to call this deployment, when that differs from where it asked; for example `https://x.dev`. */
  serveOrigin: string | undefined;
  /** The path there. */
  servePath: string | undefined;
}

/** Netlify's deploy contexts that are neither production nor somebody's own machine. */
const previewContexts = ['deploy-preview', 'branch-deploy', 'preview-server'];

const isSwitchedOn = /^(1|true|https?:\/\/.+)$/i;
const devSwitch = matching(
  /^(1|0|true|false|https?:\/\/.+)$/i,
  '1, 0, true, false or the URL of an Inngest Dev Server',
);

/**
 * Which environment the variables describe, the first rule that says something: `INNGEST_DEV`; Netlify's `CONTEXT`
 * `dev`; `INNGEST_ENV`, the name of a branch environment; Netlify's contexts for previews. Else production, where
 * nothing is served without a signing key, so that a forgotten variable opens nothing.
 */
function detectEnvironment(env: EnvRecord): InngestEnvironment {
  const dev = env['INNGEST_DEV']?.trim() ?? '';
  const context = env['CONTEXT']?.trim() ?? '';
  if (isSwitchedOn.test(dev)) return 'local';
  if (dev === '' && context === 'dev') return 'local';
  const branch = env['INNGEST_ENV']?.trim() ?? '';
  if (branch !== '') return branch === 'production' ? 'production' : 'preview';
  return previewContexts.includes(context) ? 'preview' : 'production';
}

/** The key without which nothing works outside development: to serve Inngest, to take its place, or none, to send. */
export type RequiredKey = 'signing' | 'event' | null;

export function inngestSettings(env: EnvRecord, required: RequiredKey) {
  const environment = detectEnvironment(env);
  const names = (suffix: string): string[] =>
    usesProductionKeys(environment, env)
      ? [`INNGEST_PRODUCTION_${suffix}`, `INNGEST_${suffix}`]
      : [`INNGEST_${suffix}`];
  const needed = environment === 'local' ? null : required;
  return {
    dev: { names: ['INNGEST_DEV'], read: optional(devSwitch), shown: true },
    eventKey: { names: names('EVENT_KEY'), read: needed === 'event' ? eventKey : optional(secret) },
    signingKey: {
      names: names('SIGNING_KEY'),
      read: needed === 'signing' ? signingKey(environment) : optional(secret),
    },
    baseUrl: { names: ['INNGEST_BASE_URL'], read: optional(httpUrl) },
    branch: { names: ['INNGEST_ENV'], read: (text) => text, shown: true },
    serveOrigin: { names: ['INNGEST_SERVE_ORIGIN'], read: optional(httpUrl) },
    servePath: {
      names: ['INNGEST_SERVE_PATH'],
      read: optional(matching(/^\//, 'a path that begins with /')),
      shown: true,
    },
  } satisfies Record<string, Setting<unknown>>;
}

/** The keys marked for production never reach the Dev Server, and win elsewhere; a preview passes over production's. */
function usesProductionKeys(environment: InngestEnvironment, env: EnvRecord): boolean {
  if (environment !== 'preview') return environment === 'production';
  return !isOfProduction(env['INNGEST_PRODUCTION_SIGNING_KEY']?.trim() ?? '');
}

const isOfProduction = (key: string): boolean => key.startsWith('signkey-prod-');

const eventKey: Read<string | undefined> = required('an event key, or INNGEST_DEV=1 to develop', secret);

/** A preview that signed as production could take production's place there, at its next registration. */
function signingKey(environment: InngestEnvironment): Read<string | undefined> {
  return required('a signing key, or INNGEST_DEV=1 to develop', (text) => {
    const key = secret(text);
    if (environment !== 'production' && isOfProduction(key))
      throw new Unexpected("a branch environment's signing key in a preview");
    return key;
  });
}

interface InngestValues extends Omit<InngestConfig, 'environment' | 'isDev'> {
  dev: string | undefined;
}

export function toInngestConfig(env: EnvRecord, values: InngestValues): InngestConfig {
  const environment = detectEnvironment(env);
  const { dev, eventKey, signingKey, baseUrl, branch, serveOrigin, servePath } = values;
  return {
    environment,
    isDev: environment === 'local',
    eventKey,
    signingKey,
    baseUrl: baseUrl ?? (dev?.startsWith('http') ? dev : undefined),
    branch: environment === 'preview' ? branch : undefined,
    serveOrigin,
    servePath,
  };
}
