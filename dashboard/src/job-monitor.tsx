import './styles.ts';
import { MantineProvider } from '@mantine/core';
import { QueryClient, QueryClientProvider } from '@tanstack/react-query';
import { type ReactNode, useMemo, useState } from 'react';
import { Notices } from './components/notices.tsx';
import { NowContext, useClock } from './components/use-now.ts';
import type { JobMonitorClient } from './data/client.ts';
import { OperatorContext } from './data/operator-context.ts';
import { createOperator } from './data/operator.ts';
import { InngestContext } from './data/inngest-context.ts';
import { parseRoute, useHash } from './location/route.ts';
import { Page } from './pages/page.tsx';
import { SessionGate } from './session/session-gate.tsx';
import type { SignInOptions } from './session/sign-in-options.ts';
import { Shell } from './shell/shell.tsx';
import { cssVariables, theme } from './theme.ts';

export interface JobMonitorProps {
  /** A supabase-js client with the publishable key, never a secret one. */
  client: JobMonitorClient;
  /**
   * Address of a run in Inngest, `{run}` stands for its id; null shows no links.
   * Default: Inngest Cloud's production environment.
   */
  inngestRunUrl?: string | null;
  signIn?: SignInOptions;
}

/**
 * The whole monitor: sign-in, overview, jobs and what operators do about them. It fills its container and keeps its
 * place in the hash of the page's address.
 */
export function JobMonitor({
  client,
  inngestRunUrl = 'https://app.inngest.com/env/production/runs/{run}',
  signIn,
}: JobMonitorProps): ReactNode {
  const [queries] = useState(
    () =>
      new QueryClient({
        defaultOptions: { queries: { retry: false }, mutations: { networkMode: 'always' } },
      }),
  );
  const operator = useMemo(() => createOperator(client), [client]);
  return (
    <MantineProvider theme={theme} cssVariablesResolver={cssVariables} defaultColorScheme="auto">
      <QueryClientProvider client={queries}>
        <OperatorContext value={operator}>
          <InngestContext value={inngestRunUrl}>
            <Notices>
              <SessionGate client={client} signIn={signIn}>
                {(email) => <Monitor email={email} onSignOut={() => void client.auth.signOut()} />}
              </SessionGate>
            </Notices>
          </InngestContext>
        </OperatorContext>
      </QueryClientProvider>
    </MantineProvider>
  );
}

function Monitor({ email, onSignOut }: { email: string | undefined; onSignOut: () => void }) {
  const hash = useHash();
  const route = useMemo(() => parseRoute(hash), [hash]);
  return (
    <NowContext value={useClock()}>
      <Shell current={route.path[0] ?? ''} email={email} onSignOut={onSignOut}>
        <Page route={route} />
      </Shell>
    </NowContext>
  );
}
